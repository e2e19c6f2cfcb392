/* `tuner gc`: which of a job's files may be removed, and their removal.
 *
 * Files that trials have saved are removed through the database (keep.h), after an event. The rest
 * is found by scanning the job's directory without following links: files that only a kill can have
 * left, directories unknown to the database, and, if asked for, logs. Files of a trial that has not
 * ended are never touched. */
#ifndef TUNER_GC_H
#define TUNER_GC_H

#include "tuner/keep.h"

#include <cjson/cJSON.h>

enum gc_class {
	GC_CHECKPOINTS, /* of trials that are not kept */
	GC_ARTIFACTS, /* the same */
	GC_LEFTOVERS, /* files left by a kill, and removals that it interrupted */
	GC_LOGS, /* output of attempts that failed, of ended trials: only if asked for */
	GC_UNKNOWN, /* directories unknown to the database: only if asked for */
	GC_CLASSES
};

struct gc_wish {
	struct job_keep keep; /* the job file's, or with the command line's `best` */
	bool logs, unknown;
};

struct gc_report {
	struct {
		int64_t n, bytes; /* what may be removed, or has been */
	} of[GC_CLASSES];
	int64_t pending; /* attempts whose files have not been recorded yet */
	int64_t failed; /* what could not be removed */
	struct text names; /* of GC_UNKNOWN, a line each, at most 20 */
	struct text failures; /* a line each, at most 20 */
};

const char *gc_class_name(enum gc_class class); /* "checkpoints" ... */
void gc_report_finish(struct gc_report *report);

/* Finds what may be removed, of all classes. Only reads; allowed while a job runs, but then a trial
 * that ends meanwhile may be counted or not. */
TUNER_MUST_CHECK
bool gc_look(struct store *store, const struct job *job, const struct gc_wish *wish,
	struct gc_report *ret, struct tuner_error *err);

/* Removes it; GC_LOGS and GC_UNKNOWN only if the wish says so. Needs STORE_WRITE, no open
 * transaction, and no other process at work. First records the files of ended attempts that are not
 * yet recorded. */
TUNER_MUST_CHECK
bool gc_remove(struct store *store, const struct job *job, const struct gc_wish *wish,
	struct gc_report *ret, struct tuner_error *err);

/* The part that a running job does itself: decides removals (keep.h) in the open transaction; the
 * loop does the rest. Number and bytes are for the answer. */
TUNER_MUST_CHECK
bool gc_decide(struct store *store, int64_t job_id, const struct job_keep *keep, int64_t *ret_n,
	int64_t *ret_bytes, struct tuner_error *err);

#endif
