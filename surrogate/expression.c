#include "surrogate/expression.h"

#include "base/number.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the program: operations on a stack ---- */

enum operation {
	PUSH_NUMBER, /* number */
	PUSH_VARIABLE, /* values[variable] */
	PUSH_MEANING, /* meanings[first + values[variable]], n of them */
	NEGATE,
	NOT,
	ABS,
	CEIL,
	EXP,
	FLOOR,
	LOG,
	LOG10,
	LOG2,
	SQRT,
	ADD,
	SUBTRACT,
	MULTIPLY,
	DIVIDE,
	POWER,
	MAX,
	MIN,
	LESS,
	LESS_EQUAL,
	GREATER,
	GREATER_EQUAL,
	EQUAL,
	DIFFERENT,
	AND,
	OR,
};

struct instruction {
	enum operation operation;
	double number;
	size_t variable, first, n;
};

enum { STACK_MAX = 128 };

struct expression {
	size_t n, n_meanings, n_variables;
	struct instruction *code;
	double *meanings;
	size_t *variables;
	char *text;
};

static double meaning(const struct expression *e, const struct instruction *in, double value)
{
	/* Not so for NaN. */
	if (!(value >= 0 && value < (double)in->n))
		return NAN;
	return e->meanings[in->first + (size_t)value];
}

static double unary(enum operation operation, double a)
{
	switch (operation) {
	case NEGATE:
		return -a;
	case NOT:
		return a == 0;
	case ABS:
		return fabs(a);
	case CEIL:
		return ceil(a);
	case EXP:
		return exp(a);
	case FLOOR:
		return floor(a);
	case LOG:
		return log(a);
	case LOG10:
		return log10(a);
	case LOG2:
		return log2(a);
	default:
		return sqrt(a);
	}
}

/* fmax and fmin would hide a NaN. */
static double larger(double a, double b)
{
	return isnan(a) || a > b ? a : b;
}

static double smaller(double a, double b)
{
	return isnan(a) || a < b ? a : b;
}

static double binary(enum operation operation, double a, double b)
{
	switch (operation) {
	case ADD:
		return a + b;
	case SUBTRACT:
		return a - b;
	case MULTIPLY:
		return a * b;
	case DIVIDE:
		return a / b;
	case POWER:
		return pow(a, b);
	case MAX:
		return larger(a, b);
	case MIN:
		return smaller(a, b);
	case LESS:
		return a < b;
	case LESS_EQUAL:
		return a <= b;
	case GREATER:
		return a > b;
	case GREATER_EQUAL:
		return a >= b;
	case EQUAL:
		return a == b;
	case DIFFERENT:
		return a < b || a > b;
	case AND:
		return a > 0 && b > 0;
	default:
		return a > 0 || b > 0;
	}
}

double expression_value(const struct expression *e, const double *values)
{
	double stack[STACK_MAX];
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++) {
		const struct instruction *in = &e->code[i];

		if (in->operation == PUSH_NUMBER) {
			stack[n++] = in->number;
		} else if (in->operation == PUSH_VARIABLE) {
			stack[n++] = values[in->variable];
		} else if (in->operation == PUSH_MEANING) {
			stack[n++] = meaning(e, in, values[in->variable]);
		} else if (in->operation < ADD) {
			stack[n - 1] = unary(in->operation, stack[n - 1]);
		} else {
			n--;
			stack[n - 1] = binary(in->operation, stack[n - 1], stack[n]);
		}
	}
	return stack[0];
}

/* A truth that is NaN, from an index without a meaning, is none. */
bool expression_holds(const struct expression *e, const double *values)
{
	return expression_value(e, values) > 0;
}

const char *expression_text(const struct expression *e)
{
	return e->text;
}

const size_t *expression_variables(const struct expression *e, size_t *ret_n)
{
	*ret_n = e->n_variables;
	return e->variables;
}

/* From the parts of `parts`, which are copied. */
static bool assemble(
	const struct expression *parts, struct expression **ret, struct tuner_error *err)
{
	struct expression *e = calloc(1, sizeof *e);

	if (e == NULL)
		return tuner_fail_memory(err);
	*e = (struct expression){ .n = parts->n,
		.n_meanings = parts->n_meanings,
		.n_variables = parts->n_variables,
		.code = calloc(parts->n + 1, sizeof *e->code),
		.meanings = calloc(parts->n_meanings + 1, sizeof *e->meanings),
		.variables = calloc(parts->n_variables + 1, sizeof *e->variables),
		.text = strdup(parts->text) };
	if (!e->code || !e->meanings || !e->variables || !e->text) {
		expression_destroy(e);
		return tuner_fail_memory(err);
	}
	memcpy(e->code, parts->code, parts->n * sizeof *e->code);
	if (parts->n_meanings > 0)
		memcpy(e->meanings, parts->meanings, parts->n_meanings * sizeof *e->meanings);
	if (parts->n_variables > 0)
		memcpy(e->variables, parts->variables, parts->n_variables * sizeof *e->variables);
	*ret = e;
	return true;
}

bool expression_copy(const struct expression *e, struct expression **ret, struct tuner_error *err)
{
	return assemble(e, ret, err);
}

void expression_destroy(struct expression *e)
{
	if (e == NULL)
		return;
	free(e->code);
	free(e->meanings);
	free(e->variables);
	free(e->text);
	free(e);
}

/* ---- tokens ---- */

enum token_kind {
	TOKEN_END,
	TOKEN_NUMBER,
	TOKEN_NAME, /* a word: perhaps one of the language */
	TOKEN_QUOTED_NAME,
	TOKEN_STRING,
	TOKEN_SIGN, /* ( ) , and the operators that are no words */
};

struct token {
	enum token_kind kind;
	const char *start; /* in the text, quotes included */
	size_t length;
	double number;
};

/* What a part of the text is. A string's meaning is known only beside what it is compared with. */
struct operand {
	enum expression_type type;
	struct token token; /* its first */
	const struct expression_name *name; /* of a string that is one; NULL: a literal */
};

struct parser {
	const char *text;
	const struct expression_name *names;
	size_t n_names;
	struct token token; /* the next one */
	struct instruction code[EXPRESSION_SIZE_MAX];
	const double *meanings[EXPRESSION_SIZE_MAX]; /* by instruction: of PUSH_MEANING */
	size_t n, stack, nesting;
	struct tuner_error *err;
};

static size_t column_of(const struct parser *parser, const char *at)
{
	size_t column = 1;

	for (const char *c = parser->text; c < at; c++)
		column += ((unsigned char)*c & 0xC0) != 0x80;
	return column;
}

TUNER_PRINTF(3, 4)
static bool fail_at(struct parser *parser, const char *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tuner_fail_v(parser->err, TUNER_USAGE, format, args);
	va_end(args);
	return tuner_fail_in(parser->err, "column %zu: ", column_of(parser, at));
}

static const char *found(const struct token *token, char ret_text[96])
{
	enum { SHOWN = 60 };

	if (token->kind == TOKEN_END)
		return "the end";
	snprintf(ret_text, 96, "%.*s%s", (int)(token->length < SHOWN ? token->length : SHOWN),
		token->start, token->length > SHOWN ? "..." : "");
	return ret_text;
}

static bool fail_found(struct parser *parser, const struct token *token, const char *expected)
{
	char text[96];

	return fail_at(parser, token->start, "expected %s, found %s", expected, found(token, text));
}

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

/* Digits with one point at most, then an exponent if there is a whole one. */
static size_t number_length(const char *text)
{
	size_t n = strspn(text, "0123456789");

	if (text[n] == '.')
		n += 1 + strspn(text + n + 1, "0123456789");
	if (text[n] == 'e' || text[n] == 'E') {
		const size_t sign = text[n + 1] == '-' || text[n + 1] == '+';
		const size_t digits = strspn(text + n + 1 + sign, "0123456789");

		n += digits > 0 ? 1 + sign + digits : 0;
	}
	return n;
}

static bool read_number(struct parser *parser, struct token *token)
{
	char digits[EXPRESSION_BYTES_MAX + 1];

	token->kind = TOKEN_NUMBER;
	token->length = number_length(token->start);
	snprintf(digits, sizeof digits, "%.*s", (int)token->length, token->start);
	if (is_name_byte(token->start[token->length]) || !number_to_double(digits, &token->number))
		return fail_at(parser, token->start,
			"expected a number, found %.20s; a name that begins with a digit stands in "
			"backquotes",
			token->start);
	return isfinite(token->number) ||
	       fail_at(parser, token->start, "%.40s is too large for a number", digits);
}

/* Up to the same quote; in backquotes one that is written twice stays in. */
static bool read_quoted(struct parser *parser, struct token *token)
{
	const char quote = *token->start, *c = token->start + 1;

	token->kind = quote == '`' ? TOKEN_QUOTED_NAME : TOKEN_STRING;
	while (*c != '\0' && (*c != quote || (quote == '`' && c[1] == quote)))
		c += *c == quote ? 2 : 1;
	if (*c == '\0')
		return fail_at(parser, token->start, "expected another %c behind this one", quote);
	token->length = (size_t)(c + 1 - token->start);
	return true;
}

static bool read_sign(struct parser *parser, struct token *token)
{
	static const char *const signs[] = { "<=", ">=", "==", "!=", "&&", "||", "**", "<", ">",
		"!", "+", "-", "*", "/", "^", "(", ")", "," };

	token->kind = TOKEN_SIGN;
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		token->length = strlen(signs[i]);
		if (strncmp(token->start, signs[i], token->length) == 0)
			return true;
	}
	token->length = 1;
	switch (*token->start) {
	case '=':
		return fail_found(parser, token, "==");
	case '&':
		return fail_found(parser, token, "&&");
	case '|':
		return fail_found(parser, token, "||");
	default:
		return fail_found(parser, token, "a name, a number or an operator");
	}
}

/* Moves on to the next token. */
static bool advance(struct parser *parser)
{
	struct token *token = &parser->token;
	const char *c = token->start + token->length;

	c += strspn(c, " \t\r\n");
	*token = (struct token){ .kind = TOKEN_END, .start = c };
	if (*c == '\0')
		return true;
	if (isdigit((unsigned char)*c) || (*c == '.' && isdigit((unsigned char)c[1])))
		return read_number(parser, token);
	if (*c == '`' || *c == '\'' || *c == '"')
		return read_quoted(parser, token);
	if (!is_name_byte(*c) || *c == '.')
		return read_sign(parser, token);
	token->kind = TOKEN_NAME;
	while (is_name_byte(c[token->length]))
		token->length++;
	return true;
}

static bool token_is(const struct token *token, const char *word)
{
	return (token->kind == TOKEN_NAME || token->kind == TOKEN_SIGN) &&
	       token->length == strlen(word) && strncmp(token->start, word, token->length) == 0;
}

static bool next_is(const struct parser *parser, const char *word)
{
	return token_is(&parser->token, word);
}

static bool expect(struct parser *parser, const char *sign)
{
	char expected[8];

	snprintf(expected, sizeof expected, "%s", sign);
	return next_is(parser, sign) ? advance(parser)
				     : fail_found(parser, &parser->token, expected);
}

/* ---- code ---- */

static bool emit(struct parser *parser, struct instruction in)
{
	if (parser->n == EXPRESSION_SIZE_MAX)
		return fail_at(parser, parser->token.start,
			"more than %d numbers, names and operators", EXPRESSION_SIZE_MAX);
	if (in.operation < NEGATE)
		parser->stack++;
	else if (in.operation >= ADD)
		parser->stack--;
	if (parser->stack > STACK_MAX)
		return fail_at(parser, parser->token.start,
			"more than %d values wait for their operators", STACK_MAX);
	parser->code[parser->n++] = in;
	return true;
}

static bool emit_operation(struct parser *parser, enum operation operation)
{
	return emit(parser, (struct instruction){ .operation = operation });
}

static bool emit_number(struct parser *parser, double number)
{
	return emit(parser, (struct instruction){ .operation = PUSH_NUMBER, .number = number });
}

static bool emit_variable(struct parser *parser, size_t variable)
{
	return emit(
		parser, (struct instruction){ .operation = PUSH_VARIABLE, .variable = variable });
}

static bool emit_name(struct parser *parser, const struct expression_name *name)
{
	if (name->variable == EXPRESSION_FIXED)
		return emit_number(parser, name->numbers[0]);
	if (name->n == 0)
		return emit_variable(parser, name->variable);
	if (!emit(parser,
		    (struct instruction){
			    .operation = PUSH_MEANING, .variable = name->variable, .n = name->n }))
		return false;
	parser->meanings[parser->n - 1] = name->numbers;
	return true;
}

static bool enter(struct parser *parser)
{
	return parser->nesting++ < EXPRESSION_NESTING_MAX ||
	       fail_at(parser, parser->token.start, "nested more than %d deep",
		       EXPRESSION_NESTING_MAX);
}

static void leave(struct parser *parser)
{
	parser->nesting--;
}

/* ---- types ---- */

static bool want(struct parser *parser, const struct operand *operand, enum expression_type type)
{
	static const char *const wanted[] = { "a number",
		"something that is true or false, such as a <= 1", "a string" };
	static const char *const kinds[] = { "a number", "true or false", "a string" };

	return operand->type == type ||
	       fail_at(parser, operand->token.start, "expected %s, found %.*s, which is %s",
		       wanted[type], (int)(operand->token.length < 60 ? operand->token.length : 60),
		       operand->token.start, kinds[operand->type]);
}

/* ---- the grammar, from the tightest ---- */

static bool parse_or(struct parser *parser, struct operand *ret);

static const struct {
	const char *name;
	enum operation operation;
	size_t least, most; /* arguments */
} functions[] = {
	{ "abs", ABS, 1, 1 },
	{ "ceil", CEIL, 1, 1 },
	{ "exp", EXP, 1, 1 },
	{ "floor", FLOOR, 1, 1 },
	{ "log", LOG, 1, 1 },
	{ "log10", LOG10, 1, 1 },
	{ "log2", LOG2, 1, 1 },
	{ "max", MAX, 2, EXPRESSION_SIZE_MAX },
	{ "min", MIN, 2, EXPRESSION_SIZE_MAX },
	{ "pow", POWER, 2, 2 },
	{ "sqrt", SQRT, 1, 1 },
};

enum { FUNCTIONS = sizeof functions / sizeof *functions };

static bool fail_function(struct parser *parser, const struct token *token)
{
	const char *names[FUNCTIONS], *nearest;
	char word[64], text[96];

	for (size_t i = 0; i < FUNCTIONS; i++)
		names[i] = functions[i].name;
	snprintf(word, sizeof word, "%.*s", (int)(token->length < 63 ? token->length : 63),
		token->start);
	nearest = nearest_word(word, names, FUNCTIONS);
	if (strcmp(word, "ln") == 0)
		nearest = "log";
	return fail_at(parser, token->start,
		"there is no function %s: there are abs, ceil, exp, floor, log, log10, log2, max, "
		"min, pow and sqrt%s%s%s",
		found(token, text), nearest ? "; did you mean " : "", nearest ? nearest : "",
		nearest ? "?" : "");
}

/* Each argument beyond the first is joined to what stands on the stack at once. */
static bool parse_arguments(struct parser *parser, size_t function)
{
	const enum operation operation = functions[function].operation;
	const size_t least = functions[function].least, most = functions[function].most;
	struct operand argument;
	size_t n = 0;

	do {
		if (n == most)
			return fail_found(parser, &parser->token, ")");
		if (!advance(parser) || !parse_or(parser, &argument) ||
			!want(parser, &argument, EXPRESSION_NUMBER))
			return false;
		n++;
		if ((n > 1 || most == 1) && !emit_operation(parser, operation))
			return false;
	} while (next_is(parser, ","));
	if (n < least)
		return fail_found(parser, &parser->token, ",");
	return expect(parser, ")");
}

/* The word has been read: the next token is its parenthesis. */
static bool parse_function(struct parser *parser, const struct token *token, struct operand *ret)
{
	size_t i = 0;

	while (i < FUNCTIONS && !token_is(token, functions[i].name))
		i++;
	if (i == FUNCTIONS)
		return fail_function(parser, token);
	*ret = (struct operand){ .type = EXPRESSION_NUMBER, .token = *token };
	if (!enter(parser) || !parse_arguments(parser, i))
		return false;
	leave(parser);
	return true;
}

/* The name itself, without quotes; as long as the text at most. */
static void name_text(const struct token *token, char ret_text[EXPRESSION_BYTES_MAX + 1])
{
	const bool quoted = token->kind == TOKEN_QUOTED_NAME;
	const char *end = token->start + token->length - quoted;

	for (const char *c = token->start + quoted; c < end; c++) {
		*ret_text++ = *c;
		c += quoted && *c == '`';
	}
	*ret_text = '\0';
}

static bool fail_name(struct parser *parser, const struct token *token, const char *word)
{
	const char **names = calloc(parser->n_names + 1, sizeof *names);
	const char *nearest;

	if (names == NULL)
		return tuner_fail_memory(parser->err);
	for (size_t i = 0; i < parser->n_names; i++)
		names[i] = parser->names[i].name;
	nearest = nearest_word(word, names, parser->n_names);
	fail_at(parser, token->start, "there is no parameter \"%.200s\"%s%.200s%s%s", word,
		nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "",
		nearest ? "" : " (a string stands in quotes)");
	free(names);
	return false;
}

static bool parse_name(struct parser *parser, const struct token *token, struct operand *ret)
{
	char word[EXPRESSION_BYTES_MAX + 1];
	size_t i = 0;

	name_text(token, word);
	while (i < parser->n_names && strcmp(parser->names[i].name, word) != 0)
		i++;
	if (i == parser->n_names)
		return fail_name(parser, token, word);
	*ret = (struct operand){ parser->names[i].type, *token, &parser->names[i] };
	return ret->type == EXPRESSION_STRING || emit_name(parser, ret->name);
}

static bool parse_parentheses(struct parser *parser, struct operand *ret)
{
	const struct token open = parser->token;

	if (!enter(parser) || !advance(parser) || !parse_or(parser, ret) || !expect(parser, ")"))
		return false;
	leave(parser);
	/* Of a string the token is the string itself. */
	if (ret->type != EXPRESSION_STRING)
		ret->token = open;
	return true;
}

static bool is_operator_word(const struct token *token)
{
	return token_is(token, "and") || token_is(token, "or") || token_is(token, "not");
}

static bool parse_primary(struct parser *parser, struct operand *ret)
{
	const struct token token = parser->token;

	if (next_is(parser, "("))
		return parse_parentheses(parser, ret);
	if (token.kind == TOKEN_END || token.kind == TOKEN_SIGN || is_operator_word(&token))
		return fail_found(parser, &token, "a name, a number or '('");
	if (!advance(parser))
		return false;
	*ret = (struct operand){ .type = EXPRESSION_NUMBER, .token = token };
	if (token.kind == TOKEN_NUMBER)
		return emit_number(parser, token.number);
	if (token.kind == TOKEN_STRING) {
		ret->type = EXPRESSION_STRING;
		return true;
	}
	if (token_is(&token, "true") || token_is(&token, "false")) {
		ret->type = EXPRESSION_TRUTH;
		return emit_number(parser, token_is(&token, "true"));
	}
	if (token.kind == TOKEN_NAME && next_is(parser, "("))
		return parse_function(parser, &token, ret);
	return parse_name(parser, &token, ret);
}

static bool parse_sign(struct parser *parser, struct operand *ret);

/* The exponent may have a sign, and is a power itself: 2^-3^2. */
static bool parse_power(struct parser *parser, struct operand *ret)
{
	struct operand exponent;

	if (!parse_primary(parser, ret))
		return false;
	if (!next_is(parser, "^") && !next_is(parser, "**"))
		return true;
	if (!want(parser, ret, EXPRESSION_NUMBER) || !enter(parser) || !advance(parser) ||
		!parse_sign(parser, &exponent) || !want(parser, &exponent, EXPRESSION_NUMBER))
		return false;
	leave(parser);
	return emit_operation(parser, POWER);
}

static bool parse_sign(struct parser *parser, struct operand *ret)
{
	const struct token sign = parser->token;

	if (!next_is(parser, "-") && !next_is(parser, "+"))
		return parse_power(parser, ret);
	if (!enter(parser) || !advance(parser) || !parse_sign(parser, ret) ||
		!want(parser, ret, EXPRESSION_NUMBER))
		return false;
	leave(parser);
	ret->token = sign;
	return token_is(&sign, "+") || emit_operation(parser, NEGATE);
}

/* An operator of one level, and what it does. */
struct level_row {
	const char *sign;
	enum operation operation;
};

static const struct level_row *next_of(const struct parser *parser, const struct level_row *rows)
{
	for (; rows->sign != NULL; rows++)
		if (next_is(parser, rows->sign))
			return rows;
	return NULL;
}

typedef bool level_function(struct parser *parser, struct operand *ret);

/* Operands of one type joined by operators of one level, from left to right. */
static bool parse_level(struct parser *parser, const struct level_row *rows, level_function *inner,
	enum expression_type type, struct operand *ret)
{
	const struct level_row *row;
	struct operand right;

	if (!inner(parser, ret))
		return false;
	while ((row = next_of(parser, rows)) != NULL) {
		if (!want(parser, ret, type) || !advance(parser) || !inner(parser, &right) ||
			!want(parser, &right, type) || !emit_operation(parser, row->operation))
			return false;
	}
	return true;
}

static bool parse_product(struct parser *parser, struct operand *ret)
{
	static const struct level_row rows[] = { { "*", MULTIPLY }, { "/", DIVIDE }, { 0 } };

	return parse_level(parser, rows, parse_sign, EXPRESSION_NUMBER, ret);
}

static bool parse_sum(struct parser *parser, struct operand *ret)
{
	static const struct level_row rows[] = { { "+", ADD }, { "-", SUBTRACT }, { 0 } };

	return parse_level(parser, rows, parse_product, EXPRESSION_NUMBER, ret);
}

static bool fail_string(struct parser *parser, const struct operand *literal,
	const struct expression_name *name, const char *word)
{
	enum { SHOWN = 8 };
	const char *nearest = nearest_word(word, name->strings, name->n);
	struct text list = TEXT_EMPTY;

	for (size_t k = 0; k < name->n && k < SHOWN; k++)
		text_print(&list, "%s\"%.60s\"", k ? ", " : "", name->strings[k]);
	if (name->n > SHOWN)
		text_print(&list, " and %zu more", name->n - SHOWN);
	fail_at(parser, literal->token.start,
		"expected a value of %.100s: %.500s; found \"%.100s\"%s%.60s%s", name->name,
		list.bytes, word, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
		nearest ? "\"?" : "");
	text_finish(&list);
	return false;
}

/* name == 'text': the index is compared. */
static bool compare_strings(struct parser *parser, const struct operand *left,
	const struct operand *right, enum operation operation)
{
	const struct expression_name *name = left->name ? left->name : right->name;
	const struct operand *literal = left->name ? right : left;
	char word[EXPRESSION_BYTES_MAX + 1];
	size_t k = 0;

	if (name == NULL || literal->name != NULL)
		return fail_at(parser, right->token.start,
			name ? "expected a string in quotes: two parameters cannot be compared by "
			       "their strings"
			     : "expected a parameter on one side, found two strings");
	if (operation != EQUAL && operation != DIFFERENT)
		return fail_at(parser, left->token.start, "strings are only compared by == and !=");
	snprintf(word, sizeof word, "%.*s", (int)literal->token.length - 2,
		literal->token.start + 1);
	while (k < name->n && strcmp(name->strings[k], word) != 0)
		k++;
	if (k == name->n)
		return fail_string(parser, literal, name, word);
	return (name->variable == EXPRESSION_FIXED ? emit_number(parser, 0)
						   : emit_variable(parser, name->variable)) &&
	       emit_number(parser, (double)k) && emit_operation(parser, operation);
}

/* A parameter whose values are numbers or truths, beside a string. */
static bool want_same(
	struct parser *parser, const struct operand *left, const struct operand *right)
{
	if (left->type == EXPRESSION_STRING && left->name == NULL)
		return want(parser, left, right->type);
	return want(parser, right, left->type);
}

static bool parse_comparison(struct parser *parser, struct operand *ret)
{
	static const struct level_row rows[] = { { "<", LESS }, { "<=", LESS_EQUAL },
		{ ">", GREATER }, { ">=", GREATER_EQUAL }, { "==", EQUAL }, { "!=", DIFFERENT },
		{ 0 } };
	const struct level_row *row;
	struct operand left, right;

	if (!parse_sum(parser, &left))
		return false;
	*ret = left;
	row = next_of(parser, rows);
	if (row == NULL)
		return true;
	if (!advance(parser) || !parse_sum(parser, &right) || !want_same(parser, &left, &right))
		return false;
	if (left.type == EXPRESSION_TRUTH && row->operation != EQUAL && row->operation != DIFFERENT)
		return want(parser, &left, EXPRESSION_NUMBER);
	if (next_of(parser, rows) != NULL)
		return fail_at(parser, parser->token.start,
			"comparisons do not chain: write a < b and b < c");
	ret->type = EXPRESSION_TRUTH;
	return left.type == EXPRESSION_STRING
		       ? compare_strings(parser, &left, &right, row->operation)
		       : emit_operation(parser, row->operation);
}

static bool parse_not(struct parser *parser, struct operand *ret)
{
	const struct token sign = parser->token;

	if (!next_is(parser, "not") && !next_is(parser, "!"))
		return parse_comparison(parser, ret);
	if (!enter(parser) || !advance(parser) || !parse_not(parser, ret) ||
		!want(parser, ret, EXPRESSION_TRUTH))
		return false;
	leave(parser);
	ret->token = sign;
	return emit_operation(parser, NOT);
}

static bool parse_and(struct parser *parser, struct operand *ret)
{
	static const struct level_row rows[] = { { "and", AND }, { "&&", AND }, { 0 } };

	return parse_level(parser, rows, parse_not, EXPRESSION_TRUTH, ret);
}

static bool parse_or(struct parser *parser, struct operand *ret)
{
	static const struct level_row rows[] = { { "or", OR }, { "||", OR }, { 0 } };

	return parse_level(parser, rows, parse_and, EXPRESSION_TRUTH, ret);
}

static bool parse(struct parser *parser, enum expression_type wanted)
{
	struct operand whole;

	if (!advance(parser) || !parse_or(parser, &whole))
		return false;
	if (parser->token.kind != TOKEN_END)
		return fail_found(parser, &parser->token, "an operator or the end");
	return want(parser, &whole, wanted);
}

/* ---- from the parser to the program ---- */

/* The instruction with the same meanings that comes first; i itself if there is none. */
static size_t first_with(const struct parser *parser, size_t i)
{
	size_t k = 0;

	while (parser->meanings[k] != parser->meanings[i])
		k++;
	return k;
}

/* Where each table of meanings begins once they stand in a row; returns their length. */
static size_t place_meanings(struct parser *parser)
{
	size_t length = 0;

	for (size_t i = 0; i < parser->n; i++) {
		struct instruction *in = &parser->code[i];

		if (in->operation != PUSH_MEANING)
			continue;
		const size_t first = first_with(parser, i);

		in->first = first < i ? parser->code[first].first : length;
		length += first < i ? 0 : in->n;
	}
	return length;
}

static void copy_meanings(const struct parser *parser, double *ret_meanings)
{
	for (size_t i = 0; i < parser->n; i++) {
		const struct instruction *in = &parser->code[i];

		if (in->operation == PUSH_MEANING)
			memcpy(&ret_meanings[in->first], parser->meanings[i],
				in->n * sizeof *ret_meanings);
	}
}

static void gather_variables(const struct parser *parser, struct expression *parts)
{
	for (size_t i = 0; i < parser->n; i++) {
		const struct instruction *in = &parser->code[i];
		size_t k = 0, last = parts->n_variables;

		if (in->operation != PUSH_VARIABLE && in->operation != PUSH_MEANING)
			continue;
		while (k < last && parts->variables[k] < in->variable)
			k++;
		if (k < last && parts->variables[k] == in->variable)
			continue;
		memmove(&parts->variables[k + 1], &parts->variables[k],
			(last - k) * sizeof *parts->variables);
		parts->variables[k] = in->variable;
		parts->n_variables++;
	}
}

static bool finish(struct parser *parser, struct expression **ret)
{
	const size_t n_meanings = place_meanings(parser);
	size_t variables[EXPRESSION_SIZE_MAX];
	struct expression parts = { .n = parser->n,
		.n_meanings = n_meanings,
		.code = parser->code,
		.meanings = calloc(n_meanings + 1, sizeof *parts.meanings),
		.variables = variables,
		.text = (char *)parser->text };

	if (parts.meanings == NULL)
		return tuner_fail_memory(parser->err);
	copy_meanings(parser, parts.meanings);
	gather_variables(parser, &parts);

	const bool ok = assemble(&parts, ret, parser->err);

	free(parts.meanings);
	return ok;
}

bool expression_create(const char *text, const struct expression_name *names, size_t n,
	enum expression_type wanted, struct expression **ret, struct tuner_error *err)
{
	if (strlen(text) > EXPRESSION_BYTES_MAX)
		return tuner_fail(err, TUNER_USAGE, "column %d: longer than %d bytes",
			EXPRESSION_BYTES_MAX + 1, EXPRESSION_BYTES_MAX);

	struct parser *parser = calloc(1, sizeof *parser);

	if (parser == NULL)
		return tuner_fail_memory(err);
	parser->text = text;
	parser->names = names;
	parser->n_names = n;
	parser->token.start = text;
	parser->err = err;

	const bool ok = parse(parser, wanted) && finish(parser, ret);

	free(parser);
	return ok;
}

/* ---- the names of a text ---- */

static bool is_word_of_language(const struct token *token)
{
	return is_operator_word(token) || token_is(token, "true") || token_is(token, "false");
}

/* "validation-accuracy" without blanks is hardly meant as a difference. */
static bool check_dash(struct parser *parser, const struct token *token)
{
	const char *const dash = token->start + token->length;
	size_t length = token->length;

	if (*dash != '-' || !is_name_byte(dash[1]))
		return true;
	while (is_name_byte(token->start[length]) || token->start[length] == '-')
		length++;
	const int shown = length < 60 ? (int)length : 60;

	return fail_at(parser, token->start,
		"%.*s would be a difference: a name with \"-\" stands in backquotes, `%.*s`; a "
		"difference has blanks around its sign",
		shown, token->start, shown, token->start);
}

static bool add_name(struct parser *parser, const struct token *token, char **names, size_t *n)
{
	char word[EXPRESSION_BYTES_MAX + 1];
	size_t i = 0;

	name_text(token, word);
	while (i < *n && strcmp(names[i], word) != 0)
		i++;
	if (i < *n)
		return true;
	if (*n == EXPRESSION_SIZE_MAX)
		return fail_at(parser, token->start, "more than %d names", EXPRESSION_SIZE_MAX);
	names[*n] = strdup(word);
	return names[(*n)++] != NULL || tuner_fail_memory(parser->err);
}

static bool gather_names(struct parser *parser, char **names, size_t *n)
{
	for (;;) {
		if (!advance(parser))
			return false;
		const struct token token = parser->token;

		if (token.kind == TOKEN_END)
			return true;
		if (token.kind == TOKEN_NAME && !check_dash(parser, &token))
			return false;
		const char *behind = token.start + token.length;

		behind += strspn(behind, " \t\r\n");
		if (token.kind == TOKEN_QUOTED_NAME ||
			(token.kind == TOKEN_NAME && *behind != '(' &&
				!is_word_of_language(&token)))
			if (!add_name(parser, &token, names, n))
				return false;
	}
}

bool expression_names(const char *text, char ***ret, size_t *ret_n, struct tuner_error *err)
{
	if (strlen(text) > EXPRESSION_BYTES_MAX)
		return tuner_fail(err, TUNER_USAGE, "column %d: longer than %d bytes",
			EXPRESSION_BYTES_MAX + 1, EXPRESSION_BYTES_MAX);

	struct parser *parser = calloc(1, sizeof *parser);
	char **names = calloc(EXPRESSION_SIZE_MAX, sizeof *names);
	size_t n = 0;
	bool ok = parser != NULL && names != NULL;

	if (ok) {
		parser->text = parser->token.start = text;
		parser->err = err;
		ok = gather_names(parser, names, &n);
	} else {
		tuner_fail_memory(err);
	}
	free(parser);
	if (!ok) {
		expression_names_free(names, n);
		return false;
	}
	*ret = names;
	*ret_n = n;
	return true;
}

void expression_names_free(char **names, size_t n)
{
	for (size_t i = 0; names != NULL && i < n; i++)
		free(names[i]);
	free(names);
}

bool expression_name_is_quoted(const char *name)
{
	const struct token token = { TOKEN_NAME, name, strlen(name), 0 };
	size_t i = 0;

	while (is_name_byte(name[i]))
		i++;
	return name[i] != '\0' || isdigit((unsigned char)*name) || *name == '.' || *name == '\0' ||
	       is_word_of_language(&token);
}
