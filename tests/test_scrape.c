#include "scheduler/scrape.h"

#include "base/number.h"
#include "base/random.h"
#include "base/text.h"
#include "scheduler/terminal.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- fixtures: what is found, as text ---- */

static void write_row(void *context, const struct scraped *scraped)
{
	char value[NUMBER_TEXT];

	text_print(context, "%s[%lld]=%s ", scraped->name, (long long)scraped->step,
		number_from_double(scraped->value, value));
}

static struct metric_patterns *compile(const struct metric_pattern *patterns, size_t n)
{
	struct metric_patterns *made = NULL;
	struct tuner_error err;
	size_t bad;

	if (!metric_patterns_create(patterns, n, &made, &bad, &err))
		fail_msg("%s", err.message);
	return made;
}

static struct scraper *start(
	const struct metric_patterns *patterns, int64_t offset, const char *state)
{
	struct scraper *scraper = NULL;
	struct tuner_error err;

	if (!scraper_create(patterns, offset, state, &scraper, &err))
		fail_msg("%s", err.message);
	return scraper;
}

static void feed(
	struct scraper *scraper, int64_t offset, const char *bytes, size_t size, struct text *rows)
{
	struct tuner_error err;

	if (!scraper_feed(scraper, offset, bytes, size, write_row, rows, &err))
		fail_msg("%s", err.message);
}

static void end(struct scraper *scraper, struct text *rows)
{
	struct tuner_error err;

	if (!scraper_end(scraper, write_row, rows, &err))
		fail_msg("%s", err.message);
}

/* All that one pattern for the metric "m" (NULL: @tuner only) finds in an output. */
static void assert_found_in(const char *regex, const char *output, size_t size, const char *rows)
{
	const struct metric_pattern pattern = { "m", regex };
	struct metric_patterns *patterns = compile(&pattern, 1);
	struct scraper *scraper = start(patterns, 0, NULL);
	struct text found = TEXT_EMPTY;

	feed(scraper, 0, output, size, &found);
	end(scraper, &found);
	assert_string_equal(found.bytes, rows);
	assert_int_equal(scraper_offset(scraper), size);
	text_finish(&found);
	scraper_destroy(scraper);
	metric_patterns_destroy(patterns);
}

static void assert_found(const char *regex, const char *output, const char *rows)
{
	assert_found_in(regex, output, strlen(output), rows);
}

/* ---- patterns ---- */

static void a_pattern_gives_a_value_per_line(void **state)
{
	assert_found("validation: accuracy=([0-9.]+)",
		"epoch=1 validation: accuracy=0.5\nepoch=2 validation: accuracy=0.75\n",
		"m[1]=0.5 m[2]=0.75 ");
}

static void the_last_line_needs_no_end(void **state)
{
	assert_found("a=(\\d+)", "a=1\na=2", "m[1]=1 m[2]=2 ");
}

static void lines_end_at_carriage_returns_too(void **state)
{
	assert_found("^ *(\\d+)%", " 1%\r 2%\r\n 3%\n\r\n\r 4%", "m[1]=1 m[2]=2 m[3]=3 m[4]=4 ");
}

static void all_matches_of_a_line_count_from_left_to_right(void **state)
{
	assert_found("a=(\\d+)", "a=1 b=9 a=2 a=3\n", "m[1]=1 m[2]=2 m[3]=3 ");
}

static void a_line_is_searched_pattern_by_pattern_then_for_objects(void **state)
{
	const struct metric_pattern given[] = { { "loss", "loss=(\\S+)" }, { "acc", "acc=(\\S+)" },
		{ "said", NULL } };
	struct metric_patterns *patterns = compile(given, COUNT(given));
	struct scraper *scraper = start(patterns, 0, NULL);
	struct text rows = TEXT_EMPTY;
	const char line[] = "@tuner {\"said\": 3} acc=1 loss=2\n";

	feed(scraper, 0, line, strlen(line), &rows);
	assert_string_equal(rows.bytes, "loss[1]=2 acc[1]=1 said[1]=3 ");
	assert_int_equal(scraper_matches(scraper, 0), 1);
	assert_int_equal(scraper_matches(scraper, 1), 1);
	assert_int_equal(scraper_matches(scraper, 2), 0);
	text_finish(&rows);
	scraper_destroy(scraper);
	metric_patterns_destroy(patterns);
}

static void values_are_numbers_in_any_notation(void **state)
{
	static const struct {
		const char *text, *rows;
	} cases[] = {
		{ "0.71", "m[1]=0.71 " },
		{ "-1e-05", "m[1]=-1e-05 " },
		{ "+3", "m[1]=3 " },
		{ ".5", "m[1]=0.5 " },
		{ "nan", "m[1]=nan " },
		{ "NaN", "m[1]=nan " },
		{ "-nan", "m[1]=nan " },
		{ "inf", "m[1]=inf " },
		{ "-Infinity", "m[1]=-inf " },
		{ " 0.71\t", "m[1]=0.71 " },
		{ "0.71.", "m[1]=0.71 " }, /* the end of a sentence */
		{ "0.71,", "m[1]=0.71 " },
		{ "5.", "m[1]=5 " },
		{ "1,234", "" },
		{ "71%", "" },
		{ "1.2.3", "" },
		{ "0.7 0.8", "" },
		{ "tensor(0.7)", "" },
		{ "", "" },
		{ ".", "" },
		{ "-", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char line[64];
		snprintf(line, sizeof(line), "m=%s|\n", cases[i].text);
		assert_found("m=([^|]*)\\|", line, cases[i].rows);
	}
}

static void what_is_not_a_number_is_counted_apart(void **state)
{
	const struct metric_pattern pattern = { "m", "m=(\\S+)" };
	struct metric_patterns *patterns = compile(&pattern, 1);
	struct scraper *scraper = start(patterns, 0, NULL);
	struct text rows = TEXT_EMPTY;
	const char output[] = "m=1\nm=much\nm=71%\n";

	feed(scraper, 0, output, strlen(output), &rows);
	assert_int_equal(scraper_matches(scraper, 0), 1);
	assert_int_equal(scraper_unread(scraper, 0), 2);
	assert_int_equal(scraper_limited(scraper, 0), 0);
	text_finish(&rows);
	scraper_destroy(scraper);
	metric_patterns_destroy(patterns);
}

static void groups_named_value_and_step_are_used(void **state)
{
	assert_found("(\\w+) step (?<step>\\d+): (?<value>[0-9.]+)", "train step 20: 0.5\n",
		"m[20]=0.5 ");
	assert_found("(?<step>\\d+): ([0-9.]+)", "20: 0.5\n", "m[20]=0.5 ");
	assert_found("epoch (?<step>[0-9.]+): ([0-9.]+)", "epoch 2.75: 0.5\n", "m[2]=0.5 ");
	assert_found("(?<step>-?\\d+): ([0-9.]+)", "-3: 0.5\n", "m[-3]=0.5 ");
}

static void without_a_readable_step_rows_are_counted(void **state)
{
	assert_found("(?:(?<step>\\w+): )?m=([0-9.]+)", "m=1\nx: m=2\n7: m=3\nm=4\n",
		"m[1]=1 m[2]=2 m[7]=3 m[4]=4 ");
	assert_found("(?<step>\\S+): m=(\\d+)", "1e300: m=1\nnan: m=2\n", "m[1]=1 m[2]=2 ");
}

static void of_alternatives_the_group_that_took_part_is_the_value(void **state)
{
	assert_found("acc ([0-9.]+)|accuracy: ([0-9.]+)", "acc 1\naccuracy: 2\n", "m[1]=1 m[2]=2 ");
}

static void metrics_of_one_name_share_their_count(void **state)
{
	const struct metric_pattern given[] = { { "m", "a=(\\d+)" }, { "m", "b=(\\d+)" } };
	struct metric_patterns *patterns = compile(given, COUNT(given));
	struct scraper *scraper = start(patterns, 0, NULL);
	struct text rows = TEXT_EMPTY;

	feed(scraper, 0, "a=1\nb=2\na=3\n", 12, &rows);
	assert_string_equal(rows.bytes, "m[1]=1 m[2]=2 m[3]=3 ");
	text_finish(&rows);
	scraper_destroy(scraper);
	metric_patterns_destroy(patterns);
}

static void patterns_and_output_are_utf8(void **state)
{
	assert_found("Verlust ≈ ([0-9.]+)", "Verlust ≈ 0.5\n", "m[1]=0.5 ");
	assert_found("^.=(\\d)$", "µ=3\n", "m[1]=3 ");
	assert_found("[µσ]=(\\d)", "µ=3 σ=4 \xc2=5\n", "m[1]=3 m[2]=4 ");
}

static void bytes_that_are_no_utf8_do_not_hide_what_follows(void **state)
{
	assert_found("a=(\\d)", "\xff\xfe a=1 \xc3( a=2\n\x80\n a=3\n", "m[1]=1 m[2]=2 m[3]=3 ");
	assert_found("^.*a=(\\d)", "\xff a=1\n", "m[1]=1 ");
	assert_found("^Dur.e a=(\\d)",
		"Dure a=1\n\x1b[1mDur\xe9"
		"e a=2\n",
		"m[1]=2 ");
}

static void nul_bytes_are_bytes(void **state)
{
	const char output[] = "a=1\0a=2\n\0\n@tuner {\"x\": 1\0}\n@tuner\0{\"x\":2}\na=3\0\n";

	assert_found_in("a=(\\d)", output, sizeof(output) - 1, "m[1]=1 m[2]=2 m[3]=3 ");
	assert_found_in("a=([^|]+)\\|", "a=1\0|\n", 7, "");
}

static void assert_refused(const char *regex, const char *reason)
{
	const struct metric_pattern given[] = { { "good", "g=(\\d)" }, { "bad", regex } };
	struct metric_patterns *patterns = NULL;
	struct tuner_error err;
	size_t bad = 99;

	assert_false(metric_patterns_create(given, COUNT(given), &patterns, &bad, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_int_equal(bad, 1);
	if (strstr(err.message, reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.message, reason);
}

static void patterns_that_cannot_work_are_refused_with_the_reason(void **state)
{
	char deep[SCRAPE_PATTERN_BYTES_MAX + 1], longer[SCRAPE_PATTERN_BYTES_MAX + 2];

	assert_refused("accuracy=[0-9.]+", "no group");
	assert_refused("(?<step>\\d+) accuracy", "no group");
	assert_refused("accuracy=(", "at byte 10");
	assert_refused("([0-9.]*)", "empty string");
	assert_refused("(?:a=(\\d))?", "empty string");
	assert_refused("a(?=(\\d*))|(?=(b))", "empty string");
	assert_refused("\\Ca=(\\d)", "\\C");
	assert_refused("\xff(\\d)", "UTF-8");
	assert_refused("((((a{1,1000}){1,1000}){1,1000}){1,1000})", "too large");
	assert_refused("(?J)(?<value>a)(?<value>b)", "several groups");
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_refused(deep, "nested");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_refused(longer, "501 bytes");
}

static void names_out_of_bounds_are_refused(void **state)
{
	struct metric_pattern many[SCRAPE_PATTERNS_MAX + 1];
	struct metric_patterns *patterns = NULL;
	struct scraper *scraper = NULL;
	struct tuner_error err;
	char name[SCRAPE_NAME_MAX + 2];
	size_t bad;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_false(metric_patterns_create(
		&(struct metric_pattern){ name, NULL }, 1, &patterns, &bad, &err));
	assert_false(metric_patterns_create(
		&(struct metric_pattern){ "", NULL }, 1, &patterns, &bad, &err));
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = (struct metric_pattern){ "m", NULL };
	assert_false(metric_patterns_create(many, COUNT(many), &patterns, &bad, &err));

	patterns = compile(&(struct metric_pattern){ "a\nb", NULL }, 1);
	assert_false(scraper_create(patterns, 0, NULL, &scraper, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	metric_patterns_destroy(patterns);
}

/* ---- hostile patterns and lines ---- */

static void fill_line(struct text *text, char character, size_t n, const char *tail)
{
	for (size_t i = 0; i < n; i++)
		text_add_char(text, character);
	text_add(text, tail);
}

/* Every one of these would run for longer than the universe without limits. */
static void catastrophic_patterns_end(void **state)
{
	static const char *const hostile[] = { "^(a+)+$", "^(a|aa)+$", "^(a|a?b?a)+$",
		"(.*a){20}=(\\d)", "(?:(a+)a+)+b", "^(([a-z])+.)+[A-Z]([a-z])+$" };

	for (size_t i = 0; i < COUNT(hostile); i++) {
		struct metric_patterns *patterns =
			compile(&(struct metric_pattern){ "m", hostile[i] }, 1);
		struct scraper *scraper = start(patterns, 0, NULL);
		struct text output = TEXT_EMPTY, rows = TEXT_EMPTY;

		for (int line = 0; line < 20; line++)
			fill_line(&output, 'a', 2000, "!\n");
		feed(scraper, 0, output.bytes, output.length, &rows);
		assert_string_equal(rows.bytes, "");
		assert_int_equal(scraper_matches(scraper, 0), 0);
		scraper_destroy(scraper);
		metric_patterns_destroy(patterns);
		text_finish(&output);
		text_finish(&rows);
	}
}

static void a_pattern_that_keeps_running_into_limits_is_given_up(void **state)
{
	struct metric_patterns *patterns =
		compile(&(struct metric_pattern){ "m", "^(a+)+$|b=(\\d)" }, 1);
	struct scraper *scraper = start(patterns, 0, NULL);
	struct text output = TEXT_EMPTY, rows = TEXT_EMPTY;

	for (int line = 0; line < SCRAPE_LIMITED_MAX + 10; line++)
		text_add(&output, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n");
	text_add(&output, "b=1\n");
	feed(scraper, 0, output.bytes, output.length, &rows);
	assert_int_equal(scraper_limited(scraper, 0), SCRAPE_LIMITED_MAX);
	assert_string_equal(rows.bytes, "");
	scraper_destroy(scraper);
	metric_patterns_destroy(patterns);
	text_finish(&output);
	text_finish(&rows);
}

static void a_long_line_is_searched_up_to_the_cap_only(void **state)
{
	struct text output = TEXT_EMPTY;

	text_add(&output, "a=1 ");
	fill_line(&output, 'x', 1 << 20, " a=2\na=3\n");
	assert_found_in("a=(\\d)", output.bytes, output.length, "m[1]=1 m[2]=3 ");
	text_finish(&output);
}

static void a_number_cut_by_the_cap_is_no_number(void **state)
{
	struct text output = TEXT_EMPTY;

	fill_line(&output, 'x', SCRAPE_LINE_MAX - 4, "a=0.71\na=3\n"); /* "a=0." is searched */
	assert_found_in("a=([0-9.]+)", output.bytes, output.length, "m[1]=3 ");
	text_clear(&output);
	fill_line(&output, 'x', SCRAPE_LINE_MAX - 6, "a=0.71\na=3\n"); /* just fits */
	assert_found_in("a=([0-9.]+)", output.bytes, output.length, "m[1]=0.71 m[2]=3 ");
	text_finish(&output);
}

/* ---- control sequences ---- */

static void control_sequences_are_removed(void **state)
{
	assert_found("^acc=([0-9.]+)$", "\x1b[1;32macc=\x1b[0m0.\x1b[K5\x1b[?25h\n", "m[1]=0.5 ");
	assert_found("^acc=([0-9.]+)$",
		"\x1b]0;a title\x07"
		"acc=1\n",
		"m[1]=1 ");
	assert_found("^acc=([0-9.]+)$", "\x1b]8;;http://x\x1b\\acc=2\x1b]8;;\x1b\\\n", "m[1]=2 ");
	assert_found("^acc=([0-9.]+)$",
		"\x1b(B\x1b"
		"7acc=3\x1bM\n",
		"m[1]=3 ");
	assert_found(
		"^acc=([0-9.]+)$", "acc=4\x1b[12\nacc=5\x1b\nacc=6\n", "m[1]=4 m[2]=5 m[3]=6 ");
}

static void a_stray_introducer_hides_no_text(void **state)
{
	assert_found("acc=([0-9.]+)", "\x1b] acc=1\n\x1bP acc=2\n", "m[1]=1 m[2]=2 ");
}

static void stripping_keeps_line_ends_and_works_in_place(void **state)
{
	char text[] = "\x1b[31mred\x1b[0m\n\x1b]0;title\nplain\x1b[2";
	const size_t size = terminal_strip(text, strlen(text), text);

	text[size] = '\0';
	assert_string_equal(text, "red\n0;title\nplain");
}

/* ---- @tuner ---- */

static void an_object_gives_every_number_in_it(void **state)
{
	assert_found(NULL, "@tuner {\"step\": 3, \"validation-accuracy\": 0.71, \"loss\": 2}\n",
		"validation-accuracy[3]=0.71 loss[3]=2 ");
	assert_found(NULL,
		"12:00 INFO @tuner{\"m\":1} and more @tuner \t {\"m\":2}@tuner {\"m\":3}",
		"m[1]=1 m[2]=2 m[3]=3 ");
	assert_found(NULL, "@@tuner {\"m\":1} a@b.c @tune @tun\n", "m[1]=1 ");
}

static void python_json_dumps_is_understood(void **state)
{
	assert_found(NULL,
		"@tuner {\"a\": NaN, \"b\": Infinity, \"c\": -Infinity, \"d\": -1e-05}\n",
		"a[1]=nan b[1]=inf c[1]=-inf d[1]=-1e-05 ");
	assert_found(NULL, "@tuner {\"a\": \"nan\", \"b\": \"-inf\", \"c\": \"1\", \"d\": 1e999}\n",
		"a[1]=nan b[1]=-inf d[1]=inf ");
	assert_found(NULL, "@tuner {\"a NaN \\\" Infinity }\": 1, \"\\u00e9\": 2}\n",
		"a NaN \" Infinity }[1]=1 é[1]=2 ");
}

static void what_is_no_number_is_passed_over(void **state)
{
	assert_found(NULL,
		"@tuner {\"a\": {\"b\": 1}, \"c\": [1, {\"d\": 2}], \"e\": true, \"f\": null, "
		"\"g\": \"word\", \"m\": 5, \"\": 6, \"\\n\": 7}\n",
		"m[1]=5 ");
	assert_found(NULL, "@tuner {}\n@tuner {\"step\": 4}\n", "");
}

static void steps_of_objects_are_rounded_down(void **state)
{
	assert_found(NULL,
		"@tuner {\"m\": 1, \"step\": 2.0}\n@tuner {\"m\": 1, \"step\": 0.5}\n"
		"@tuner {\"m\": 1, \"step\": -0.5}\n@tuner {\"m\": 1, \"step\": 1e300}\n"
		"@tuner {\"m\": 1, \"step\": \"9\"}\n@tuner {\"m\": 1, \"step\": NaN}\n",
		"m[2]=1 m[0]=1 m[-1]=1 m[4]=1 m[5]=1 m[6]=1 ");
}

static void counts_go_on_from_where_the_command_resumed(void **state)
{
	assert_found("a=(\\d)", "a=1\n@tuner {\"resume\": 7}\na=2\n@tuner {\"b\": 5}\na=3\n",
		"m[1]=1 m[8]=2 b[8]=5 m[9]=3 ");
	assert_found(NULL, "@tuner {\"m\": 1, \"resume\": 3}\n", "m[4]=1 ");
	assert_found(NULL,
		"@tuner {\"resume\": -1}\n@tuner {\"resume\": \"x\"}\n@tuner {\"resume\": NaN}\n"
		"@tuner {\"resume\": 1e30}\n@tuner {\"m\": 1}\n",
		"m[1]=1 ");
}

static void broken_objects_are_counted_and_crash_nothing(void **state)
{
	static const char *const broken[] = { "@tuner", "@tuner ", "@tuner x", "@tuner {",
		"@tuner {}}", "@tuner {\"m\": }", "@tuner {\"m\": 1", "@tuner {\"m\": 1]",
		"@tuner {\"m\": \"", "@tuner {\"m\\", "@tuner {\"m\": nope}", "@tuner [1]",
		"@tuner {'m': 1}", "@tuner {\"m\": 1,}", "@tuner {\"m\" 1}", "@tuner {\"m\": --1}",
		"@tuner {\"m\": 1 @tuner {" };
	struct text deep = TEXT_EMPTY, rows = TEXT_EMPTY;
	struct metric_patterns *patterns = compile(NULL, 0);

	for (size_t i = 0; i < COUNT(broken); i++) {
		struct scraper *scraper = start(patterns, 0, NULL);
		feed(scraper, 0, broken[i], strlen(broken[i]), &rows);
		end(scraper, &rows);
		assert_int_equal(scraper_malformed(scraper), i == 4 ? 0 : i == 16 ? 2 : 1);
		scraper_destroy(scraper);
	}
	assert_string_equal(rows.bytes, "");

	text_add(&deep, "@tuner {\"a\":");
	for (int i = 0; i < 60000; i++)
		text_add_char(&deep, '[');
	assert_found_in(NULL, deep.bytes, deep.length, "");
	metric_patterns_destroy(patterns);
	text_finish(&deep);
	text_finish(&rows);
}

/* Each mark of a log that is quoted in one line begins a string which ends with the line, at most. */
static void a_quoted_log_costs_no_look_at_all_of_it_from_every_mark(void **state)
{
	struct text line = TEXT_EMPTY, rows = TEXT_EMPTY;
	struct metric_patterns *patterns = compile(NULL, 0);
	struct scraper *scraper = start(patterns, 0, NULL);

	while (line.length < SCRAPE_LINE_MAX - 100)
		text_add(&line, "@tuner {\\\"m\\\": 1}");
	text_add(&line, "\n@tuner {\\\"m\\\": 1} @tuner {\"m\": 2}\n");
	feed(scraper, 0, line.bytes, line.length, &rows);
	assert_in_range(scraper_malformed(scraper), 2, 100);
	assert_string_equal(rows.bytes, "m[1]=2 ");
	scraper_destroy(scraper);
	metric_patterns_destroy(patterns);
	text_finish(&line);
	text_finish(&rows);
}

static void names_of_objects_are_bounded(void **state)
{
	struct text output = TEXT_EMPTY, rows = TEXT_EMPTY;
	struct metric_patterns *patterns = compile(&(struct metric_pattern){ "last", NULL }, 1);
	struct scraper *scraper = start(patterns, 0, NULL);
	size_t n = 0;

	for (int i = 0; i < SCRAPE_NAMES_MAX + 50; i++)
		text_print(&output, "@tuner {\"n%d\": 1}\n", i);
	text_add(&output, "@tuner {\"last\": 1, \"");
	fill_line(&output, 'n', SCRAPE_NAME_MAX + 1, "\": 1}\n@tuner {\"\xff\": 1}\n");
	feed(scraper, 0, output.bytes, output.length, &rows);
	for (const char *c = rows.bytes; *c != '\0'; c++)
		n += *c == '=';
	assert_int_equal(n, SCRAPE_NAMES_MAX); /* "last" has its place from the start */
	assert_non_null(strstr(rows.bytes, "n198[1]=1 last[1]=1 "));
	assert_null(strstr(rows.bytes, "n199["));
	scraper_destroy(scraper);
	metric_patterns_destroy(patterns);
	text_finish(&output);
	text_finish(&rows);
}

/* ---- offsets, restarts ---- */

static void what_was_fed_already_is_passed_over(void **state)
{
	struct metric_patterns *patterns = compile(&(struct metric_pattern){ "m", "a=(\\d)" }, 1);
	struct scraper *scraper = start(patterns, 0, NULL);
	struct text rows = TEXT_EMPTY;

	feed(scraper, 0, "a=1\na=", 6, &rows);
	assert_int_equal(scraper_offset(scraper), 4);
	feed(scraper, 0, "a=1\na=", 6, &rows);
	feed(scraper, 4, "a=2\na=3", 7, &rows);
	assert_string_equal(rows.bytes, "m[1]=1 m[2]=2 ");
	assert_int_equal(scraper_offset(scraper), 8);
	text_finish(&rows);
	scraper_destroy(scraper);
	metric_patterns_destroy(patterns);
}

/* Half a line is not read as a line: "a=1" may have been "a=12", and "=3" anything. */
static void a_gap_drops_the_line_it_cuts(void **state)
{
	struct metric_patterns *patterns = compile(&(struct metric_pattern){ "m", "a=(\\d)" }, 1);
	struct scraper *scraper = start(patterns, 0, NULL);
	struct text rows = TEXT_EMPTY;

	feed(scraper, 0, "a=0\na=1", 7, &rows);
	feed(scraper, 100, "a=2\na=3\n", 8, &rows);
	end(scraper, &rows);
	assert_string_equal(rows.bytes, "m[1]=0 m[2]=3 ");
	assert_int_equal(scraper_offset(scraper), 108);
	text_finish(&rows);
	scraper_destroy(scraper);
	metric_patterns_destroy(patterns);
}

static void what_never_came_is_counted(void **state)
{
	struct metric_patterns *patterns = compile(&(struct metric_pattern){ "m", "a=(\\d)" }, 1);
	struct scraper *scraper = start(patterns, 0, NULL);
	struct text rows = TEXT_EMPTY;

	feed(scraper, 0, "a=0\na=1", 7, &rows);
	assert_int_equal(scraper_missed(scraper), 0);
	feed(scraper, 100, "a=2\na=3\n", 8, &rows);
	assert_int_equal(scraper_missed(scraper), 96); /* from the line's beginning on */
	char *stored = scraper_state(scraper);
	struct scraper *again = start(patterns, scraper_offset(scraper), stored);
	feed(again, 110, "a=4\n", 4, &rows);
	assert_int_equal(scraper_missed(again), 98);
	free(stored);
	scraper_destroy(again);
	scraper_destroy(scraper);
	text_finish(&rows);
	metric_patterns_destroy(patterns);
}

static void a_state_of_nobody_is_refused(void **state)
{
	static const char *const damaged[] = { "", "{", "[]", "{}", "null",
		"{\"resumed\":-1,\"skipping\":false,\"malformed\":0,\"patterns\":[],\"rows\":{}}",
		"{\"resumed\":0,\"skipping\":0,\"malformed\":0,\"patterns\":[],\"rows\":{}}",
		"{\"resumed\":0,\"skipping\":false,\"malformed\":0,\"patterns\":[[1]],\"rows\":{}}",
		"{\"resumed\":0,\"skipping\":false,\"malformed\":0,\"patterns\":[],\"rows\":[]}",
		("{\"resumed\":0,\"skipping\":false,\"malformed\":0,\"patterns\":[],"
		 "\"rows\":{\"a\":\"b\"}}") };
	struct metric_patterns *patterns = compile(NULL, 0);

	for (size_t i = 0; i < COUNT(damaged); i++) {
		struct scraper *scraper = NULL;
		struct tuner_error err;
		assert_false(scraper_create(patterns, 0, damaged[i], &scraper, &err));
		assert_int_equal(err.code, TUNER_FATAL);
	}
	metric_patterns_destroy(patterns);
}

/* A random output: lines with and without metrics, all line ends, long lines, control sequences,
 * arbitrary bytes. */
static void write_output(struct random *random, struct text *output)
{
	static const char *const pieces[] = { "loss=0.5", "loss=", "1", "23", ".", " ", "acc 0.25",
		"@tuner {\"m\": 1}", "@tuner ", "{\"resume\": 3}", "{\"step\": 5, \"loss\": NaN}",
		"\x1b[31m", "\x1b[", "\x1b]0;", "\x07", "\n", "\n", "\n", "\r", "\r\n", "\xc3\xa9",
		"\xff", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "12: loss=3 loss=4" };

	while (random_below(random, 60) != 0) {
		text_add(output, pieces[random_below(random, COUNT(pieces))]);
		if (random_below(random, 50) == 0)
			text_add_char(output, '\0');
		if (random_below(random, 100) == 0)
			fill_line(output, 'x', SCRAPE_LINE_MAX - 100 + random_below(random, 200),
				"loss=7");
	}
}

static const struct metric_pattern property_patterns[] = {
	{ "loss", "(?:(?<step>\\d+): )?loss=([0-9.]+)" }, { "acc", "acc ([0-9.]+)" },
	{ "bad", "^(a+)+$" }, { "m", NULL }
};

/* Feeds in random pieces, some of them again, and at random moments goes on with a new scraper from
 * what the old one would have stored; the rows that the old one gave so far are kept. */
static char *scrape_in_pieces(const struct metric_patterns *patterns, struct random *random,
	const struct text *output, struct text *rows)
{
	struct scraper *scraper = start(patterns, 0, NULL);
	int64_t at = 0;

	while (at < (int64_t)output->length) {
		const uint64_t most = random_below(random, 8) == 0 ? 100000 : 30;
		size_t size = 1 + random_below(random, most);
		if (size > output->length - (size_t)at)
			size = output->length - (size_t)at;
		feed(scraper, at, output->bytes + at, size, rows);
		at += (int64_t)size;
		if (random_below(random, 4) == 0) {
			char *stored = scraper_state(scraper);
			at = scraper_offset(scraper);
			scraper_destroy(scraper);
			scraper = start(patterns, at, stored);
			free(stored);
		}
	}
	end(scraper, rows);
	char *final = scraper_state(scraper);
	scraper_destroy(scraper);
	return final;
}

static void pieces_and_restarts_change_nothing(void **state)
{
	struct metric_patterns *patterns = compile(property_patterns, COUNT(property_patterns));

	for (uint32_t i = 1; i <= 400; i++) {
		struct random random;
		struct text output = TEXT_EMPTY, whole = TEXT_EMPTY;

		random_init(&random,
			(struct random_key){ .seed = 1, .number = i, .purpose = RANDOM_TEST });
		write_output(&random, &output);
		struct scraper *scraper = start(patterns, 0, NULL);
		feed(scraper, 0, output.bytes, output.length, &whole);
		end(scraper, &whole);
		char *expected = scraper_state(scraper);
		scraper_destroy(scraper);

		for (int split = 0; split < 10; split++) {
			struct text rows = TEXT_EMPTY;
			char *final = scrape_in_pieces(patterns, &random, &output, &rows);
			if (strcmp(rows.bytes, whole.bytes) != 0 || strcmp(final, expected) != 0)
				fail_msg("output %u:\n%s\n%s\n%s\n%s", i, whole.bytes, rows.bytes,
					expected, final);
			free(final);
			text_finish(&rows);
		}
		free(expected);
		text_finish(&output);
		text_finish(&whole);
	}
	metric_patterns_destroy(patterns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_gives_a_value_per_line),
		cmocka_unit_test(the_last_line_needs_no_end),
		cmocka_unit_test(lines_end_at_carriage_returns_too),
		cmocka_unit_test(all_matches_of_a_line_count_from_left_to_right),
		cmocka_unit_test(a_line_is_searched_pattern_by_pattern_then_for_objects),
		cmocka_unit_test(values_are_numbers_in_any_notation),
		cmocka_unit_test(what_is_not_a_number_is_counted_apart),
		cmocka_unit_test(groups_named_value_and_step_are_used),
		cmocka_unit_test(without_a_readable_step_rows_are_counted),
		cmocka_unit_test(of_alternatives_the_group_that_took_part_is_the_value),
		cmocka_unit_test(metrics_of_one_name_share_their_count),
		cmocka_unit_test(patterns_and_output_are_utf8),
		cmocka_unit_test(bytes_that_are_no_utf8_do_not_hide_what_follows),
		cmocka_unit_test(nul_bytes_are_bytes),
		cmocka_unit_test(patterns_that_cannot_work_are_refused_with_the_reason),
		cmocka_unit_test(names_out_of_bounds_are_refused),
		cmocka_unit_test(catastrophic_patterns_end),
		cmocka_unit_test(a_pattern_that_keeps_running_into_limits_is_given_up),
		cmocka_unit_test(a_long_line_is_searched_up_to_the_cap_only),
		cmocka_unit_test(a_number_cut_by_the_cap_is_no_number),
		cmocka_unit_test(control_sequences_are_removed),
		cmocka_unit_test(a_stray_introducer_hides_no_text),
		cmocka_unit_test(stripping_keeps_line_ends_and_works_in_place),
		cmocka_unit_test(an_object_gives_every_number_in_it),
		cmocka_unit_test(python_json_dumps_is_understood),
		cmocka_unit_test(what_is_no_number_is_passed_over),
		cmocka_unit_test(steps_of_objects_are_rounded_down),
		cmocka_unit_test(counts_go_on_from_where_the_command_resumed),
		cmocka_unit_test(broken_objects_are_counted_and_crash_nothing),
		cmocka_unit_test(a_quoted_log_costs_no_look_at_all_of_it_from_every_mark),
		cmocka_unit_test(names_of_objects_are_bounded),
		cmocka_unit_test(what_was_fed_already_is_passed_over),
		cmocka_unit_test(a_gap_drops_the_line_it_cuts),
		cmocka_unit_test(what_never_came_is_counted),
		cmocka_unit_test(a_state_of_nobody_is_refused),
		cmocka_unit_test(pieces_and_restarts_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
