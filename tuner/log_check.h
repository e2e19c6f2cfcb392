/* What a job file's patterns find in an existing log, and what else in it looks like a metric:
 * `name=number` pairs, with patterns to copy.
 *
 *     log_check_create -> log_check_feed, in any portions -> log_check_end -> report -> destroy
 * */
#ifndef TUNER_LOG_CHECK_H
#define TUNER_LOG_CHECK_H

#include "base/text.h"
#include "tuner/jobfile.h"

struct log_check;

/* `file` must outlive the check. */
TUNER_MUST_CHECK
bool log_check_create(const struct job_file *file, struct log_check **ret, struct tuner_error *err);
TUNER_MUST_CHECK
bool log_check_feed(
	struct log_check *check, const char *bytes, size_t size, struct tuner_error *err);
TUNER_MUST_CHECK
bool log_check_end(struct log_check *check, struct tuner_error *err);

/* Whether the objective's metric was found. */
bool log_check_found_objective(const struct log_check *check);

/* Appends what else looks like a metric, each with a pattern to copy; nothing if there is none.
 * Part of the report. */
void log_check_suggest(const struct log_check *check, struct text *ret);

void log_check_report(const struct log_check *check, struct text *ret);
void log_check_report_json(const struct log_check *check, struct text *ret);
void log_check_destroy(struct log_check *check);

#endif
