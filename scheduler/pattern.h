/* Regular expressions from a job file, searched in output that may be arbitrary bytes.
 *
 *     pattern_create -> pattern_search, any number of times -> pattern_destroy
 *
 * PCRE2, compiled to machine code where the system permits it (a service with
 * MemoryDenyWriteExecute does not; then it is interpreted). Patterns and output are UTF-8; output
 * bytes that are not valid UTF-8 never match, and the search continues after them. So that no
 * search runs for ever ("^(a+)+$"), it is bounded by a match limit of 100,000 steps from any one
 * starting point and 4 MiB of heap: measured, it gives up after 0.2 ms compiled, 1.4 ms
 * interpreted.
 *
 * One thread at a time per pattern, because it stores the last match. */
#ifndef SCHEDULER_PATTERN_H
#define SCHEDULER_PATTERN_H

#include "base/error.h"

#include <stddef.h>

struct pattern;

enum pattern_scope {
	PATTERN_LINE, /* searched in one line: ^ and $ are its ends */
	PATTERN_LINES, /* searched in several lines: ^ and $ match at the ends of each */
};

/* TUNER_USAGE if it does not compile or can match the empty string: the message quotes the pattern,
 * says where (in bytes from 0) and gives PCRE2's reason. */
TUNER_MUST_CHECK
bool pattern_create(
	const char *regex, enum pattern_scope scope, struct pattern **ret, struct tuner_error *err);
void pattern_destroy(struct pattern *pattern);

/* Number of groups; number of the group with this name: 0 if there is none, -1 if several have
 * it. */
unsigned pattern_groups(const struct pattern *pattern);
int pattern_group_number(const struct pattern *pattern, const char *name);

enum pattern_result {
	PATTERN_NONE,
	PATTERN_FOUND,
	PATTERN_LIMITED, /* undecided: a limit was reached first */
};

/* The first match that begins at `from` or later. A match is never empty. */
enum pattern_result pattern_search(
	struct pattern *pattern, const char *bytes, size_t size, size_t from);

/* Where group i of the last match lies in the searched bytes; group 0 is the whole match. False if
 * the group had no part in the match. Only after PATTERN_FOUND. */
bool pattern_group(const struct pattern *pattern, unsigned i, size_t *ret_start, size_t *ret_end);

#endif
