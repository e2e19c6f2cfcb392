#include "scheduler/slurm_inside.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t slurm_now(const struct slurm *slurm)
{
	return slurm->host.now_us != NULL ? slurm->host.now_us(slurm->host.context)
					  : clock_monotonic_us();
}

struct slurm_attempt *slurm_find(const struct slurm *slurm, int64_t id)
{
	for (size_t i = 0; i < slurm->n; i++)
		if (slurm->attempts[i]->id == id)
			return slurm->attempts[i];
	return NULL;
}

static void attempt_destroy(struct slurm_attempt *attempt)
{
	if (attempt == NULL)
		return;
	free(attempt->directory);
	free(attempt->key);
	free(attempt->name);
	free(attempt);
}

/* "JOB.0007.1-KEY" from .../JOB/0007/1: for people, and for us. */
static char *job_name(const char *directory, const char *key)
{
	struct text name = TEXT_EMPTY;
	const char *parts = directory + strlen(directory);

	for (int slashes = 0; parts > directory; parts--)
		if (parts[-1] == '/' && ++slashes == 3)
			break;
	for (; *parts != '\0' && name.length < 150; parts++)
		text_add_char(&name, *parts == '/' ? '.' : *parts);
	text_print(&name, "-%s", key);
	return text_take(&name);
}

static struct slurm_attempt *attempt_new(int64_t id, const char *directory, const char *key)
{
	struct slurm_attempt *attempt = calloc(1, sizeof(*attempt));
	if (attempt == NULL)
		return NULL;
	attempt->id = id;
	attempt->directory = strdup(directory);
	attempt->key = strdup(key);
	attempt->name = job_name(directory, key);
	if (attempt->directory != NULL && attempt->key != NULL && attempt->name != NULL)
		return attempt;
	attempt_destroy(attempt);
	return NULL;
}

struct slurm_attempt *slurm_keep(
	struct slurm *slurm, int64_t id, const char *directory, const char *key)
{
	if (!array_reserve(&slurm->attempts, slurm->n, &slurm->capacity, sizeof(*slurm->attempts)))
		return NULL;
	struct slurm_attempt *attempt = attempt_new(id, directory, key);
	if (attempt != NULL)
		slurm->attempts[slurm->n++] = attempt;
	return attempt;
}

void slurm_drop(struct slurm *slurm, struct slurm_attempt *attempt)
{
	size_t i = 0;

	while (slurm->attempts[i] != attempt)
		i++;
	slurm->n--;
	memmove(slurm->attempts + i, slurm->attempts + i + 1,
		(slurm->n - i) * sizeof(*slurm->attempts));
	attempt_destroy(attempt);
}

void slurm_settle(struct slurm *slurm, struct slurm_attempt *attempt, enum slurm_state end,
	const char *message)
{
	if (attempt->end != SLURM_UNKNOWN)
		return;
	attempt->end = end;
	attempt->end_us = slurm_now(slurm);
	attempt->pass = 0;
	snprintf(attempt->message, sizeof(attempt->message), "%.255s", message);
	slurm->look_at_us = 0;
}

void slurm_refuse(struct slurm *slurm, struct slurm_attempt *attempt, const char *message)
{
	attempt->refused = true;
	attempt->pass = 0;
	snprintf(attempt->message, sizeof(attempt->message), "%.255s", message);
	slurm->look_at_us = 0;
}

void slurm_cancel(struct slurm *slurm, struct slurm_attempt *attempt, bool kill)
{
	attempt->cancel = true;
	attempt->cancel_kill |= kill;
	attempt->cancel_at_us = slurm_now(slurm);
}
