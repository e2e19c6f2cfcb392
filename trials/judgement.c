#include "trials/judgement.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>

bool judgement_is_over(const struct judgement *judgement)
{
	for (size_t i = 0; i < judgement->n_limits; i++)
		if (!(judgement->excess[i] <= 0))
			return true;
	return false;
}

bool judgement_lacks_objective(const struct judgement *judgement)
{
	for (size_t i = 0; i < judgement->n_also; i++)
		if (isnan(judgement->also[i]))
			return true;
	return false;
}

bool trial_is_measured(const struct trial *trial)
{
	return trial->state == TRIAL_DONE ||
	       (trial->state == TRIAL_FAILED && trial->outcome == OUTCOME_OVER_LIMIT);
}

/* ---- writing ---- */

static void add_numbers(const double *numbers, size_t n, struct text *ret)
{
	for (size_t i = 0; i < n; i++) {
		text_add(ret, i > 0 ? "," : "[");
		text_add_json_double(ret, numbers[i]);
	}
	text_add(ret, "]");
}

static void add_limits(const struct judgement *judgement, struct text *ret)
{
	text_add(ret, "{\"objective\":");
	text_add_json_double(ret, judgement->objective);
	text_add(ret, ",\"excess\":");
	add_numbers(judgement->excess, judgement->n_limits, ret);
	text_add(ret, "}");
}

void judgement_add(const struct judgement *judgement, struct text *ret)
{
	if (judgement->n_limits > 0) {
		text_add(ret, ", \"limits\": ");
		add_limits(judgement, ret);
	}
	if (judgement->n_also > 0) {
		text_add(ret, ", \"also\": ");
		add_numbers(judgement->also, judgement->n_also, ret);
	}
}

void judgement_columns_finish(struct judgement_columns *columns)
{
	free(columns->limits);
	free(columns->also);
}

bool judgement_columns_init(
	const struct judgement *judgement, struct judgement_columns *ret, struct tuner_error *err)
{
	struct text limits = TEXT_EMPTY, also = TEXT_EMPTY;

	if (judgement->n_limits > 0)
		add_limits(judgement, &limits);
	if (judgement->n_also > 0)
		add_numbers(judgement->also, judgement->n_also, &also);
	*ret = (struct judgement_columns){ .limits = judgement->n_limits > 0 ? text_take(&limits)
									     : NULL,
		.also = judgement->n_also > 0 ? text_take(&also) : NULL };
	if ((judgement->n_limits > 0 && ret->limits == NULL) ||
		(judgement->n_also > 0 && ret->also == NULL)) {
		judgement_columns_finish(ret);
		return tuner_fail_memory(err);
	}
	return true;
}

void judgement_columns_bind(struct query *query, const struct judgement_columns *columns)
{
	query_bind_text(query, columns->limits);
	query_bind_text(query, columns->also);
}

/* ---- reading ---- */

static bool read_number(const cJSON *node, double *ret)
{
	*ret = cJSON_IsNumber(node) ? node->valuedouble : NAN;
	return cJSON_IsNumber(node) || cJSON_IsNull(node);
}

/* At least one number, at most `most`. */
static bool read_numbers(const cJSON *array, size_t most, double *ret, size_t *ret_n)
{
	bool ok = cJSON_IsArray(array);

	for (const cJSON *item = ok ? array->child : NULL; ok && item; item = item->next)
		ok = *ret_n < most && read_number(item, &ret[(*ret_n)++]);
	return ok && *ret_n > 0;
}

static bool read_limits(const cJSON *object, struct judgement *ret)
{
	return read_number(
		       cJSON_GetObjectItemCaseSensitive(object, "objective"), &ret->objective) &&
	       read_numbers(cJSON_GetObjectItemCaseSensitive(object, "excess"), TRIAL_LIMITS_MAX,
		       ret->excess, &ret->n_limits);
}

static bool read_also(const cJSON *array, struct judgement *ret)
{
	return read_numbers(array, TRIAL_ALSO_MAX, ret->also, &ret->n_also);
}

static bool read_column(struct query *query, bool read(const cJSON *, struct judgement *),
	const char *what, struct judgement *ret, struct tuner_error *err)
{
	const char *text = query_text(query);

	if (text[0] == '\0')
		return true;

	cJSON *node = cJSON_Parse(text);
	const bool ok = read(node, ret);

	cJSON_Delete(node);
	return ok || tuner_fail(err, TUNER_FATAL, "%s \"%.100s\", which this tuner cannot read",
			     what, text);
}

bool judgement_read(struct query *query, struct judgement *ret, struct tuner_error *err)
{
	*ret = (struct judgement){ 0 };
	return read_column(query, read_limits, "how it kept the limits is", ret, err) &&
	       read_column(query, read_also, "its further objectives are", ret, err);
}
