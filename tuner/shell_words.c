#include "tuner/shell_words.h"

#include <string.h>

/* Neither special to a shell nor, as the first of a word, to anything that reads the line. A "~" or
 * "=" is plain inside a word but not at its beginning: neither is in the list. */
static size_t plain_length(const char *word)
{
	return strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "@%+:,./_-");
}

static bool is_plain(const char *word)
{
	return word[0] != '\0' && word[plain_length(word)] == '\0';
}

void text_add_shell_word(struct text *text, const char *word)
{
	const char *equals = strchr(word, '=');
	/* --name=value, unquoted where its parts are; a word that begins NAME= would be an
	 * assignment in front of a command. */
	const bool option = equals != NULL && word[0] == '-' && is_plain(equals + 1) &&
			    strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789_-.") == (size_t)(equals - word);
	if (option || is_plain(word)) {
		text_add(text, word);
		return;
	}
	text_add_shell_quoted(text, word);
}

void text_add_shell_words(struct text *text, char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		if (i > 0)
			text_add_char(text, ' ');
		text_add_shell_word(text, words[i]);
	}
}

void text_add_shell_assignment(struct text *text, const char *variable)
{
	const char *equals = strchr(variable, '=');
	tuner_assert(equals != NULL);
	if (plain_length(variable) != (size_t)(equals - variable)) {
		text_add_shell_quoted(text, variable);
		return;
	}
	text_add_bytes(text, variable, (size_t)(equals - variable) + 1);
	if (equals[1] != '\0')
		text_add_shell_word(text, equals + 1);
}

void text_add_job_words(struct text *text, const char *name, const char *db)
{
	text_add_shell_word(text, name);
	if (db != NULL) {
		text_add(text, " --db ");
		text_add_shell_word(text, db);
	}
}
