/* Metrics out of arbitrary output: no crash, and the same rows and counts however the output is cut
 * into pieces and wherever the reader starts again.
 *
 * With the meson option `fuzz` (clang) this is a libFuzzer target; otherwise a program that runs the
 * corpus below and mutations of it. The first byte of an input chooses the pieces' sizes. */
#include "scheduler/scrape.h"

#include "base/random.h"
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct metric_pattern patterns[] = {
	{ "loss", "(?:(?<step>[0-9.]+): )?loss=(\\S+)" },
	{ "accuracy", "accuracy[:=] ?([0-9.]+)|acc ([0-9.]+)" },
	{ "bar", "^ *(\\d+)%" },
	{ "any", "(?<value>-?[0-9]+)$" },
	{ "hostile", "^(a+)+$" },
	{ "said", NULL },
};

#define CHECK(property)                                                                            \
	((property) ? (void)0                                                                      \
		    : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #property), abort()))

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

#ifndef FUZZ_ENGINE

static const char *const corpus[] = {
	"!epoch=1 validation: accuracy=0.71\nepoch=2 validation: accuracy=0.75\n",
	"\x85"
	"12: loss=0.5 loss=nan\r\n13: loss=1e-5.\r\n",
	"@ 10%|#         | 1/10\r 20%|##        | 2/10\r100%|##########| 10/10\n",
	"A@tuner {\"step\": 3, \"loss\": NaN, \"x\": [1, {\"y\": 2}], \"\\u00e9\": -Infinity}\n",
	"B@tuner {\"resume\": 7}\nacc 1\n@tuner {\"loss\": 1}@tuner {\"loss\": \"inf\"\n@tuner",
	"c\x1b[1;32macc\x1b[0m 0.5\x1b]0;title\x07\x1b]8;;u\x1b\\\n\x1b]loss=1\n\x1b",
	"daaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n-12\n",
	"\xe5\xff\xfe loss=1 \xc3\nD\xc3\xa9 loss=2\n\xf4\x90\x80\x80",
	"f{\"a\":{\"b\":{\"c\":[[[[\n@tuner {{{{\"a\":1}\n@tuner {\"a\\\n",
};

static void run(const char *bytes, size_t size)
{
	LLVMFuzzerTestOneInput((const uint8_t *)bytes, size);
}

/* One random change: a byte, a cut, a piece of the corpus in the middle, or very many of a byte. */
static void mutate(struct random *random, struct text *text)
{
	const char *other = corpus[random_below(random, sizeof(corpus) / sizeof(*corpus))];
	const size_t at = random_below(random, text->length + 1);
	struct text changed = TEXT_EMPTY;

	text_add_bytes(&changed, text->bytes, at);
	switch (random_below(random, 8)) {
	case 0:
	case 1:
	case 2:
		text_add_char(&changed, (char)random_below(random, 256));
		text_add_bytes(&changed, text->bytes + at, text->length - at);
		break;
	case 3:
		break;
	case 4: {
		const size_t n = random_below(random, 20) == 0 ? SCRAPE_LINE_MAX : 40;
		for (size_t i = 0; i < n; i++)
			text_add_char(&changed, *other);
		text_add_bytes(&changed, text->bytes + at, text->length - at);
		break;
	}
	default:
		text_add_bytes(&changed, other + 1, strlen(other + 1));
		text_add_bytes(&changed, text->bytes + at, text->length - at);
		break;
	}
	text_finish(text);
	*text = changed;
}

int main(void)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = 1, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < sizeof(corpus) / sizeof(*corpus); i++) {
		run(corpus[i], strlen(corpus[i]));
		for (int chain = 0; chain < 40; chain++) {
			struct text text = TEXT_EMPTY;
			text_add(&text, corpus[i]);
			for (int step = 0; step < 8; step++) {
				mutate(&random, &text);
				run(text.bytes, text.length);
			}
			text_finish(&text);
		}
	}
	return 0;
}

#endif
