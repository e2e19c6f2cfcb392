/* How a trial kept its job's limits, as JSON: {"objective":0.93,"excess":[11,-0.02]}. Internal.
 *
 * In SQLite's minified form, so that the part of an event's data is the same text as the trial's
 * column. */
#ifndef TRIALS_LIMIT_CHECK_H
#define TRIALS_LIMIT_CHECK_H

#include "base/text.h"
#include "trials/sql.h"
#include "trials/trial.h"

/* Appends `before` and the check; nothing without limits. */
void limit_check_add(const struct limit_check *check, const char *before, struct text *ret);

/* Reads the query's next column; NULL is a check without limits. TUNER_FATAL for text that is none. */
TUNER_MUST_CHECK
bool limit_check_read(struct query *query, struct limit_check *ret, struct tuner_error *err);

#endif
