/* Numbers of a single decision that are stored in its row's settings, after the strategy's own
 * settings.
 *
 *     {"name": "bayesian", ..., "gain_mean": 0.3, "gain_sd": 0.1, "value_probability": 0.9,
 *     "limits_probability": 0.8, "weight_1": 0.3, "weight_2": 0.7, "mean_2": 11, "sd_2": 0.5,
 *     "related_1": 0.7}
 *
 * Each is present only if known; the oldest versions stored only "value_probability". */
#ifndef TUNER_DECISION_NOTES_H
#define TUNER_DECISION_NOTES_H

#include "base/text.h"
#include "surrogate/suggest.h"
#include "trials/trial.h"
#include "tuner/jobfile.h"

#include <cjson/cJSON.h>

struct decision_notes {
	double gain_mean,
		gain_sd; /* the prediction as gains see it (suggest.h), in the user's sign */
	double value_probability, limits_probability; /* suggest.h */
	double weights[TRIAL_ALSO_MAX + 1]; /* of several objectives in one; NaN without */
	double means[TRIAL_ALSO_MAX], sds[TRIAL_ALSO_MAX]; /* of further objectives, in the user's
							      sign */
	double related[SUGGEST_RELATED_MAX]; /* the probability that this earlier job is the related
						one (suggest.h); NaN: 0, or without a model */
};

struct decision_notes decision_notes_of(
	const struct suggestion *suggestion, const struct job_file *file);

/* Appends them as JSON members, each preceded by ", ". */
void decision_notes_add(const struct decision_notes *notes, struct text *ret);

/* NaN for those that are missing. */
struct decision_notes decision_notes_read(const char *settings);

/* Removes them and leaves the strategy's own settings. */
void decision_notes_remove(cJSON *settings);

/* Length in bytes of the settings before the notes, or else before the closing brace. */
size_t decision_settings_length(const char *settings);

#endif
