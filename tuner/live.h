/* An attempt under way, as the loop sees it: its process, its output, its metrics so far. */
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
	struct search *search; /* whose trial it is; NULL: nobody's any more */
	int64_t attempt_number;
	struct place place; /* its slot may be gone: an edited job file has fewer */
	char key[40];
	char branch[16];
	char *directory; /* absolute */
	double *values; /* d */
	bool is_cut; /* the space, edited under it, leaves some of its parameters out */
	struct outcome_counts before; /* how this trial's earlier attempts ended */
	struct gpu_use gpus; /* its samples so far; together 0: it has no GPU */
	bool wants_gpu_alone; /* it ran out of memory beside another trial */
	bool gpus_changed; /* since they were stored */

	struct scraper *scraper;
	struct metric_row *rows; /* scraped, not committed yet */
	size_t n_rows, rows_capacity;
	struct objective_curves curves; /* the objective's, earlier attempts included */
	bool out_of_memory; /* a row could not be kept */
	int64_t read_offset; /* output read so far */
	int64_t stored_offset; /* the scraper's offset in the database */

	bool started, started_committed;
	int64_t trial_started_us; /* wall clock, of the trial's first start; 0: not yet */
	int64_t launched_us; /* monotonic; of what an earlier run launched, as long ago as it has run */
	int64_t started_us; /* wall clock */
	int64_t running_us; /* monotonic: since when its command is known to run; 0: not yet */
	const char *stopping; /* the outcome's name that we end it for; NULL: we do not */
	char stop_reason[200];
	bool stop_stored; /* the next run knows of it */
	bool stop_due; /* its process is to be told */
	int64_t kill_at_us; /* monotonic: SIGKILL then; 0: not asked for */
	struct backend_event end; /* kept until its turn */
	bool ended;
	int64_t ended_us; /* wall clock: by its supervisor, else when we heard of it; set with its fate */
};

void live_destroy(struct live *live);

/* Reads what the command has written since the last call (at most max_bytes) and scrapes it.
 * `complete`: the process has ended: reads all and searches the last line. */
TUNER_MUST_CHECK
bool live_collect(struct live *live, struct backend *backend, const struct job_objective *objective,
	bool complete, struct tuner_error *err);

/* Commits scraped rows with the scraper's place, within an open transaction. live_committed after the
 * commit forgets the rows. */
TUNER_MUST_CHECK
bool live_store(struct live *live, struct store *store, const struct job_file *file,
	struct tuner_error *err);
void live_committed(struct live *live);

/* What became of it: the outcome's table of the architecture, section 5. */
struct fate {
	enum outcome outcome;
	enum outcome counts_as; /* the trial's */
	bool end_job; /* a rule says so */
	bool excused; /* by a host that is not trusted any more (pool.h): no sign that more is broken */
	enum trial_state trial;
	double objective; /* NaN: none */
	char message[300];
};

void live_fate(const struct live *live, const struct job_file *file,
	const struct failure_rules *rules, struct fate *ret);

#endif
