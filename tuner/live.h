/* A running attempt, as the loop sees it: its process, its output, its metrics so far. */
#ifndef TUNER_LIVE_H
#define TUNER_LIVE_H

#include "trials/gpu_use.h"
#include "tuner/history.h"
#include "tuner/objective.h"
#include "tuner/pool.h"

struct search;

struct live {
	int64_t attempt; /* database ids */
	int64_t trial;
	int64_t number; /* of the trial */
	int64_t arm_number, repeat;
	struct search *search; /* the search that the trial belongs to; NULL: none any more */
	int64_t attempt_number;
	struct place place; /* its slot may be gone, if an edited job file has fewer */
	char key[40];
	char branch[16];
	char *directory; /* absolute */
	double *values; /* d */
	bool is_cut; /* the space, edited meanwhile, lacks some of its parameters */
	struct outcome_counts before; /* how this trial's earlier attempts ended */
	struct gpu_use gpus; /* GPU samples so far; together 0: it has no GPU */
	bool wants_gpu_alone; /* it ran out of GPU memory beside another trial */
	bool gpus_changed; /* `gpus` has changed since it was stored */

	struct scraper *scraper;
	struct metric_row *rows; /* scraped but not yet committed */
	size_t n_rows, rows_capacity;
	struct objective_curves curves; /* the objective's curves, earlier attempts included */
	bool out_of_memory; /* a row could not be kept */
	int64_t read_offset; /* output read so far */
	int64_t stored_offset; /* the scraper's offset in the database */

	bool started, started_committed;
	int64_t trial_started_us; /* wall clock: the trial's first start; 0: not yet */
	int64_t launched_us; /* monotonic; for an attempt launched by an earlier run, now minus its
				running time */
	int64_t started_us; /* wall clock */
	int64_t running_us; /* monotonic: since when its command is known to run; 0: not yet */
	const char *stopping; /* the outcome for which we end it, by name; NULL: we do not */
	char stop_reason[200];
	bool stop_stored; /* the stop is stored, so the next run knows of it */
	bool stop_due; /* its process is still to be signalled */
	int64_t kill_at_us; /* monotonic: when to send SIGKILL; 0: not at all */
	struct backend_event end; /* kept until it is handled */
	bool ended;
	int64_t ended_us; /* wall clock: from its supervisor, else when we learnt of it; set with
			     its fate */
};

void live_destroy(struct live *live);

/* Reads and scrapes what the command has written since the last call, a bounded amount. `complete`:
 * the process has ended, so reads everything and searches the last line. */
TUNER_MUST_CHECK
bool live_collect(struct live *live, struct backend *backend, const struct job_objective *objective,
	bool complete, struct tuner_error *err);

/* Stores scraped rows and the scraper's position, within an open transaction. Call live_committed
 * after the commit, to forget the rows. */
TUNER_MUST_CHECK
bool live_store(struct live *live, struct store *store, const struct job_file *file,
	struct tuner_error *err);
void live_committed(struct live *live);

/* What became of an attempt: the table of outcomes in architecture.md, section 5. */
struct fate {
	enum outcome outcome;
	enum outcome counts_as; /* the trial's */
	bool end_job; /* a rule ends the job */
	bool excused; /* the host is no longer trusted (pool.h): not a sign that anything else is
			 broken */
	enum trial_state trial;
	double objective; /* NaN: none */
	struct judgement judgement; /* of a trial that ran to its end */
	char message[LIMITS_MESSAGE_BYTES];
};

void live_fate(const struct live *live, const struct job_file *file,
	const struct failure_rules *rules, struct fate *ret);

#endif
