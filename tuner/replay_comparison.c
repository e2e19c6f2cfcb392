#include "tuner/replay_comparison.h"

#include "base/number.h"
#include "tuner/decision_notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct replay_difference replay_difference_of(
	int64_t trial, const char *field, const char *recorded, const char *recomputed)
{
	struct replay_difference ret = {
		.trial = trial, .maximised_recorded = NAN, .maximised_recomputed = NAN
	};
	snprintf(ret.field, sizeof(ret.field), "%.79s", field);
	snprintf(ret.recorded, sizeof(ret.recorded), "%.159s", recorded);
	snprintf(ret.recomputed, sizeof(ret.recomputed), "%.159s", recomputed);
	return ret;
}

static void differ(struct comparison *comparison, const char *field, const char *recorded,
	const char *recomputed)
{
	comparison->differs = true;
	comparison->difference =
		replay_difference_of(comparison->trial, field, recorded, recomputed);
}

/* Within `scale` times the tolerance, or, if exact, equal bits (the database has no -0.0). */
static bool is_same(const struct comparison *comparison, double a, double b, double scale)
{
	if (a == b || (isnan(a) && isnan(b)))
		return true;
	return !comparison->exact && fabs(a - b) <= REPLAY_TOLERANCE * scale;
}

static void compare_number(struct comparison *comparison, const char *field, double recorded,
	double recomputed, double scale)
{
	char texts[2][NUMBER_TEXT];
	if (!comparison->differs && !is_same(comparison, recorded, recomputed, scale))
		differ(comparison, field, number_from_double(recorded, texts[0]),
			number_from_double(recomputed, texts[1]));
}

static void compare_text(struct comparison *comparison, const char *field, const char *recorded,
	const char *recomputed)
{
	if (!comparison->differs && strcmp(recorded, recomputed) != 0)
		differ(comparison, field, recorded, recomputed);
}

static void compare_integer(
	struct comparison *comparison, const char *field, int64_t recorded, int64_t recomputed)
{
	char texts[2][32];
	if (comparison->differs || recorded == recomputed)
		return;
	snprintf(texts[0], sizeof(texts[0]), "%lld", (long long)recorded);
	snprintf(texts[1], sizeof(texts[1]), "%lld", (long long)recomputed);
	differ(comparison, field, texts[0], texts[1]);
}

/* On another machine the tolerance is a part of the range in its scale. Categories must be
 * equal. */
static bool is_same_value(
	const struct comparison *comparison, const struct parameter *parameter, double a, double b)
{
	if (is_same(comparison, a, b, 0))
		return true;
	return !comparison->exact && parameter->type != PARAMETER_CATEGORICAL && !isnan(a) &&
	       !isnan(b) &&
	       is_same(comparison, parameter_encode(parameter, a), parameter_encode(parameter, b),
		       1);
}

static void compare_values(struct comparison *comparison, const struct job_file *file,
	const struct trial *trial, const struct proposal *proposal)
{
	double values[SPACE_PARAMETERS_MAX];
	configuration_stored_values(file, proposal->values, values);
	for (size_t i = 0; i < file->space.d && !comparison->differs; i++) {
		const struct parameter *parameter = &file->space.parameters[i];
		char field[80], texts[2][NUMBER_TEXT];
		if (is_same_value(comparison, parameter, trial->values[i], values[i]))
			continue;
		snprintf(field, sizeof(field), "parameter %.60s", parameter->name);
		differ(comparison, field, number_from_double(trial->values[i], texts[0]),
			number_from_double(values[i], texts[1]));
	}
}

static void compare_hyperparameters(struct comparison *comparison, const struct decision *recorded,
	const struct decision *recomputed)
{
	compare_integer(comparison, "number of hyperparameters",
		(int64_t)recorded->n_hyperparameters, (int64_t)recomputed->n_hyperparameters);
	for (size_t i = 0; i < recorded->n_hyperparameters && !comparison->differs; i++) {
		char field[80];
		snprintf(field, sizeof(field), "hyperparameter %zu", i + 1);
		compare_number(comparison, field, recorded->hyperparameters[i],
			recomputed->hyperparameters[i], 1);
	}
}

/* NaN: older versions did not store it. */
static void compare_note(struct comparison *comparison, const char *field, double recorded,
	double recomputed, double scale)
{
	if (!isnan(recorded))
		compare_number(comparison, field, recorded, recomputed, scale);
}

static void compare_gains(struct comparison *comparison, const struct decision *recorded,
	const struct decision *recomputed, double scale)
{
	const struct decision_notes before = decision_notes_read(recorded->settings);
	const struct decision_notes now = decision_notes_read(recomputed->settings);

	/* Versions that did not store the prediction for gains stored this in another unit. */
	if (!isnan(before.gain_mean))
		compare_number(comparison, "acquisition", recorded->acquisition,
			recomputed->acquisition, 1);
	compare_note(comparison, "gain_mean", before.gain_mean, now.gain_mean, scale);
	compare_note(comparison, "gain_sd", before.gain_sd, now.gain_sd, scale);
	for (size_t i = 0; i < TRIAL_ALSO_MAX; i++) {
		const double own = fabs(before.means[i]) + before.sds[i];

		compare_note(comparison, "mean of a further objective", before.means[i],
			now.means[i], own);
		compare_note(
			comparison, "sd of a further objective", before.sds[i], now.sds[i], own);
	}
	for (size_t i = 0; i < SUGGEST_RELATED_MAX; i++)
		compare_note(comparison, "weight of a related job", before.related[i],
			now.related[i], 1);
	compare_number(comparison, "value_probability", before.value_probability,
		now.value_probability, 1);
	compare_number(comparison, "limits_probability", before.limits_probability,
		now.limits_probability, 1);
}

static double or_nothing(double value)
{
	return isnan(value) ? 0 : value;
}

/* In the user's unit: relative to the number's own size, or to the model's uncertainty. */
static double unit(const struct decision *decision)
{
	return or_nothing(fabs(decision->mean)) + or_nothing(fabs(decision->incumbent)) +
	       or_nothing(decision->sd);
}

/* On another machine a work limit may be reached an evaluation sooner or later. */
static void compare_effort(struct comparison *comparison, const struct decision *recorded,
	const struct decision *recomputed)
{
	compare_integer(
		comparison, "next_sequence", recorded->next_sequence, recomputed->next_sequence);
	if (comparison->exact)
		compare_integer(comparison, "work", recorded->work, recomputed->work);
}

void decision_compare(struct comparison *comparison, const struct job_file *file,
	const struct trial *trial, const struct decision *recorded, const struct proposal *proposal)
{
	const struct decision *recomputed = &proposal->decision;
	const double scale = unit(recorded);
	comparison->trial = trial->number;
	compare_text(comparison, "branch", recorded->branch, recomputed->branch);
	compare_text(comparison, "reason", recorded->reason, recomputed->reason);
	compare_values(comparison, file, trial, proposal);
	compare_hyperparameters(comparison, recorded, recomputed);
	compare_number(comparison, "mean", recorded->mean, recomputed->mean, scale);
	compare_number(comparison, "sd", recorded->sd, recomputed->sd, scale);
	compare_number(comparison, "incumbent", recorded->incumbent, recomputed->incumbent, scale);
	compare_gains(comparison, recorded, recomputed, scale);
	compare_effort(comparison, recorded, recomputed);
}
