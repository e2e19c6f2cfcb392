/* What an attempt ran: with which arguments and variables, on what code, data and versions.
 *
 * Texts that many attempts share (a patch, a list of packages, a set of variables) are documents: stored once,
 * under their SHA-256. A state of the code or of the data is a row of its own, that attempts point to; which
 * of them an attempt found is known shortly after its launch, and NULL until then. */
#ifndef TRIALS_PROVENANCE_H
#define TRIALS_PROVENANCE_H

#include "trials/store.h"

#include <stddef.h>

/* Stores the text unless it is there, within an open transaction; *ret_id names it. sha256 is in
 * hexadecimal, of the whole text; whole_bytes its length, of which `length` are given. */
TUNER_MUST_CHECK
bool document_put(struct store *store, const char *sha256, const char *bytes, size_t length,
	int64_t whole_bytes, int64_t *ret_id, struct tuner_error *err);

/* The text of a document; the caller frees it. */
TUNER_MUST_CHECK
bool document_load(struct store *store, int64_t id, char **ret, struct tuner_error *err);

enum state_of { STATE_OF_CODE, STATE_OF_DATA };

/* A state of code or data that a job's attempts found. */
struct found_state {
	int64_t id;
	enum state_of of;
	const char *fingerprint; /* 64 hexadecimal digits; equal if and only if nothing differs */
	const char *source; /* "live", "snapshot" or "git"; of data "live" */
	const char *facts; /* JSON object: commit, number of files ... */
	int64_t patch; /* document: what differs from the commit; 0: none */
	int64_t found_us;
	int64_t number; /* in the job, of its kind, from 1; filled when it is read */
};

/* Stores the state unless this job has it, within an open transaction; *ret_new: it had not. */
TUNER_MUST_CHECK
bool state_put(struct store *store, int64_t job_id, const struct found_state *state, int64_t now_us,
	int64_t *ret_id, bool *ret_new, struct tuner_error *err);

struct state_list {
	struct found_state *items; /* in the order in which they were found */
	size_t n;
	char **memory;
	size_t n_memory;
};

TUNER_MUST_CHECK
bool state_select(struct store *store, int64_t job_id, enum state_of of, struct state_list *ret,
	struct tuner_error *err);
void state_list_finish(struct state_list *list);

/* One attempt's row, written with its intent. */
struct provenance_new {
	int64_t attempt, run;
	uint64_t seed; /* TUNER_SEED */
	const char *arguments; /* JSON array */
	const char *directory; /* where the command runs */
	int64_t environment; /* document */
	int64_t code, data; /* states; 0: not known yet */
};

TUNER_MUST_CHECK
bool provenance_add(struct store *store, const struct provenance_new *row, struct tuner_error *err);

/* Which state the attempt found; one without a row is passed over. */
TUNER_MUST_CHECK
bool provenance_found(struct store *store, int64_t attempt, enum state_of of, int64_t state,
	struct tuner_error *err);

/* What its machine offered, of a run: a document. */
TUNER_MUST_CHECK
bool run_set_versions(struct store *store, int64_t run, int64_t document, struct tuner_error *err);

struct provenance {
	int64_t attempt, run, code, data; /* run 0: nothing is known of this attempt */
	uint64_t seed;
	char *arguments, *directory, *environment, *versions; /* JSON; NULL: not known */
};

/* *ret all zero if nothing is known. */
TUNER_MUST_CHECK
bool provenance_load(
	struct store *store, int64_t attempt, struct provenance *ret, struct tuner_error *err);
void provenance_finish(struct provenance *provenance);

/* The state that the job's last attempt found, of those that found any; 0: none. */
TUNER_MUST_CHECK
bool state_last(struct store *store, int64_t job_id, enum state_of of, int64_t *ret_state,
	struct tuner_error *err);

/* The first trial whose attempt found this state; 0: none. */
TUNER_MUST_CHECK
bool state_first(struct store *store, enum state_of of, int64_t state, int64_t *ret_trial,
	struct tuner_error *err);

/* Which states of the code the attempts of a trial ran, at most STATES_OF_TRIAL_MAX, each once, in the order
 * of the attempts. */
enum { STATES_OF_TRIAL_MAX = 16 };
TUNER_MUST_CHECK
bool state_of_trial(struct store *store, int64_t trial_id, int64_t ret[STATES_OF_TRIAL_MAX],
	size_t *ret_n, struct tuner_error *err);

/* Where a job's frozen code lies: a state, and a directory counted from store_directory. */
TUNER_MUST_CHECK
bool job_source_set(struct store *store, int64_t job_id, int64_t state, const char *directory,
	struct tuner_error *err);

/* *ret_state 0: it has none; else the caller frees *ret_directory. */
TUNER_MUST_CHECK
bool job_source(struct store *store, int64_t job_id, int64_t *ret_state, char **ret_directory,
	struct tuner_error *err);

#endif
