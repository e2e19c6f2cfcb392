#include "tuner/jobfile_value.h"

#include "base/number.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const double SECOND_US = 1e6, DURATION_MAX_S = 36525.0 * 86400, SIZE_MAX_BYTES = 1e15;

bool value_duration(const cJSON *value, int64_t *ret_us)
{
	if (cJSON_IsString(value))
		return number_to_duration_us(value->valuestring, ret_us);
	if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0) ||
		value->valuedouble > DURATION_MAX_S)
		return false;
	*ret_us = (int64_t)rint(value->valuedouble * SECOND_US);
	return true;
}

/* ---- sizes ---- */

static bool size_unit(const char *unit, double *ret_bytes)
{
	static const struct {
		const char *name;
		double bytes;
	} units[] = { { "", 1 }, { "B", 1 }, { "kB", 1e3 }, { "MB", 1e6 }, { "GB", 1e9 },
		{ "TB", 1e12 }, { "KiB", 1024.0 }, { "MiB", 1048576.0 }, { "GiB", 1073741824.0 },
		{ "TiB", 1099511627776.0 }, { "K", 1024.0 }, { "M", 1048576.0 },
		{ "G", 1073741824.0 }, { "T", 1099511627776.0 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strcasecmp(unit, units[i].name) == 0) {
			*ret_bytes = units[i].bytes;
			return true;
		}
	return false;
}

static bool size_from_text(const char *text, double *ret_bytes)
{
	char amount[32];
	double number, unit;
	const size_t digits = strspn(text, "0123456789.");

	if (digits == 0 || digits >= sizeof(amount))
		return false;
	memcpy(amount, text, digits);
	amount[digits] = '\0';
	text += digits + strspn(text + digits, " ");
	if (!number_to_double(amount, &number) || !size_unit(text, &unit))
		return false;
	*ret_bytes = number * unit;
	return true;
}

bool value_size(const cJSON *value, int64_t *ret_bytes)
{
	double bytes = cJSON_IsNumber(value) ? value->valuedouble : -1;

	if (cJSON_IsString(value) && !size_from_text(value->valuestring, &bytes))
		return false;
	if (!(bytes >= 0) || bytes > SIZE_MAX_BYTES)
		return false;
	*ret_bytes = (int64_t)rint(bytes);
	return true;
}

/* ---- points in time ---- */

/* Exactly n digits as a number within [low, high]; *text moves behind them. */
static bool read_digits(const char **text, int n, int low, int high, int *ret)
{
	int number = 0;

	for (int i = 0; i < n; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		number = 10 * number + (**text - '0');
	}
	*ret = number;
	return number >= low && number <= high;
}

static bool read_character(const char **text, const char *any_of)
{
	if (**text == '\0' || strchr(any_of, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool read_date(const char **text, struct tm *ret)
{
	if (!read_digits(text, 4, 1970, 9999, &ret->tm_year) || !read_character(text, "-") ||
		!read_digits(text, 2, 1, 12, &ret->tm_mon) || !read_character(text, "-") ||
		!read_digits(text, 2, 1, days_in_month(ret->tm_year, ret->tm_mon), &ret->tm_mday))
		return false;
	ret->tm_year -= 1900;
	ret->tm_mon -= 1;
	return true;
}

/* ":SS" and ".ffffff", if they are there. */
static bool read_seconds(const char **text, int *ret_seconds, int64_t *ret_us)
{
	int64_t weight = 100000;

	*ret_seconds = 0;
	*ret_us = 0;
	if (!read_character(text, ":"))
		return true;
	if (!read_digits(text, 2, 0, 59, ret_seconds))
		return false;
	if (!read_character(text, ".,"))
		return true;
	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; (*text)++, weight /= 10)
		*ret_us += (**text - '0') * weight;
	return true;
}

static bool read_offset(const char **text, int64_t *ret_us)
{
	int hours, minutes;
	const int sign = **text == '-' ? -1 : 1;

	*ret_us = 0;
	if (read_character(text, "Zz"))
		return true;
	if (!read_character(text, "+-") || !read_digits(text, 2, 0, 14, &hours))
		return false;
	read_character(text, ":");
	if (!read_digits(text, 2, 0, 59, &minutes))
		return false;
	*ret_us = sign * (hours * INT64_C(60) + minutes) * INT64_C(60000000);
	return true;
}

bool value_time(const cJSON *value, int64_t *ret_us)
{
	struct tm time = { 0 };
	int64_t fraction_us, offset_us;

	if (!cJSON_IsString(value))
		return false;
	const char *text = value->valuestring;
	if (!read_date(&text, &time) || !read_character(&text, "Tt ") ||
		!read_digits(&text, 2, 0, 23, &time.tm_hour) || !read_character(&text, ":") ||
		!read_digits(&text, 2, 0, 59, &time.tm_min) ||
		!read_seconds(&text, &time.tm_sec, &fraction_us) ||
		!read_offset(&text, &offset_us) || *text)
		return false;
	*ret_us = (int64_t)timegm(&time) * 1000000 + fraction_us - offset_us;
	return true;
}

void value_time_text(int64_t us, char ret_text[32])
{
	const time_t seconds = (time_t)(us / 1000000);
	struct tm time;

	gmtime_r(&seconds, &time);
	strftime(ret_text, 32, "%Y-%m-%dT%H:%M:%SZ", &time);
}

/* ---- seeds and reductions ---- */

static bool seed_from_text(const char *text, uint64_t *ret_seed)
{
	uint64_t seed = 0;

	if (*text == '\0' || strlen(text) > 20)
		return false;
	for (; *text; text++)
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(seed, 10u, &seed) ||
			__builtin_add_overflow(seed, (uint64_t)(*text - '0'), &seed))
			return false;
	*ret_seed = seed;
	return true;
}

bool value_seed(const cJSON *value, uint64_t *ret_seed)
{
	if (cJSON_IsString(value))
		return seed_from_text(value->valuestring, ret_seed);
	if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0) ||
		value->valuedouble > 9007199254740992.0 ||
		value->valuedouble != floor(value->valuedouble))
		return false;
	*ret_seed = (uint64_t)value->valuedouble;
	return true;
}

static const char *const reduce_words[] = { [REDUCE_LAST] = "last",
	[REDUCE_BEST] = "best",
	[REDUCE_MEAN_OF_LAST] = "mean of last",
	[REDUCE_MAX] = "max",
	[REDUCE_MIN] = "min" };

void value_reduce_text(enum reduce reduce, int64_t last, struct text *ret)
{
	text_add(ret, reduce_words[reduce]);
	if (reduce == REDUCE_MEAN_OF_LAST)
		text_print(ret, " %lld", (long long)last);
}

bool value_reduce(const cJSON *value, enum reduce *ret_reduce, int64_t *ret_last)
{
	static const char prefix[] = "mean of last ";
	int64_t last;

	if (!cJSON_IsString(value))
		return false;
	const char *text = value->valuestring;
	for (enum reduce r = REDUCE_LAST; r <= REDUCE_MIN; r++)
		if (r != REDUCE_MEAN_OF_LAST && strcmp(text, reduce_words[r]) == 0) {
			*ret_reduce = r;
			*ret_last = 1;
			return true;
		}
	if (strncmp(text, prefix, strlen(prefix)) != 0 ||
		!isdigit((unsigned char)text[strlen(prefix)]) || /* "+5", " 5" */
		!number_to_int64(text + strlen(prefix), &last) || last < 1 || last > 1000000)
		return false;
	*ret_reduce = REDUCE_MEAN_OF_LAST;
	*ret_last = last;
	return true;
}

/* ---- scalars ---- */

bool value_is_scalar(const cJSON *value)
{
	return cJSON_IsString(value) || cJSON_IsNumber(value) || cJSON_IsBool(value);
}

void value_text(const cJSON *scalar, struct text *ret)
{
	if (cJSON_IsString(scalar))
		text_add(ret, scalar->valuestring);
	else if (cJSON_IsNumber(scalar))
		text_add_double(ret, scalar->valuedouble);
	else
		text_add(ret, cJSON_IsTrue(scalar) ? "true" : "false");
}

void value_json(const cJSON *scalar, struct text *ret)
{
	if (cJSON_IsString(scalar))
		text_add_json_string(ret, scalar->valuestring);
	else
		value_text(scalar, ret);
}

void value_float_json(double value, struct text *ret)
{
	const size_t from = ret->length;

	text_add_json_double(ret, value);
	if (isfinite(value) && !text_failed(ret) && strpbrk(ret->bytes + from, ".e") == NULL)
		text_add(ret, ".0");
}
