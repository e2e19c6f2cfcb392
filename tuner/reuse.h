/* Results that need not be computed again: finished trials of an earlier database, taken over where a trial of
 * this job would repeat them.
 *
 *     reuse_look -> reuse_open -> [reuse_find -> reuse_take] ... -> reuse_close
 *
 * A trial gives its result to another one if both have the same parameters, fixed values, command, variables, data and
 * objective, and found the same code and the same data, by their fingerprints. Each gives it once: two trials of one
 * configuration are two measurements, and one number for both would hide what they differ by. Of several the one that
 * trained with the same seed comes first; in a job with arms only that one comes, since arms are paired by seeds. */
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
	struct present_state code, data; /* of data nothing if the job has no channels */
};

/* Looks at what the request names, and waits for it, ten minutes at most. TUNER_RETRY: it cannot be seen, or not all
 * of it, and the message says why. */
TUNER_MUST_CHECK
bool reuse_look(
	const struct witness_request *request, struct present *ret, struct tuner_error *err);
void present_finish(struct present *present);

struct donor {
	int64_t job_id, trial_id, attempt_id; /* of the other database */
	int64_t number;
	char job[64]; /* its name, cut */
	char key[40]; /* of the attempt: names this measurement for ever */
	uint64_t seed;
	double *values; /* d, by the present space */
	bool taken;
};

struct reuse;

/* `path`: the database to take from; that of the job itself is fine, the job's own trials are passed over. `job_id`
 * and `store` are the job's. `present` must outlive it. TUNER_USAGE if it cannot be opened. */
TUNER_MUST_CHECK
bool reuse_open(const char *path, struct store *store, int64_t job_id, const struct job_file *file,
	const struct present *present, struct reuse **ret, struct tuner_error *err);
void reuse_close(struct reuse *reuse); /* NULL is fine */

const struct present *reuse_present(const struct reuse *reuse);
struct store *reuse_store(const struct reuse *reuse); /* STORE_READ */
const char *reuse_path(const struct reuse *reuse);
size_t reuse_count(const struct reuse *reuse); /* donors that are not taken */

/* One for a trial with these values (d) that would train with this seed; NULL without any. */
struct donor *reuse_find(struct reuse *reuse, const double *values, uint64_t seed);

/* The work limit of the decision that stood in the same place of the earlier search (proposal.h), -1 if there was
 * none. Made within the limit that it was made within then, and from the same results, a proposal is the same. */
TUNER_MUST_CHECK
bool reuse_work_limit(struct reuse *reuse, const char *arm, int64_t repeat, int64_t arm_number,
	int64_t *ret, struct tuner_error *err);

#endif
