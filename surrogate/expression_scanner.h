/* Inside of expression.h: splits a text into tokens, and reports errors with their column. */
#ifndef SURROGATE_EXPRESSION_SCANNER_H
#define SURROGATE_EXPRESSION_SCANNER_H

#include "surrogate/expression.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NUMBER,
	TOKEN_NAME, /* a word, possibly one of the language */
	TOKEN_QUOTED_NAME,
	TOKEN_STRING,
	TOKEN_SIGN, /* ( ) , and the operators that are not words */
};

struct token {
	enum token_kind kind;
	const char *start; /* points into the text, quotes included */
	size_t length;
	double number;
};

/* True if the token is this word or sign; a quoted token is neither. */
bool token_is(const struct token *token, const char *word);
bool token_is_operator_word(const struct token *token); /* and, or, not */
bool token_is_word_of_language(const struct token *token); /* these, true and false */

/* The token's name without its quotes; no longer than the text. */
void token_name(const struct token *token, char ret_text[EXPRESSION_BYTES_MAX + 1]);

/* The token as an error message shows it. */
enum { TOKEN_SHOWN = 96 };
const char *token_shown(const struct token *token, char ret_text[TOKEN_SHOWN]);

/* True for the bytes that may be in a name without quotes. */
bool is_name_byte(char c);

struct scanner {
	const char *text; /* EXPRESSION_BYTES_MAX at most */
	struct token token; /* the next one; before the first scanner_advance, an empty one at the
			       start of the text */
	const char *end; /* end of the token before it */
	struct tuner_error *err;
};

/* TUNER_USAGE if the text is too long. */
TUNER_MUST_CHECK
bool scanner_init(struct scanner *scanner, const char *text, struct tuner_error *err);

/* Moves to the next token; at the end it stays there. */
TUNER_MUST_CHECK
bool scanner_advance(struct scanner *scanner);
bool scanner_is_at(const struct scanner *scanner, const char *word);

/* Moves past this sign, which must be next. */
TUNER_MUST_CHECK
bool scanner_expect(struct scanner *scanner, const char *sign);

/* Fails with TUNER_USAGE and the column of `at`, a place in the text; always returns false. */
TUNER_PRINTF(3, 4)
bool scanner_fail(struct scanner *scanner, const char *at, const char *format, ...);
bool scanner_fail_found(struct scanner *scanner, const struct token *token, const char *expected);

#endif
