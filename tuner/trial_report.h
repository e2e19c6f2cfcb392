/* A job and its trials as the reading commands show them. */
#ifndef TUNER_TRIAL_REPORT_H
#define TUNER_TRIAL_REPORT_H

#include "base/text.h"
#include "trials/event.h"
#include "trials/trial.h"
#include "tuner/command.h"

#include <cjson/cJSON.h>

/* A job with what is needed to read its trials. */
struct report {
	struct store *store; /* STORE_READ; borrowed unless report_open opened it */
	bool owns_store;
	struct job job;
	char *reference; /* "NAME" or, where --db was given, "NAME --db PATH": behind a command it means this job */
	bool has_arms; /* it compares strategies */
	int64_t budget; /* trials of all its searches; only the caller who asks has more */
	char *metric;
	bool maximize;
	struct parameter_list parameters; /* of the present space */
};

/* Opens the database and the job that `argument` names (NULL: the newest). A failure leaves nothing to
 * close, but closing is fine. */
TUNER_MUST_CHECK
bool report_open(const struct invocation *call, const char *argument, struct report *ret,
	struct tuner_error *err);

/* The same for a job of a database that is open and stays the caller's. */
TUNER_MUST_CHECK
bool report_load(struct store *store, int64_t job_id, struct report *ret, struct tuner_error *err);

/* Reads the job's own row anew: its state changes while it is run. */
TUNER_MUST_CHECK
bool report_refresh(struct report *report, struct tuner_error *err);
void report_close(struct report *report); /* of a zeroed one nothing */

/* The best trial that is done, of equal ones the first; *ret_found false if none is done. */
TUNER_MUST_CHECK
bool report_best(
	const struct report *report, struct trial *ret, bool *ret_found, struct tuner_error *err);

/* Whether that is the trial of this number. */
TUNER_MUST_CHECK
bool report_is_best(
	const struct report *report, int64_t number, bool *ret, struct tuner_error *err);

/* The trial of this number. *ret_found false if there is none. */
TUNER_MUST_CHECK
bool report_number(const struct report *report, int64_t number, struct trial *ret, bool *ret_found,
	struct tuner_error *err);

/* The trial that an argument names: its number, or "best", "last" (the newest). TUNER_USAGE if there
 * is none. */
TUNER_MUST_CHECK
bool report_trial(const struct report *report, const char *argument, struct trial *ret,
	struct tuner_error *err);

/* "[JOB] TRIAL": the two arguments of show and logs; *ret_job NULL if it was left out. */
void report_arguments(const struct invocation *call, const char **ret_job, const char **ret_trial);

/* "NAME" or, where --db was given, "NAME --db PATH": what to type behind a command so that it means
 * this job. Appended. */
void job_reference(const struct invocation *call, const char *name, struct text *ret);

/* Appends the search that a trial of a job with arms belongs to and a blank, "gp/4 "; else nothing. */
void trial_add_search(const struct report *report, const struct trial *trial, struct text *text);

/* Everything about a trial as a JSON object, all keys always there (report_json.h says how numbers are
 * written); NULL without memory. The caller deletes. */
cJSON *trial_json(const struct report *report, const struct trial *trial);
cJSON *attempt_json(const struct attempt *attempt);
cJSON *event_json(const struct event *event);

/* A parameter's value as people read it, nothing if the trial has none of this name. Appended. */
void trial_value_text(const cJSON *parameters, const char *name, struct text *ret);

/* "x=0.3 y=adam": all of them. Appended. */
void trial_text(const struct trial *trial, struct text *ret);

/* "trial 7 failed: crashed": a fact in words. Appended. */
void event_text(const struct event *event, struct text *ret);

/* Time from the first start to the end, or until now; 0 if it has not begun. */
int64_t trial_took_us(const struct trial *trial);

/* The directory of an attempt. Caller frees; NULL without memory. */
char *attempt_path_of(const struct report *report, const struct attempt *attempt);

/* "2026-11-23 17:04:05" in local time; "-" for 0. */
void time_text(int64_t us, char ret[32]);

#endif
