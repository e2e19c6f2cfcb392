/* What became of a process: from its exit record and the end of its output to an outcome's name. */
#ifndef SCHEDULER_CLASSIFY_H
#define SCHEDULER_CLASSIFY_H

#include "scheduler/attempt.h"

/* A rule of the job file: {"pattern": "CUDA out of memory", "class": "oom-gpu"}. */
struct failure_rule {
	const char *pattern; /* PCRE2, searched in the last 64 KiB of output */
	const char *outcome; /* "oom-gpu", "diverged", "crashed", "preempted" ... */
	bool retry;	     /* only with outcome "crashed": count it as infrastructure */
};

struct failure_rules; /* compiled: the job's own first, then the built-in ones */

TUNER_MUST_CHECK
bool failure_rules_create(const struct failure_rule *rules, size_t n, struct failure_rules **ret,
	size_t *ret_bad, struct tuner_error *err);
void failure_rules_destroy(struct failure_rules *rules);

enum objective_seen { OBJECTIVE_MISSING, OBJECTIVE_NAN, OBJECTIVE_FINITE };

struct verdict {
	const char *outcome; /* static or of the rules: "ok", "crashed", "oom-gpu" ... */
	bool retry;	     /* a rule asked for it */
	char message[256];   /* for people: "exit status 1: ImportError: No module named 'torch'" */
};

/* `stopping`: what we ended it for, an outcome's name ("early-stopped", "user-stopped",
 * "interrupted"), or NULL. `tail`: the output's end. Exit 0 with an objective is "ok"; NaN is
 * "nan"; without one "no-metric"; kernel OOM kill "oom-host"; built-in patterns know CUDA and
 * PyTorch/TensorFlow/JAX out-of-memory ("oom-gpu"), "No space left on device" ("disk-full"),
 * MemoryError ("oom-host"); a time limit is "timeout"; SIGTERM from outside with exit 143 is
 * "preempted" only when the record says that somebody signalled the supervisor. */
void classify(const struct failure_rules *rules, const struct exit_record *exit,
	enum objective_seen objective, const char *stopping, const char *tail, size_t tail_size,
	struct verdict *ret);

#endif
