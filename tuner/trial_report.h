/* A job and its trials as the reading commands show them. */
#ifndef TUNER_TRIAL_REPORT_H
#define TUNER_TRIAL_REPORT_H

#include "base/text.h"
#include "trials/event.h"
#include "trials/trial.h"
#include "tuner/command.h"
#include "tuner/goals.h"

#include <cjson/cJSON.h>

/* A job, with what is needed to read its trials. */
struct report {
	struct store *store; /* STORE_READ; borrowed unless report_open opened it */
	bool owns_store;
	struct job job;
	char *reference; /* "NAME" or, where --db was given, "NAME --db PATH": after a command it
			    names this job */
	bool has_arms; /* the job compares strategies */
	int64_t budget; /* trials of all its searches; only ask can exceed it */
	char *metric;
	bool maximize;
	struct goals goals; /* all objectives; metric and maximize are the first one's */
	struct parameter_list parameters; /* the present space's */
};

/* Opens the database and the job that `argument` names (NULL: the newest). A failure leaves nothing
 * to close, but report_close is allowed. */
TUNER_MUST_CHECK
bool report_open(const struct invocation *call, const char *argument, struct report *ret,
	struct tuner_error *err);

/* The same for a job of an open database, which remains the caller's. */
TUNER_MUST_CHECK
bool report_load(struct store *store, int64_t job_id, struct report *ret, struct tuner_error *err);

/* Rereads the job's own row, whose state changes while the job runs. */
TUNER_MUST_CHECK
bool report_refresh(struct report *report, struct tuner_error *err);
void report_close(struct report *report); /* zeroed: does nothing */

/* The best done trial, the first of equal ones; *ret_found false if none is done. */
TUNER_MUST_CHECK
bool report_best(
	const struct report *report, struct trial *ret, bool *ret_found, struct tuner_error *err);

/* The trial with this number. *ret_found false if there is none. */
TUNER_MUST_CHECK
bool report_number(const struct report *report, int64_t number, struct trial *ret, bool *ret_found,
	struct tuner_error *err);

/* The trial that an argument names: by number, or "best", or "last" (the newest). TUNER_USAGE if
 * there is none. */
TUNER_MUST_CHECK
bool report_trial(const struct report *report, const char *argument, struct trial *ret,
	struct tuner_error *err);

/* "[JOB] TRIAL": the two arguments of show and logs; *ret_job NULL if it was left out. */
void report_arguments(const struct invocation *call, const char **ret_job, const char **ret_trial);

/* "NAME" or, where --db was given, "NAME --db PATH": appends what to type after a command to name
 * this job. */
void job_reference(const struct invocation *call, const char *name, struct text *ret);

/* Appends the search of a trial and a blank, "gp/4 ", in a job with arms; else nothing. */
void trial_add_search(const struct report *report, const struct trial *trial, struct text *text);

/* Everything about a trial as a JSON object, all keys always there (report_json.h says how numbers are
 * written); NULL without memory. The caller deletes. */
cJSON *trial_json(const struct report *report, const struct trial *trial);
cJSON *attempt_json(const struct attempt *attempt);
cJSON *event_json(const struct event *event);

/* Appends a category for people; an empty one, which could not be told from none, as "". */
void category_text(const char *category, struct text *ret);

/* Appends a parameter's value for people, or nothing if the trial has no parameter of this name. */
void trial_value_text(const cJSON *parameters, const char *name, struct text *ret);

/* Appends all its parameters: "x=0.3 y=adam". */
void trial_text(const struct trial *trial, struct text *ret);

/* Appends the event in words: "trial 7 failed: crashed". */
void event_text(const struct event *event, struct text *ret);

/* Time from a trial's first start to its end, or until now; 0 if it has not started. */
int64_t trial_took_us(const struct trial *trial);

/* The directory of an attempt. Caller frees; NULL without memory. */
char *attempt_path_of(const struct report *report, const struct attempt *attempt);

/* "2026-11-23 17:04:05" in local time; "-" for 0. */
void time_text(int64_t us, char ret[32]);

#endif
