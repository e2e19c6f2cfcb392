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

static double or_none(double value)
{
	return isfinite(value) ? value : NAN;
}

/* Null where the two are equal. */
static bool add_faster(
	cJSON *object, const struct contrast *contrast, const struct estimate *final, bool a_faster)
{
	if (final->mean == 0)
		return cJSON_AddNullToObject(object, "faster") != NULL;
	return json_add_string(object, "faster", a_faster ? contrast->a->name : contrast->b->name);
}

static bool add_speed(cJSON *object, const struct contrast *contrast)
{
	return add_faster(object, contrast, &contrast->final, contrast->a_faster) &&
	       json_add_optional(object, "speed_up", or_none(contrast->speed_up)) &&
	       json_add_item(
		       object, "speed_up_interval", interval_json(contrast->speed_up_interval)) &&
	       (!contrast->has_expected ||
		       (json_add_optional(
				object, "speed_up_expected", or_none(contrast->expected)) &&
			       json_add_item(object, "speed_up_expected_interval",
				       interval_json(contrast->expected_interval))));
}

/* "over_time", "over_money" */
static const char *axis_key(enum axis axis)
{
	return axis == OVER_TIME ? "over_time" : "over_money";
}

/* The first arm's, then the other's. */
static cJSON *pair_json(double a, double b)
{
	return interval_json((struct interval){ a, b });
}

static cJSON *spending_json(
	const struct comparison *comparison, const struct contrast *contrast, enum axis axis)
{
	const struct equal_spending *equal = &contrast->over[axis];
	cJSON *object = cJSON_CreateObject();
	struct text words = TEXT_EMPTY;

	spending_words(comparison, contrast, axis, &words);
	const bool ok =
		json_add_number(object, "spent", equal->spent) &&
		json_add_item(object, "totals", pair_json(equal->total_a, equal->total_b)) &&
		json_add_item(object, "mean_best", pair_json(equal->best_a, equal->best_b)) &&
		json_add_item(object, "without_result",
			pair_json((double)equal->none_a, (double)equal->none_b)) &&
		json_add_item(object, "final", estimate_json(&equal->final)) &&
		json_add_item(object, "area", estimate_json(&equal->area)) &&
		add_faster(object, contrast, &equal->final, equal->a_faster) &&
		json_add_optional(object, "speed_up", or_none(equal->speed_up)) &&
		json_add_item(
			object, "speed_up_interval", interval_json(equal->speed_up_interval)) &&
		!text_failed(&words) && json_add_string(object, "words", words.bytes);
	text_finish(&words);
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}

static bool add_spendings(
	cJSON *object, const struct comparison *comparison, const struct contrast *contrast)
{
	for (enum axis axis = OVER_TIME; axis < AXES; axis++)
		if (contrast->over[axis].is_possible &&
			!json_add_item(
				object, axis_key(axis), spending_json(comparison, contrast, axis)))
			return false;
	return true;
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
			add_speed(object, contrast) && !text_failed(&words) &&
			json_add_string(object, "words", words.bytes) &&
			add_spendings(object, comparison, contrast);
	text_finish(&words);
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}

static bool add_point(cJSON *curve, const char *key, const struct curve_point *point)
{
	cJSON *object = cJSON_CreateObject();
	const bool ok = json_add_number(object, key, point->at) &&
			json_add_number(object, "mean_best", point->mean) &&
			json_add_item(object, "interval", interval_json(point->interval));
	return json_append(curve, object) && ok;
}

static cJSON *trials_curve_json(
	const struct comparison *comparison, size_t arm, struct tuner_error *err)
{
	cJSON *curve = cJSON_CreateArray();
	bool ok = curve != NULL;
	for (size_t t = 0; ok && t < comparison->length; t++) {
		struct curve_point point;
		ok = comparison_band(comparison, arm, t, &point, err) &&
		     add_point(curve, "trials", &point);
	}
	if (ok)
		return curve;
	cJSON_Delete(curve);
	return NULL;
}

static cJSON *spending_curve_json(
	const struct comparison *comparison, size_t arm, enum axis axis, struct tuner_error *err)
{
	struct curve_point points[COMPARISON_HUNDREDTHS];
	cJSON *object = cJSON_CreateObject(), *curve = cJSON_CreateArray();
	size_t n = 0;
	bool ok = json_add_number(object, "total", comparison_total(comparison, arm, axis)) &&
		  json_add_number(object, "end", comparison_end(comparison, arm, axis)) &&
		  comparison_curve(comparison, arm, axis, points, &n, err);
	for (size_t k = 0; ok && k < n; k++)
		ok = add_point(curve, "spent", &points[k]);
	ok = json_add_item(object, "curve", curve) && ok;
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}

static cJSON *arm_json(const struct comparison *comparison, size_t a, struct tuner_error *err)
{
	const struct compared_arm *arm = &comparison->arms[a];
	cJSON *object = cJSON_CreateObject();
	bool ok = json_add_string(object, "arm", arm->name) &&
		  json_add_string(object, "strategy", arm->strategy) &&
		  json_add_item(object, "curve", trials_curve_json(comparison, a, err));
	for (enum axis axis = OVER_TIME; ok && axis < AXES; axis++) {
		struct tuner_error why;
		if (comparison_check_axis(comparison, axis, &why))
			ok = json_add_item(object, axis_key(axis),
				spending_curve_json(comparison, a, axis, err));
	}
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
		  json_add_integer(root, "left_out", (int64_t)comparison->left_out) &&
		  json_add_integer(root, "attempts", comparison->attempts) &&
		  json_add_integer(root, "unpriced_attempts", comparison->unpriced) &&
		  json_add_item(root, "one_price", cJSON_CreateBool(comparison->one_price));
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
