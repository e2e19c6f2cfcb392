/* What a decision row's settings hold behind the strategy's own: numbers that only this decision knows of itself.
 *
 *     {"name": "bayesian", ..., "gain_mean": 0.3, "gain_sd": 0.1, "value_probability": 0.9}
 *
 * Each is there only where it is known, and older versions had none but the last. */
#ifndef TUNER_DECISION_NOTES_H
#define TUNER_DECISION_NOTES_H

#include "base/text.h"
#include "surrogate/suggest.h"

#include <cjson/cJSON.h>

struct decision_notes {
	double gain_mean,
		gain_sd; /* the prediction as gains see it (suggest.h), in the user's sign */
	double value_probability;
};

struct decision_notes decision_notes_of(const struct suggestion *suggestion, bool maximize);

/* As JSON members, ", " before each. */
void decision_notes_add(const struct decision_notes *notes, struct text *ret);

/* NaN for what is not there. */
struct decision_notes decision_notes_read(const char *settings);

/* Leaves the strategy's own. */
void decision_notes_remove(cJSON *settings);

/* Bytes of settings before them, and before the closing brace. */
size_t decision_settings_length(const char *settings);

#endif
