#include "tuner/explanation.h"

#include "trials/rescore.h"

#include "surrogate/kernel.h"
#include "surrogate/model_data.h"
#include "surrogate/prior.h"
#include "surrogate/transform.h"
#include "tuner/decision_noise.h"
#include "tuner/decision_notes.h"
#include "tuner/front.h"
#include "tuner/warm_start.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void explanation_finish(struct explanation *e)
{
	job_file_destroy(e->file);
	goals_finish(&e->goals);
	free(e->metric);
	trial_list_finish(&e->trials);
	free(e->memory);
	trial_finish(&e->trial);
	for (size_t i = 0; i < SUGGEST_RELATED_MAX; i++)
		free(e->related_names[i]);
	*e = (struct explanation){ 0 };
}

/* ---- what was maximised ---- */

static bool is_named(const cJSON *settings, const char *key, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(settings, key);
	return cJSON_IsString(item) && strcmp(item->valuestring, name) == 0;
}

/* Each objective has a model of its own, unless weights made them one. */
static size_t count_models(const struct explanation *e)
{
	const struct decision_notes notes = decision_notes_read(e->decision.settings);

	return isnan(notes.weights[0]) ? e->goals.n : 1;
}

/* A missing setting has its default: older versions knew nothing else. */
static void read_settings(struct explanation *e)
{
	cJSON *settings = cJSON_Parse(e->decision.settings);
	for (enum strategy_acquisition a = STRATEGY_EI; a <= STRATEGY_THOMPSON; a++)
		if (is_named(settings, "acquisition", strategy_acquisition_name(a)))
			e->acquisition = a;
	e->incumbent = STRATEGY_INCUMBENT_MEAN;
	for (enum strategy_incumbent i = STRATEGY_INCUMBENT_AUTO; i <= STRATEGY_INCUMBENT_AUGMENTED;
		i++)
		if (is_named(settings, "incumbent", strategy_incumbent_name(i)))
			e->incumbent = i;
	e->cost_aware = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(settings, "cost_aware"));
	cJSON_Delete(settings);
	e->is_augmented = strategy_incumbent_is_augmented(
		e->incumbent, decision_noise(&e->decision, count_models(e)));
}

/* ---- what had been seen ---- */

static bool was_seen(const struct explanation *e, const struct trial *trial)
{
	return trial->ended_event > 0 && trial->ended_event <= e->decision.seen;
}

static bool is_better(const struct explanation *e, double a, double b)
{
	return e->maximize ? a > b : a < b;
}

static void count_seen(struct explanation *e, const struct trial *trial)
{
	e->n_seen[trial->state]++;
	e->n_over += trial->outcome == OUTCOME_OVER_LIMIT;
	if (trial->state == TRIAL_DONE &&
		(e->best_seen == NULL || is_better(e, trial->objective, e->best_seen->objective)))
		e->best_seen = trial;
}

/* ---- the space that it was chosen from ---- */

static bool load_space(const struct report *report, struct explanation *e, struct tuner_error *err)
{
	char *definition = NULL;
	struct parameter_list parameters = { 0 };
	e->is_edited = e->trial.space_version != report->job.space_version;
	if (!job_space_version(
		    report->store, e->trial.space_version, &definition, &parameters, err))
		return false;
	const bool ok = job_file_restore(definition, NULL, &e->file, err);
	parameter_list_finish(&parameters);
	free(definition);
	if (!ok || e->file == NULL)
		return ok;
	for (size_t i = 0; i < e->file->space.d; i++)
		e->given[i] = NAN;
	columns_init(&e->columns, &e->file->space, e->given);
	return true;
}

/* Logarithms of a lengthscale by column, then of the noise's variance (surrogate/gp.h), for each
 * model. Another number of them belongs to another model, such as one with warped axes, whose
 * lengthscales are not distances in the cube. */
static void read_hyperparameters(struct explanation *e)
{
	const size_t models = count_models(e);
	const bool known =
		e->file != NULL && e->decision.n_hyperparameters == models * (e->columns.d + 1);

	e->noise_sd = NAN;
	e->n_models = known ? models : 0;
	/* Distances of several models are none. */
	if (e->n_models == 1)
		explanation_turn_to(e, 0);
}

void explanation_turn_to(struct explanation *e, size_t model)
{
	const double *theta = e->decision.hyperparameters + model * (e->columns.d + 1);

	for (size_t k = 0; k < e->columns.d; k++)
		e->lengthscales[k] = exp(theta[kernel_length_of(e->columns.kinds, k)]);
	e->n_lengthscales = e->columns.d;
	e->noise_sd = exp(theta[e->columns.d] / 2);
}

/* ---- the nearest trials ---- */

/* False if the trial does not have all parameters. */
static bool locate(const struct explanation *e, const struct trial *trial, double *ret_x,
	bool *ret_fits, struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX];
	struct tuner_error misfit = { TUNER_OK, "" };
	*ret_fits = configuration_parse(e->file, trial->parameters, true, values, &misfit) &&
		    columns_encode(&e->columns, values, ret_x);
	if (misfit.code == TUNER_OK)
		return true;
	*err = misfit;
	return tuner_fail_in(err, "trial %lld: ", (long long)trial->number);
}

static double distance_of(const struct explanation *e, const double *a, const double *b)
{
	double sum = 0;
	for (size_t k = 0; k < e->columns.d; k++) {
		const double apart =
			e->columns.kinds[k] == DIMENSION_CATEGORY ? a[k] != b[k] : a[k] - b[k];
		const double length = e->n_lengthscales > 0 ? e->lengthscales[k] : 1;
		sum += apart / length * (apart / length);
	}
	return sqrt(sum);
}

/* Inserts it into the list of the nearest, if it is one of them; an earlier trial stays before an
 * equally near one. */
static void insert(struct explanation *e, const struct neighbour *neighbour)
{
	size_t place = e->n_neighbours;
	if (place == NEIGHBOURS_MAX && !(neighbour->distance < e->neighbours[--place].distance))
		return;
	while (place > 0 && e->neighbours[place - 1].distance > neighbour->distance) {
		e->neighbours[place] = e->neighbours[place - 1];
		place--;
	}
	e->neighbours[place] = *neighbour;
	if (e->n_neighbours < NEIGHBOURS_MAX)
		e->n_neighbours++;
}

/* Takes in an earlier trial, if it has all the parameters. */
static bool look_at(struct explanation *e, const struct trial *trial, const double *here,
	struct tuner_error *err)
{
	double there[COLUMNS_MAX];
	bool fits = true;
	if (e->file != NULL && !locate(e, trial, there, &fits, err))
		return false;
	if (fits && was_seen(e, trial))
		count_seen(e, trial);
	if (e->file == NULL || e->columns.d == 0 || !fits)
		return true;
	const struct neighbour neighbour = { trial, distance_of(e, here, there),
		!was_seen(e, trial) };
	insert(e, &neighbour);
	return true;
}

static int by_id(const void *id, const void *trial)
{
	const int64_t a = *(const int64_t *)id, b = ((const struct trial *)trial)->id;
	return (a > b) - (a < b);
}

/* Trials put back since had ended then. Ids rise with numbers. */
static void put_ends_back(struct explanation *e, const struct reopening *reopenings, size_t n,
	const struct rescoring *rescorings, size_t n_rescorings)
{
	for (size_t i = 0; i < n; i++) {
		const struct reopening *reopening = &reopenings[i];
		struct trial *trial = bsearch(
			&reopening->trial_id, e->trials.items, e->trials.n, sizeof(*trial), by_id);
		if (trial == NULL || reopening->ended_event > e->decision.seen ||
			reopening->event <= e->decision.seen)
			continue;
		reopening_undo(reopening, trial);
		rescorings_undo(rescorings, n_rescorings, e->decision.objective_version,
			reopening->event, trial);
	}
}

/* Restores the trials as they were at the decision, with the decision's own objective, which may
 * have been another. */
static bool put_back(const struct report *report, struct explanation *e, struct tuner_error *err)
{
	const int64_t version = e->decision.objective_version;
	struct reopening *reopenings = NULL;
	struct rescoring *rescorings = NULL;
	char *definition = NULL;
	size_t n = 0, n_rescorings = 0;
	const bool ok =
		job_objective(report->store, version, &e->metric, &e->maximize, &definition, err) &&
		goals_read(e->metric, e->maximize, definition, &e->goals, err) &&
		trial_reopenings(report->store, report->job.id, &reopenings, &n, err) &&
		trial_rescorings(report->store, report->job.id, &rescorings, &n_rescorings, err);
	e->is_rescored = version != report->job.objective_version;
	if (!e->is_rescored)
		e->maximize = report->maximize;
	for (size_t i = 0; ok && e->is_rescored && i < e->trials.n; i++)
		rescorings_undo(rescorings, n_rescorings, version, 0, &e->trials.items[i]);
	if (ok) {
		rescorings_undo(rescorings, n_rescorings, version, 0, &e->trial);
		put_ends_back(e, reopenings, n, rescorings, n_rescorings);
	}
	free(definition);
	free(reopenings);
	free(rescorings);
	return ok;
}

/* A user who gave every parameter expected that configuration. */
static bool weigh(struct explanation *e, struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX];

	e->prior_density = NAN;
	if (e->file == NULL || !space_has_priors(&e->file->space) ||
		strcmp(e->decision.branch, branch_name(BRANCH_USER)) == 0)
		return true;
	if (!configuration_parse(e->file, e->trial.parameters, true, values, err))
		return false;
	e->prior_density = space_prior_density(&e->file->space, values);
	return true;
}

static bool look_back(struct explanation *e, struct tuner_error *err)
{
	double here[COLUMNS_MAX] = { 0 };
	bool fits;
	if (e->file != NULL && !locate(e, &e->trial, here, &fits, err))
		return false;
	for (size_t i = 0; i < e->trials.n; i++) {
		const struct trial *trial = &e->trials.items[i];
		if (trial->number >= e->trial.number)
			continue;
		if (!look_at(e, trial, here, err))
			return false;
		if (e->decision.start > 0 && trial->id == e->decision.start)
			e->start = trial;
	}
	return true;
}

/* ---- hopes and what became of them ---- */

/* Older versions stored only the prediction. */
static double or_else(double value, double otherwise)
{
	return isnan(value) ? otherwise : value;
}

static size_t seen_objectives(const struct explanation *e, double *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < e->trials.n; i++) {
		const struct trial *trial = &e->trials.items[i];
		if (trial->number < e->trial.number && was_seen(e, trial) &&
			trial->state == TRIAL_DONE)
			ret[n++] = e->maximize ? -trial->objective : trial->objective;
	}
	return n;
}

/* Standard deviation of the model's noise, in the objective's unit; with noise the model uses the
 * results winsorised, without bad outliers (model_data.h). 0 without noise. */
static bool noise_of(const struct explanation *e, double *ret, struct tuner_error *err)
{
	const double variance = decision_noise(&e->decision, count_models(e));
	double *objectives = calloc(e->trials.n + 1, sizeof(*objectives));
	struct transform *transform = NULL;

	*ret = 0;
	if (objectives == NULL)
		return tuner_fail_memory(err);
	const bool ok = !(variance > MODEL_DATA_NOISY) ||
			transform_create(TRANSFORM_WINSOR, objectives, NULL,
				seen_objectives(e, objectives), &transform, err);
	if (transform != NULL)
		*ret = sqrt(variance) * transform_slope(transform, -1, 1);
	transform_destroy(transform);
	free(objectives);
	return ok;
}

double explanation_objective(const struct explanation *e)
{
	return !trial_is_measured(&e->trial)  ? NAN
	       : e->trial.state == TRIAL_DONE ? e->trial.objective
					      : e->trial.judgement.objective;
}

static bool compare(struct explanation *e, struct tuner_error *err)
{
	const struct decision *d = &e->decision;
	const double sign = e->maximize ? -1 : 1;
	const double objective = explanation_objective(e);
	const bool uncertain = d->sd > 0;
	double noise;

	if (!noise_of(e, &noise, err))
		return false;
	const struct decision_notes notes = decision_notes_read(d->settings);
	const double mean = or_else(notes.gain_mean, d->mean), sd = or_else(notes.gain_sd, d->sd);
	e->value_probability = notes.value_probability;
	e->limits_probability = notes.limits_probability;
	memcpy(e->weights, notes.weights, sizeof(e->weights));
	memcpy(e->related, notes.related, sizeof(e->related));
	memcpy(e->other_means, notes.means, sizeof(e->other_means));
	memcpy(e->other_sds, notes.sds, sizeof(e->other_sds));
	e->z = uncertain ? (objective - d->mean) / d->sd : NAN;
	e->z_with_noise = uncertain ? (objective - d->mean) / hypot(d->sd, noise) : NAN;
	e->expected_improvement = exp(d->acquisition);
	e->probability = sd > 0 ? erfc(sign * (mean - d->incumbent) / sd * M_SQRT1_2) / 2 : NAN;
	e->improvement = e->trial.state == TRIAL_DONE ? sign * (d->incumbent - objective) : NAN;
	return true;
}

bool explanation_load(const struct report *report, const char *trial, struct explanation *ret,
	struct tuner_error *err)
{
	*ret = (struct explanation){ .maximize = report->maximize };
	if (!report_trial(report, trial, &ret->trial, err))
		return false;
	const struct trial_filter all = {
		.job_id = report->job.id,
		.arm = ret->trial.arm, /* which knew of no others */
		.repeat = ret->trial.repeat,
		.without_values = true,
	};
	if (!front_holds(report, ret->trial.number, &ret->is_best, err) ||
		!decision_load(report->store, ret->trial.id, &ret->decision, &ret->memory, err) ||
		!trial_select(report->store, &all, &ret->trials, err) ||
		!put_back(report, ret, err) || !load_space(report, ret, err))
		goto fail;
	read_settings(ret);
	read_hyperparameters(ret);
	if (!weigh(ret, err) || !look_back(ret, err) || !compare(ret, err) ||
		!warm_start_related(report->store, report->job.id, ret->related_names,
			SUGGEST_RELATED_MAX, err))
		goto fail;
	return true;
fail:
	explanation_finish(ret);
	return false;
}

/* ---- in words ---- */

/* Indexed by whether durations count, and whether noise does. */
static const char *const ei_words[2][2] = {
	{ "the model chose it: nowhere else did it expect a larger improvement",
		"the model chose it: nowhere else did it expect a larger improvement that a noisy "
		"trial would reveal" },
	{ "the model chose it: nowhere else did it expect a larger improvement for the time the "
	  "trial takes",
		"the model chose it: nowhere else did it expect a larger improvement that a noisy "
		"trial would reveal, for the time the trial takes" },
};

static const char *model_words(const struct explanation *e)
{
	switch (e->acquisition) {
	case STRATEGY_UCB:
		return "the model chose it: nowhere else did its confidence bound allow for a "
		       "better objective";
	case STRATEGY_THOMPSON:
		return "the model chose it: it was the best in one function, drawn from those that "
		       "it held possible";
	default:
		if (e->weights[0] > 0)
			return "the model chose it: nowhere else did it expect a larger "
			       "improvement of the objectives as weighed this time";
		if (e->goals.n > 1)
			return "the model chose it: nowhere else did it expect a trial to add more "
			       "to what the Pareto front surpasses";
		return ei_words[e->cost_aware][e->is_augmented];
	}
}

const char *explanation_incumbent(const struct explanation *e)
{
	switch (e->incumbent) {
	case STRATEGY_INCUMBENT_BEST:
		return "the best result";
	case STRATEGY_INCUMBENT_NOISY:
		return "the best in the functions that the model held possible, on average";
	default:
		return "the best by the model";
	}
}

/* A decision of the design that took nothing from the quasi-random sequence. */
static bool is_of_related(const struct explanation *e)
{
	return e->related_names[0] != NULL && e->decision.next_sequence == e->decision.sequence;
}

const char *explanation_branch(const struct explanation *e)
{
	const struct {
		enum branch branch;
		const char *words;
	} all[] = {
		{ BRANCH_USER, "it was asked for: every parameter was given" },
		{ BRANCH_RANDOM, "it was drawn at random" },
		{ BRANCH_SOBOL,
			isnan(e->prior_density)
				? "it is the next point of a quasi-random sequence, which "
				  "fills the space evenly"
				: "it is the next point of a quasi-random sequence, half of "
				  "which fills the space evenly, and half follows the priors" },
		{ BRANCH_GRID, "it is a point of the grid" },
		{ BRANCH_DESIGN, is_of_related(e)
					 ? "it was among the best of related earlier jobs"
					 : "it belongs to the initial design: quasi-random points, "
					   "to have something for a model to learn from" },
		{ BRANCH_MODEL, model_words(e) },
		{ BRANCH_FALLBACK, "it is a quasi-random point, taken in place of the model's" },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strcmp(branch_name(all[i].branch), e->decision.branch) == 0)
			return all[i].words;
	return "this version does not know that kind of decision";
}

/* sqrt(2 (1 - k)), with k the correlation over the whole range. */
double explanation_change(const struct explanation *e, size_t column)
{
	const double inverse_length = 1 / e->lengthscales[column];
	const enum dimension_kind numeric = DIMENSION_NUMERIC;
	const struct kernel kernel = { 1, &numeric, &inverse_length };
	const double start[KERNEL_LANES] = { 0 };
	double correlation[KERNEL_LANES];
	kernel_row(&kernel, start, KERNEL_LANES, 1, &inverse_length, correlation, NULL);
	return sqrt(2 * (1 - correlation[0]));
}

const char *explanation_matters(double change)
{
	return change >= 1     ? "matters"
	       : change >= .3  ? "matters a little"
	       : change >= .05 ? "hardly matters"
			       : "irrelevant";
}

void explanation_length(const struct explanation *e, size_t column, struct text *ret)
{
	const struct parameter *p = &e->file->space.parameters[e->columns.parameter[column]];
	const double length = e->lengthscales[column];
	/* The part of the cube's side that the bounds span: less than all of it with a lattice. */
	const double side =
		p->n_values > 0 ? 1 : parameter_encode(p, p->max) - parameter_encode(p, p->min);
	if (p->type == PARAMETER_CATEGORICAL)
		text_add(ret, "-");
	else if (length >= side)
		text_add(ret, "beyond its range");
	else if (p->type == PARAMETER_ORDINAL)
		text_print(ret, "%.2g of its values", length * (double)p->n_values);
	else if (p->scale == SCALE_LOG)
		text_print(ret, "a factor of %.3g", pow(p->max / p->min, length / side));
	else if (p->scale == SCALE_REVERSE_LOG)
		text_print(ret, "a factor of %.3g in the distance to 1",
			pow((1 - p->min) / (1 - p->max), length / side));
	else
		text_print(ret, "%.3g", (p->max - p->min) * length / side);
}
