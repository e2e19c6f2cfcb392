#include "tuner/command.h"

#include "base/number.h"
#include "tuner/explanation.h"
#include "tuner/objective.h"
#include "tuner/report_json.h"
#include "tuner/table.h"
#include "tuner/text_width.h"

#include <math.h>
#include <string.h>

/* Predicted sd beyond which a result is a surprise, and a great surprise. */
static const double SURPRISE = 2, GREAT_SURPRISE = 3;

static const double Z_IN_FULL = 1000; /* beyond, as 4.8e+300 */

static size_t n_seen(const struct explanation *e)
{
	return e->n_seen[TRIAL_DONE] + e->n_seen[TRIAL_FAILED] + e->n_seen[TRIAL_STOPPED];
}

static const char *distance_unit(const struct explanation *e)
{
	return e->n_lengthscales > 0 ? "lengthscales" : "sides of the unit cube";
}

/* ---- JSON ---- */

static cJSON *seen_json(const struct explanation *e)
{
	const struct trial *best = e->best_seen;
	cJSON *seen = cJSON_CreateObject();
	if (json_add_integer(seen, "event", e->decision.seen) &&
		json_add_integer(seen, "trials", (int64_t)n_seen(e)) &&
		json_add_integer(seen, "done", (int64_t)e->n_seen[TRIAL_DONE]) &&
		json_add_integer(seen, "failed", (int64_t)e->n_seen[TRIAL_FAILED]) &&
		json_add_integer(seen, "over_limit", (int64_t)e->n_over) &&
		json_add_integer(seen, "stopped", (int64_t)e->n_seen[TRIAL_STOPPED]) &&
		json_add_code(seen, "best_trial", best != NULL ? best->number : -1) &&
		json_add_optional(seen, "best_objective", best != NULL ? best->objective : NAN))
		return seen;
	cJSON_Delete(seen);
	return NULL;
}

static bool add_pending(cJSON *object, const struct decision *d)
{
	cJSON *pending = cJSON_AddArrayToObject(object, "pending_trials");
	bool ok = pending != NULL;
	for (size_t i = 0; ok && i < d->n_pending; i++)
		ok = json_append(pending, cJSON_CreateNumber((double)d->pending[i]));
	return ok;
}

static bool add_nearest(cJSON *object, const struct explanation *e)
{
	cJSON *nearest = cJSON_AddArrayToObject(object, "nearest");
	bool ok = nearest != NULL && json_add_string(object, "distance_unit", distance_unit(e));
	for (size_t i = 0; ok && i < e->n_neighbours; i++) {
		const struct neighbour *neighbour = &e->neighbours[i];
		cJSON *item = cJSON_CreateObject();
		ok = json_append(nearest, item) &&
		     json_add_integer(item, "trial", neighbour->trial->number) &&
		     json_add_number(item, "distance", neighbour->distance) &&
		     json_add_string(item, "state", trial_state_name(neighbour->trial->state)) &&
		     json_add_optional(item, "objective", neighbour->trial->objective) &&
		     cJSON_AddBoolToObject(item, "under_way", neighbour->under_way) != NULL;
	}
	return ok;
}

/* null where one model was of all objectives. */
static bool add_objective(cJSON *item, const struct explanation *e, size_t model)
{
	return e->n_models == e->goals.n
		       ? json_add_string(item, "objective", e->goals.items[model].name)
		       : cJSON_AddNullToObject(item, "objective") != NULL;
}

static bool add_lengthscales_of(cJSON *array, const struct explanation *e, size_t model)
{
	bool ok = true;
	for (size_t k = 0; ok && k < e->n_lengthscales; k++) {
		if (e->columns.kinds[k] == DIMENSION_COMPANION)
			continue;
		const double change = explanation_change(e, k);
		struct text length = TEXT_EMPTY;
		cJSON *item = cJSON_CreateObject();
		explanation_length(e, k, &length);
		ok = json_append(array, item) && add_objective(item, e, model) &&
		     json_add_string(item, "parameter",
			     e->file->space.parameters[e->columns.parameter[k]].name) &&
		     json_add_number(item, "lengthscale", e->lengthscales[k]) &&
		     json_add_string(item, "length", length.bytes) &&
		     json_add_number(item, "change", change) &&
		     json_add_string(item, "verdict", explanation_matters(change));
		text_finish(&length);
	}
	return ok;
}

static bool add_lengthscales(cJSON *object, struct explanation *e)
{
	cJSON *lengthscales = cJSON_AddArrayToObject(object, "lengthscales");
	bool ok = lengthscales != NULL && json_add_optional(object, "noise_sd", e->noise_sd);
	for (size_t model = 0; ok && model < e->n_models; model++) {
		explanation_turn_to(e, model);
		ok = add_lengthscales_of(lengthscales, e, model);
	}
	return ok;
}

/* null with one objective, and without a model. */
static bool add_weights(cJSON *object, const struct explanation *e)
{
	if (!(e->weights[0] > 0))
		return cJSON_AddNullToObject(object, "weights") != NULL;

	cJSON *weights = cJSON_AddArrayToObject(object, "weights");
	bool ok = weights != NULL;
	for (size_t i = 0; ok && i < e->goals.n; i++)
		ok = json_append_number(weights, e->weights[i]);
	return ok;
}

/* null without related jobs. */
static bool add_related(cJSON *object, const struct explanation *e)
{
	if (e->related_names[0] == NULL)
		return cJSON_AddNullToObject(object, "related") != NULL;

	cJSON *related = cJSON_AddArrayToObject(object, "related");
	bool ok = related != NULL;
	for (size_t i = 0; ok && i < SUGGEST_RELATED_MAX && e->related_names[i] != NULL; i++) {
		cJSON *item = cJSON_CreateObject();
		ok = json_append(related, item) &&
		     json_add_string(item, "job", e->related_names[i]) &&
		     json_add_optional(item, "probability", e->related[i]);
	}
	return ok;
}

/* The predictions of further objectives; null without any. */
static bool add_also(cJSON *object, const struct explanation *e)
{
	if (e->goals.n < 2 || isnan(e->other_means[0]))
		return cJSON_AddNullToObject(object, "predicted_also") != NULL;

	cJSON *also = cJSON_AddArrayToObject(object, "predicted_also");
	bool ok = also != NULL;
	for (size_t i = 1; ok && i < e->goals.n; i++) {
		cJSON *item = cJSON_CreateObject();
		ok = json_append(also, item) &&
		     json_add_string(item, "name", e->goals.items[i].name) &&
		     json_add_optional(item, "mean", e->other_means[i - 1]) &&
		     json_add_optional(item, "sd", e->other_sds[i - 1]);
	}
	return ok;
}

static bool add_model(cJSON *object, const struct explanation *e)
{
	const struct decision *d = &e->decision;
	return json_add_optional(object, "predicted_mean", d->mean) &&
	       json_add_optional(object, "predicted_sd", d->sd) &&
	       json_add_optional(object, "z", e->z) &&
	       json_add_optional(object, "incumbent", d->incumbent) &&
	       json_add_optional(object, "z_with_noise", e->z_with_noise) &&
	       json_add_optional(object, "value_probability", e->value_probability) &&
	       json_add_optional(object, "limits_probability", e->limits_probability) &&
	       add_weights(object, e) && add_also(object, e) && add_related(object, e) &&
	       json_add_optional(object, "expected_improvement", e->expected_improvement) &&
	       json_add_optional(object, "probability_of_improvement", e->probability) &&
	       json_add_optional(object, "improvement", e->improvement);
}

static bool fill(cJSON *object, const struct report *report, struct explanation *e)
{
	const struct trial *trial = &e->trial;
	const struct decision *d = &e->decision;
	return json_add_integer(object, "trial", trial->number) &&
	       json_add_string(object, "job", report->job.name) &&
	       json_add_string(object, "state", trial_state_name(trial->state)) &&
	       json_add_as_stored(object, "parameters", trial->parameters) &&
	       json_add_string(object, "metric", e->metric) &&
	       json_add_optional(object, "objective", trial->objective) &&
	       json_add_string(object, "source", trial->source) &&
	       json_add_string(object, "strategy", d->strategy) &&
	       json_add_string(object, "branch", d->branch) &&
	       json_add_string(object, "because", explanation_branch(e)) &&
	       json_add_string(object, "reason", d->reason) &&
	       json_add_optional(object, "prior_density", e->prior_density) &&
	       json_add_item(object, "seen", seen_json(e)) && add_pending(object, d) &&
	       add_model(object, e) && add_nearest(object, e) && add_lengthscales(object, e) &&
	       cJSON_AddBoolToObject(object, "space_edited_since", e->is_edited) != NULL &&
	       json_add_code(object, "start_trial", e->start != NULL ? e->start->number : -1) &&
	       json_add_integer(object, "work", d->work) &&
	       json_add_integer(object, "work_limit", d->work_limit) &&
	       json_add_duration(object, "took_s", d->took_us);
}

static bool print_json(const struct report *report, struct explanation *e, struct tuner_error *err)
{
	cJSON *object = cJSON_CreateObject();
	if (fill(object, report, e))
		return json_out(object, err);
	cJSON_Delete(object);
	return tuner_fail_memory(err);
}

/* ---- text ---- */

static void add_head(const struct report *report, const struct explanation *e, struct text *out)
{
	const struct trial *trial = &e->trial;
	struct text parameters = TEXT_EMPTY;
	text_print(out, "trial %lld of job %s: %s", (long long)trial->number, report->job.name,
		trial_state_name(trial->state));
	for (size_t i = 0; trial->state == TRIAL_DONE && i < e->goals.n; i++)
		text_print(out, ", %s = %.6g", e->goals.items[i].name, goals_value(trial, i));
	if (trial->state == TRIAL_DONE && e->is_best)
		text_print(out, "%s%s",
			report->goals.n > 1 ? ", on the Pareto front" : ", the best",
			e->is_rescored ? " by the present objective" : "");
	if (trial->outcome == OUTCOME_OVER_LIMIT) {
		text_add(out, ", over a limit: ");
		text_add_visible(out, trial->message);
	}
	trial_text(trial, &parameters);
	text_add(out, "\n  ");
	text_add_visible(out, parameters.bytes);
	text_add(out, "\n");
	text_finish(&parameters);
}

static void add_branch(const struct explanation *e, struct text *out)
{
	const struct decision *d = &e->decision;
	text_print(out, "\n%s\n", explanation_branch(e));
	if (d->reason[0] != '\0') {
		text_add(out, "  because ");
		text_add_visible(out, d->reason);
		text_add(out, "\n");
	}
	if (strcmp(e->trial.source, "added") == 0) {
		text_add(out, "  observed elsewhere: ");
		text_add_visible(
			out, e->trial.message[0] != '\0' ? e->trial.message : "a caller told it");
		text_add(out, "\n");
	} else if (strcmp(e->trial.source, "strategy") != 0) {
		text_print(out, "  asked for by \"%s\"%s\n", e->trial.source,
			strcmp(d->branch, branch_name(BRANCH_USER)) == 0
				? ""
				: ", which left some parameters to the strategy");
	}
	if (!isnan(e->prior_density))
		text_print(out, "  %s it is %.3g times as likely to be good as an even draw\n",
			strcmp(e->decision.branch, branch_name(BRANCH_MODEL)) == 0
				? "weighed with the priors, by which"
				: "by the priors",
			e->prior_density);
	if (e->is_edited)
		text_add(out, "  among parameters that have been edited since\n");
	if (e->is_rescored)
		text_add(out,
			"  by an objective that has been changed since, like all values here\n");
}

static void add_seen(const struct report *report, const struct explanation *e, struct text *out)
{
	const struct decision *d = &e->decision;
	if (n_seen(e) == 0)
		text_add(out, "  no result was known");
	else
		text_print(out, "  results known: %zu", n_seen(e));
	if (e->n_seen[TRIAL_FAILED] > e->n_over)
		text_print(out, ", %zu of them failed", e->n_seen[TRIAL_FAILED] - e->n_over);
	if (e->n_over > 0)
		text_print(out, ", %zu of them over a limit", e->n_over);
	if (e->best_seen != NULL && e->goals.n == 1)
		text_print(out, ", the best %s = %.6g of trial %lld", e->metric,
			e->best_seen->objective, (long long)e->best_seen->number);
	text_add(out, "\n");
	for (size_t i = 0; i < d->n_pending; i++)
		text_print(out, "%s%lld%s",
			i > 0 ? ", " : "  under way: ", (long long)d->pending[i],
			i + 1 == d->n_pending ? "\n" : "");
}

/* z covers only the model's uncertainty of the objective, but a result also has noise: with a noisy
 * model two in five trials would be surprises. */
static const char *surprise(const struct explanation *e)
{
	const double z = fabs(e->z_with_noise);

	return fabs(e->z) <= SURPRISE ? ": as predicted"
	       : z <= SURPRISE        ? ", which may be noise"
	       : z <= GREAT_SURPRISE  ? ": a surprise"
				      : ": a great surprise";
}

/* Several objectives are one for the model, each time another one. */
static void add_weighing(const struct explanation *e, struct text *out)
{
	if (!(e->weights[0] > 0))
		return;
	text_add(out, "  weighed:");
	for (size_t i = 0; i < e->goals.n; i++) {
		text_print(out, "%s ", i > 0 ? "," : "");
		text_add_visible(out, e->goals.items[i].name);
		text_print(out, " %.2f", e->weights[i]);
	}
	text_add(out, "; every suggestion draws other weights, so that all together follow the "
		      "front\n");
}

static void add_other_predictions(const struct explanation *e, struct text *out)
{
	for (size_t i = 1; i < e->goals.n && !isnan(e->other_means[i - 1]); i++) {
		const double value = goals_value(&e->trial, i);
		text_add(out, "  predicted ");
		text_add_visible(out, objective_label_of(i, e->goals.items[i].name));
		text_print(out, " %.6g ± %.2g", e->other_means[i - 1], e->other_sds[i - 1]);
		if (!isnan(value))
			text_print(out, "; the result was %.6g, %+.1f of them away", value,
				(value - e->other_means[i - 1]) / e->other_sds[i - 1]);
		text_add(out, "\n");
	}
}

/* Only where there was a model to ask. */
static void add_related_lines(const struct explanation *e, struct text *out)
{
	double none = 1;
	bool any = false;
	for (size_t i = 0; i < SUGGEST_RELATED_MAX && e->related_names[i] != NULL; i++) {
		if (isnan(e->related[i]))
			continue;
		text_print(out, "  %s ", any ? "              " : "related to it:");
		text_add_visible(out, e->related_names[i]);
		text_print(out, ", with probability %.2f by the results then\n", e->related[i]);
		none -= e->related[i];
		any = true;
	}
	if (any)
		text_print(out, "                 none of them: %.2f\n", fmax(none, 0));
}

static void add_hopes(const struct explanation *e, struct text *out)
{
	const struct decision *d = &e->decision;
	add_weighing(e, out);
	add_related_lines(e, out);
	if (isnan(d->mean))
		return;
	text_add(out, "  predicted ");
	if (e->goals.n > 1) {
		text_add_visible(out, objective_label(e->metric));
		text_add_char(out, ' ');
	}
	text_print(out, "%.6g ± %.2g (one standard deviation, without noise)", d->mean, d->sd);
	if (!isnan(e->z))
		text_print(out,
			fabs(e->z) < Z_IN_FULL ? "; the result was %.6g, %+.1f of them away%s"
					       : "; the result was %.6g, %+.2g of them away%s",
			explanation_objective(e), e->z, surprise(e));
	text_add(out, "\n");
	add_other_predictions(e, out);
	if (!isnan(e->value_probability))
		text_print(out,
			"  it would give a value with probability %.2f; a failure gains nothing\n",
			e->value_probability);
	if (!isnan(e->limits_probability))
		text_print(out,
			"  it would keep the limits with probability %.2f; over one it gains "
			"nothing\n",
			e->limits_probability);
	if (!isnan(e->limits_probability) && e->best_seen == NULL)
		text_add(out, "  no trial had kept the limits: that alone counted\n");
	if (isnan(e->expected_improvement) || isnan(e->probability))
		return;
	text_print(out, "  to improve on %.6g, %s; expected gain %.3g, probability %.2f",
		d->incumbent, explanation_incumbent(e), e->expected_improvement, e->probability);
	if (e->improvement == 0)
		text_add(out, "; no better");
	else if (!isnan(e->improvement))
		text_print(out, "; %s by %.3g", e->improvement > 0 ? "better" : "worse",
			fabs(e->improvement));
	text_add(out, "\n");
}

static void add_effort(const struct explanation *e, struct text *out)
{
	const struct decision *d = &e->decision;
	char took[NUMBER_TEXT];
	text_print(out, "  decided in %s", number_from_duration_us(d->took_us, took));
	if (d->work > 0)
		text_print(out, ", %lld evaluations", (long long)d->work);
	if (d->work > 0 && d->work_limit > 0)
		text_print(out, " of at most %lld", (long long)d->work_limit);
	if (e->start != NULL)
		text_print(out, ", from the hyperparameters of trial %lld",
			(long long)e->start->number);
	text_add(out, "\n");
}

static bool print_head(
	const struct report *report, const struct explanation *e, struct tuner_error *err)
{
	struct text out = TEXT_EMPTY;
	add_head(report, e, &out);
	add_branch(e, &out);
	add_seen(report, e, &out);
	add_hopes(e, &out);
	add_effort(e, &out);
	return lines_out(&out, err);
}

static void add_neighbour(struct table *table, const struct neighbour *neighbour)
{
	const struct trial *trial = neighbour->trial;
	struct text parameters = TEXT_EMPTY;
	trial_text(trial, &parameters);
	table_add(table, "  %lld", (long long)trial->number);
	table_add(table, "%.3g", neighbour->distance);
	if (isnan(trial->objective))
		table_add(table, "%s", trial_state_name(trial->state));
	else
		table_add(table, "%.6g", trial->objective);
	table_add(table, "%s", neighbour->under_way ? "not known then" : "");
	table_add(table, "%s", parameters.bytes);
	text_finish(&parameters);
}

static bool print_neighbours(const struct invocation *call, const struct report *report,
	const struct explanation *e, struct tuner_error *err)
{
	struct text metric = TEXT_EMPTY, title = TEXT_EMPTY;
	text_print(&metric, "-%s", objective_label(e->metric));
	const char *columns[] = { "  trial", "-distance", metric.bytes, "", "parameters" };
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < e->n_neighbours; i++)
		add_neighbour(table, &e->neighbours[i]);
	text_print(&title, "\nnearest earlier trials, in %s\n", distance_unit(e));
	const bool ok = lines_out(&title, err) &&
			table_print(table, table_width(), call->color, stdout, err);
	table_destroy(table);
	text_finish(&metric);
	return ok;
}

static void add_lengthscale(struct table *table, const struct explanation *e, size_t column)
{
	const double change = explanation_change(e, column);
	struct text length = TEXT_EMPTY;
	explanation_length(e, column, &length);
	table_add(table, "  %s", e->file->space.parameters[e->columns.parameter[column]].name);
	table_add(table, "%s", explanation_matters(change));
	table_add(table, "%.2f", change);
	table_add(table, "%.3g", e->lengthscales[column]);
	table_add(table, "%s", length.bytes);
	text_finish(&length);
}

static bool print_lengthscales(const struct invocation *call, const struct explanation *e,
	size_t model, struct tuner_error *err)
{
	static const char *const columns[] = { "  parameter", "", "-change", "-lengthscale",
		"which is" };
	struct text title = TEXT_EMPTY, note = TEXT_EMPTY;
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	for (size_t k = 0; k < e->n_lengthscales; k++)
		if (e->columns.kinds[k] != DIMENSION_COMPANION)
			add_lengthscale(table, e, k);
	text_add(&title, "\nwhat the model ");
	if (e->n_models > 1) {
		text_add(&title, "of ");
		text_add_visible(&title, objective_label_of(model, e->goals.items[model].name));
		text_add_char(&title, ' ');
	}
	text_add(&title, "believed of the parameters\n");
	text_print(&note,
		"  (change: across its whole range, and noise, here %.2g: standard deviations, "
		"where all results have 1; a lengthscale is a part of the range in its scale)\n",
		e->noise_sd);
	const bool ok = lines_out(&title, err) &&
			table_print(table, table_width(), call->color, stdout, err) &&
			lines_out(&note, err);
	table_destroy(table);
	text_finish(&title);
	text_finish(&note);
	return ok;
}

static bool print(const struct invocation *call, const struct report *report, struct explanation *e,
	struct tuner_error *err)
{
	bool ok = print_head(report, e, err) &&
		  (e->n_neighbours == 0 || print_neighbours(call, report, e, err));
	for (size_t model = 0; ok && model < e->n_models; model++) {
		explanation_turn_to(e, model);
		ok = print_lengthscales(call, e, model, err);
	}
	return ok;
}

int cmd_why(const struct invocation *call, struct tuner_error *err)
{
	struct report report = { 0 };
	struct explanation explanation = { 0 };
	const char *job, *trial;
	report_arguments(call, &job, &trial);
	bool ok = report_open(call, job, &report, err) &&
		  explanation_load(&report, trial, &explanation, err);
	if (ok)
		ok = call->json ? print_json(&report, &explanation, err)
				: print(call, &report, &explanation, err);
	explanation_finish(&explanation);
	report_close(&report);
	return ok ? EXIT_DONE : -1;
}
