/* The protocol of `tuner ask-tell`: one JSON object a line asks or tells, one JSON object answers it.
 *
 *     {"ask": 2}                              {"trials": [{"trial": 1, "parameters": {...}}, ...]}
 *     {"tell": 1, "value": 0.71}              {"ok": true}
 *     {"tell": 1, "failed": "diverged"}       {"ok": true}
 *     {"tell": 1, "step": 3, "value": 0.5}    {"ok": true}, or with "stop": true and "reason"
 *     {"add": {...}, "value": 0.7}            {"ok": true, "trial": 7}
 *     what makes no sense                     {"error": "..."}
 *
 * A finite space with nothing left to try answers fewer trials than asked for, and "exhausted": true.
 * NaN and infinities, for which JSON has no words, may be bare as Python writes them, or strings;
 * null is NaN. */
#ifndef TUNER_ASK_TELL_LINE_H
#define TUNER_ASK_TELL_LINE_H

#include "tuner/ask_tell.h"

enum { ASK_MAX = 1000 }; /* trials of one question */

/* Answers one line, without a line break behind it. A wrong line is answered, too: false is the end
 * (ask_tell.h). */
TUNER_MUST_CHECK
bool ask_tell_answer(struct ask_tell *ask_tell, const char *line, size_t length,
	struct text *ret_answer, struct tuner_error *err);

/* {"trials": [...]} for n trials, as {"ask": n} gives it. */
TUNER_MUST_CHECK
bool ask_tell_answer_ask(
	struct ask_tell *ask_tell, int64_t n, struct text *ret_answer, struct tuner_error *err);

/* {"ok": true ...} of something told. number: of the trial that was added; 0: none. */
void ask_tell_answer_told(
	const struct told_answer *answer, int64_t number, struct text *ret_answer);

#endif
