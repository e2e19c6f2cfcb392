/* What a trial's column `limits` and `also` hold (struct judgement), as JSON:
 *
 *     limits: {"objective":0.93,"excess":[11,-0.02]}        also: [31.2]
 *
 * In SQLite's minified form, so that the part of an event's data is the same text as the trial's
 * columns. Internal. */
#ifndef TRIALS_JUDGEMENT_H
#define TRIALS_JUDGEMENT_H

#include "base/text.h"
#include "trials/sql.h"
#include "trials/trial.h"

/* Appends members of an event's object, each with ", " before it: none, "limits", "also" or both. */
void judgement_add(const struct judgement *judgement, struct text *ret);

/* The columns' texts; NULL for what there is none of. */
struct judgement_columns {
	char *limits, *also;
};

/* TUNER_FATAL without memory: then there is nothing to finish. */
TUNER_MUST_CHECK
bool judgement_columns_init(
	const struct judgement *judgement, struct judgement_columns *ret, struct tuner_error *err);
void judgement_columns_finish(struct judgement_columns *columns);

/* Binds the query's next two parameters, `limits` and `also`. The columns must live until it ran. */
void judgement_columns_bind(struct query *query, const struct judgement_columns *columns);

/* Reads the query's next two columns, `limits` and `also`; either may be NULL. TUNER_FATAL for text
 * that is none. */
TUNER_MUST_CHECK
bool judgement_read(struct query *query, struct judgement *ret, struct tuner_error *err);

#endif
