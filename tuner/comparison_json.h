/* A comparison for programs: what `tuner compare --json` prints and reports take their numbers
 * from. */
#ifndef TUNER_COMPARISON_JSON_H
#define TUNER_COMPARISON_JSON_H

#include "tuner/comparison.h"

#include <cjson/cJSON.h>

/* The caller deletes the result; NULL with an error in *err. */
cJSON *comparison_json(const struct comparison *comparison, struct tuner_error *err);

#endif
