/* What a confirmation says: sentences, and JSON. */
#include "tuner/confirmation.h"

#include "tuner/report_json.h"

#include <math.h>

#define ALPHA 0.05
#define POWER 0.8

enum { REPEATS_THAT_ANYBODY_RUNS = 10000 };

static bool holds_zero(struct interval interval)
{
	return interval.low <= 0 && 0 <= interval.high;
}

/* The repeats of the first two: the fewer, by which differences are found. */
static size_t fewer(const struct confirmation *confirmation)
{
	const struct confirmed *items = confirmation->items;

	return items[0].n < items[1].n ? items[0].n : items[1].n;
}

static void say_best(const struct confirmation *confirmation, struct text *ret)
{
	const struct confirmed *best = &confirmation->items[0];

	text_print(ret, "Trial %lld%s is the best by the mean of its %zu repeat%s: %s = %.5g",
		(long long)best->trial, best->is_default ? " (the default)" : "", best->n,
		best->n == 1 ? "" : "s", confirmation->metric, best->mean);
	if (best->n > 1)
		text_print(ret, ", with a 95 %% interval from %.5g to %.5g", best->interval.low,
			best->interval.high);
	text_add(ret, ". ");
}

/* The one that the search had taken for the best; NULL: none of them has a value of both. */
static const struct confirmed *winner(const struct confirmation *confirmation)
{
	const struct confirmed *best = NULL;

	for (size_t i = 0; i < confirmation->n; i++) {
		const struct confirmed *item = &confirmation->items[i];
		if (isnan(item->optimism))
			continue;
		if (best == NULL || (confirmation->maximize ? item->seen > best->seen
							    : item->seen < best->seen))
			best = item;
	}
	return best;
}

static void say_optimism(const struct confirmation *confirmation, struct text *ret)
{
	const struct confirmed *best = winner(confirmation);

	if (best == NULL)
		return;
	text_print(ret, "The search's own best, trial %lld, had %.5g, ", (long long)best->trial,
		best->seen);
	if (isinf(best->seen)) {
		text_add(ret, "which no mean can be compared with. ");
		return;
	}
	text_add(ret, "which is ");
	if (best->optimism == 0)
		text_add(ret, "also its mean now");
	else
		text_print(ret, "%.3g %s than its mean now", fabs(best->optimism),
			best->optimism > 0 ? "better" : "worse");
	if (best->n < 2)
		text_add(ret, ". ");
	else if (best->interval.low == best->interval.high)
		text_add(ret, "; its repeats are all the same. ");
	else if (holds_zero(best->optimism_interval))
		text_print(ret, ": no more than chance gives (95 %% interval %.3g to %.3g). ",
			best->optimism_interval.low, best->optimism_interval.high);
	else
		text_print(ret, " (95 %% interval %.3g to %.3g)%s. ", best->optimism_interval.low,
			best->optimism_interval.high,
			best->optimism > 0 ? ": the best of many noisy results is partly luck"
					   : "");
}

static void say_tie(const struct confirmation *confirmation, struct text *ret)
{
	const struct group_difference *difference = &confirmation->difference;
	const struct confirmed *second = &confirmation->items[1];

	text_print(ret, "The second, trial %lld%s, ", (long long)second->trial,
		second->is_default ? " (the default)" : "");
	if (difference->mean == 0)
		text_add(ret, "has the same mean: ");
	else
		text_print(ret, "is %.3g behind: ", difference->mean);
	if (isinf(difference->interval.high))
		text_add(ret, "one repeat of a configuration says nothing about chance. ");
	else if (difference->mean == 0)
		text_add(ret, "a tie. ");
	else if (holds_zero(difference->interval))
		text_print(ret,
			"a tie, for the 95 %% interval of the difference, %.3g to %.3g, contains 0 "
			"(Welch's t, p = %.2g). ",
			difference->interval.low, difference->interval.high, difference->p_value);
	else
		text_print(ret,
			"they are separated, for the 95 %% interval of the difference, %.3g to "
			"%.3g, leaves 0 out (Welch's t, p = %.2g). ",
			difference->interval.low, difference->interval.high, difference->p_value);
}

static void say_power(const struct confirmation *confirmation, struct text *ret)
{
	const struct group_difference *difference = &confirmation->difference;
	const size_t n = fewer(confirmation);

	if (n < 2 || !(difference->deviation > 0))
		return;
	text_print(ret,
		"With the spread seen, %zu repeats each find a difference of %.3g in 4 of 5 cases",
		n, difference->deviation * two_groups_detectable(n, ALPHA, POWER));
	const size_t needed = two_groups_needed(
		difference->mean / difference->deviation, ALPHA, POWER, REPEATS_THAT_ANYBODY_RUNS);
	if (needed > n)
		text_print(ret, "; for one like this it would take %zu", needed);
	else if (needed == 0)
		text_print(
			ret, "; for one like this %d would not do", (int)REPEATS_THAT_ANYBODY_RUNS);
	text_add(ret, ". ");
	if (confirmation->n > 2)
		text_print(ret,
			"These two were chosen among %zu by the very repeats that compare them, so "
			"an interval that just leaves 0 out is weaker evidence than it looks. ",
			confirmation->n);
}

static void say_gain(const struct confirmation *confirmation, struct text *ret)
{
	const struct group_difference *gain = &confirmation->gain;

	if (!confirmation->has_gain)
		return;
	if (gain->mean == 0 && !(gain->deviation > 0)) {
		text_add(ret, "The default has the same mean. ");
		return;
	}
	text_print(ret, "Against the default the best gains %.3g", gain->mean);
	if (!isinf(gain->interval.high))
		text_print(ret, " (95 %% interval %.3g to %.3g, p = %.2g)", gain->interval.low,
			gain->interval.high, gain->p_value);
	text_add(ret, ". ");
}

/* What the search had seen of a configuration is no luck, where another command had given it. */
static void say_edits(const struct confirmation *confirmation, struct text *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < confirmation->n; i++)
		n += confirmation->items[i].n > 0 && confirmation->items[i].trial > 0 &&
		     confirmation->items[i].trial <= confirmation->edits.until;
	if (n > 0)
		text_print(ret,
			"The search saw %zu of them before its \"%s\" was edited: the difference "
			"may come from that. ",
			n, confirmation->edits.key);
}

void confirmation_words(const struct confirmation *confirmation, struct text *ret)
{
	if (confirmation->n == 0 || confirmation->items[0].n == 0) {
		text_add(ret, "No repeat has given a result yet. ");
	} else {
		say_best(confirmation, ret);
		say_optimism(confirmation, ret);
		if (confirmation->has_difference) {
			say_tie(confirmation, ret);
			say_power(confirmation, ret);
		}
		say_gain(confirmation, ret);
	}
	if (confirmation->other_code || confirmation->other_data)
		text_print(ret,
			"The repeats found %s%s%s that no trial of the search had: the difference "
			"may "
			"come from that. ",
			confirmation->other_code ? "code" : "",
			confirmation->other_code && confirmation->other_data ? " and " : "",
			confirmation->other_data ? "data" : "");
	say_edits(confirmation, ret);
	if (confirmation->other_objective)
		text_print(ret,
			"The search is scored by another objective now, so its results are not "
			"compared: \"tuner rescore %s --set objective=...\" scores the repeats by "
			"it as well. ",
			confirmation->name);
	if (confirmation->ended < confirmation->wanted)
		text_print(ret, "It is not finished: %zu of %zu repeats have ended. ",
			confirmation->ended, confirmation->wanted);
	text_trim_end(ret);
}

/* ---- JSON ---- */

static cJSON *numbers_json(const double *values, size_t n)
{
	cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; i < n; i++)
		if (!json_append(array, isfinite(values[i]) ? cJSON_CreateNumber(values[i])
							    : cJSON_CreateNull())) {
			cJSON_Delete(array);
			return NULL;
		}
	return array;
}

static cJSON *interval_json(struct interval interval)
{
	const double ends[2] = { interval.low, interval.high };

	return numbers_json(ends, 2);
}

static double finite_or_none(double value)
{
	return isfinite(value) ? value : NAN;
}

static cJSON *confirmed_json(const struct confirmed *item)
{
	cJSON *object = cJSON_CreateObject();
	const bool ok = json_add_code(object, "trial", item->trial > 0 ? item->trial : -1) &&
			json_add_item(object, "default", cJSON_CreateBool(item->is_default)) &&
			json_add_as_stored(object, "parameters", item->parameters) &&
			json_add_optional(object, "seen", finite_or_none(item->seen)) &&
			json_add_integer(object, "ended", (int64_t)item->ended) &&
			json_add_integer(object, "repeats", (int64_t)item->n) &&
			json_add_optional(object, "mean", finite_or_none(item->mean)) &&
			json_add_item(object, "interval", interval_json(item->interval)) &&
			json_add_optional(object, "deviation", finite_or_none(item->deviation)) &&
			json_add_optional(object, "optimism", finite_or_none(item->optimism)) &&
			json_add_item(object, "optimism_interval",
				interval_json(item->optimism_interval)) &&
			json_add_item(object, "values", numbers_json(item->values, item->n));

	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}

static cJSON *difference_json(bool is_there, const struct group_difference *difference)
{
	if (!is_there)
		return cJSON_CreateNull();
	cJSON *object = cJSON_CreateObject();
	if (json_add_number(object, "difference", difference->mean) &&
		json_add_item(object, "interval", interval_json(difference->interval)) &&
		json_add_number(object, "p_value", difference->p_value) &&
		json_add_item(
			object, "separated", cJSON_CreateBool(!holds_zero(difference->interval))))
		return object;
	cJSON_Delete(object);
	return NULL;
}

cJSON *confirmation_json(const struct report *report, const struct confirmation *confirmation)
{
	cJSON *object = cJSON_CreateObject(), *items = cJSON_CreateArray();
	struct text words = TEXT_EMPTY;
	bool ok = true;

	confirmation_words(confirmation, &words);
	for (size_t i = 0; ok && i < confirmation->n; i++)
		ok = json_append(items, confirmed_json(&confirmation->items[i]));
	ok = json_add_item(object, "configurations", items) && ok && !text_failed(&words) &&
	     json_add_string(object, "job", report->job.name) &&
	     json_add_string(object, "confirmation", confirmation->name) &&
	     json_add_string(object, "metric", confirmation->metric) &&
	     json_add_string(object, "goal", confirmation->maximize ? "maximize" : "minimize") &&
	     json_add_integer(object, "ended", (int64_t)confirmation->ended) &&
	     json_add_integer(object, "wanted", (int64_t)confirmation->wanted) &&
	     json_add_item(object, "other_code", cJSON_CreateBool(confirmation->other_code)) &&
	     json_add_item(object, "other_data", cJSON_CreateBool(confirmation->other_data)) &&
	     json_add_item(object, "second",
		     difference_json(confirmation->has_difference, &confirmation->difference)) &&
	     json_add_item(object, "default",
		     difference_json(confirmation->has_gain, &confirmation->gain)) &&
	     json_add_string(object, "words", words.bytes);
	text_finish(&words);
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}
