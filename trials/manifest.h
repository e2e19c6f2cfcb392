/* What ended attempts have left on the disk: their artefacts, file by file, and their trials' checkpoints;
 * and what is to be removed of it.
 *
 *   PENDING ---> RECORDED <---> REMOVING
 *
 * attempt_end opens a manifest in the transaction of the outcome, so that a kill loses none: whoever
 * runs the job next finds what is PENDING. A removal is an event and a state before it is a rename, so what is
 * REMOVING may be done again, and manifest_removed says that it is complete.
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
	int64_t files; /* when it was looked at */
	int64_t bytes, checkpoint_bytes; /* that are still there */
	int64_t removal, checkpoint_removal; /* events; 0: they stay */
	bool checkpoint_free; /* the trial has ended with this attempt: nobody goes on from its checkpoints */
	char *message;
};

struct manifest_list {
	struct manifest *items;
	size_t n;
};

void manifest_list_finish(struct manifest_list *list);

/* For attempt_end and attempt_create. */
TUNER_MUST_CHECK
bool manifest_open(struct store *store, int64_t attempt_id, struct tuner_error *err);
TUNER_MUST_CHECK
bool manifest_supersede(struct store *store, int64_t trial_id, struct tuner_error *err);

/* Those of a job in a state that is not RECORDED, oldest first, at most `limit`. */
TUNER_MUST_CHECK
bool manifest_due(struct store *store, int64_t job_id, enum manifest_state state, int64_t limit,
	struct manifest_list *ret, struct tuner_error *err);

/* Those of a trial, by attempt. */
TUNER_MUST_CHECK
bool manifest_select(
	struct store *store, int64_t trial_id, struct manifest_list *ret, struct tuner_error *err);

/* Those of a job whose artefacts are still there, by attempt, with id > after, at most `limit`. */
TUNER_MUST_CHECK
bool manifest_kept(struct store *store, int64_t job_id, int64_t after, int64_t limit,
	struct manifest_list *ret, struct tuner_error *err);

struct manifest_file {
	char *path;
	int64_t bytes;
	char sha256[SHA256_TEXT]; /* "": was not computed */
};

struct manifest_files {
	struct manifest_file *items; /* by path */
	size_t n;
};

void manifest_files_finish(struct manifest_files *files);
TUNER_MUST_CHECK
bool manifest_files_select(struct store *store, int64_t attempt_id, struct manifest_files *ret,
	struct tuner_error *err);

/* PENDING to RECORDED. `listed` are those of `files` that have rows. */
TUNER_MUST_CHECK
bool manifest_record(struct store *store, int64_t attempt_id, const struct manifest_file *listed,
	size_t n, int64_t files, int64_t bytes, int64_t checkpoint_bytes, const char *message,
	int64_t now_us, struct tuner_error *err);

/* What the job's RECORDED and REMOVING manifests still hold. */
TUNER_MUST_CHECK
bool manifest_total(struct store *store, int64_t job_id, int64_t *ret_bytes,
	int64_t *ret_checkpoint_bytes, struct tuner_error *err);

/* Where the attempts of a job are, launched ones only, by directory. */
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

/* How many of a job's manifests are PENDING. */
TUNER_MUST_CHECK
bool manifest_count_pending(
	struct store *store, int64_t job_id, int64_t *ret, struct tuner_error *err);

/* ---- removal ---- */

struct keep_rule {
	int64_t best; /* so many of the best trials are protected */
	int64_t last; /* and so many of those that ended last */
	unsigned spared; /* bits 1u << outcome: failed trials of these may be put back and go on */
};

/* What may go, in which order. Only of trials that have ended; oldest first. */
enum removal_class {
	REMOVAL_UNKEPT, /* everything of trials that are neither protected nor spared, once a trial is done */
	/* Where room is needed. Those that ended last are not protected from this, but come last. */
	REMOVAL_CHECKPOINTS, /* of trials that are neither the best nor spared */
	REMOVAL_ARTIFACTS, /* the same */
	REMOVAL_SPARED, /* everything of these */
	REMOVAL_EARLIER, /* artefacts of earlier attempts of the best */
	REMOVAL_BEST_CHECKPOINTS, /* their artefacts stay in any case */
	REMOVAL_CLASSES
};

/* At most `limit`; bytes and checkpoint_bytes of each are what is to go, 0 for what stays. */
TUNER_MUST_CHECK
bool removal_select(struct store *store, int64_t job_id, enum removal_class class,
	const struct keep_rule *rule, int64_t limit, struct manifest_list *ret,
	struct tuner_error *err);

/* Decides the removal of what manifest->bytes and ->checkpoint_bytes say: the event "removed" (data: the
 * attempt's number, both, and why), and the state REMOVING. */
TUNER_MUST_CHECK
bool manifest_remove(struct store *store, int64_t job_id, const struct manifest *manifest,
	const char *why, int64_t now_us, struct tuner_error *err);

/* It is complete; or, with a message, as far as it can be. */
TUNER_MUST_CHECK
bool manifest_removed(
	struct store *store, int64_t attempt_id, const char *message, struct tuner_error *err);

#endif
