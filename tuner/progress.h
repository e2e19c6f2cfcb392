/* What `tuner run` shows: on a terminal one line per slot and the best so far, redrawn in place;
 * elsewhere one plain line per finished trial. A vanished terminal is not an error, and output
 * never waits for its reader before the end (outlet.h). */
#ifndef TUNER_PROGRESS_H
#define TUNER_PROGRESS_H

#include "tuner/history.h"

struct progress;

enum progress_style {
	PROGRESS_LIVE, /* a terminal */
	PROGRESS_PLAIN, /* a line per finished trial */
	PROGRESS_QUIET,
};

/* A running trial. */
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
	int64_t trials; /* the budget's */
	const struct finished_trial *best; /* NULL: none */
	int64_t median_us; /* of the done trials; 0: none */
	const char
		*doing; /* "waiting for 2 running trials; Ctrl-C again stops them"; "" normally */
};

/* NULL without memory: every function accepts that and shows nothing. */
struct progress *progress_create(
	const struct job_file *file, enum progress_style style, bool color);
/* Restores the terminal. Waits until all output has been read. */
void progress_destroy(struct progress *progress);

/* Call when we are asked to end: progress_destroy then waits for one second only and, if the output
 * has not been read by then, redirects standard output to /dev/null. */
void progress_hurry(struct progress *progress);

/* Shows a message on a line of its own, above what is redrawn. */
void progress_say(struct progress *progress, const char *format, ...) TUNER_PRINTF(2, 3);

/* Shows that a trial ended. `branch`: what proposed it. message "": nothing to say. `again`: it
 * will be retried. `is_best`: it is its search's best so far. */
void progress_finished(struct progress *progress, const struct finished_trial *trial,
	const char *branch, const char *message, bool again, bool is_best);

/* Redraws, at most every 100 ms. Call it in every style: it also continues writing output that was
 * not yet accepted. */
void progress_draw(struct progress *progress, const struct progress_state *state);

/* The terminal has gone (SIGHUP): say nothing more. */
void progress_mute(struct progress *progress);

#endif
