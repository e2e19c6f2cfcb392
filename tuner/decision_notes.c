#include "tuner/decision_notes.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* In the order in which they stand. */
static const struct note {
	const char *name;
	size_t offset;
} rows[] = {
	{ "gain_mean", offsetof(struct decision_notes, gain_mean) },
	{ "gain_sd", offsetof(struct decision_notes, gain_sd) },
	{ "value_probability", offsetof(struct decision_notes, value_probability) },
	{ "limits_probability", offsetof(struct decision_notes, limits_probability) },
	{ "weight_1", offsetof(struct decision_notes, weights[0]) },
	{ "weight_2", offsetof(struct decision_notes, weights[1]) },
	{ "weight_3", offsetof(struct decision_notes, weights[2]) },
	{ "weight_4", offsetof(struct decision_notes, weights[3]) },
	{ "mean_2", offsetof(struct decision_notes, means[0]) },
	{ "sd_2", offsetof(struct decision_notes, sds[0]) },
	{ "mean_3", offsetof(struct decision_notes, means[1]) },
	{ "sd_3", offsetof(struct decision_notes, sds[1]) },
	{ "mean_4", offsetof(struct decision_notes, means[2]) },
	{ "sd_4", offsetof(struct decision_notes, sds[2]) },
	{ "related_1", offsetof(struct decision_notes, related[0]) },
	{ "related_2", offsetof(struct decision_notes, related[1]) },
	{ "related_3", offsetof(struct decision_notes, related[2]) },
	{ "related_4", offsetof(struct decision_notes, related[3]) },
	{ "related_5", offsetof(struct decision_notes, related[4]) },
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

struct decision_notes decision_notes_of(
	const struct suggestion *suggestion, const struct job_file *file)
{
	struct decision_notes notes = { .gain_mean = file->maximize ? -suggestion->gain_mean
								    : suggestion->gain_mean,
		.gain_sd = suggestion->gain_sd,
		.value_probability = suggestion->value_probability,
		.limits_probability = suggestion->limits_probability };

	/* A weight of an objective that there is may be 0 only by an unlikely chance. */
	for (size_t i = 0; i <= TRIAL_ALSO_MAX; i++)
		notes.weights[i] = suggestion->weights[i] > 0 ? suggestion->weights[i] : NAN;
	for (size_t i = 0; i < SUGGEST_RELATED_MAX; i++)
		notes.related[i] = suggestion->related[i] > 0 ? suggestion->related[i] : NAN;
	for (size_t i = 0; i < TRIAL_ALSO_MAX; i++) {
		const double mean = i < file->objective.n_also ? suggestion->other_means[i] : NAN;

		notes.means[i] = file->objective.also[i].maximize ? -mean : mean;
		notes.sds[i] = isnan(mean) ? NAN : suggestion->other_sds[i];
	}
	return notes;
}

void decision_notes_add(const struct decision_notes *notes, struct text *ret)
{
	for (size_t i = 0; i < ROWS; i++) {
		const double value = *(const double *)((const char *)notes + rows[i].offset);
		if (isfinite(value))
			text_print(ret, ", \"%s\": %.17g", rows[i].name, value);
	}
}

struct decision_notes decision_notes_read(const char *settings)
{
	struct decision_notes notes;
	cJSON *object = cJSON_Parse(settings);
	for (size_t i = 0; i < ROWS; i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, rows[i].name);
		*(double *)((char *)&notes + rows[i].offset) =
			cJSON_IsNumber(item) ? item->valuedouble : NAN;
	}
	cJSON_Delete(object);
	return notes;
}

void decision_notes_remove(cJSON *settings)
{
	for (size_t i = 0; i < ROWS; i++)
		cJSON_DeleteItemFromObjectCaseSensitive(settings, rows[i].name);
}

size_t decision_settings_length(const char *settings)
{
	for (size_t i = 0; i < ROWS; i++) {
		char key[40];
		snprintf(key, sizeof(key), ", \"%s\": ", rows[i].name);
		const char *end = strstr(settings, key);
		if (end != NULL)
			return (size_t)(end - settings);
	}
	return strcspn(settings, "}");
}
