/* A job and its trials as the reading commands show them. */
#ifndef TUNER_TRIAL_REPORT_H
#define TUNER_TRIAL_REPORT_H

#include "trials/trial.h"
#include "base/text.h"
#include "tuner/command.h"

#include <cjson/cJSON.h>

/* A job with what is needed to read its trials. */
struct report {
	struct store *store; /* STORE_READ */
	struct job job;
	char *metric;
	bool maximize;
	struct parameter_list parameters; /* of the present space */
	char *space_definition;
};

/* Opens the database and the job that `argument` names (NULL: the newest). */
TUNER_MUST_CHECK
bool report_open(const struct invocation *call, const char *argument, struct report *ret,
	struct tuner_error *err);
void report_close(struct report *report); /* of a zeroed one nothing */

/* The best trial that is done; *ret_found false if none is. */
TUNER_MUST_CHECK
bool report_best(
	const struct report *report, struct trial *ret, bool *ret_found, struct tuner_error *err);

/* The trial of this number, which an argument names. TUNER_USAGE if there is none. */
TUNER_MUST_CHECK
bool report_trial(const struct report *report, const char *argument, struct trial *ret,
	struct tuner_error *err);

/* "[JOB] TRIAL": the two arguments of show and logs; *ret_job NULL if it was left out. */
void report_arguments(const struct invocation *call, const char **ret_job, const char **ret_trial);

/* Everything about a trial as a JSON object; NULL without memory. Not finite numbers are strings:
 * "nan", "inf", "-inf". The caller deletes. */
cJSON *trial_json(const struct report *report, const struct trial *trial);
cJSON *attempt_json(const struct attempt *attempt);

/* Adds a number, or a string where it is not finite; null for `none`. */
bool json_add_number(cJSON *object, const char *name, double value);
bool json_add_time(
	cJSON *object, const char *name, int64_t us); /* seconds since 1970; null for 0 */

/* Prints a tree to standard output and deletes it. NULL: no memory. */
TUNER_MUST_CHECK
bool json_out(cJSON *node, struct tuner_error *err);

/* A parameter's value as people read it, "" if the trial has none of this name. */
void trial_value_text(const cJSON *parameters, const char *name, struct text *ret);

/* "x=0.3 y=adam": all of them. */
void trial_text(const struct trial *trial, struct text *ret);

/* Time from the first start to the end, or until now; 0 if it has not begun. */
int64_t trial_took_us(const struct trial *trial);

/* "2026-11-23 17:04:05" in local time; "-" for 0. */
void time_text(int64_t us, char ret[32]);

#endif
