/* Inside of expression.h: a text as tokens, and errors with their column. */
#ifndef SURROGATE_EXPRESSION_SCANNER_H
#define SURROGATE_EXPRESSION_SCANNER_H

#include "surrogate/expression.h"

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

/* Whether the token is this word or sign; in quotes it is neither. */
bool token_is(const struct token *token, const char *word);
bool token_is_operator_word(const struct token *token); /* and, or, not */
bool token_is_word_of_language(const struct token *token); /* these, true and false */

/* Of a name, without its quotes; no longer than the text. */
void token_name(const struct token *token, char ret_text[EXPRESSION_BYTES_MAX + 1]);

/* As an error shows it. */
enum { TOKEN_SHOWN = 96 };
const char *token_shown(const struct token *token, char ret_text[TOKEN_SHOWN]);

/* What a name that needs no quotes is made of. */
bool is_name_byte(char c);

struct scanner {
	const char *text; /* EXPRESSION_BYTES_MAX at most */
	struct token
		token; /* the next one; an empty one at the text's beginning before the first scanner_advance */
	const char *end; /* of the one before it */
	struct tuner_error *err;
};

/* TUNER_USAGE if the text is too long. */
TUNER_MUST_CHECK
bool scanner_init(struct scanner *scanner, const char *text, struct tuner_error *err);

/* Moves on to the next token; at the end it stays there. */
TUNER_MUST_CHECK
bool scanner_advance(struct scanner *scanner);
bool scanner_is_at(const struct scanner *scanner, const char *word);

/* Past this sign, which has to be next. */
TUNER_MUST_CHECK
bool scanner_expect(struct scanner *scanner, const char *sign);

/* TUNER_USAGE with the column of `at`, a place in the text; always false. */
TUNER_PRINTF(3, 4)
bool scanner_fail(struct scanner *scanner, const char *at, const char *format, ...);
bool scanner_fail_found(struct scanner *scanner, const struct token *token, const char *expected);

#endif
