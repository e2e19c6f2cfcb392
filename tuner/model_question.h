/* Questions to a job's model afterwards: a request over all finished trials, of every arm and
 * repeat, in the present space and objective, with the newest decision's hyperparameters as
 * starting point. */
#ifndef TUNER_MODEL_QUESTION_H
#define TUNER_MODEL_QUESTION_H

#include "tuner/history.h"
#include "tuner/trial_report.h"

struct model_question {
	struct suggest_request request; /* the job's next suggestion, with nothing pending */
	const struct job_file *file; /* model_question_open's */
	struct history history;
	struct observation
		*observations; /* of the history.items that have values, in their order */
	struct decision latest;
	char *memory; /* the decision's */
};

/* Asks about the job of `file`, which stays the caller's; no curves are read. A failure leaves
 * nothing to finish. */
TUNER_MUST_CHECK
bool model_question_open(const struct report *report, struct job_file *file,
	struct model_question *ret, struct tuner_error *err);
void model_question_close(struct model_question *question);

/* Asks about a further objective of the job instead (0: the first), to be minimised too. What is known
 * of a stopped trial is its first objective alone, so it has none then. */
void model_question_turn_to(struct model_question *question, size_t goal);

/* The trial behind an observation of the request. */
const struct finished_trial *model_question_trial(
	const struct model_question *question, size_t observation);

#endif
