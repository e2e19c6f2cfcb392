#include "tuner/parameter_names.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

static bool has_name(const struct parameter_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

static bool add_name(struct parameter_names *names, const char *name)
{
	if (has_name(names, name))
		return true;
	if (!array_reserve(&names->items, names->n, &names->capacity, sizeof(*names->items)))
		return false;
	names->items[names->n++] = name;
	return true;
}

static bool parse(const struct trial_list *list, struct parameter_names *names)
{
	names->parameters = calloc(list->n + 1, sizeof(*names->parameters));
	names->n_trials = list->n;
	for (size_t i = 0; names->parameters != NULL && i < list->n; i++)
		if ((names->parameters[i] = cJSON_Parse(list->items[i].parameters)) == NULL)
			return false;
	return names->parameters != NULL;
}

bool parameter_names_collect(const struct report *report, const struct trial_list *list,
	struct parameter_names *ret, struct tuner_error *err)
{
	*ret = (struct parameter_names){ 0 };
	bool ok = parse(list, ret);

	for (size_t i = 0; ok && i < report->parameters.n; i++)
		ok = add_name(ret, report->parameters.items[i].name);
	for (size_t i = 0; ok && i < list->n; i++)
		for (const cJSON *p = ret->parameters[i]->child; ok && p != NULL; p = p->next)
			ok = add_name(ret, p->string);
	if (ok)
		return true;
	parameter_names_finish(ret);
	return tuner_fail_memory(err);
}

void parameter_names_finish(struct parameter_names *names)
{
	for (size_t i = 0; names->parameters != NULL && i < names->n_trials; i++)
		cJSON_Delete(names->parameters[i]);
	free(names->parameters);
	free(names->items);
	*names = (struct parameter_names){ 0 };
}
