#include "tuner/model_question.h"

#include <math.h>
#include <stdlib.h>

static bool read(
	const struct report *report, struct model_question *question, struct tuner_error *err)
{
	bool found;
	return history_load(&question->history, question->file, report->store, report->job.id, NULL,
		       -1, err) &&
	       decision_latest(report->store, report->job.id, "", 0, &question->latest,
		       &question->memory, &found, err) &&
	       history_observations(&question->history, &question->observations,
		       &question->request.n_observations, err);
}

bool model_question_open(const struct report *report, struct job_file *file,
	struct model_question *ret, struct tuner_error *err)
{
	*ret = (struct model_question){ .file = file };
	file->stopping.rule = STOPPING_NONE; /* so that no curves are read */
	if (!read(report, ret, err)) {
		model_question_close(ret);
		return false;
	}
	ret->request.space = &file->space;
	ret->request.strategy = &file->strategy;
	ret->request.seed = file->seed;
	ret->request.number = (uint32_t)(ret->history.created + 1);
	ret->request.observations = ret->observations;
	ret->request.n_limits = history_limits(&ret->history);
	ret->request.start = ret->latest.hyperparameters;
	ret->request.n_start = ret->latest.n_hyperparameters;
	return true;
}

/* Where each objective has a model of its own, their hyperparameters stand one after the other. */
static void take_hyperparameters(struct model_question *question, size_t goal)
{
	const size_t m = question->file->objective.n_also + 1,
		     n = question->latest.n_hyperparameters;

	question->request.n_start = n % m == 0 ? n / m : 0;
	if (question->request.n_start > 0)
		question->request.start =
			question->latest.hyperparameters + goal * question->request.n_start;
}

void model_question_turn_to(struct model_question *question, size_t goal)
{
	take_hyperparameters(question, goal);
	for (size_t i = 0; goal > 0 && i < question->request.n_observations; i++) {
		struct observation *o = &question->observations[i];

		o->objective = o->kind == OBSERVATION_STOPPED || o->others == NULL
				       ? NAN
				       : o->others[goal - 1];
	}
}

void model_question_close(struct model_question *question)
{
	free(question->observations);
	free(question->memory);
	history_finish(&question->history);
	*question = (struct model_question){ .file = NULL };
}

const struct finished_trial *model_question_trial(
	const struct model_question *question, size_t observation)
{
	size_t i = 0;
	for (size_t before = 0;; i++) {
		tuner_assert(i < question->history.n);
		before += question->history.items[i].values != NULL;
		if (before > observation)
			return &question->history.items[i];
	}
}
