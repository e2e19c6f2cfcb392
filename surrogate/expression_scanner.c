#include "surrogate/expression_scanner.h"

#include "base/number.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static size_t column_of(const struct scanner *scanner, const char *at)
{
	size_t column = 1;

	for (const char *c = scanner->text; c < at; c++)
		column += ((unsigned char)*c & 0xC0) != 0x80;
	return column;
}

bool scanner_fail(struct scanner *scanner, const char *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tuner_fail_v(scanner->err, TUNER_USAGE, format, args);
	va_end(args);
	return tuner_fail_in(scanner->err, "column %zu: ", column_of(scanner, at));
}

const char *token_shown(const struct token *token, char ret_text[TOKEN_SHOWN])
{
	enum { SHOWN = 60 };

	if (token->kind == TOKEN_END)
		return "the end";
	snprintf(ret_text, TOKEN_SHOWN, "%.*s%s",
		(int)(token->length < SHOWN ? token->length : SHOWN), token->start,
		token->length > SHOWN ? "..." : "");
	return ret_text;
}

bool scanner_fail_found(struct scanner *scanner, const struct token *token, const char *expected)
{
	char text[TOKEN_SHOWN];

	return scanner_fail(
		scanner, token->start, "expected %s, found %s", expected, token_shown(token, text));
}

bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

/* Digits with at most one point, then an exponent if it is complete. */
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

static bool read_number(struct scanner *scanner, struct token *token)
{
	char digits[EXPRESSION_BYTES_MAX + 1];

	token->kind = TOKEN_NUMBER;
	token->length = number_length(token->start);
	snprintf(digits, sizeof digits, "%.*s", (int)token->length, token->start);
	if (is_name_byte(token->start[token->length]) || !number_to_double(digits, &token->number))
		return scanner_fail(scanner, token->start,
			"expected a number, found %.20s; a name that begins with a digit stands in "
			"backquotes",
			token->start);
	return isfinite(token->number) ||
	       scanner_fail(scanner, token->start, "%.40s is too large for a number", digits);
}

/* Reads up to the same quote; within backquotes a doubled backquote does not end the name. */
static bool read_quoted(struct scanner *scanner, struct token *token)
{
	const char quote = *token->start, *c = token->start + 1;

	token->kind = quote == '`' ? TOKEN_QUOTED_NAME : TOKEN_STRING;
	while (*c != '\0' && (*c != quote || (quote == '`' && c[1] == quote)))
		c += *c == quote ? 2 : 1;
	if (*c == '\0')
		return scanner_fail(
			scanner, token->start, "expected another %c behind this one", quote);
	token->length = (size_t)(c + 1 - token->start);
	return true;
}

static bool read_sign(struct scanner *scanner, struct token *token)
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
		return scanner_fail_found(scanner, token, "==");
	case '&':
		return scanner_fail_found(scanner, token, "&&");
	case '|':
		return scanner_fail_found(scanner, token, "||");
	default:
		return scanner_fail_found(scanner, token, "a name, a number or an operator");
	}
}

bool scanner_init(struct scanner *scanner, const char *text, struct tuner_error *err)
{
	*scanner = (struct scanner){ .text = text, .token.start = text, .err = err };
	return strlen(text) <= EXPRESSION_BYTES_MAX ||
	       tuner_fail(err, TUNER_USAGE, "column %d: longer than %d bytes",
		       EXPRESSION_BYTES_MAX + 1, EXPRESSION_BYTES_MAX);
}

bool scanner_advance(struct scanner *scanner)
{
	struct token *token = &scanner->token;
	const char *c = token->start + token->length;

	scanner->end = c;
	c += strspn(c, " \t\r\n");
	*token = (struct token){ .kind = TOKEN_END, .start = c };
	if (*c == '\0')
		return true;
	if (isdigit((unsigned char)*c) || (*c == '.' && isdigit((unsigned char)c[1])))
		return read_number(scanner, token);
	if (*c == '`' || *c == '\'' || *c == '"')
		return read_quoted(scanner, token);
	if (!is_name_byte(*c) || *c == '.')
		return read_sign(scanner, token);
	token->kind = TOKEN_NAME;
	while (is_name_byte(c[token->length]))
		token->length++;
	return true;
}

bool token_is(const struct token *token, const char *word)
{
	return (token->kind == TOKEN_NAME || token->kind == TOKEN_SIGN) &&
	       token->length == strlen(word) && strncmp(token->start, word, token->length) == 0;
}

bool scanner_is_at(const struct scanner *scanner, const char *word)
{
	return token_is(&scanner->token, word);
}

bool scanner_expect(struct scanner *scanner, const char *sign)
{
	char expected[8];

	snprintf(expected, sizeof expected, "%s", sign);
	return scanner_is_at(scanner, sign)
		       ? scanner_advance(scanner)
		       : scanner_fail_found(scanner, &scanner->token, expected);
}

void token_name(const struct token *token, char ret_text[EXPRESSION_BYTES_MAX + 1])
{
	const bool quoted = token->kind == TOKEN_QUOTED_NAME;
	const char *end = token->start + token->length - quoted;

	for (const char *c = token->start + quoted; c < end; c++) {
		*ret_text++ = *c;
		c += quoted && *c == '`';
	}
	*ret_text = '\0';
}

bool token_is_operator_word(const struct token *token)
{
	return token_is(token, "and") || token_is(token, "or") || token_is(token, "not");
}

bool token_is_word_of_language(const struct token *token)
{
	return token_is_operator_word(token) || token_is(token, "true") || token_is(token, "false");
}
