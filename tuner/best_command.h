/* What repeats a trial. */
#ifndef TUNER_BEST_COMMAND_H
#define TUNER_BEST_COMMAND_H

#include "tuner/trial_report.h"

/* One line for a shell that does what the trial did, in its directory, with its seed. Appended. TUNER_USAGE if the
 * job has no command, or its present parameters do not take the trial's. */
TUNER_MUST_CHECK
bool best_command(const struct report *report, const struct trial *trial, struct text *ret,
	struct tuner_error *err);

/* Whether that is what the trial was launched with: a sentence without its full stop if an edit of the command, which
 * --accept-change has let through, came since. Appended. */
TUNER_MUST_CHECK
bool best_command_doubt(const struct report *report, const struct trial *trial, struct text *ret,
	struct tuner_error *err);

#endif
