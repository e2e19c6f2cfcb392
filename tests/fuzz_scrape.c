/* Metrics out of arbitrary output: no crash, and the same rows and counts however the output is cut
 * into pieces and wherever the reader starts again.
 *
 * The first byte of an input chooses the pieces' sizes. */
#include "tests/fuzz_driver.h"

#include "base/text.h"
#include "scheduler/scrape.h"

#include <string.h>

const char *const fuzz_words[] = { "\n", "\r", "@tuner {",
	"@tuner {\"step\": 3, \"loss\": ", "\"resume\": 7",
	"loss=", "12: loss=", "accuracy: ", "acc ", " 10%", "NaN", "-Infinity", "inf", "{", "[",
	"}", ",", "\"", "\x1b[1;32m", "\x1b]0;title\x07", "\x1b]8;;u\x1b\\", "\x1b", "aaaa", NULL };

static const struct metric_pattern patterns[] = {
	{ "loss", "(?:(?<step>[0-9.]+): )?loss=(\\S+)" },
	{ "accuracy", "accuracy[:=] ?([0-9.]+)|acc ([0-9.]+)" },
	{ "bar", "^ *(\\d+)%" },
	{ "any", "(?<value>-?[0-9]+)$" },
	{ "hostile", "^(a+)+$" },
	{ "said", NULL },
};

static void write_row(void *context, const struct scraped *scraped)
{
	CHECK(*scraped->name != '\0' && strlen(scraped->name) <= SCRAPE_NAME_MAX);
	text_print(
		context, "%s %lld %a\n", scraped->name, (long long)scraped->step, scraped->value);
}

static struct scraper *start(
	const struct metric_patterns *compiled, int64_t offset, const char *state)
{
	struct scraper *scraper = NULL;
	struct tuner_error err;

	CHECK(scraper_create(compiled, offset, state, &scraper, &err));
	return scraper;
}

/* A new scraper from what the old one would have stored. */
static struct scraper *restart(const struct metric_patterns *compiled, struct scraper *old)
{
	char *state = scraper_state(old);
	struct scraper *new = start(compiled, scraper_offset(old), state);

	free(state);
	scraper_destroy(old);
	return new;
}

/* Rows, then the final state, by pieces of `step` bytes (0: in one) with a restart behind each
 * `restarts`-th (0: none). */
static void scrape(const struct metric_patterns *compiled, const char *bytes, size_t size,
	size_t step, size_t restarts, struct text *ret)
{
	struct scraper *scraper = start(compiled, 0, NULL);
	struct tuner_error err;
	size_t at = 0, pieces = 0;

	while (at < size) {
		const size_t piece = step == 0 || step > size - at ? size - at : step;
		const int64_t before = scraper_offset(scraper);
		CHECK(scraper_feed(scraper, (int64_t)at, bytes + at, piece, write_row, ret, &err));
		CHECK(scraper_offset(scraper) >= before);
		at += piece;
		CHECK(scraper_offset(scraper) <= (int64_t)at);
		CHECK((int64_t)at - scraper_offset(scraper) <= SCRAPE_LINE_MAX);
		if (restarts > 0 && at < size && ++pieces % restarts == 0) {
			scraper = restart(compiled, scraper);
			at = (size_t)scraper_offset(scraper);
			step *= 2; /* or a line longer than the piece would begin again for ever */
		}
	}
	CHECK(scraper_end(scraper, write_row, ret, &err));
	CHECK(scraper_offset(scraper) == (int64_t)size);
	char *state = scraper_state(scraper);
	text_add(ret, state);
	free(state);
	scraper_destroy(scraper);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct metric_patterns *compiled = NULL;
	struct text whole = TEXT_EMPTY, pieces = TEXT_EMPTY;
	struct tuner_error err;
	size_t bad;

	if (size == 0)
		return 0;
	CHECK(metric_patterns_create(
		patterns, sizeof(patterns) / sizeof(*patterns), &compiled, &bad, &err));
	const char *bytes = (const char *)data + 1;
	scrape(compiled, bytes, size - 1, 0, 0, &whole);
	scrape(compiled, bytes, size - 1, 1u + (data[0] & 31u), data[0] >> 5, &pieces);
	CHECK(strcmp(whole.bytes, pieces.bytes) == 0);
	text_finish(&whole);
	text_finish(&pieces);
	metric_patterns_destroy(compiled);
	return 0;
}
