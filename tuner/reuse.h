/* Results that need not be computed again: finished trials of an earlier database are reused where
 * a trial of this job would repeat them.
 *
 *     reuse_look -> reuse_open -> [reuse_find -> reuse_take] ... -> reuse_close
 *
 * A trial donates its result to another one if both have the same parameters, fixed values,
 * command, variables, data and objective, and found the same code and the same data, by their
 * fingerprints. Each donates once: two trials of one configuration are two measurements, and one
 * number for both would hide their difference. Of several donors the one that trained with the same
 * seed is preferred; in a job with arms only that one is used, since arms are paired by seeds. */
#ifndef TUNER_REUSE_H
#define TUNER_REUSE_H

#include "tuner/jobfile.h"
#include "tuner/witness.h"

#include "trials/trial.h"

/* How code or data look now. */
struct present_state {
	char fingerprint[SHA256_TEXT];
	struct text facts, patch;
};

struct present {
	struct present_state code, data; /* data: empty if the job has no channels */
};

/* Inspects what the request names, waiting ten minutes at most. TUNER_RETRY: not everything could
 * be inspected, and the message says why. */
TUNER_MUST_CHECK
bool reuse_look(
	const struct witness_request *request, struct present *ret, struct tuner_error *err);
void present_finish(struct present *present);

struct donor {
	int64_t job_id, trial_id, attempt_id; /* in the other database */
	int64_t number;
	char job[64]; /* its name, cut */
	char key[40]; /* the attempt's: identifies this measurement for ever */
	uint64_t seed;
	double *values; /* d, in the present space */
	bool taken;
};

struct reuse;

/* `path`: the database to take results from; it may be the job's own database, where the job's own
 * trials are skipped. `job_id` and `store` are the job's. `present` must outlive it. TUNER_USAGE if
 * the database cannot be opened. */
TUNER_MUST_CHECK
bool reuse_open(const char *path, struct store *store, int64_t job_id, const struct job_file *file,
	const struct present *present, struct reuse **ret, struct tuner_error *err);
void reuse_close(struct reuse *reuse); /* NULL is fine */

const struct present *reuse_present(const struct reuse *reuse);
struct store *reuse_store(const struct reuse *reuse); /* STORE_READ */
const char *reuse_path(const struct reuse *reuse);
size_t reuse_count(const struct reuse *reuse); /* donors not yet taken */

/* A donor for a trial with these values (d) that would train with this seed; NULL if there is
 * none. */
struct donor *reuse_find(struct reuse *reuse, const double *values, uint64_t seed);

/* The work limit of the decision at the same place in the earlier search (proposal.h), -1 if there
 * was none: with the same limit and the same results, a proposal is the same as then. */
TUNER_MUST_CHECK
bool reuse_work_limit(struct reuse *reuse, const char *arm, int64_t repeat, int64_t arm_number,
	int64_t *ret, struct tuner_error *err);

#endif
