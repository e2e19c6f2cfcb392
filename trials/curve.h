/* Which rows of the table metric are a trial's curve, in SQL. Internal: outside trials/ only its
 * tests include it. */
#ifndef TRIALS_CURVE_H
#define TRIALS_CURVE_H

#include "trials/store.h"

/* Whether row m of attempt a, of the trial of this alias, is in the curve: no later attempt has the
 * step, too, or has reported but not reached it. As the views have it (schema.sql); for the last
 * attempt nothing is looked up. */
#define ROW_IS_IN_CURVE(trial)                                                                     \
	"(a.number = " trial ".attempts OR NOT EXISTS (SELECT 1 FROM attempt b WHERE b.trial = "   \
	"a.trial AND b.number > a.number AND (m.step > (SELECT max(k.step) FROM metric k WHERE "   \
	"k.attempt = b.id AND k.name = m.name) OR EXISTS (SELECT 1 FROM metric k WHERE "           \
	"k.attempt = b.id AND k.name = m.name AND k.step = m.step))))"

/* Sets the trial's best value to that of its curve, in the open transaction: until its attempt ends,
 * it may be that of a step that this attempt gives up. */
TUNER_MUST_CHECK
bool curve_settle_best(struct store *store, int64_t trial_id, struct tuner_error *err);

#endif
