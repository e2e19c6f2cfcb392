#include "tuner/early_stopping.h"

#include <stdlib.h>
#include <string.h>

/* The rules minimise: a curve to be maximised is negated in a copy. */
static bool turn_curve(const struct series *series, bool maximize, struct learning_curve *ret,
	struct tuner_error *err)
{
	double *turned = NULL;
	if (maximize) {
		turned = malloc((series->n + 1) * sizeof(*turned));
		if (turned == NULL)
			return tuner_fail_memory(err);
		for (size_t i = 0; i < series->n; i++)
			turned[i] = -series->values[i];
	}
	*ret = (struct learning_curve){
		.steps = series->steps, .values = maximize ? turned : series->values, .n = series->n
	};
	return true;
}

/* The history has already negated it. */
static struct learning_curve finished_curve(const struct finished_trial *trial)
{
	return (struct learning_curve){ .steps = trial->series.steps,
		.values = trial->series.values,
		.n = trial->series.n,
		.finished = trial->state == TRIAL_DONE,
		.sums = trial->sums,
		.best = trial->least };
}

bool early_stopping_judge(const struct history *history, const struct series *curve,
	const struct series *const *others, size_t n_others, struct stopping_verdict *ret,
	struct tuner_error *err)
{
	const struct job_file *file = history->file;
	struct stopping_settings settings = file->stopping;
	const size_t kept = history->n - history->first_curve;
	struct learning_curve *curves = calloc(kept + n_others + 1, sizeof(*curves));
	struct learning_curve own = { 0 };
	size_t n = 0, n_finished;
	bool ok = false;

	if (curves == NULL)
		return tuner_fail_memory(err);
	settings.negated = file->maximize;
	if (file->maximize)
		settings.bound = -settings.bound;
	/* What is over a limit is no result, and so none to be worse than. */
	for (size_t k = history->first_curve; k < history->n; k++)
		if (history->items[k].outcome != OUTCOME_OVER_LIMIT)
			curves[n++] = finished_curve(&history->items[k]);
	n_finished = n;
	for (size_t k = 0; k < n_others; k++, n++)
		if (!turn_curve(others[k], file->maximize, &curves[n], err))
			goto out;
	if (!turn_curve(curve, file->maximize, &own, err))
		goto out;
	ok = stopping_judge(&settings, &own, curves, n, ret, err);
out:
	for (size_t k = n_finished; file->maximize && k < n; k++)
		free((double *)curves[k].values);
	if (file->maximize)
		free((double *)own.values);
	free(curves);
	return ok;
}
