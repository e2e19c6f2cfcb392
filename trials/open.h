/* store_open with any schema, for the tests of migration. Internal. */
#ifndef TRIALS_OPEN_H
#define TRIALS_OPEN_H

#include "trials/migrate.h"
#include "trials/store.h"

TUNER_MUST_CHECK
bool store_open_schema(const char *path, enum store_mode mode, const struct schema *schema,
	struct store **ret, struct tuner_error *err);

#endif
