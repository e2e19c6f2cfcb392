#include "tuner/recommended.h"

#include "surrogate/model_data.h"
#include "surrogate/recommendation.h"
#include "tuner/decision_noise.h"
#include "tuner/job_open.h"
#include "tuner/model_question.h"

#include <stdlib.h>

bool recommended_read(const struct report *report, struct recommended *ret, struct tuner_error *err)
{
	struct job_file *file = NULL;
	struct model_question question;
	struct recommendation recommendation;
	if (!job_stored_file(&report->job, &file, err))
		return false;
	bool ok = model_question_open(report, file, &question, err);
	if (ok) {
		ok = recommend(&question.request, &recommendation, err) ||
		     tuner_fail_in(err, "job %s: ", report->job.name);
		if (ok)
			*ret = (struct recommended){
				.number =
					model_question_trial(&question, recommendation.observation)
						->number,
				.mean = report->maximize ? -recommendation.mean
							 : recommendation.mean,
				.sd = recommendation.sd,
				.noise_sd = recommendation.noise_sd,
			};
		model_question_close(&question);
	}
	job_file_destroy(file);
	return ok;
}

bool recommended_matters(const struct report *report, bool *ret, struct tuner_error *err)
{
	struct decision latest;
	char *memory = NULL;
	bool found = false;
	if (!decision_latest(report->store, report->job.id, "", 0, &latest, &memory, &found, err))
		return false;
	*ret = found && decision_noise(&latest, 1) > MODEL_DATA_NOISY;
	free(memory);
	return true;
}
