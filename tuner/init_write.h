/* Internals of init.h. */
#ifndef TUNER_INIT_WRITE_H
#define TUNER_INIT_WRITE_H

#include "tuner/init.h"

/* Each writes a complete job file. */
void init_template(const char *name, char *const *command, struct text *ret_file);
TUNER_MUST_CHECK
bool init_from_command(const struct init_request *request, struct text *ret_file,
	struct text *ret_notes, struct tuner_error *err);
TUNER_MUST_CHECK
bool init_from_sagemaker(const struct init_request *request, struct text *ret_file,
	struct text *ret_notes, struct tuner_error *err);

/* Appends a word of a command with its braces doubled, since a single one would open a
 * placeholder. */
void init_literal(const char *word, size_t length, struct text *ret);

#endif
