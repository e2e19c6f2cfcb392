/* Shall a trial under way be ended early? Joins the curves to the stopping rule. */
#ifndef TUNER_EARLY_STOPPING_H
#define TUNER_EARLY_STOPPING_H

#include "tuner/live.h"

/* Judges lives[i] against the finished trials and the other lives. */
TUNER_MUST_CHECK
bool early_stopping_judge(const struct history *history, struct live *const *lives, size_t n_lives,
	size_t i, struct stopping_verdict *ret, struct tuner_error *err);

#endif
