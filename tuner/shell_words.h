/* Words as a POSIX shell reads them back. */
#ifndef TUNER_SHELL_WORDS_H
#define TUNER_SHELL_WORDS_H

#include "base/text.h"

/* Appends one word: unchanged if it needs no quoting, else in single quotes. */
void text_add_shell_word(struct text *text, const char *word);

/* Appends the words of a NULL-terminated vector, separated by blanks. */
void text_add_shell_words(struct text *text, char *const *words);

/* Appends NAME=VALUE so that a shell takes it as an assignment (or env as its argument): the name
 * unquoted, the value quoted if needed. A name that no shell could assign to, as that of a parameter
 * "a|b", is for env alone, and all of it is quoted. */
void text_add_shell_assignment(struct text *text, const char *variable);

/* "NAME" or, where --db was given, "NAME --db PATH": what to type after a command to name a job. db
 * NULL: it was not given. */
void text_add_job_words(struct text *text, const char *name, const char *db);

#endif
