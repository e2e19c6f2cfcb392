/* Decides whether to end a running trial early: applies the stopping rule to the curves. */
#ifndef TUNER_EARLY_STOPPING_H
#define TUNER_EARLY_STOPPING_H

#include "tuner/history.h"

/* Judges the trial whose curve is `curve` against the finished trials and the other running
 * ones. */
TUNER_MUST_CHECK
bool early_stopping_judge(const struct history *history, const struct series *curve,
	const struct series *const *others, size_t n_others, struct stopping_verdict *ret,
	struct tuner_error *err);

#endif
