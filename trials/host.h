/* What a job's hosts have done, and which are out of use. */
#ifndef TRIALS_HOST_H
#define TRIALS_HOST_H

#include "trials/store.h"

#include <stddef.h>

/* The last report about a host: an event of kind "host". */
struct host_event {
	char *name, *state, *message; /* state: up, down, draining, resumed */
	int64_t time_us;
};

struct host_event_list {
	struct host_event *items;
	size_t n;
};

/* Appends such an event, within an open transaction. */
TUNER_MUST_CHECK
bool host_event_add(struct store *store, int64_t job_id, const char *name, const char *state,
	const char *message, int64_t now_us, struct tuner_error *err);

/* Each host's newest event about whether it is in use (`use`: draining, resumed), or else about
 * whether it answers (up, down). */
TUNER_MUST_CHECK
bool host_events_select(struct store *store, int64_t job_id, bool use, struct host_event_list *ret,
	struct tuner_error *err);
void host_event_list_finish(struct host_event_list *list);

/* Counts of a job's attempts on one host, from the rows. */
struct host_use {
	char *backend, *name;
	int64_t open; /* not ended yet */
	int64_t attempts;
	int64_t done, done_us; /* those that ended well, and their total time */
	int64_t failed; /* failed because of the machine: lost, launch-failed, oom-host,
			   disk-full */
};

struct host_use_list {
	struct host_use *items;
	size_t n;
};

TUNER_MUST_CHECK
bool host_uses_select(
	struct store *store, int64_t job_id, struct host_use_list *ret, struct tuner_error *err);
void host_use_list_finish(struct host_use_list *list);

#endif
