/* Words as a POSIX shell reads them back. */
#ifndef TUNER_SHELL_WORDS_H
#define TUNER_SHELL_WORDS_H

#include "base/text.h"

/* Appends one word: as it is if it is plain, else in single quotes. */
void text_add_shell_word(struct text *text, const char *word);

/* Appends the words of a NULL-terminated vector, separated by blanks. */
void text_add_shell_words(struct text *text, char *const *words);

/* Appends NAME=VALUE so that a shell takes it for an assignment (or env for its argument): the name
 * plain, the value quoted if needed. */
void text_add_shell_assignment(struct text *text, const char *variable);

#endif
