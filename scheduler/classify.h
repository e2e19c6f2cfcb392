/* What became of a process: from its exit record and the end of its output to an outcome's name.
 *
 * In this order:
 *     it could not be started                           launch-failed
 *     we ended it (`stopping`)                          what we ended it for
 *     somebody else signalled its supervisor            preempted
 *     some of its output could not be stored            disk-full
 *     its time limit                                    timeout
 *     its memory limit                                  crashed
 *     exit 0 with a finite objective                    ok
 *     the job's own rules, in their order               the rule's class
 *     the kernel's out-of-memory killer hit it          oom-host
 *     exit 0 with a NaN objective, or with none         nan; no-metric
 *     SIGKILL, or its exit status 137                   oom-host
 *     exit != 0 or another signal                       crashed
 * The last three first consult the built-in patterns: CUDA, HIP, PyTorch, TensorFlow and JAX out of
 * memory (oom-gpu); MemoryError, bad_alloc, a killed data loader, Slurm's oom_kill, a shell's
 * "Killed" (oom-host); a full disk or quota (disk-full); Slurm's preemption (preempted); ECC and
 * Xid errors, a GPU that is gone, a failing network under NCCL or a failing file server (lost).
 * They are not consulted after a NaN: that attempt ran to its end.
 *
 * The supervisor records which signals it sent. Any other SIGKILL comes from the kernel's
 * out-of-memory killer, whose count (memory.events) may be hidden in a container, or from a person;
 * never from the configuration alone.
 *
 * An exit that preceded our signal is judged on its own. */
#ifndef SCHEDULER_CLASSIFY_H
#define SCHEDULER_CLASSIFY_H

#include "scheduler/attempt.h"

enum {
	FAILURE_RULES_MAX = 100,
	FAILURE_PATTERN_BYTES_MAX = 500,
	FAILURE_TAIL_MAX = 64 * 1024, /* bytes of the output's end; anything before them is
					 ignored */
};

/* A rule of the job file: {"pattern": "CUDA out of memory", "class": "oom-gpu"}. */
struct failure_rule {
	const char *pattern; /* pattern.h, searched in the tail; ^ and $ match at line ends */
	const char *outcome; /* "oom-gpu", "oom-host", "disk-full", "diverged", "nan", "preempted",
			      * "lost", "launch-failed", "no-metric", "crashed", or "end": crashed,
			      * and the job ends */
	bool retry; /* only with outcome "crashed": treat it as a failure of the infrastructure */
};

struct failure_rules; /* compiled rules: the job's own, then the built-in ones */

/* Copies everything. TUNER_USAGE, with *ret_bad the index of the rule, if a rule does not compile,
 * is too long, has an unknown class, or asks for a retry with a class other than "crashed" (the
 * others have fixed retry rules). One thread at a time. */
TUNER_MUST_CHECK
bool failure_rules_create(const struct failure_rule *rules, size_t n, struct failure_rules **ret,
	size_t *ret_bad, struct tuner_error *err);
void failure_rules_destroy(struct failure_rules *rules);

enum objective_seen { OBJECTIVE_MISSING, OBJECTIVE_NAN, OBJECTIVE_FINITE };

struct verdict {
	const char *outcome; /* "ok", "crashed", "oom-gpu" ...: static */
	bool retry, end; /* a rule asked for another attempt, or for the end of the job */
	/* For people, one line of printable UTF-8: "exit status 1: ImportError: No module named
	 * 'torch'". The line of output is the one that the deciding pattern matched, else the
	 * exception of the last Python traceback, else the last line that is not empty. */
	char message[256];
};

/* `stopping`: why we ended it, an outcome's name ("early-stopped", "user-stopped", "interrupted"),
 * or NULL. It must outlive the verdict. `tail`: the end of the output, with or without its control
 * sequences. */
void classify(const struct failure_rules *rules, const struct exit_record *exit,
	enum objective_seen objective, const char *stopping, const char *tail, size_t tail_size,
	struct verdict *ret);

#endif
