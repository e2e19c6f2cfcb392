/* Inside of space.h: checking and freeing conditions and constraints. */
#ifndef SURROGATE_SPACE_RULES_H
#define SURROGATE_SPACE_RULES_H

#include "surrogate/space.h"

TUNER_MUST_CHECK
bool space_check_rules(const struct space *space, struct tuner_error *err);

void space_finish_rules(struct space *space);

#endif
