/* What of a job's files may be removed, and its removal: `tuner gc`.
 *
 * What trials have saved goes by the database (keep.h), an event first. All else is found by looking into
 * the job's directory, without following links: what only a kill can have left, what no row of the database
 * knows, and, if asked for, logs. Files of a trial that has not ended are never touched. */
#ifndef TUNER_GC_H
#define TUNER_GC_H

#include "tuner/keep.h"

#include <cjson/cJSON.h>

enum gc_class {
	GC_CHECKPOINTS, /* of trials that are not kept */
	GC_ARTIFACTS, /* the same */
	GC_LEFTOVERS, /* files that a kill has left, removals that it has cut short */
	GC_LOGS, /* output of attempts that failed, of ended trials: only if asked for */
	GC_UNKNOWN, /* directories that no row knows: only if asked for */
	GC_CLASSES
};

struct gc_wish {
	struct job_keep keep; /* the job file's, or with the command line's `best` */
	bool logs, unknown;
};

struct gc_report {
	struct {
		int64_t n, bytes; /* what may go, or has gone */
	} of[GC_CLASSES];
	int64_t pending; /* attempts that nobody has looked through yet */
	int64_t failed; /* what could not be removed */
	struct text names; /* of GC_UNKNOWN, a line each, at most 20 */
	struct text failures; /* a line each, at most 20 */
};

const char *gc_class_name(enum gc_class class); /* "checkpoints" ... */
void gc_report_finish(struct gc_report *report);

/* What there is, of all classes. Reading only; while a job runs, too, but then a trial that ends in between
 * may be counted or not. */
TUNER_MUST_CHECK
bool gc_look(struct store *store, const struct job *job, const struct gc_wish *wish,
	struct gc_report *ret, struct tuner_error *err);

/* Removes it; GC_LOGS and GC_UNKNOWN only if wished for. Needs STORE_WRITE and no open transaction, and nobody
 * else at work. First what ended attempts have left is recorded, if it is not yet. */
TUNER_MUST_CHECK
bool gc_remove(struct store *store, const struct job *job, const struct gc_wish *wish,
	struct gc_report *ret, struct tuner_error *err);

/* The part that a running job does itself: decides, in the open transaction, what keep.h says; the loop does
 * the rest. Both numbers are for the answer. */
TUNER_MUST_CHECK
bool gc_decide(struct store *store, int64_t job_id, const struct job_keep *keep, int64_t *ret_n,
	int64_t *ret_bytes, struct tuner_error *err);

#endif
