/* A tuning job: the job file as given, the versions of its space and objective, and its queue of
 * configurations that people asked for. */
#ifndef TRIALS_JOB_H
#define TRIALS_JOB_H

#include "trials/store.h"

#include <stddef.h>

/*   OPEN ---> DONE      the budget is spent, the target reached, the space exhausted
 *    ^ |----> STOPPED   by a person or a signal; continues with the next run
 *    | '----> FAILED    the probe, too many infrastructure failures, no result at all
 *    '------- (run again with something left to do) */
enum job_state { JOB_OPEN, JOB_DONE, JOB_STOPPED, JOB_FAILED, JOB_STATES };

const char *job_state_name(enum job_state state); /* "open" ... */
bool job_state_may_move(enum job_state from, enum job_state to);

struct job {
	int64_t id;
	char *name;
	enum job_state state;
	char *reason; /* why it ended, for people; "" while open */
	char *file; /* the job file's text as last accepted */
	char *path; /* where that file was; "" for standard input */
	char *directory; /* absolute: where its commands run, and the base of relative paths */
	int64_t seed;
	int64_t trial_cap; /* trials per arm and repeat */
	int64_t space_version, objective_version; /* ids of the current ones */
	int64_t created_us, ended_us; /* ended_us 0 while open */
	int64_t runtime_us; /* time spent in run, up to the last commit */
};

struct job_list {
	struct job *items; /* newest last */
	size_t n;
};

void job_finish(struct job *job); /* frees what it owns, not itself */
void job_list_finish(struct job_list *list);

/* A parameter as the database knows it. kind: "float", "int" or "categorical" (ordinals too). */
struct parameter_row {
	const char *name;
	const char *kind;
	const char *distribution; /* Optuna's distribution JSON, doubles so that they read back
				     exactly */
	const char *labels; /* JSON array of a categorical's values; NULL otherwise */
};

struct parameter_list {
	struct parameter_row *items; /* in the space's order */
	size_t n;
	char *memory;
};

/* Creates the job in state OPEN, with version 1 of space and objective. `definition` is the space's
 * own JSON. TUNER_USAGE if the name is taken. Strings are copied. */
TUNER_MUST_CHECK
bool job_create(struct store *store, const struct job *job, const char *space_definition,
	const struct parameter_row *parameters, size_t n, const char *metric, const char *goal,
	const char *objective_definition, int64_t now_us, int64_t *ret_id, struct tuner_error *err);

/* Finds a job by name, or the newest (name NULL); job_find_by_path: the newest one whose file has
 * this absolute path. *ret_found is false if there is none. A number is a name like any other,
 * never an id: otherwise the job of 1.jsonc would be whichever came first. */
TUNER_MUST_CHECK
bool job_find(struct store *store, const char *name, struct job *ret, bool *ret_found,
	struct tuner_error *err);
TUNER_MUST_CHECK
bool job_find_by_path(struct store *store, const char *path, struct job *ret, bool *ret_found,
	struct tuner_error *err);
TUNER_MUST_CHECK
bool job_load(struct store *store, int64_t id, struct job *ret, struct tuner_error *err);
TUNER_MUST_CHECK
bool job_list(struct store *store, struct job_list *ret, struct tuner_error *err);

/* Stores an accepted edit of the job file: file, path, directory, trial_cap. The caller adds the
 * event. */
TUNER_MUST_CHECK
bool job_set_file(struct store *store, int64_t id, const char *file, const char *path,
	const char *directory, int64_t trial_cap, struct tuner_error *err);

TUNER_MUST_CHECK
bool job_add_space_version(struct store *store, int64_t id, const char *definition,
	const struct parameter_row *parameters, size_t n, int64_t now_us, int64_t *ret_version,
	struct tuner_error *err);

/* Only legal moves (the drawing above). */
TUNER_MUST_CHECK
bool job_set_state(struct store *store, int64_t id, enum job_state state, const char *reason,
	int64_t now_us, struct tuner_error *err);
TUNER_MUST_CHECK
bool job_add_runtime(struct store *store, int64_t id, int64_t us, struct tuner_error *err);

/* Definition and parameters of a space version (by id). The caller frees them:
 * free(*ret_definition), parameter_list_finish. */
TUNER_MUST_CHECK
bool job_space_version(struct store *store, int64_t version, char **ret_definition,
	struct parameter_list *ret_parameters, struct tuner_error *err);
void parameter_list_finish(struct parameter_list *list);

TUNER_MUST_CHECK
bool job_objective(struct store *store, int64_t version, char **ret_metric, bool *ret_maximize,
	char **ret_definition, struct tuner_error *err);

/* The queue: configurations from "first" and `enqueue`, possibly partial, in the order given. The
 * parameters are a JSON object by name. */
struct queued {
	int64_t id;
	char *parameters;
	char source[16]; /* "first" or "enqueue" */
};

void queued_finish(struct queued *queued);

TUNER_MUST_CHECK
bool queue_add(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	const char *source, const char *parameters, int64_t now_us, int64_t *ret_id,
	struct tuner_error *err);

/* The oldest entry that no trial has taken yet. trial_create takes it (trial.h). */
TUNER_MUST_CHECK
bool queue_next(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	struct queued *ret, bool *ret_found, struct tuner_error *err);

/* The entry that a trial has taken. */
TUNER_MUST_CHECK
bool queue_taken(struct store *store, int64_t trial_id, struct queued *ret, bool *ret_found,
	struct tuner_error *err);

struct queue_entry {
	struct queued queued;
	bool taken; /* a trial has taken it */
	char arm[64];
	int64_t repeat;
};

struct queue_list {
	struct queue_entry *items;
	size_t n;
};

/* All entries of the job, of all arms, in the order given. */
TUNER_MUST_CHECK
bool queue_select(
	struct store *store, int64_t job_id, struct queue_list *ret, struct tuner_error *err);
void queue_list_finish(struct queue_list *list);

/* Removes an entry that no trial has taken. TUNER_FATAL if there is no such entry. */
TUNER_MUST_CHECK
bool queue_remove(struct store *store, int64_t id, struct tuner_error *err);

/* Records one sitting of `tuner run`: which process worked on the job, and when. */
TUNER_MUST_CHECK
bool run_begin(struct store *store, int64_t job_id, int64_t pid, const char *host,
	const char *program, int64_t now_us, int64_t *ret_id, struct tuner_error *err);
TUNER_MUST_CHECK
bool run_end(struct store *store, int64_t run_id, const char *reason, int exit_status,
	int64_t now_us, struct tuner_error *err);

/* The job that a process runs: that of its newest sitting, unless the sitting has ended. 0: none is
 * known. */
TUNER_MUST_CHECK
bool run_job_of(struct store *store, int64_t pid, int64_t *ret_job_id, struct tuner_error *err);

#endif
