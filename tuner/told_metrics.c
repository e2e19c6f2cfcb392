#include "tuner/told_metrics.h"

#include "tuner/objective.h"
#include "tuner/text_width.h"

#include <math.h>
#include <string.h>

static const struct told_metric *find(const struct told_metrics *metrics, const char *name)
{
	for (size_t i = 0; i < metrics->n; i++)
		if (strcmp(metrics->items[i].name, name) == 0)
			return &metrics->items[i];
	return NULL;
}

bool told_metrics_add(
	struct told_metrics *metrics, const char *name, double value, struct tuner_error *err)
{
	if (find(metrics, name) != NULL)
		return tuner_fail(err, TUNER_USAGE, "the metric \"%.100s\" is told twice", name);
	if (metrics->n == OBJECTIVE_METRICS_MAX)
		return tuner_fail(err, TUNER_USAGE, "more than %d metrics", OBJECTIVE_METRICS_MAX);
	metrics->items[metrics->n++] = (struct told_metric){ name, value };
	return true;
}

/* The value is that of the objective's metric, unless a formula makes it. */
static bool stands_for(const struct job_objective *objective, size_t i)
{
	return objective->formula == NULL && i == 0;
}

/* Whether it must be told: a limit or a further objective names it, and the value does not stand
 * for it. */
static bool is_needed(const struct job_objective *objective, size_t i)
{
	return i < objective->n && !stands_for(objective, i) &&
	       (objective_limits_name(objective, i) || objective_also_names(objective, i));
}

static bool fail_unneeded(
	const char *name, const struct job_objective *objective, struct tuner_error *err)
{
	struct text needed = TEXT_EMPTY;

	for (size_t i = 0; i < objective->n; i++)
		if (is_needed(objective, i)) {
			text_add(&needed, needed.length > 0 ? ", " : "; it needs ");
			text_add_visible(&needed, objective->metrics[i].name);
		}
	tuner_fail(err, TUNER_USAGE, "the job does not need the metric \"%.100s\"%.400s", name,
		text_failed(&needed) || needed.length == 0 ? "" : needed.bytes);
	text_finish(&needed);
	return false;
}

static bool check_names(const struct told_metrics *metrics, const struct job_objective *objective,
	struct tuner_error *err)
{
	for (size_t k = 0; k < metrics->n; k++)
		if (!is_needed(objective, objective_find(objective, metrics->items[k].name)))
			return fail_unneeded(metrics->items[k].name, objective, err);
	return true;
}

bool told_metrics_judge(const struct told_metrics *metrics, const struct job_file *file,
	double value, struct judgement *ret, struct tuner_error *err)
{
	const struct job_objective *objective = &file->objective;
	double numbers[OBJECTIVE_METRICS_MAX];

	*ret = (struct judgement){ 0 };
	if (!check_names(metrics, objective, err))
		return false;
	for (size_t i = 0; i < objective->n; i++) {
		const struct told_metric *told = find(metrics, objective->metrics[i].name);

		numbers[i] = told != NULL ? told->value : stands_for(objective, i) ? value : NAN;
		if (told == NULL && is_needed(objective, i))
			return tuner_fail(err, TUNER_USAGE,
				"the job's %s need the metric \"%.100s\" beside the value: "
				"\"metrics\": {\"%.100s\": NUMBER} in ask-tell, --metric "
				"%.100s=NUMBER "
				"in tell",
				objective_limits_name(objective, i) ? "limits"
								    : "further objectives",
				objective->metrics[i].name, objective->metrics[i].name,
				objective->metrics[i].name);
	}
	if (!isnan(value))
		*ret = objective_judgement_of(objective, numbers, value);
	return true;
}

size_t told_metrics_rows(
	const struct told_metrics *metrics, int64_t step, int64_t now_us, struct metric_row *ret)
{
	for (size_t i = 0; i < metrics->n; i++)
		ret[i] = (struct metric_row){ metrics->items[i].name, step, metrics->items[i].value,
			now_us };
	return metrics->n;
}
