#include "scheduler/gpu_watch.h"

#include "base/number.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct gpu_watch {
	int64_t period_us;
	struct gpu_source *source; /* used by the thread only, as is; cancelled under the lock */
	struct gpu_report *asking;

	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t changed;
	struct gpu_report *report; /* the newest */
	bool fresh; /* not yet taken */
	bool leaving; /* the owner is gone: the thread frees everything */
};

int64_t gpu_watch_period_us(void)
{
	const char *given = getenv("TUNER_GPU_LOOK_MS");
	char *end = NULL;
	const long ms = given != NULL ? strtol(given, &end, 10) : 0;
	if (given == NULL || end == given || *end != '\0' || ms < GPU_WATCH_LEAST_MS ||
		ms > 3600000)
		return GPU_WATCH_DEFAULT_MS * INT64_C(1000);
	return ms * INT64_C(1000);
}

static void destroy(struct gpu_watch *watch)
{
	pthread_mutex_destroy(&watch->lock);
	pthread_cond_destroy(&watch->changed);
	gpu_source_destroy(watch->source);
	free(watch->asking);
	free(watch->report);
	free(watch);
}

static struct timespec after(int64_t wait_us)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_us / 1000000;
	until.tv_nsec += wait_us % 1000000 * 1000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return until;
}

/* Hands over the report, and waits; false when it is time to end. */
static bool hand_over(struct gpu_watch *watch)
{
	const struct timespec until = after(watch->period_us);

	pthread_mutex_lock(&watch->lock);
	struct gpu_report *const taken = watch->report;
	watch->report = watch->asking;
	watch->asking = taken;
	watch->fresh = true;
	while (!watch->leaving &&
		pthread_cond_timedwait(&watch->changed, &watch->lock, &until) != ETIMEDOUT)
		;
	const bool goes_on = !watch->leaving;
	pthread_mutex_unlock(&watch->lock);
	return goes_on;
}

static void *work(void *context)
{
	struct gpu_watch *watch = context;
	struct tuner_error ignored;
	do {
		/* Without memory there is no answer: ok is false. */
		if (!gpu_report_read(watch->source, watch->asking, &ignored))
			watch->asking->ok = false;
	} while (hand_over(watch));
	destroy(watch);
	return NULL;
}

static bool start_thread(struct gpu_watch *watch, struct tuner_error *err)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_t thread;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int failed = pthread_create(&thread, &attributes, work, watch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return failed == 0 ||
	       tuner_fail(err, TUNER_RETRY, "cannot start a thread to watch the GPUs");
}

bool gpu_watch_create(
	const char *nvml, int64_t period_us, struct gpu_watch **ret, struct tuner_error *err)
{
	struct gpu_watch *watch = calloc(1, sizeof(*watch));
	pthread_condattr_t monotonic;

	if (watch == NULL)
		return tuner_fail_memory(err);
	watch->period_us = period_us;
	pthread_mutex_init(&watch->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&watch->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	watch->asking = calloc(1, sizeof(*watch->asking));
	watch->report = calloc(1, sizeof(*watch->report));
	const bool ok = (watch->asking != NULL && watch->report != NULL) || tuner_fail_memory(err);
	if (!ok || !gpu_source_create(nvml, GPU_SOURCE_WAIT_US, &watch->source, err) ||
		!start_thread(watch, err)) {
		destroy(watch);
		return false;
	}
	*ret = watch;
	return true;
}

bool gpu_watch_take(struct gpu_watch *watch, struct gpu_report *ret)
{
	pthread_mutex_lock(&watch->lock);
	const bool fresh = watch->fresh;
	if (fresh)
		*ret = *watch->report;
	watch->fresh = false;
	pthread_mutex_unlock(&watch->lock);
	return fresh;
}

void gpu_watch_destroy(struct gpu_watch *watch)
{
	if (watch == NULL)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->leaving = true;
	gpu_source_cancel(watch->source);
	pthread_cond_signal(&watch->changed);
	pthread_mutex_unlock(&watch->lock);
}
