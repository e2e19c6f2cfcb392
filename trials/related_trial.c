#include "trials/related_trial.h"

#include "trials/sql.h"
#include "trials/state.h"

#include <stdlib.h>

bool related_trial_add(struct store *store, int64_t job_id, const struct related_trial *trial,
	struct tuner_error *err)
{
	struct query query;
	int64_t id;

	store_assert_writing(store);
	query_open(&query, store,
		"INSERT INTO related_trial (job, parent, number, state, loss, parameters) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
	query_bind_int(&query, job_id);
	query_bind_int(&query, trial->parent);
	query_bind_int(&query, trial->number);
	query_bind_text(&query, trial_state_name(trial->state));
	query_bind_double(&query, trial->loss);
	query_bind_text(&query, trial->parameters);
	return query_insert(&query, &id, err);
}

void related_trial_list_finish(struct related_trial_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].parameters);
	free(list->items);
	*list = (struct related_trial_list){ 0 };
}

static bool read_row(struct query *query, struct related_trial *ret, struct tuner_error *err)
{
	char state[16];

	ret->parent = query_int(query);
	ret->number = query_int(query);
	query_text_into(query, state, sizeof state);
	ret->loss = query_double(query);
	return trial_state_from_name(state, &ret->state, err) &&
	       (query_text_copy(query, &ret->parameters) || tuner_fail_memory(err));
}

bool related_trial_select(struct store *store, int64_t job_id, struct related_trial_list *ret,
	struct tuner_error *err)
{
	struct related_trial_list list = { 0 };
	struct query query;
	size_t capacity = 0;
	bool found = false, ok;

	query_open(&query, store,
		"SELECT parent, number, state, loss, parameters FROM related_trial "
		"WHERE job = ?1 ORDER BY parent, id");
	query_bind_int(&query, job_id);
	while ((ok = query_row(&query, &found, err)) && found)
		if (!(ok = array_grow(
			      (void **)&list.items, &list.n, &capacity, sizeof *list.items, err)) ||
			!(ok = read_row(&query, &list.items[list.n - 1], err)))
			break;
	query_close(&query);
	if (ok)
		*ret = list;
	else
		related_trial_list_finish(&list);
	return ok;
}
