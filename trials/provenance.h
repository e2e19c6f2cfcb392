/* What an attempt ran: its arguments and variables, and the code, data and versions it used.
 *
 * Texts that many attempts share (a patch, a list of packages, a set of variables) are documents:
 * stored once, under their SHA-256. A state of the code or of the data is a row of its own that
 * attempts refer to. Which state an attempt found is known shortly after its launch, and NULL until
 * then. */
#ifndef TRIALS_PROVENANCE_H
#define TRIALS_PROVENANCE_H

#include "trials/store.h"

#include <stddef.h>

/* Stores the text unless it exists, within an open transaction; *ret_id is its id. sha256 is the
 * hexadecimal digest of the whole text, whole_bytes its length; the first `length` bytes are
 * given. */
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
	const char *source; /* "live", "snapshot" or "git"; for data "live" */
	const char *facts; /* JSON object: commit, number of files ... */
	int64_t patch; /* document with the differences from the commit; 0: none */
	int64_t found_us;
	int64_t number; /* within the job and kind, from 1; set when read */
};

/* Stores the state unless this job has it, within an open transaction; *ret_new: it was not
 * there. */
TUNER_MUST_CHECK
bool state_put(struct store *store, int64_t job_id, const struct found_state *state, int64_t now_us,
	int64_t *ret_id, bool *ret_new, struct tuner_error *err);

struct state_list {
	struct found_state *items; /* in the order of discovery */
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

/* Sets the state that the attempt found; an attempt without a row is ignored. */
TUNER_MUST_CHECK
bool provenance_found(struct store *store, int64_t attempt, enum state_of of, int64_t state,
	struct tuner_error *err);

/* Sets the document that lists the versions on the machine of a run. */
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

/* The state found by the last of the job's attempts that found one; 0: none. */
TUNER_MUST_CHECK
bool state_last(struct store *store, int64_t job_id, enum state_of of, int64_t *ret_state,
	struct tuner_error *err);

/* The first trial whose attempt found this state; 0: none. */
TUNER_MUST_CHECK
bool state_first(struct store *store, enum state_of of, int64_t state, int64_t *ret_trial,
	struct tuner_error *err);

/* The states of the code that a trial's attempts ran, at most STATES_OF_TRIAL_MAX, each once, in
 * the order of the attempts. */
enum { STATES_OF_TRIAL_MAX = 16 };
TUNER_MUST_CHECK
bool state_of_trial(struct store *store, int64_t trial_id, int64_t ret[STATES_OF_TRIAL_MAX],
	size_t *ret_n, struct tuner_error *err);

/* Sets where a job's frozen code is: its state, and a directory relative to store_directory. */
TUNER_MUST_CHECK
bool job_source_set(struct store *store, int64_t job_id, int64_t state, const char *directory,
	struct tuner_error *err);

/* *ret_state 0: the job has none; otherwise the caller frees *ret_directory. */
TUNER_MUST_CHECK
bool job_source(struct store *store, int64_t job_id, int64_t *ret_state, char **ret_directory,
	struct tuner_error *err);

#endif
