/* What `tuner run` shows: on a terminal one line per slot and the best so far, redrawn in place;
 * elsewhere one plain line per finished trial. A vanished terminal is not an error, and no reader is waited for
 * before the end (outlet.h). */
#ifndef TUNER_PROGRESS_H
#define TUNER_PROGRESS_H

#include "tuner/history.h"

struct progress;

enum progress_style {
	PROGRESS_LIVE, /* a terminal */
	PROGRESS_PLAIN, /* a line a finished trial */
	PROGRESS_QUIET,
};

/* One trial under way. */
struct progress_slot {
	int64_t number, attempt;
	const double *values;
	const char *branch;
	int64_t started_us; /* monotonic; 0: not yet */
	const struct series *series;
};

struct progress_state {
	const struct progress_slot *slots; /* rising trial numbers */
	size_t n_slots;
	size_t ended;
	int64_t trials; /* of the budget */
	const struct finished_trial *best; /* NULL: none */
	int64_t median_us; /* of the done trials; 0: none */
	const char
		*doing; /* "waiting for 2 running trials; Ctrl-C again stops them"; "" normally */
};

/* NULL without memory: every function accepts that and shows nothing. */
struct progress *progress_create(
	const struct job_file *file, enum progress_style style, bool color);
/* Leaves the terminal as it should be. Waits until all is read. */
void progress_destroy(struct progress *progress);

/* Somebody wants us to end: progress_destroy waits for a second, and if nothing is read by then standard output is closed
 * to us. */
void progress_hurry(struct progress *progress);

/* A message on a line of its own, above what is redrawn. */
void progress_say(struct progress *progress, const char *format, ...) TUNER_PRINTF(2, 3);

/* A trial ended. `branch` is what proposed it; message "" if there is nothing to say. `again`: it
 * will be retried. `is_best`: of its search, so far. */
void progress_finished(struct progress *progress, const struct finished_trial *trial,
	const char *branch, const char *message, bool again, bool is_best);

/* Redraws, at most every 100 ms. Also to be called where nothing is redrawn: it goes on with what was not read. */
void progress_draw(struct progress *progress, const struct progress_state *state);

/* The terminal has gone (SIGHUP): say nothing more. */
void progress_mute(struct progress *progress);

#endif
