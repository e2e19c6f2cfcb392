/* Parses single values of a job file: times, sizes, seeds, scalars. */
#ifndef TUNER_JOBFILE_VALUE_H
#define TUNER_JOBFILE_VALUE_H

#include "base/text.h"
#include "tuner/jobfile.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* Each returns false, and leaves its result unchanged, for a value of another kind. */

/* "1h30m", or a number of seconds. */
bool value_duration(const cJSON *value, int64_t *ret_us);

/* "64 MiB", "1.5GB", "1000", or a number of bytes. Units kB, MB, GB, TB are powers of 1000; KiB, MiB,
 * GiB, TiB and the single letters K, M, G, T of 1024. */
bool value_size(const cJSON *value, int64_t *ret_bytes);

/* "2026-08-30T18:00:00Z", seconds and their fraction are optional, a blank may replace the T, and
 * an offset such as +02:00 the Z. Z or an offset is required, so that a stored job means the same
 * on every machine. Microseconds since 1970. */
bool value_time(const cJSON *value, int64_t *ret_us);
void value_time_text(int64_t us, char ret_text[32]); /* "2026-08-30T18:00:00Z" */

/* A whole number from 0 to 2^53, or a string of digits up to 2^64 - 1. */
bool value_seed(const cJSON *value, uint64_t *ret_seed);

/* "last", "best", "max", "min", "mean of last 5"; the second is the inverse (appended, without
 * quotes). */
bool value_reduce(const cJSON *value, enum reduce *ret_reduce, int64_t *ret_last);
void value_reduce_text(enum reduce reduce, int64_t last, struct text *ret);

/* Scalars are strings, numbers and booleans. Appends one as a command sees it ("adam", "0.1",
 * "true") or as JSON. */
bool value_is_scalar(const cJSON *value);
void value_text(const cJSON *scalar, struct text *ret);
void value_json(const cJSON *scalar, struct text *ret);

/* Appends a float as JSON, with a point even if whole: 1.0 for 1. Many languages would read 1 as an
 * integer, which may mean another thing: one feature, not all of them. */
void value_float_json(double value, struct text *ret);

#endif
