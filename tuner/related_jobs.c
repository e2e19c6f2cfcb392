#include "tuner/related_jobs.h"

#include "trials/related_trial.h"
#include "tuner/configuration.h"

#include <math.h>
#include <stdlib.h>

struct related_jobs {
	struct observation *observations; /* parent by parent */
	double *values; /* theirs */
	struct related_source sources[SUGGEST_RELATED_MAX];
	size_t n_sources;
	struct related *models;
};

static struct observation observe(const struct related_trial *trial, const double *values)
{
	return (struct observation){ .values = values,
		.objective = trial->loss,
		.kind = trial->state == TRIAL_FAILED    ? OBSERVATION_FAILED
			: trial->state == TRIAL_STOPPED ? OBSERVATION_STOPPED
							: OBSERVATION_DONE };
}

/* A source for each parent, also for one of which nothing fits, so that places stay. */
static bool add_trial(struct related_jobs *jobs, const struct job_file *file,
	const struct related_trial *trial, size_t *n, struct tuner_error *err)
{
	double *values = &jobs->values[*n * file->space.d];
	struct tuner_error misfit = { TUNER_OK, "" };

	if (trial->parent >= SUGGEST_RELATED_MAX)
		return tuner_fail(err, TUNER_FATAL, "there are results of %lld related jobs",
			(long long)trial->parent + 1);
	for (; jobs->n_sources <= (size_t)trial->parent; jobs->n_sources++)
		jobs->sources[jobs->n_sources].observations = &jobs->observations[*n];
	if (!configuration_parse(file, trial->parameters, true, values, &misfit)) {
		if (misfit.code == TUNER_OK)
			return true;
		*err = misfit;
		return false;
	}
	jobs->observations[(*n)++] = observe(trial, values);
	jobs->sources[trial->parent].n++;
	return true;
}

static bool fill(struct related_jobs *jobs, const struct job_file *file,
	const struct related_trial_list *list, struct tuner_error *err)
{
	size_t n = 0;

	jobs->observations = calloc(list->n + 1, sizeof(*jobs->observations));
	jobs->values = calloc(list->n * file->space.d + 1, sizeof(*jobs->values));
	if (jobs->observations == NULL || jobs->values == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < list->n; i++)
		if (!add_trial(jobs, file, &list->items[i], &n, err))
			return false;
	return related_create(
		&file->space, &file->strategy, jobs->sources, jobs->n_sources, &jobs->models, err);
}

static bool can_learn(const struct job_file *file)
{
	return file->strategy.name == STRATEGY_BAYESIAN && file->objective.n_also == 0;
}

bool related_jobs_load(const struct job_file *file, struct store *store, int64_t job_id,
	struct related_jobs **ret, struct tuner_error *err)
{
	struct related_trial_list list = { 0 };
	struct related_jobs *jobs = NULL;
	bool ok = !can_learn(file) || related_trial_select(store, job_id, &list, err);

	if (ok && list.n > 0) {
		jobs = calloc(1, sizeof(*jobs));
		ok = (jobs != NULL || tuner_fail_memory(err)) && fill(jobs, file, &list, err);
	}
	related_trial_list_finish(&list);
	if (ok)
		*ret = jobs;
	else
		related_jobs_destroy(jobs);
	return ok;
}

void related_jobs_destroy(struct related_jobs *jobs)
{
	if (jobs == NULL)
		return;
	related_destroy(jobs->models);
	free(jobs->observations);
	free(jobs->values);
	free(jobs);
}

const struct related *related_jobs_models(const struct related_jobs *jobs)
{
	return jobs != NULL ? jobs->models : NULL;
}
