#include "tuner/recommended.h"

#include "surrogate/model_data.h"
#include "surrogate/recommendation.h"
#include "tuner/job_open.h"
#include "tuner/model_question.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* A warped model has two more hyperparameters a lengthscale behind the noise (surrogate/gp.h). */
static double noise_variance(const struct decision *decision)
{
	const bool is_warped = strstr(decision->settings, "\"warp\": \"none\"") == NULL;
	const size_t last = decision->n_hyperparameters - 1;
	return exp(decision->hyperparameters[is_warped ? last / 3 : last]);
}

bool recommended_matters(const struct report *report, bool *ret, struct tuner_error *err)
{
	struct decision latest;
	char *memory = NULL;
	bool found = false;
	if (!decision_latest(report->store, report->job.id, "", 0, &latest, &memory, &found, err))
		return false;
	*ret = found && latest.n_hyperparameters > 0 && noise_variance(&latest) > MODEL_DATA_NOISY;
	free(memory);
	return true;
}
