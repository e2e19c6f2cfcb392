/* The files that ended attempts have left on the disk, artefacts (file by file) and their trials'
 * checkpoints, and which of them are to be removed.
 *
 *   PENDING ---> RECORDED <---> REMOVING
 *
 * attempt_end opens a manifest in the transaction of the outcome, so that a kill loses none: the
 * next run of the job finds those that are PENDING. A removal is recorded as an event and a state
 * before any file is renamed, so a removal that is REMOVING can be repeated; manifest_removed
 * records that it is complete.
 *
 * The trial's checkpoints belong to the manifest of its newest attempt. */
#ifndef TRIALS_MANIFEST_H
#define TRIALS_MANIFEST_H

#include "base/sha256.h"
#include "trials/trial.h"

enum manifest_state { MANIFEST_PENDING, MANIFEST_RECORDED, MANIFEST_REMOVING, MANIFEST_STATES };

struct manifest {
	int64_t attempt, attempt_number, trial, trial_number;
	enum manifest_state state;
	char *directory; /* the attempt's, as stored */
	int64_t files; /* number, when the directory was read */
	int64_t bytes, checkpoint_bytes; /* still on the disk */
	int64_t removal, checkpoint_removal; /* ids of their events; 0: the files stay */
	bool checkpoint_free; /* the trial has ended with this attempt: no attempt will continue
				 from its checkpoints */
	char *message;
};

struct manifest_list {
	struct manifest *items;
	size_t n;
};

void manifest_list_finish(struct manifest_list *list);

/* Called by attempt_end (open) and attempt_create (supersede). */
TUNER_MUST_CHECK
bool manifest_open(struct store *store, int64_t attempt_id, struct tuner_error *err);
TUNER_MUST_CHECK
bool manifest_supersede(struct store *store, int64_t trial_id, struct tuner_error *err);

/* A job's manifests in `state`, which is not RECORDED, oldest first, at most `limit`. */
TUNER_MUST_CHECK
bool manifest_due(struct store *store, int64_t job_id, enum manifest_state state, int64_t limit,
	struct manifest_list *ret, struct tuner_error *err);

/* A trial's manifests, by attempt. */
TUNER_MUST_CHECK
bool manifest_select(
	struct store *store, int64_t trial_id, struct manifest_list *ret, struct tuner_error *err);

/* A job's manifests whose artefacts still exist, by attempt, with attempt id > after, at most
 * `limit`. */
TUNER_MUST_CHECK
bool manifest_kept(struct store *store, int64_t job_id, int64_t after, int64_t limit,
	struct manifest_list *ret, struct tuner_error *err);

struct manifest_file {
	char *path;
	int64_t bytes;
	char sha256[SHA256_TEXT]; /* "": not computed */
};

struct manifest_files {
	struct manifest_file *items; /* by path */
	size_t n;
};

void manifest_files_finish(struct manifest_files *files);
TUNER_MUST_CHECK
bool manifest_files_select(struct store *store, int64_t attempt_id, struct manifest_files *ret,
	struct tuner_error *err);

/* Moves PENDING to RECORDED. files: number of all files; `listed`: the n of them that get rows. */
TUNER_MUST_CHECK
bool manifest_record(struct store *store, int64_t attempt_id, const struct manifest_file *listed,
	size_t n, int64_t files, int64_t bytes, int64_t checkpoint_bytes, const char *message,
	int64_t now_us, struct tuner_error *err);

/* Total bytes that the job's RECORDED and REMOVING manifests still hold. */
TUNER_MUST_CHECK
bool manifest_total(struct store *store, int64_t job_id, int64_t *ret_bytes,
	int64_t *ret_checkpoint_bytes, struct tuner_error *err);

/* The directories of a job's attempts, launched ones only, sorted by directory. */
struct attempt_place {
	char *directory;
	bool ended, trial_ended;
	enum outcome outcome;
};

struct attempt_places {
	struct attempt_place *items;
	size_t n;
};

void attempt_places_finish(struct attempt_places *places);
TUNER_MUST_CHECK
bool attempt_places_select(
	struct store *store, int64_t job_id, struct attempt_places *ret, struct tuner_error *err);

/* Number of a job's PENDING manifests. */
TUNER_MUST_CHECK
bool manifest_count_pending(
	struct store *store, int64_t job_id, int64_t *ret, struct tuner_error *err);

/* ---- removal ---- */

struct keep_rule {
	int64_t best; /* this many of the best trials are protected */
	int64_t last; /* and this many of those that ended last */
	const char *front; /* and these, as the best are: a JSON array of ids; NULL: none. The
			      Pareto front of a job with several objectives */
	unsigned spared; /* bits 1u << outcome: failed trials with these outcomes may be reopened
			    and continue */
};

/* What may be removed, in this order; only from ended trials, oldest first. */
enum removal_class {
	REMOVAL_UNKEPT, /* all files of trials that are neither protected nor spared, once the job
			   has a done trial */
	/* The rest applies where room is needed. Trials that ended last are not protected then, but
	 * come last. */
	REMOVAL_CHECKPOINTS, /* of trials that are neither the best nor spared */
	REMOVAL_ARTIFACTS, /* the same */
	REMOVAL_SPARED, /* all files of spared trials */
	REMOVAL_EARLIER, /* artefacts of the best trials' earlier attempts */
	REMOVAL_BEST_CHECKPOINTS, /* checkpoints of the best trials; their last artefacts always
				     stay */
	REMOVAL_CLASSES
};

/* Selects at most `limit` manifests of this class. Their bytes and checkpoint_bytes are what is to
 * be removed, 0 for what stays. */
TUNER_MUST_CHECK
bool removal_select(struct store *store, int64_t job_id, enum removal_class class,
	const struct keep_rule *rule, int64_t limit, struct manifest_list *ret,
	struct tuner_error *err);

/* Decides the removal of the files that manifest->bytes and ->checkpoint_bytes (> 0) count: adds
 * the event "removed" (data: the attempt's number, both sizes, and why), and sets the state
 * REMOVING. */
TUNER_MUST_CHECK
bool manifest_remove(struct store *store, int64_t job_id, const struct manifest *manifest,
	const char *why, int64_t now_us, struct tuner_error *err);

/* Records that the removal is complete or, with a message, as complete as it can be. */
TUNER_MUST_CHECK
bool manifest_removed(
	struct store *store, int64_t attempt_id, const char *message, struct tuner_error *err);

#endif
