/* Regular expressions of a job file, over output that may be anything.
 *
 *     pattern_create -> pattern_search, any number of times -> pattern_destroy
 *
 * PCRE2, compiled to machine code where the system permits it (a service with
 * MemoryDenyWriteExecute does not; then it is interpreted). Patterns and output are UTF-8; bytes of
 * the output that are not never match anything, and the search goes on behind them. A search is
 * bounded by a match limit of 100,000 steps from any one starting point and 4 MiB of heap instead of
 * running for ever ("^(a+)+$"): measured 0.2 ms compiled, 1.4 ms interpreted until it gives up.
 *
 * One thread at a time per pattern: it keeps the last match. */
#ifndef SCHEDULER_PATTERN_H
#define SCHEDULER_PATTERN_H

#include "base/error.h"

#include <stddef.h>

struct pattern;

enum pattern_scope {
	PATTERN_LINE, /* searched in one line: ^ and $ are its ends */
	PATTERN_LINES, /* searched in many: ^ and $ match at every line's ends */
};

/* TUNER_USAGE if it does not compile or can match the empty string: the message quotes the pattern,
 * says where (in bytes from 0) and gives PCRE2's reason. */
TUNER_MUST_CHECK
bool pattern_create(
	const char *regex, enum pattern_scope scope, struct pattern **ret, struct tuner_error *err);
void pattern_destroy(struct pattern *pattern);

/* Number of groups, and the number of a named one: 0 if there is none of that name, -1 if several
 * groups have it. */
unsigned pattern_groups(const struct pattern *pattern);
int pattern_group_number(const struct pattern *pattern, const char *name);

enum pattern_result {
	PATTERN_NONE,
	PATTERN_FOUND,
	PATTERN_LIMITED, /* undecided: the limits came first */
};

/* The first match that begins at `from` or later. A match is never empty. */
enum pattern_result pattern_search(
	struct pattern *pattern, const char *bytes, size_t size, size_t from);

/* Where group i of the last match lies in the searched bytes; group 0 is all of it. False if the
 * group had no part in the match. Only after PATTERN_FOUND. */
bool pattern_group(const struct pattern *pattern, unsigned i, size_t *ret_start, size_t *ret_end);

#endif
