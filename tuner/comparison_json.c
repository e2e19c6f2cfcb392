#include "tuner/comparison_json.h"

#include "tuner/report_json.h"

#include <math.h>

static cJSON *interval_json(struct interval interval)
{
	cJSON *array = cJSON_CreateArray();
	const double ends[2] = { interval.low, interval.high };
	for (int i = 0; i < 2; i++)
		if (!json_append(array,
			    isfinite(ends[i]) ? cJSON_CreateNumber(ends[i]) : cJSON_CreateNull())) {
			cJSON_Delete(array);
			return NULL;
		}
	return array;
}

static cJSON *estimate_json(const struct estimate *estimate)
{
	cJSON *object = cJSON_CreateObject();
	if (json_add_number(object, "difference", estimate->mean) &&
		json_add_item(object, "interval", interval_json(estimate->interval)) &&
		json_add_number(object, "p_value", estimate->p_value) &&
		json_add_optional(object, "deviation", estimate->deviation) &&
		json_add_optional(object, "detectable",
			isfinite(estimate->detectable) ? estimate->detectable : NAN))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static bool add_speed(cJSON *object, const struct contrast *contrast)
{
	const double times = contrast->speed_up, expected = contrast->expected;
	return json_add_string(object, "faster",
		       contrast->a_faster ? contrast->a->name : contrast->b->name) &&
	       json_add_optional(object, "speed_up", isfinite(times) ? times : NAN) &&
	       json_add_item(
		       object, "speed_up_interval", interval_json(contrast->speed_up_interval)) &&
	       (!contrast->has_expected ||
		       (json_add_optional(
				object, "speed_up_expected", isfinite(expected) ? expected : NAN) &&
			       json_add_item(object, "speed_up_expected_interval",
				       interval_json(contrast->expected_interval))));
}

static cJSON *contrast_json(const struct comparison *comparison, const struct contrast *contrast)
{
	cJSON *object = cJSON_CreateObject();
	struct text words = TEXT_EMPTY;
	contrast_words(comparison, contrast, &words);
	const bool ok = json_add_string(object, "arm", contrast->a->name) &&
			json_add_string(object, "against", contrast->b->name) &&
			json_add_item(object, "final", estimate_json(&contrast->final)) &&
			json_add_item(object, "area", estimate_json(&contrast->area)) &&
			json_add_item(object, "time", estimate_json(&contrast->time)) &&
			json_add_number(object, "slot_seconds", contrast->seconds) &&
			add_speed(object, contrast) && !text_failed(&words) &&
			json_add_string(object, "words", words.bytes);
	text_finish(&words);
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}

static cJSON *arm_json(const struct comparison *comparison, size_t a, struct tuner_error *err)
{
	const struct compared_arm *arm = &comparison->arms[a];
	cJSON *object = cJSON_CreateObject(), *curve = cJSON_CreateArray();
	bool ok = json_add_string(object, "arm", arm->name) &&
		  json_add_string(object, "strategy", arm->strategy);
	for (size_t t = 0; ok && t < comparison->length; t++) {
		struct interval interval;
		double mean;
		cJSON *point = cJSON_CreateObject();
		ok = comparison_band(comparison, a, t, &mean, &interval, err) &&
		     json_add_integer(point, "trials", (int64_t)t + 1) &&
		     json_add_number(point, "mean_best", mean) &&
		     json_add_item(point, "interval", interval_json(interval));
		ok = json_append(curve, point) && ok;
	}
	ok = json_add_item(object, "curve", curve) && ok;
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}

cJSON *comparison_json(const struct comparison *comparison, struct tuner_error *err)
{
	cJSON *root = cJSON_CreateObject(), *arms = cJSON_CreateArray();
	cJSON *contrasts = cJSON_CreateArray();
	bool ok = json_add_string(root, "metric", comparison->metric) &&
		  json_add_string(root, "goal", comparison->maximize ? "maximize" : "minimize") &&
		  json_add_integer(root, "trials", (int64_t)comparison->length) &&
		  json_add_integer(root, "repeats", (int64_t)comparison->n_repeats) &&
		  json_add_integer(root, "left_out", (int64_t)comparison->left_out);
	for (size_t a = 0; ok && a < comparison->n_arms; a++)
		ok = json_append(arms, arm_json(comparison, a, err));
	for (size_t b = 1; ok && b < comparison->n_arms; b++) {
		struct contrast contrast;
		ok = comparison_contrast(comparison, 0, b, &contrast, err) &&
		     json_append(contrasts, contrast_json(comparison, &contrast));
	}
	ok = json_add_item(root, "arms", arms) && json_add_item(root, "contrasts", contrasts) && ok;
	if (ok)
		return root;
	cJSON_Delete(root);
	tuner_fail_memory(err);
	return NULL;
}
