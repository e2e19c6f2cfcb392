#include "tuner/goals.h"

#include "tuner/text_width.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_quoted_name(const char *formula, size_t length)
{
	return length > 2 && formula[0] == '`' && formula[length - 1] == '`' &&
	       memchr(formula + 1, '`', length - 2) == NULL;
}

void goals_add_name(const char *formula, struct text *ret)
{
	const size_t length = strlen(formula);

	if (is_quoted_name(formula, length))
		text_print(ret, "%.*s", (int)length - 2, formula + 1);
	else
		text_add(ret, formula);
}

bool goals_is_name(const char *formula, const char *name)
{
	const size_t length = strlen(formula);

	if (!is_quoted_name(formula, length))
		return strcmp(formula, name) == 0;
	return strlen(name) == length - 2 && memcmp(formula + 1, name, length - 2) == 0;
}

/* Takes the name over. */
static bool add(struct goals *goals, char *name, bool maximize)
{
	struct goal *goal = &goals->items[goals->n];

	goal->name = name;
	goal->maximize = maximize;
	goals->n += goal->name != NULL;
	return goal->name != NULL;
}

static bool add_also(struct goals *goals, const cJSON *item)
{
	const cJSON *more = cJSON_GetObjectItemCaseSensitive(item, "maximize");
	const cJSON *less = cJSON_GetObjectItemCaseSensitive(item, "minimize");
	const char *formula = cJSON_GetStringValue(more != NULL ? more : less);
	struct text name = TEXT_EMPTY;

	goals_add_name(formula != NULL ? formula : "", &name);
	return add(goals, text_take(&name), more != NULL);
}

bool goals_read(const char *metric, bool maximize, const char *definition, struct goals *ret,
	struct tuner_error *err)
{
	cJSON *object = cJSON_Parse(definition);
	const cJSON *also = cJSON_GetObjectItemCaseSensitive(object, "also");

	*ret = (struct goals){ 0 };

	bool ok = object != NULL && add(ret, strdup(metric), maximize);

	for (const cJSON *item = also ? also->child : NULL; ok && item && ret->n < GOALS_MAX;
		item = item->next)
		ok = add_also(ret, item);
	cJSON_Delete(object);
	if (!ok)
		goals_finish(ret);
	return ok || tuner_fail_memory(err);
}

void goals_finish(struct goals *goals)
{
	for (size_t i = 0; i < goals->n; i++)
		free(goals->items[i].name);
	*goals = (struct goals){ 0 };
}

double goals_value(const struct trial *trial, size_t i)
{
	if (i == 0)
		return trial->state == TRIAL_DONE      ? trial->objective
		       : trial->judgement.n_limits > 0 ? trial->judgement.objective
						       : NAN;
	return i - 1 < trial->judgement.n_also ? trial->judgement.also[i - 1] : NAN;
}

void goals_outcome(const struct goals *goals, const struct trial *trial, double *ret)
{
	for (size_t i = 0; i < goals->n; i++) {
		const double value = goals_value(trial, i);
		ret[i] = goals->items[i].maximize ? -value : value;
	}
}

void goals_add(bool maximize, const char *name, struct text *ret)
{
	text_add(ret, maximize ? "maximize " : "minimize ");
	text_add_visible(ret, name);
}

void goals_text(const struct goals *goals, struct text *ret)
{
	for (size_t i = 0; i < goals->n; i++) {
		text_add(ret, i > 0 ? ", " : "");
		goals_add(goals->items[i].maximize, goals->items[i].name, ret);
	}
}
