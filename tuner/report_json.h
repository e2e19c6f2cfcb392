/* Output of the reading commands, above all for --json.
 *
 * JSON has no NaN and no infinities. Such a number, if reported, is the string "nan", "inf" or
 * "-inf" (as Python's float() reads it); where there is no number at all, null. All other doubles
 * read back to the same bits. Times are seconds since 1970 with their fraction, durations
 * seconds. */
#ifndef TUNER_REPORT_JSON_H
#define TUNER_REPORT_JSON_H

#include "base/error.h"
#include "base/text.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* Each returns false without memory; a NULL object counts as such a failure, so that calls may be
 * chained. */
bool json_add_number(cJSON *object, const char *name, double value);
bool json_add_optional(cJSON *object, const char *name, double value); /* NaN is "none": null */
bool json_add_integer(cJSON *object, const char *name, int64_t value); /* exact to 2^53 */
bool json_add_code(cJSON *object, const char *name, int64_t value); /* negative is "none": null */
bool json_add_string(cJSON *object, const char *name, const char *value);
bool json_add_time(cJSON *object, const char *name, int64_t us); /* 0 is "not yet": null */
bool json_add_duration(cJSON *object, const char *name, int64_t us); /* negative: null */

/* Takes the item over, also on failure; a NULL item is a failure. */
bool json_add_item(cJSON *object, const char *name, cJSON *item);
bool json_append(cJSON *array, cJSON *item);
bool json_append_number(cJSON *array, double value); /* as json_add_number */

/* Adds the value in `text`, JSON from the database. */
bool json_add_parsed(cJSON *object, const char *name, const char *text);

/* Likewise, verbatim: 1.0 stays 1.0. Finite numbers only. */
bool json_add_as_stored(cJSON *object, const char *name, const char *text);

/* Prints a text to standard output and empties it. A text that failed for lack of memory is not
 * printed. */
TUNER_MUST_CHECK
bool text_out(struct text *text, struct tuner_error *err);

/* Prints a tree to standard output and deletes it. NULL: no memory. */
TUNER_MUST_CHECK
bool json_out(cJSON *node, struct tuner_error *err);

#endif
