/* Settings of a strategy by name, for experiments: "deterministic=1". */
#ifndef BENCHMARKS_STRATEGY_SETTINGS_H
#define BENCHMARKS_STRATEGY_SETTINGS_H

#include "surrogate/suggest.h"

/* False for a key or value that there is not. */
bool strategy_setting(struct strategy *strategy, const char *key_and_value);

#endif
