#include "trials/limit_check.h"

#include <cjson/cJSON.h>
#include <math.h>

bool limit_check_is_over(const struct limit_check *check)
{
	for (size_t i = 0; i < check->n; i++)
		if (!(check->excess[i] <= 0))
			return true;
	return false;
}

bool trial_is_measured(const struct trial *trial)
{
	return trial->state == TRIAL_DONE ||
	       (trial->state == TRIAL_FAILED && trial->outcome == OUTCOME_OVER_LIMIT);
}

void limit_check_add(const struct limit_check *check, const char *before, struct text *ret)
{
	if (check->n == 0)
		return;
	text_print(ret, "%s{\"objective\":", before);
	text_add_json_double(ret, check->objective);
	for (size_t i = 0; i < check->n; i++) {
		text_add(ret, i > 0 ? "," : ",\"excess\":[");
		text_add_json_double(ret, check->excess[i]);
	}
	text_add(ret, "]}");
}

static bool read_number(const cJSON *node, double *ret)
{
	*ret = cJSON_IsNumber(node) ? node->valuedouble : NAN;
	return cJSON_IsNumber(node) || cJSON_IsNull(node);
}

static bool read(const cJSON *object, struct limit_check *ret)
{
	const cJSON *excess = cJSON_GetObjectItemCaseSensitive(object, "excess");
	bool ok =
		read_number(cJSON_GetObjectItemCaseSensitive(object, "objective"), &ret->objective);

	for (const cJSON *item = excess ? excess->child : NULL; ok && item; item = item->next)
		ok = ret->n < TRIAL_LIMITS_MAX && read_number(item, &ret->excess[ret->n++]);
	return ok && ret->n > 0;
}

bool limit_check_read(struct query *query, struct limit_check *ret, struct tuner_error *err)
{
	const char *text = query_text(query);

	*ret = (struct limit_check){ 0 };
	if (text[0] == '\0')
		return true;

	cJSON *object = cJSON_Parse(text);
	const bool ok = read(object, ret);

	cJSON_Delete(object);
	return ok ||
	       tuner_fail(err, TUNER_FATAL,
		       "how it kept the limits is \"%.100s\", which this tuner cannot read", text);
}
