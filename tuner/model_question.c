#include "tuner/model_question.h"

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
