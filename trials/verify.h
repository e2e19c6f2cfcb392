/* Checks that a database is in a state that the functions of trials/ leave: properties that the
 * schema's constraints cannot express, and the constraints themselves, in case somebody bypassed
 * them. Read-only. */
#ifndef TRIALS_VERIFY_H
#define TRIALS_VERIFY_H

#include "trials/store.h"

#include <stddef.h>

/* Violations of one check that are reported; further ones only set `more`. */
enum { VIOLATIONS_MAX = 20 };

struct violation {
	const char *check; /* its name: "attempts" ... */
	char *what; /* "job demo, trial 7: counts 3 attempts, has 2" */
	const char *remedy; /* what to do about it, in words */
};

struct violation_list {
	struct violation *items;
	size_t n;
	size_t checks; /* number of checks made */
	bool more;
};

/* Makes every check, for one job or for all (job_id 0); the file itself is always checked as a
 * whole. Each check sees the database at one moment, also while a job runs. Damage that prevents a
 * check is a violation too. Errors: only without memory, or if SQLite cannot read right now
 * (TUNER_RETRY). */
TUNER_MUST_CHECK
bool store_verify(
	struct store *store, int64_t job_id, struct violation_list *ret, struct tuner_error *err);
void violation_list_finish(struct violation_list *list);

#endif
