#include "tuner/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { LEAVE_BEHIND_S = 2 };

enum step { IDLE, GIVEN, DONE };

struct keeper {
	pthread_t thread;
	pthread_mutex_t
		mutex; /* guards step, ending and has_left; the task is the thread's while GIVEN,
			  else the caller's */
	pthread_cond_t given;
	pthread_cond_t left; /* uses the monotonic clock */
	enum step step;
	bool ending, has_left; /* has_left: the thread no longer uses any of this */
	atomic_bool cancel;
	struct keeper_task task;
	char *root;
	int done; /* eventfd */
};

void keeper_task_finish(struct keeper_task *task)
{
	free(task->directories);
	artifacts_finish(&task->found);
	*task = (struct keeper_task){ 0 };
}

static bool measure(struct keeper *keeper, struct keeper_task *task)
{
	char *rest = NULL;

	for (char *line = strtok_r(task->directories, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		int64_t bytes, checkpoint_bytes;
		if (atomic_load(&keeper->cancel) || !artifacts_measure(keeper->root, line, &bytes,
							    &checkpoint_bytes, &task->err))
			return false;
		task->bytes += bytes + checkpoint_bytes;
	}
	return true;
}

static void do_task(struct keeper *keeper)
{
	struct keeper_task *task = &keeper->task;
	struct tuner_error undeleted = { TUNER_OK, "" };

	switch (task->work) {
	case KEEPER_SCAN:
	case KEEPER_HASH:
		task->ok = artifacts_scan(keeper->root, task->directories,
			task->work == KEEPER_HASH, &keeper->cancel, &task->found, &task->err);
		break;
	case KEEPER_DELETE:
		task->ok =
			artifacts_delete_set_aside(keeper->root, task->directories, &undeleted) &&
			task->err.code == TUNER_OK;
		if (task->err.code == TUNER_OK)
			task->err = undeleted;
		break;
	case KEEPER_MEASURE:
		task->ok = measure(keeper, task);
		break;
	}
}

static void *work(void *argument)
{
	struct keeper *keeper = argument;
	const uint64_t one = 1;

	pthread_mutex_lock(&keeper->mutex);
	for (;;) {
		while (keeper->step != GIVEN && !keeper->ending)
			pthread_cond_wait(&keeper->given, &keeper->mutex);
		if (keeper->ending)
			break;
		pthread_mutex_unlock(&keeper->mutex);
		do_task(keeper);
		pthread_mutex_lock(&keeper->mutex);
		keeper->step = DONE;
		/* The counter is far from full: nobody waits here. */
		while (write(keeper->done, &one, sizeof(one)) < 0 && errno == EINTR)
			;
	}
	keeper->has_left = true;
	pthread_cond_signal(&keeper->left);
	pthread_mutex_unlock(&keeper->mutex);
	return NULL;
}

/* Signals are for the loop. */
static int start(struct keeper *keeper)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	const int status = pthread_create(&keeper->thread, NULL, work, keeper);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return status;
}

static void release(struct keeper *keeper)
{
	if (keeper->done >= 0)
		close(keeper->done);
	keeper_task_finish(&keeper->task);
	pthread_cond_destroy(&keeper->left);
	pthread_cond_destroy(&keeper->given);
	pthread_mutex_destroy(&keeper->mutex);
	free(keeper->root);
	free(keeper);
}

bool keeper_create(const char *root, struct keeper **ret, struct tuner_error *err)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	pthread_condattr_t monotonic;

	if (keeper == NULL)
		return tuner_fail_memory(err);
	pthread_mutex_init(&keeper->mutex, NULL);
	pthread_cond_init(&keeper->given, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&keeper->left, &monotonic);
	pthread_condattr_destroy(&monotonic);
	keeper->root = strdup(root);
	keeper->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int status = keeper->root == NULL ? ENOMEM : keeper->done < 0 ? errno : start(keeper);
	if (status == 0) {
		*ret = keeper;
		return true;
	}
	release(keeper);
	return status == EAGAIN ? tuner_fail(err, TUNER_FATAL,
					  "cannot start a thread for artefacts: too little memory "
					  "or too few threads; raise the limit (ulimit -v, ulimit "
					  "-u), and run again")
				: tuner_fail_errno(err, status, "cannot keep artefacts");
}

/* Under the lock. */
static bool await_leaving(struct keeper *keeper)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LEAVE_BEHIND_S;
	while (!keeper->has_left &&
		pthread_cond_timedwait(&keeper->left, &keeper->mutex, &until) != ETIMEDOUT)
		;
	return keeper->has_left;
}

void keeper_destroy(struct keeper *keeper)
{
	if (keeper == NULL)
		return;
	atomic_store(&keeper->cancel, true);
	pthread_mutex_lock(&keeper->mutex);
	keeper->ending = true;
	pthread_cond_signal(&keeper->given);
	const bool left = await_leaving(keeper);
	pthread_mutex_unlock(&keeper->mutex);
	if (!left)
		return; /* it still uses everything, and the process's end takes both */
	pthread_join(keeper->thread, NULL);
	release(keeper);
}

int keeper_descriptor(const struct keeper *keeper)
{
	return keeper->done;
}

static enum step step_of(const struct keeper *keeper)
{
	pthread_mutex_t *mutex = (pthread_mutex_t *)&keeper->mutex;

	pthread_mutex_lock(mutex);
	const enum step step = keeper->step;
	pthread_mutex_unlock(mutex);
	return step;
}

bool keeper_is_idle(const struct keeper *keeper)
{
	return step_of(keeper) == IDLE;
}

void keeper_give(struct keeper *keeper, const struct keeper_task *task)
{
	tuner_assert(keeper_is_idle(keeper));
	keeper->task = *task;
	pthread_mutex_lock(&keeper->mutex);
	keeper->step = GIVEN;
	pthread_cond_signal(&keeper->given);
	pthread_mutex_unlock(&keeper->mutex);
}

bool keeper_take(struct keeper *keeper, struct keeper_task *ret)
{
	uint64_t count;

	if (step_of(keeper) != DONE)
		return false;
	(void)!read(keeper->done, &count, sizeof(count));
	*ret = keeper->task;
	keeper->task = (struct keeper_task){ 0 };
	pthread_mutex_lock(&keeper->mutex);
	keeper->step = IDLE;
	pthread_mutex_unlock(&keeper->mutex);
	return true;
}
