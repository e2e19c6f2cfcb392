/* The names in a text, of which only the tokens are read. */
#include "surrogate/expression_scanner.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "validation-accuracy" without blanks is hardly ever meant as a difference. */
static bool check_dash(struct scanner *scanner, const struct token *token)
{
	const char *const dash = token->start + token->length;
	size_t length = token->length;

	if (*dash != '-' || !is_name_byte(dash[1]))
		return true;
	while (is_name_byte(token->start[length]) || token->start[length] == '-')
		length++;
	const int shown = length < 60 ? (int)length : 60;

	return scanner_fail(scanner, token->start,
		"%.*s would be a difference: a name with \"-\" stands in backquotes, `%.*s`; a "
		"difference has blanks around its sign",
		shown, token->start, shown, token->start);
}

static bool add_name(struct scanner *scanner, const struct token *token, char **names, size_t *n)
{
	char word[EXPRESSION_BYTES_MAX + 1];
	size_t i = 0;

	token_name(token, word);
	while (i < *n && strcmp(names[i], word) != 0)
		i++;
	if (i < *n)
		return true;
	if (*n == EXPRESSION_SIZE_MAX)
		return scanner_fail(
			scanner, token->start, "more than %d names", EXPRESSION_SIZE_MAX);
	names[*n] = strdup(word);
	return names[(*n)++] != NULL || tuner_fail_memory(scanner->err);
}

static bool gather_names(struct scanner *scanner, char **names, size_t *n)
{
	for (;;) {
		if (!scanner_advance(scanner))
			return false;
		const struct token token = scanner->token;

		if (token.kind == TOKEN_END)
			return true;
		if (token.kind == TOKEN_NAME && !check_dash(scanner, &token))
			return false;
		const char *behind = token.start + token.length;

		behind += strspn(behind, " \t\r\n");
		if (token.kind == TOKEN_QUOTED_NAME ||
			(token.kind == TOKEN_NAME && *behind != '(' &&
				!token_is_word_of_language(&token)))
			if (!add_name(scanner, &token, names, n))
				return false;
	}
}

bool expression_names(const char *text, char ***ret, size_t *ret_n, struct tuner_error *err)
{
	char **names = calloc(EXPRESSION_SIZE_MAX, sizeof *names);
	struct scanner scanner;
	size_t n = 0;

	if (names == NULL)
		return tuner_fail_memory(err);
	const bool ok = scanner_init(&scanner, text, err) && gather_names(&scanner, names, &n);

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
	       token_is_word_of_language(&token);
}
