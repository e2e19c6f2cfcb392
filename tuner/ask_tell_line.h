/* The protocol of `tuner ask-tell`: each line is a JSON object that asks or tells, and is answered
 * by one JSON object.
 *
 *     {"ask": 2}                              {"trials": [{"trial": 1, "parameters": {...}}, ...]}
 *     {"tell": 1, "value": 0.71}              {"ok": true}
 *     {"tell": 1, "failed": "diverged"}       {"ok": true}
 *     {"tell": 1, "step": 3, "value": 0.5}    {"ok": true}, or with "stop": true and "reason"
 *     {"add": {...}, "value": 0.7}            {"ok": true, "trial": 7}
 *     anything else                           {"error": "..."}
 *
 * For a finite space with nothing left to try the answer has fewer trials than asked for, and
 * "exhausted": true. NaN and infinities, which JSON lacks, may be bare as Python writes them, or
 * strings; null is NaN. */
#ifndef TUNER_ASK_TELL_LINE_H
#define TUNER_ASK_TELL_LINE_H

#include "tuner/ask_tell.h"

enum { ASK_MAX = 1000 }; /* trials per question */

/* Answers one line; neither line nor answer includes the line break. An invalid line is answered,
 * too; one longer than JSON_BYTES_MAX is not read for that. False only after an error that ends the
 * session (ask_tell.h). */
TUNER_MUST_CHECK
bool ask_tell_answer(struct ask_tell *ask_tell, const char *line, size_t length,
	struct text *ret_answer, struct tuner_error *err);

/* {"trials": [...]} for n trials, as {"ask": n} answers. */
TUNER_MUST_CHECK
bool ask_tell_answer_ask(
	struct ask_tell *ask_tell, int64_t n, struct text *ret_answer, struct tuner_error *err);

/* {"ok": true ...} in answer to a tell or add. `number`: the trial that was added; 0: none. */
void ask_tell_answer_told(
	const struct told_answer *answer, int64_t number, struct text *ret_answer);

#endif
