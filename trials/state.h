/* States by name, and checks of moves between them. Internal. */
#ifndef TRIALS_STATE_H
#define TRIALS_STATE_H

#include "trials/trial.h"

/* TUNER_FATAL for a name that this program does not know: a newer version has written it. */
TUNER_MUST_CHECK
bool trial_state_from_name(const char *name, enum trial_state *ret, struct tuner_error *err);
TUNER_MUST_CHECK
bool attempt_state_from_name(const char *name, enum attempt_state *ret, struct tuner_error *err);
TUNER_MUST_CHECK
bool outcome_from_text(const char *name, enum outcome *ret, struct tuner_error *err); /* "": NONE */

/* Check a move against the table; TUNER_FATAL names the trial or attempt and both states. */
TUNER_MUST_CHECK
bool trial_check_move(
	int64_t number, enum trial_state from, enum trial_state to, struct tuner_error *err);
TUNER_MUST_CHECK
bool attempt_check_move(int64_t trial_number, int64_t number, enum attempt_state from,
	enum attempt_state to, struct tuner_error *err);

#endif
