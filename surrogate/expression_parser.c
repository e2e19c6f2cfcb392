/* Translates a text into operations, by recursive descent, the tightest level first. */
#include "surrogate/expression_code.h"
#include "surrogate/expression_scanner.h"

#include "base/number.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A part of the text. The meaning of a string is known only from the operand that it is compared
 * with. */
struct operand {
	enum expression_type type;
	struct token token; /* its first */
	const char *end; /* behind its last */
	const struct expression_name *name; /* of a string that is a name; NULL: a literal */
};

struct parser {
	struct scanner scanner;
	const struct expression_name *names;
	size_t n_names;
	struct instruction code[EXPRESSION_SIZE_MAX];
	const double *meanings[EXPRESSION_SIZE_MAX]; /* by instruction, for PUSH_MEANING */
	size_t n, stack, nesting;
};

/* ---- code ---- */

static bool emit(struct parser *parser, struct instruction in)
{
	if (parser->n == EXPRESSION_SIZE_MAX)
		return scanner_fail(&parser->scanner, parser->scanner.token.start,
			"more than %d numbers, names and operators", EXPRESSION_SIZE_MAX);
	if (in.operation < NEGATE)
		parser->stack++;
	else if (in.operation >= ADD)
		parser->stack--;
	if (parser->stack > STACK_MAX)
		return scanner_fail(&parser->scanner, parser->scanner.token.start,
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
	       scanner_fail(&parser->scanner, parser->scanner.token.start,
		       "nested more than %d deep", EXPRESSION_NESTING_MAX);
}

static void leave(struct parser *parser)
{
	parser->nesting--;
}

/* ---- types ---- */

static bool want(struct parser *parser, const struct operand *operand, enum expression_type type)
{
	enum { SHOWN = 60 };
	static const char *const wanted[] = { "a number",
		"something that is true or false, such as a <= 1", "a string" };
	static const char *const kinds[] = { "a number", "true or false", "a string" };
	const char *start = operand->token.start;
	size_t shown = (size_t)(operand->end - start);
	const bool cut = shown > SHOWN;

	if (operand->type == type)
		return true;
	if (cut)
		for (shown = SHOWN; ((unsigned char)start[shown] & 0xC0) == 0x80;)
			shown--; /* do not cut a character in half */
	return scanner_fail(&parser->scanner, start, "expected %s, found %.*s%s, which is %s",
		wanted[type], (int)shown, start, cut ? "..." : "", kinds[operand->type]);
}

/* Call it when the whole operand has been read. */
static bool complete(struct parser *parser, struct operand *operand)
{
	operand->end = parser->scanner.end;
	return true;
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
	char word[64], text[TOKEN_SHOWN];

	for (size_t i = 0; i < FUNCTIONS; i++)
		names[i] = functions[i].name;
	snprintf(word, sizeof word, "%.*s", (int)(token->length < 63 ? token->length : 63),
		token->start);
	nearest = nearest_word(word, names, FUNCTIONS);
	if (strcmp(word, "ln") == 0)
		nearest = "log";
	return scanner_fail(&parser->scanner, token->start,
		"there is no function %s: there are abs, ceil, exp, floor, log, log10, log2, max, "
		"min, pow and sqrt%s%s%s",
		token_shown(token, text), nearest ? "; did you mean " : "", nearest ? nearest : "",
		nearest ? "?" : "");
}

/* Each argument after the first is combined with the value on the stack at once. */
static bool parse_arguments(struct parser *parser, size_t function)
{
	const enum operation operation = functions[function].operation;
	const size_t least = functions[function].least, most = functions[function].most;
	struct operand argument;
	size_t n = 0;

	do {
		if (n == most)
			return scanner_fail_found(&parser->scanner, &parser->scanner.token, ")");
		if (!scanner_advance(&parser->scanner) || !parse_or(parser, &argument) ||
			!want(parser, &argument, EXPRESSION_NUMBER))
			return false;
		n++;
		if ((n > 1 || most == 1) && !emit_operation(parser, operation))
			return false;
	} while (scanner_is_at(&parser->scanner, ","));
	if (n < least)
		return scanner_fail_found(
			&parser->scanner, &parser->scanner.token, "',' and another number");
	return scanner_expect(&parser->scanner, ")");
}

/* The function's name has been read; the next token is its parenthesis. */
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

/* A name of which the token is only the beginning, as `weight` is of weight-decay; NULL: none. */
static const char *longer_name(const struct parser *parser, const struct token *token)
{
	for (size_t i = 0; i < parser->n_names; i++) {
		const char *const name = parser->names[i].name;
		const size_t length = strlen(name);
		if (length > token->length && strncmp(token->start, name, length) == 0)
			return name;
	}
	return NULL;
}

static bool fail_name(struct parser *parser, const struct token *token, const char *word)
{
	const char *const longer = longer_name(parser, token);
	const char **names, *nearest;

	if (longer != NULL)
		return scanner_fail(&parser->scanner, token->start,
			"%.200s stands in backquotes: `%.200s`", longer, longer);
	names = calloc(parser->n_names + 1, sizeof *names);
	if (names == NULL)
		return tuner_fail_memory(parser->scanner.err);
	for (size_t i = 0; i < parser->n_names; i++)
		names[i] = parser->names[i].name;
	nearest = nearest_word(word, names, parser->n_names);
	scanner_fail(&parser->scanner, token->start, "there is no parameter \"%.200s\"%s%.200s%s%s",
		word, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
		nearest ? "\"?" : "", nearest ? "" : " (a string stands in quotes)");
	free(names);
	return false;
}

static bool parse_name(struct parser *parser, const struct token *token, struct operand *ret)
{
	char word[EXPRESSION_BYTES_MAX + 1];
	size_t i = 0;

	token_name(token, word);
	while (i < parser->n_names && strcmp(parser->names[i].name, word) != 0)
		i++;
	if (i == parser->n_names)
		return fail_name(parser, token, word);
	*ret = (struct operand){
		.type = parser->names[i].type, .token = *token, .name = &parser->names[i]
	};
	return ret->type == EXPRESSION_STRING || emit_name(parser, ret->name);
}

static bool parse_parentheses(struct parser *parser, struct operand *ret)
{
	const struct token open = parser->scanner.token;

	if (!enter(parser) || !scanner_advance(&parser->scanner) || !parse_or(parser, ret) ||
		!scanner_expect(&parser->scanner, ")"))
		return false;
	leave(parser);
	/* For a string the token is the string itself. */
	if (ret->type != EXPRESSION_STRING)
		ret->token = open;
	return true;
}

static bool parse_primary(struct parser *parser, struct operand *ret)
{
	const struct token token = parser->scanner.token;

	if (scanner_is_at(&parser->scanner, "("))
		return parse_parentheses(parser, ret);
	if (token.kind == TOKEN_END || token.kind == TOKEN_SIGN || token_is_operator_word(&token))
		return scanner_fail_found(&parser->scanner, &token, "a name, a number or '('");
	if (!scanner_advance(&parser->scanner))
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
	if (token.kind == TOKEN_NAME && scanner_is_at(&parser->scanner, "("))
		return parse_function(parser, &token, ret);
	return parse_name(parser, &token, ret);
}

static bool parse_sign(struct parser *parser, struct operand *ret);

/* The exponent may have a sign, and may itself be a power: 2^-3^2. */
static bool parse_power(struct parser *parser, struct operand *ret)
{
	struct operand exponent;

	if (!parse_primary(parser, ret) || !complete(parser, ret))
		return false;
	if (!scanner_is_at(&parser->scanner, "^") && !scanner_is_at(&parser->scanner, "**"))
		return true;
	if (!want(parser, ret, EXPRESSION_NUMBER) || !enter(parser) ||
		!scanner_advance(&parser->scanner) || !parse_sign(parser, &exponent) ||
		!want(parser, &exponent, EXPRESSION_NUMBER))
		return false;
	leave(parser);
	return complete(parser, ret) && emit_operation(parser, POWER);
}

static bool parse_sign(struct parser *parser, struct operand *ret)
{
	const struct token sign = parser->scanner.token;

	if (!scanner_is_at(&parser->scanner, "-") && !scanner_is_at(&parser->scanner, "+"))
		return parse_power(parser, ret);
	if (!enter(parser) || !scanner_advance(&parser->scanner) || !parse_sign(parser, ret) ||
		!want(parser, ret, EXPRESSION_NUMBER))
		return false;
	leave(parser);
	ret->token = sign;
	return token_is(&sign, "+") || emit_operation(parser, NEGATE);
}

/* An operator of one level, and its operation. */
struct level_row {
	const char *sign;
	enum operation operation;
};

static const struct level_row *next_of(const struct parser *parser, const struct level_row *rows)
{
	for (; rows->sign != NULL; rows++)
		if (scanner_is_at(&parser->scanner, rows->sign))
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
		if (!want(parser, ret, type) || !scanner_advance(&parser->scanner) ||
			!inner(parser, &right) || !want(parser, &right, type) ||
			!complete(parser, ret) || !emit_operation(parser, row->operation))
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
	scanner_fail(&parser->scanner, literal->token.start,
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
		return scanner_fail(&parser->scanner, right->token.start,
			name ? "expected a string in quotes: two parameters cannot be compared by "
			       "their strings"
			     : "expected a parameter on one side, found two strings");
	if (operation != EQUAL && operation != DIFFERENT)
		return scanner_fail(&parser->scanner, left->token.start,
			"strings are only compared by == and !=");
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

/* Fails for a parameter whose values are numbers or truth values, compared with a string. */
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
	if (!scanner_advance(&parser->scanner) || !parse_sum(parser, &right) ||
		!want_same(parser, &left, &right))
		return false;
	if (left.type == EXPRESSION_TRUTH && row->operation != EQUAL && row->operation != DIFFERENT)
		return want(parser, &left, EXPRESSION_NUMBER);
	if (next_of(parser, rows) != NULL)
		return scanner_fail(&parser->scanner, parser->scanner.token.start,
			"comparisons do not chain: write a < b and b < c");
	ret->type = EXPRESSION_TRUTH;
	ret->end = right.end;
	return left.type == EXPRESSION_STRING
		       ? compare_strings(parser, &left, &right, row->operation)
		       : emit_operation(parser, row->operation);
}

static bool parse_not(struct parser *parser, struct operand *ret)
{
	const struct token sign = parser->scanner.token;

	if (!scanner_is_at(&parser->scanner, "not") && !scanner_is_at(&parser->scanner, "!"))
		return parse_comparison(parser, ret);
	if (!enter(parser) || !scanner_advance(&parser->scanner) || !parse_not(parser, ret) ||
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

	if (!scanner_advance(&parser->scanner) || !parse_or(parser, &whole))
		return false;
	if (parser->scanner.token.kind != TOKEN_END)
		return scanner_fail_found(
			&parser->scanner, &parser->scanner.token, "an operator or the end");
	return want(parser, &whole, wanted);
}

/* ---- from the parser to the program ---- */

/* The first instruction with the same meanings; i itself if there is none before. */
static size_t first_with(const struct parser *parser, size_t i)
{
	size_t k = 0;

	while (parser->meanings[k] != parser->meanings[i])
		k++;
	return k;
}

/* Sets where each table of meanings begins when all are concatenated; returns their total
 * length. */
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
		.text = (char *)parser->scanner.text };

	if (parts.meanings == NULL)
		return tuner_fail_memory(parser->scanner.err);
	copy_meanings(parser, parts.meanings);
	gather_variables(parser, &parts);

	const bool ok = expression_copy(&parts, ret, parser->scanner.err);

	free(parts.meanings);
	return ok;
}

bool expression_create(const char *text, const struct expression_name *names, size_t n,
	enum expression_type wanted, struct expression **ret, struct tuner_error *err)
{
	struct parser *parser = calloc(1, sizeof *parser);

	if (parser == NULL)
		return tuner_fail_memory(err);
	parser->names = names;
	parser->n_names = n;

	const bool ok = scanner_init(&parser->scanner, text, err) && parse(parser, wanted) &&
			finish(parser, ret);

	free(parser);
	return ok;
}
