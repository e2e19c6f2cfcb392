/* Everything wrong with a file: a bounded list of errors and warnings with places. */
#ifndef TUNER_DIAGNOSTICS_H
#define TUNER_DIAGNOSTICS_H

#include "base/json.h"
#include "base/text.h"

enum { DIAGNOSTICS_MAX = 50 };

struct diagnostic {
	bool warning;
	struct json_place place; /* {0, 0}: about the command line or the file as a whole */
	char message[512];
};

struct diagnostics {
	struct diagnostic items[DIAGNOSTICS_MAX];
	size_t n, errors; /* errors includes those beyond the bound */
};

void diagnose_error(struct diagnostics *list, struct json_place place, const char *format, ...)
	TUNER_PRINTF(3, 4);
void diagnose_warning(struct diagnostics *list, struct json_place place, const char *format, ...)
	TUNER_PRINTF(3, 4);

/* Appends one line each, sorted by place: "quick.jsonc:4:7: error: ...". */
void diagnostics_print(const struct diagnostics *list, const char *file, struct text *ret);

#endif
