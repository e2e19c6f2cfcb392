#include "trials/state.h"

#include <inttypes.h>
#include <string.h>

#define TO(state) (1u << (state))

static const char *const trial_names[TRIAL_STATES] = {
	[TRIAL_PROPOSED] = "proposed",
	[TRIAL_RUNNING] = "running",
	[TRIAL_DONE] = "done",
	[TRIAL_FAILED] = "failed",
	[TRIAL_STOPPED] = "stopped",
	[TRIAL_PAUSED] = "paused",
};

/* The drawing in trial.h. DONE is final: no row, no moves. */
static const unsigned trial_moves[TRIAL_STATES] = {
	[TRIAL_PROPOSED] = TO(TRIAL_RUNNING) | TO(TRIAL_STOPPED),
	[TRIAL_RUNNING] = TO(TRIAL_DONE) | TO(TRIAL_FAILED) | TO(TRIAL_STOPPED) |
			  TO(TRIAL_PROPOSED) | TO(TRIAL_PAUSED),
	[TRIAL_FAILED] = TO(TRIAL_PROPOSED),
	[TRIAL_STOPPED] = TO(TRIAL_PROPOSED),
	[TRIAL_PAUSED] = TO(TRIAL_RUNNING) | TO(TRIAL_PROPOSED) | TO(TRIAL_STOPPED),
};

static const char *const attempt_names[ATTEMPT_STATES] = {
	[ATTEMPT_INTENDED] = "intended",
	[ATTEMPT_STARTING] = "starting",
	[ATTEMPT_RUNNING] = "running",
	[ATTEMPT_LOST] = "lost",
	[ATTEMPT_ENDED] = "ended",
};

static const unsigned attempt_moves[ATTEMPT_STATES] = {
	[ATTEMPT_INTENDED] = TO(ATTEMPT_STARTING) | TO(ATTEMPT_RUNNING) | TO(ATTEMPT_ENDED),
	[ATTEMPT_STARTING] = TO(ATTEMPT_RUNNING) | TO(ATTEMPT_LOST) | TO(ATTEMPT_ENDED),
	[ATTEMPT_RUNNING] = TO(ATTEMPT_LOST) | TO(ATTEMPT_ENDED),
	[ATTEMPT_LOST] = TO(ATTEMPT_RUNNING) | TO(ATTEMPT_ENDED),
};

static const char *const outcome_names[OUTCOMES] = {
	[OUTCOME_NONE] = "",
	[OUTCOME_OK] = "ok",
	[OUTCOME_EARLY_STOPPED] = "early-stopped",
	[OUTCOME_USER_STOPPED] = "user-stopped",
	[OUTCOME_TIMEOUT] = "timeout",
	[OUTCOME_PREEMPTED] = "preempted",
	[OUTCOME_INTERRUPTED] = "interrupted",
	[OUTCOME_LOST] = "lost",
	[OUTCOME_LAUNCH_FAILED] = "launch-failed",
	[OUTCOME_OOM_HOST] = "oom-host",
	[OUTCOME_DISK_FULL] = "disk-full",
	[OUTCOME_NAN] = "nan",
	[OUTCOME_DIVERGED] = "diverged",
	[OUTCOME_OOM_GPU] = "oom-gpu",
	[OUTCOME_NO_METRIC] = "no-metric",
	[OUTCOME_CRASHED] = "crashed",
	[OUTCOME_OVER_LIMIT] = "over-limit",
};

const char *trial_state_name(enum trial_state state)
{
	tuner_assert(state < TRIAL_STATES);
	return trial_names[state];
}

const char *attempt_state_name(enum attempt_state state)
{
	tuner_assert(state < ATTEMPT_STATES);
	return attempt_names[state];
}

const char *outcome_name(enum outcome outcome)
{
	tuner_assert(outcome < OUTCOMES);
	return outcome_names[outcome];
}

bool trial_state_may_move(enum trial_state from, enum trial_state to)
{
	tuner_assert(from < TRIAL_STATES && to < TRIAL_STATES);
	return (trial_moves[from] & TO(to)) != 0;
}

bool attempt_state_may_move(enum attempt_state from, enum attempt_state to)
{
	tuner_assert(from < ATTEMPT_STATES && to < ATTEMPT_STATES);
	return (attempt_moves[from] & TO(to)) != 0;
}

bool trial_check_move(
	int64_t number, enum trial_state from, enum trial_state to, struct tuner_error *err)
{
	return trial_state_may_move(from, to) ||
	       tuner_fail(err, TUNER_FATAL, "trial %" PRId64 " cannot go from %s to %s", number,
		       trial_names[from], trial_names[to]);
}

bool attempt_check_move(int64_t trial_number, int64_t number, enum attempt_state from,
	enum attempt_state to, struct tuner_error *err)
{
	return attempt_state_may_move(from, to) ||
	       tuner_fail(err, TUNER_FATAL,
		       "trial %" PRId64 ": attempt %" PRId64 " cannot go from %s to %s",
		       trial_number, number, attempt_names[from], attempt_names[to]);
}

/* n if no name is equal. */
static size_t find(const char *name, const char *const *names, size_t n)
{
	size_t i = 0;

	while (i < n && strcmp(name, names[i]) != 0)
		i++;
	return i;
}

static bool unknown(const char *what, const char *name, struct tuner_error *err)
{
	return tuner_fail(
		err, TUNER_FATAL, "%s is \"%s\", which this tuner does not know", what, name);
}

bool trial_state_from_name(const char *name, enum trial_state *ret, struct tuner_error *err)
{
	const size_t i = find(name, trial_names, TRIAL_STATES);

	*ret = (enum trial_state)i;
	return i < TRIAL_STATES || unknown("a trial's state", name, err);
}

bool attempt_state_from_name(const char *name, enum attempt_state *ret, struct tuner_error *err)
{
	const size_t i = find(name, attempt_names, ATTEMPT_STATES);

	*ret = (enum attempt_state)i;
	return i < ATTEMPT_STATES || unknown("an attempt's state", name, err);
}

bool outcome_from_text(const char *name, enum outcome *ret, struct tuner_error *err)
{
	const size_t i = find(name, outcome_names, OUTCOMES);

	*ret = (enum outcome)i;
	return i < OUTCOMES || unknown("an outcome", name, err);
}
