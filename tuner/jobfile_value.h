/* What single values of a job file mean: times, sizes, seeds, scalars. */
#ifndef TUNER_JOBFILE_VALUE_H
#define TUNER_JOBFILE_VALUE_H

#include "base/text.h"
#include "tuner/jobfile.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* Each is false, and leaves its result alone, for a value that does not mean such a thing. */

/* "1h30m", or a number of seconds. */
bool value_duration(const cJSON *value, int64_t *ret_us);

/* "64 MiB", "1.5GB", "1000", or a number of bytes. Units kB, MB, GB, TB are powers of 1000; KiB, MiB,
 * GiB, TiB and the single letters K, M, G, T of 1024. */
bool value_size(const cJSON *value, int64_t *ret_bytes);

/* "2026-08-30T18:00:00Z", with seconds and their fraction or without, a blank for the T, an offset
 * such as +02:00 for the Z. One of the two must be there: a stored job means the same on every
 * machine. Microseconds since 1970. */
bool value_time(const cJSON *value, int64_t *ret_us);
void value_time_text(int64_t us, char ret_text[32]); /* "2026-08-30T18:00:00Z" */

/* A whole number from 0 to 2^53, or a string of digits up to 2^64 - 1. */
bool value_seed(const cJSON *value, uint64_t *ret_seed);

/* "last", "best", "max", "min", "mean of last 5", and the way back (appended, without quotes). */
bool value_reduce(const cJSON *value, enum reduce *ret_reduce, int64_t *ret_last);
void value_reduce_text(enum reduce reduce, int64_t last, struct text *ret);

/* A string, number or boolean as a command sees it ("adam", "0.1", "true") and as JSON. Appended. */
bool value_is_scalar(const cJSON *value);
void value_text(const cJSON *scalar, struct text *ret);
void value_json(const cJSON *scalar, struct text *ret);

/* A number that is a float whatever its value, as JSON: 1.0 for 1. As a whole number many languages read an
 * integer, and that may mean another thing: one feature, not all of them. Appended. */
void value_float_json(double value, struct text *ret);

#endif
