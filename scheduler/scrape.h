/* Metrics out of a command's output.
 *
 * Lines end at \n or \r (progress bars), ANSI control sequences are removed, a line longer than
 * 64 KiB is cut. A metric is found by its regular expression (PCRE2; the first group, or the one
 * named `value`, is the value; a group `step` the step) or in
 *
 *     @tuner {"step": 3, "validation-accuracy": 0.71}
 *
 * anywhere in a line; every number in it but `step` is a metric, "nan", "inf" and "-inf" as strings
 * or bare words count too. Without a step a metric counts its own rows in this attempt from 1, plus
 * where it resumed (@tuner {"resume": 7}). */
#ifndef SCHEDULER_SCRAPE_H
#define SCHEDULER_SCRAPE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
	SCRAPE_LINE_MAX = 64 * 1024,
	SCRAPE_PATTERNS_MAX = 40,
	SCRAPE_PATTERN_BYTES_MAX = 500,
	SCRAPE_NAMES_MAX = 200, /* different metrics in one attempt */
	SCRAPE_NAME_MAX = 200,	/* bytes of a metric's name */
};

struct metric_pattern {
	const char *name;
	const char *regex; /* NULL: by @tuner lines only */
};

struct metric_patterns; /* compiled; shared by any number of scrapers of one thread */

/* TUNER_USAGE with the pattern, the position and PCRE2's reason: a pattern that does not compile, has
 * no group, is too long, or matches the empty string. *ret_bad is the index of the bad one. */
TUNER_MUST_CHECK
bool metric_patterns_create(const struct metric_pattern *patterns, size_t n,
	struct metric_patterns **ret, size_t *ret_bad, struct tuner_error *err);
void metric_patterns_destroy(struct metric_patterns *patterns);

struct scraped {
	const char *name; /* lives as long as the scraper */
	int64_t step;
	double value;
};

struct scraper;

/* `state`: what scraper_state gave when it stopped, or NULL. `offset`: the output's first byte that
 * will be fed. */
TUNER_MUST_CHECK
bool scraper_create(const struct metric_patterns *patterns, int64_t offset, const char *state,
	struct scraper **ret, struct tuner_error *err);
void scraper_destroy(struct scraper *scraper);

/* Feeds output that begins at `offset`; a gap (rotation dropped bytes) ends the current line. Whole
 * lines are searched; the rest is kept. Calls found() per metric, in the order of the output. */
TUNER_MUST_CHECK
bool scraper_feed(struct scraper *scraper, int64_t offset, const char *bytes, size_t size,
	void (*found)(void *context, const struct scraped *scraped), void *context,
	struct tuner_error *err);

/* The output is complete: searches an unfinished last line. */
TUNER_MUST_CHECK
bool scraper_end(struct scraper *scraper,
	void (*found)(void *context, const struct scraped *scraped), void *context,
	struct tuner_error *err);

/* First byte not yet part of a searched line: where to go on after a restart. */
int64_t scraper_offset(const struct scraper *scraper);

/* Counts at that offset, as JSON. Caller frees; NULL without memory. */
char *scraper_state(const struct scraper *scraper);

/* How often pattern i matched so far, and how often its match ran into PCRE2's limits. */
uint64_t scraper_matches(const struct scraper *scraper, size_t i);
uint64_t scraper_limited(const struct scraper *scraper, size_t i);

#endif
