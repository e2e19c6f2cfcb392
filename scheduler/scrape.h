/* Extracts metrics from a command's output.
 *
 *     metric_patterns_create -> scraper_create -> scraper_feed ... -> scraper_end -> scraper_destroy
 *
 * Lines end at \n or \r (progress bars). ANSI control sequences are removed (terminal.h), a byte
 * that is not valid UTF-8 is read as '?', then the line is searched for each pattern in the order
 * given and then for @tuner objects. Each search goes from left to right and finds all matches that
 * do not overlap.
 *
 * A pattern (pattern.h: PCRE2, UTF-8) finds its value in the group named `value`, else in the first
 * group that took part in the match and is not `step`. That text, without blanks around it and one
 * full stop, comma or semicolon after it, must be a number as number.h reads it ("0.71", "1e-05",
 * "nan", "-inf"); "71%" and "1,234" are not, and are counted in scraper_unread. A group named
 * `step` is the step.
 *
 *     @tuner {"step": 3, "validation-accuracy": 0.71}
 *
 * anywhere in a line: every number in the object except `step` and `resume` is a metric; NaN,
 * Infinity and -Infinity, bare as Python writes them or as strings, are numbers. Nested values,
 * other strings, booleans and null are ignored; an object that is not JSON is counted in
 * scraper_malformed. Once 1 MiB of a line has been read for such objects (a whole log of them,
 * quoted in one line), the rest of the line is not searched.
 *
 * A step with a fraction is rounded down. Without a step, a metric counts its own rows in this
 * attempt from 1, or from where the command says that it resumed: after @tuner {"resume": 7} every
 * metric's next own step is 8. `resume` takes effect before the metrics of its object.
 *
 * An incomplete line is not read as a whole one, since half a number is another number: of a line
 * longer than 64 KiB the first 64 KiB are searched, and a match that reaches their end does not
 * count; a line with a gap in it (rotation dropped bytes) is not searched.
 *
 * What is found depends on the bytes alone, not on how they were cut into chunks or on a restart
 * from scraper_offset with scraper_state. */
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
	SCRAPE_NAME_MAX = 200, /* bytes of a metric's name; longer @tuner keys, keys that are not
				  printable UTF-8, and names after the 200th are ignored */
	SCRAPE_LIMITED_MAX =
		1000, /* a pattern that has hit PCRE2's limits this often is given up for the
			 attempt: it would cost a millisecond per line */
};

/* Whether the name is printable UTF-8, as a metric's name must be. */
bool metric_name_is_text(const char *name);

struct metric_pattern {
	const char *name;
	const char *regex; /* NULL: reported by @tuner lines only */
};

struct metric_patterns; /* compiled; shared by any number of scrapers of one thread */

/* Copies everything. TUNER_USAGE, with the pattern, the position and PCRE2's reason, for a pattern
 * that does not compile, has no group for the value, is too long, or can match the empty string;
 * also for too many patterns or a name that is too long. *ret_bad is the index of the bad
 * pattern. */
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

/* `state`: what scraper_state returned when scraping stopped, or NULL at an attempt's beginning.
 * `offset`: what scraper_offset returned then, or 0. The patterns must outlive the scraper. A state
 * that scraper_state cannot have written is TUNER_FATAL. */
TUNER_MUST_CHECK
bool scraper_create(const struct metric_patterns *patterns, int64_t offset, const char *state,
	struct scraper **ret, struct tuner_error *err);
void scraper_destroy(struct scraper *scraper);

/* Feeds output that begins at `offset`: bytes fed before are skipped, and a gap drops the line it
 * cuts, on both sides. Whole lines are searched; the rest is kept. Calls found() per metric, in the
 * order of the output. On failure (no memory) everything before scraper_offset has been reported,
 * and feeding can continue from there. */
TUNER_MUST_CHECK
bool scraper_feed(struct scraper *scraper, int64_t offset, const char *bytes, size_t size,
	void (*found)(void *context, const struct scraped *scraped), void *context,
	struct tuner_error *err);

/* The output is complete: searches an unfinished last line. */
TUNER_MUST_CHECK
bool scraper_end(struct scraper *scraper,
	void (*found)(void *context, const struct scraped *scraped), void *context,
	struct tuner_error *err);

/* First byte not yet part of a searched line: where to continue after a restart. Never
 * decreases. */
int64_t scraper_offset(const struct scraper *scraper);

/* The scraper's counters at that offset, as one line of JSON. Caller frees; NULL without memory. */
char *scraper_state(const struct scraper *scraper);

/* Of pattern i so far in this attempt: matches that gave a value; matches whose group was not a
 * number; searches that hit PCRE2's limits. */
uint64_t scraper_matches(const struct scraper *scraper, size_t i);
uint64_t scraper_unread(const struct scraper *scraper, size_t i);
uint64_t scraper_limited(const struct scraper *scraper, size_t i);

/* Bytes lost so far before they could be fed: gaps, and the lines that they cut. */
int64_t scraper_missed(const struct scraper *scraper);

/* Occurrences of "@tuner" so far that were not followed by a JSON object. */
uint64_t scraper_malformed(const struct scraper *scraper);

#endif
