/* The command line that repeats a trial. */
#ifndef TUNER_BEST_COMMAND_H
#define TUNER_BEST_COMMAND_H

#include "tuner/trial_report.h"

/* Appends one shell line that does what the trial did, in its directory, with its seed. TUNER_USAGE
 * if the job has no command, or the trial's parameters do not fit the present space. */
TUNER_MUST_CHECK
bool best_command(const struct report *report, const struct trial *trial, struct text *ret,
	struct tuner_error *err);

/* Appends a sentence, without its full stop, if the command has been edited (with --accept-change)
 * since the trial was launched; otherwise nothing. */
TUNER_MUST_CHECK
bool best_command_doubt(const struct report *report, const struct trial *trial, struct text *ret,
	struct tuner_error *err);

#endif
