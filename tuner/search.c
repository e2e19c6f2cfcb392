#include "tuner/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool load(struct search *search, const struct job_file *file, const struct job_arm *arm,
	int64_t repeat, struct store *store, int64_t job_id, struct tuner_error *err)
{
	search->arm = arm != NULL ? arm->name : "";
	search->repeat = repeat;
	search->file = *file;
	if (arm != NULL)
		search->file.strategy = arm->strategy;
	return history_load(
		       &search->history, &search->file, store, job_id, search->arm, repeat, err) &&
	       proposer_load(
		       &search->proposer, &search->file, store, job_id, search->arm, repeat, err);
}

bool search_list_load(struct search_list *list, const struct job_file *file, struct store *store,
	int64_t job_id, struct tuner_error *err)
{
	const size_t n_arms = file->n_arms > 0 ? file->n_arms : 1;
	const size_t n = (size_t)job_file_searches(file);

	*list = (struct search_list){ .items = calloc(n, sizeof(*list->items)) };
	if (list->items == NULL)
		return tuner_fail_memory(err);
	for (; list->n < n; list->n++) {
		const size_t arm = list->n % n_arms;
		if (load(&list->items[list->n], file, file->n_arms > 0 ? &file->arms[arm] : NULL,
			    (int64_t)(list->n / n_arms), store, job_id, err))
			continue;
		list->n++;
		search_list_finish(list);
		return false;
	}
	return true;
}

void search_list_finish(struct search_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		proposer_finish(&list->items[i].proposer);
		history_finish(&list->items[i].history);
	}
	free(list->items);
	*list = (struct search_list){ 0 };
}

bool search_list_reload(
	struct search_list *list, struct store *store, int64_t job_id, struct tuner_error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		struct search *search = &list->items[i];
		struct history anew;
		if (!history_load(
			    &anew, &search->file, store, job_id, search->arm, search->repeat, err))
			return false;
		history_finish(&search->history);
		search->history = anew;
	}
	return true;
}

bool search_fewest_trials(const struct job_file *file, struct store *store, int64_t job_id,
	int64_t *ret, struct tuner_error *err)
{
	const int64_t n_arms = file->n_arms > 0 ? (int64_t)file->n_arms : 1;
	int64_t fewest = INT64_MAX;

	for (int64_t i = 0; i < job_file_searches(file); i++) {
		const char *arm = file->n_arms > 0 ? file->arms[i % n_arms].name : "";
		int64_t n;
		if (!trial_count_search(store, job_id, arm, i / n_arms, &n, err))
			return false;
		fewest = n < fewest ? n : fewest;
	}
	*ret = fewest;
	return true;
}

struct search *search_find(const struct search_list *list, const char *arm, int64_t repeat)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].repeat == repeat && strcmp(list->items[i].arm, arm) == 0)
			return &list->items[i];
	return NULL;
}

bool search_is_open(const struct search *search)
{
	return !search->exhausted && history_counted(&search->history) < search->file.budget.trials;
}

struct search *search_next(const struct search_list *list)
{
	struct search *next = NULL;
	size_t rank = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct search *search = &list->items[i];
		const size_t n_arms = search->file.n_arms > 0 ? search->file.n_arms : 1;
		const size_t repeat = i / n_arms, arm = (i + repeat) % n_arms;
		const size_t its = repeat * n_arms + arm;
		if (!search_is_open(search) ||
			(next != NULL && search->history.created > next->history.created) ||
			(next != NULL && search->history.created == next->history.created &&
				its > rank))
			continue;
		next = search;
		rank = its;
	}
	return next;
}

static const struct finished_trial *better_of(const struct job_file *file,
	const struct finished_trial *best, const struct finished_trial *other)
{
	return other != NULL && (best == NULL ||
					objective_better(file, other->objective, best->objective))
		       ? other
		       : best;
}

const struct finished_trial *search_list_best(const struct search_list *list)
{
	const struct finished_trial *best = NULL;

	for (size_t i = 0; i < list->n; i++)
		best = better_of(&list->items[i].file, best, list->items[i].history.best);
	return best;
}

const struct finished_trial *search_list_best_own(const struct search_list *list)
{
	const struct finished_trial *best = NULL;

	for (size_t i = 0; i < list->n; i++)
		best = better_of(&list->items[i].file, best, list->items[i].history.best_own);
	return best;
}

const struct finished_trial *search_list_trial(const struct search_list *list, int64_t number)
{
	for (size_t s = 0; s < list->n; s++) {
		const struct history *history = &list->items[s].history;
		for (size_t i = history->n; i > 0; i--)
			if (history->items[i - 1].number == number)
				return &history->items[i - 1];
	}
	return NULL;
}

int64_t search_list_better(const struct search_list *list, double objective)
{
	int64_t n = 0;

	for (size_t s = 0; s < list->n; s++) {
		const struct history *history = &list->items[s].history;
		for (size_t i = 0; i < history->n; i++)
			n += history->items[i].state == TRIAL_DONE && !history->items[i].added &&
			     objective_better(
				     history->file, history->items[i].objective, objective);
	}
	return n;
}

size_t search_list_done(const struct search_list *list)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++)
		n += list->items[i].history.done;
	return n;
}

size_t search_list_ended(const struct search_list *list)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++)
		n += list->items[i].history.n - (size_t)list->items[i].history.added;
	return n;
}

void search_name(const struct search *search, char ret_name[ARM_NAME_BYTES + 8])
{
	*ret_name = '\0';
	if (search->arm[0] != '\0')
		snprintf(ret_name, ARM_NAME_BYTES + 8, "%s/%lld", search->arm,
			(long long)search->repeat + 1);
}
