#include "tuner/decision_noise.h"

#include <cjson/cJSON.h>

#include <math.h>
#include <string.h>

static bool is_warped(const struct decision *decision)
{
	cJSON *settings = cJSON_Parse(decision->settings);
	const cJSON *warp = cJSON_GetObjectItemCaseSensitive(settings, "warp");
	const bool warped = cJSON_IsString(warp) && strcmp(warp->valuestring, "none") != 0;

	cJSON_Delete(settings);
	return warped;
}

/* A warped model has two more hyperparameters a lengthscale behind the noise (surrogate/gp.h). */
double decision_noise(const struct decision *decision, size_t n_models)
{
	if (decision->n_hyperparameters < n_models)
		return NAN;
	const size_t last = decision->n_hyperparameters / n_models - 1;
	return exp(decision->hyperparameters[is_warped(decision) ? last / 3 : last]);
}
