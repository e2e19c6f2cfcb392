#include "benchmarks/strategy_settings.h"

#include <stdio.h>
#include <string.h>

bool strategy_setting(struct strategy *strategy, const char *key_and_value)
{
	char key[32];
	double value;

	if (sscanf(key_and_value, "%31[a-z_]=%lf", key, &value) != 2)
		return false;
	if (strcmp(key, "deterministic") == 0)
		strategy->deterministic = value != 0;
	else if (strcmp(key, "warp") == 0)
		strategy->warp = (enum strategy_warp)value;
	else if (strcmp(key, "transform") == 0)
		strategy->transform = (enum transform_kind)value;
	else if (strcmp(key, "acquisition") == 0)
		strategy->acquisition = (enum strategy_acquisition)value;
	else if (strcmp(key, "ucb_beta") == 0)
		strategy->ucb_beta = value;
	else if (strcmp(key, "incumbent") == 0)
		strategy->incumbent = (enum strategy_incumbent)value;
	else if (strcmp(key, "cost_aware") == 0)
		strategy->cost_aware = value != 0;
	else if (strcmp(key, "trust_region") == 0)
		strategy->trust_region = (enum strategy_trust_region)value;
	else if (strcmp(key, "initial") == 0 && value >= 1)
		strategy->initial = (size_t)value;
	else if (strcmp(key, "hyperparameters") == 0)
		strategy->hyperparameters = (enum strategy_hyperparameters)value;
	else
		return false;
	return true;
}
