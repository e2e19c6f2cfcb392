#include "tuner/warm_start_front.h"

#include "surrogate/pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool warm_start_same_objectives(const struct job_file *ours, const struct job_file *theirs)
{
	const struct job_objective *a = &ours->objective, *b = &theirs->objective;
	bool same = a->n_also == b->n_also;

	for (size_t i = 0; same && i < a->n_also; i++)
		same = a->also[i].maximize == b->also[i].maximize &&
		       strcmp(expression_text(a->also[i].formula),
			       expression_text(b->also[i].formula)) == 0;
	return same;
}

/* Those that are left to choose from. */
struct choice {
	const struct job_file *file;
	const struct warm_trial *trials;
	double *outcomes; /* n x m, to be minimised; NaN once a trial is chosen or is a double */
	double *distances; /* n: squared, to the nearest chosen one of this front */
	bool *on; /* n: on the present front */
	size_t *chosen; /* indices */
	size_t n, m, n_chosen;
};

static bool choice_create(const struct job_file *file, const struct warm_trial *trials, size_t n,
	struct choice *ret, struct tuner_error *err)
{
	const size_t m = 1 + file->objective.n_also;

	*ret = (struct choice){ .file = file,
		.trials = trials,
		.outcomes = calloc(n * m + 1, sizeof(double)),
		.distances = calloc(n + 1, sizeof(double)),
		.on = calloc(n + 1, sizeof(bool)),
		.chosen = calloc(n + 1, sizeof(size_t)),
		.n = n,
		.m = m };
	if (!ret->outcomes || !ret->distances || !ret->on || !ret->chosen)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		ret->outcomes[i * m] = (file->maximize ? -1 : 1) * trials[i].objective;
		for (size_t k = 1; k < m; k++)
			ret->outcomes[i * m + k] =
				k <= trials[i].judgement.n_also
					? (file->objective.also[k - 1].maximize ? -1 : 1) *
						  trials[i].judgement.also[k - 1]
					: NAN;
	}
	return true;
}

static void choice_finish(struct choice *choice)
{
	free(choice->outcomes);
	free(choice->distances);
	free(choice->on);
	free(choice->chosen);
}

/* It is chosen, and with it all of its configuration. */
static void choose(struct choice *choice, size_t index)
{
	choice->chosen[choice->n_chosen++] = index;
	for (size_t i = 0; i < choice->n; i++)
		if (space_same(&choice->file->space, choice->trials[i].values,
			    choice->trials[index].values)) {
			choice->on[i] = false;
			choice->outcomes[i * choice->m] = NAN;
		}
}

/* Of each objective on the front; 0 where it says nothing. */
static void find_ranges(const struct choice *choice, double *ret)
{
	for (size_t k = 0; k < choice->m; k++) {
		double least = INFINITY, most = -INFINITY;

		for (size_t i = 0; i < choice->n; i++)
			if (choice->on[i]) {
				least = fmin(least, choice->outcomes[i * choice->m + k]);
				most = fmax(most, choice->outcomes[i * choice->m + k]);
			}
		ret[k] = isfinite(most - least) ? most - least : 0;
	}
}

static double distance(
	const struct choice *choice, const double *outcome, size_t i, const double *ranges)
{
	double sum = 0;

	for (size_t k = 0; k < choice->m; k++) {
		const double off = outcome[k] - choice->outcomes[i * choice->m + k];

		sum += ranges[k] > 0 ? (off / ranges[k]) * (off / ranges[k]) : 0;
	}
	return sum;
}

/* n: none is left. */
static size_t farthest(const struct choice *choice)
{
	size_t found = choice->n;

	for (size_t i = 0; i < choice->n; i++)
		if (choice->on[i] &&
			(found == choice->n || choice->distances[i] > choice->distances[found] ||
				(choice->distances[i] == choice->distances[found] &&
					choice->outcomes[i * choice->m] <
						choice->outcomes[found * choice->m])))
			found = i;
	return found;
}

static void choose_of_front(struct choice *choice, size_t wanted)
{
	double ranges[PARETO_OBJECTIVES_MAX], outcome[PARETO_OBJECTIVES_MAX];
	size_t next;

	find_ranges(choice, ranges);
	for (size_t i = 0; i < choice->n; i++)
		choice->distances[i] = INFINITY;
	while (choice->n_chosen < wanted && (next = farthest(choice)) < choice->n) {
		memcpy(outcome, &choice->outcomes[next * choice->m], choice->m * sizeof(*outcome));
		choose(choice, next);
		for (size_t i = 0; i < choice->n; i++)
			if (choice->on[i])
				choice->distances[i] = fmin(
					choice->distances[i], distance(choice, outcome, i, ranges));
	}
}

/* The chosen ones come first, in their order. */
static bool rearrange(
	const struct choice *choice, struct warm_trial *trials, struct tuner_error *err)
{
	struct warm_trial *all = calloc(choice->n + 1, sizeof(*all));
	bool *is_chosen = calloc(choice->n + 1, sizeof(*is_chosen));
	const bool ok = (all != NULL && is_chosen != NULL) || tuner_fail_memory(err);
	size_t n = choice->n_chosen;

	for (size_t i = 0; ok && i < n; i++) {
		all[i] = trials[choice->chosen[i]];
		is_chosen[choice->chosen[i]] = true;
	}
	for (size_t i = 0; ok && i < choice->n; i++)
		if (!is_chosen[i])
			all[n++] = trials[i];
	if (ok)
		memcpy(trials, all, choice->n * sizeof(*all));
	free(is_chosen);
	free(all);
	return ok;
}

bool warm_start_spread(const struct job_file *file, struct warm_trial *trials, size_t n,
	size_t wanted, size_t *ret_chosen, struct tuner_error *err)
{
	struct choice choice;
	bool ok = choice_create(file, trials, n, &choice, err);
	size_t before = SIZE_MAX;

	while (ok && choice.n_chosen < wanted && choice.n_chosen != before) {
		before = choice.n_chosen;
		pareto_front(choice.outcomes, n, choice.m, choice.on);
		choose_of_front(&choice, wanted);
	}
	ok = ok && rearrange(&choice, trials, err);
	*ret_chosen = choice.n_chosen;
	choice_finish(&choice);
	return ok;
}
