/* What a job's hosts have done, and which of them are out of use. */
#ifndef TRIALS_HOST_H
#define TRIALS_HOST_H

#include "trials/store.h"

#include <stddef.h>

/* The last that was said of a host: an event of kind "host". */
struct host_event {
	char *name, *state, *message; /* state: up, down, draining, resumed */
	int64_t time_us;
};

struct host_event_list {
	struct host_event *items;
	size_t n;
};

/* Appends one, within an open transaction. */
TUNER_MUST_CHECK
bool host_event_add(struct store *store, int64_t job_id, const char *name, const char *state,
	const char *message, int64_t now_us, struct tuner_error *err);

/* The newest of each host that says whether it is in use (`use`: draining, resumed), or whether it
 * answers (up, down). */
TUNER_MUST_CHECK
bool host_events_select(struct store *store, int64_t job_id, bool use, struct host_event_list *ret,
	struct tuner_error *err);
void host_event_list_finish(struct host_event_list *list);

/* The attempts of a job on one host, as rows have it. */
struct host_use {
	char *backend, *name;
	int64_t open; /* not ended yet */
	int64_t attempts;
	int64_t done, done_us; /* those that ended well, and the time they took in all */
	int64_t failed; /* by the machine: lost, launch-failed, oom-host, disk-full */
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
