/* tuner/objective.h and tuner/rescore_vary.h: from curves to one number, and who wins at which price. */
#include "tests/fixture_job.h"
#include "tuner/goals.h"
#include "tuner/objective.h"
#include "tuner/rescore_vary.h"
#include "tuner/told_metrics.h"

#include <math.h>

#define SPACE   "\"parameters\": {\"x\": {\"type\": \"float\", \"min\": 0, \"max\": 1}}"
#define FORMULA "\"objective\": {\"expression\": \"`acc-1` - 2 * lag\", \"goal\": \"maximize\""

static double value(const struct objective_curves *curves, const struct job_file *file)
{
	return objective_value(curves, &file->objective, file->maximize);
}

static void put(struct objective_curves *curves, const struct job_file *file, const char *metric,
	double step, double number)
{
	assert_true(objective_curves_put(curves, &file->objective, metric, step, number));
}

static void each_metric_is_reduced_before_the_formula(void **state)
{
	struct job_file *file =
		fixture_file(FORMULA ", \"reduce\": {\"acc-1\": \"max\", \"lag\": \"mean of last "
				     "2\"}}, " SPACE);
	struct objective_curves curves = { 0 };

	assert_int_equal(file->objective.n, 2);
	assert_string_equal(file->objective.metrics[0].name, "acc-1");
	put(&curves, file, "acc-1", 1, 8);
	put(&curves, file, "acc-1", 2, 5);
	put(&curves, file, "lag", 1, 1);
	put(&curves, file, "lag", 2, 2);
	put(&curves, file, "lag", 3, 4);
	put(&curves, file, "other", 3, 4);
	assert_true(value(&curves, file) == 8 - 2 * 3);
	objective_curves_finish(&curves);
	job_file_destroy(file);
}

static void the_wholes_curve_has_the_steps_of_all_metrics(void **state)
{
	struct job_file *file = fixture_file(FORMULA "}, " SPACE);
	struct objective_curves curves = { 0 };

	put(&curves, file, "acc-1", 1, 8);
	put(&curves, file, "acc-1", 2, 9);
	put(&curves, file, "lag", 2, 1);
	put(&curves, file, "lag", 3, 7);
	assert_int_equal(curves.whole.n, 1);
	assert_true(curves.whole.steps[0] == 2 && curves.whole.values[0] == 7);
	put(&curves, file, "acc-1", 2, 10); /* once more: the last counts */
	put(&curves, file, "lag", 1, 1);
	assert_int_equal(curves.whole.n, 2);
	assert_true(curves.whole.values[0] == 6 && curves.whole.values[1] == 8);
	objective_curves_finish(&curves);
	job_file_destroy(file);
}

static void what_is_missing_is_named_and_gives_no_number(void **state)
{
	struct job_file *file = fixture_file(FORMULA "}, " SPACE);
	struct objective_curves curves = { 0 };
	struct text missing = TEXT_EMPTY;

	assert_false(objective_begun(&curves));
	objective_missing(&curves, &file->objective, &missing);
	assert_string_equal(missing.bytes, "acc-1, lag");
	put(&curves, file, "acc-1", 1, 8);
	assert_true(objective_begun(&curves));
	assert_false(objective_complete(&curves, &file->objective));
	assert_true(isnan(value(&curves, file)));
	text_clear(&missing);
	objective_missing(&curves, &file->objective, &missing);
	assert_string_equal(missing.bytes, "lag");
	put(&curves, file, "lag", 9, NAN);
	assert_true(objective_complete(&curves, &file->objective));
	assert_true(isnan(value(&curves, file)));
	text_finish(&missing);
	objective_curves_finish(&curves);
	job_file_destroy(file);
}

static void one_metric_is_its_own_whole(void **state)
{
	struct job_file *file =
		fixture_file("\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\", "
			     "\"reduce\": \"best\"}, " SPACE);
	struct objective_curves curves = { 0 };

	put(&curves, file, "loss", 1, 2);
	put(&curves, file, "loss", 2, 1);
	put(&curves, file, "loss", 3, 5);
	assert_int_equal(curves.whole.n, 3);
	assert_null(curves.parts);
	assert_true(value(&curves, file) == 1);
	objective_curves_finish(&curves);
	job_file_destroy(file);
}

static void a_cost_is_the_formula_that_it_stands_for(void **state)
{
	struct job_file *file = fixture_file("\"objective\": {\"cost\": {\"false_negative\": 5, "
					     "\"late-ones\": 0.5}}, " SPACE);
	char *definition = job_file_objective(file);

	assert_false(file->maximize);
	assert_string_equal(file->metric, "5 * false_negative + 0.5 * `late-ones`");
	assert_string_equal(definition,
		"{\"cost\": {\"false_negative\": 5, \"late-ones\": 0.5}, \"per\": \"all\", "
		"\"goal\": \"minimize\", \"reduce\": \"last\"}");
	free(definition);
	job_file_destroy(file);
}

/* ---- limits ---- */

#define LIMITED                                                                                    \
	"\"objective\": {\"metric\": \"acc\", \"goal\": \"maximize\", \"reduce\": {\"acc\": "      \
	"\"best\", "                                                                               \
	"\"lag-ms\": \"max\"}, \"limits\": [\"`lag-ms` <= 20\", \"acc >= 0.5\"]}, " SPACE

static struct judgement limits(const struct objective_curves *curves, const struct job_file *file)
{
	return objective_judge(curves, &file->objective, value(curves, file), file->maximize);
}

static void limits_are_judged_by_the_reduced_metrics(void **state)
{
	struct job_file *file = fixture_file(LIMITED);
	struct objective_curves curves = { 0 };
	char message[LIMITS_MESSAGE_BYTES];

	put(&curves, file, "acc", 1, 0.75);
	put(&curves, file, "acc", 2, 0.25);
	assert_true(value(&curves, file) == 0.75);
	assert_int_equal(limits(&curves, file).n_limits, 0); /* no lag-ms yet */
	assert_false(objective_complete(&curves, &file->objective));
	put(&curves, file, "lag-ms", 1, 31);
	put(&curves, file, "lag-ms", 2, 11);
	assert_true(objective_complete(&curves, &file->objective));
	assert_int_equal(curves.whole.n, 2);
	assert_true(value(&curves, file) == 0.75);

	struct judgement check = limits(&curves, file);

	assert_int_equal(check.n_limits, 2);
	assert_true(check.objective == 0.75 && check.excess[0] == 11 && check.excess[1] == -0.25);
	assert_true(judgement_is_over(&check));
	objective_limits_message(&file->objective, file->metric, &check, message);
	assert_string_equal(message, "`lag-ms` <= 20 is broken by 11 (acc 0.75)");
	put(&curves, file, "lag-ms", 1, 20);
	check = limits(&curves, file);
	assert_true(check.excess[0] == 0);
	assert_false(judgement_is_over(&check));
	objective_limits_message(&file->objective, file->metric, &check, message);
	assert_string_equal(message, "");
	put(&curves, file, "acc", 1, 0.25);
	put(&curves, file, "lag-ms", 3, NAN);
	put(&curves, file, "lag-ms", 1, NAN);
	put(&curves, file, "lag-ms", 2, NAN);
	check = limits(&curves, file);
	assert_true(isnan(check.excess[0]) && check.excess[1] == 0.25);
	objective_limits_message(&file->objective, file->metric, &check, message);
	assert_string_equal(message,
		"`lag-ms` <= 20 cannot be computed; acc >= 0.5 is broken by 0.25 (acc 0.25)");
	objective_curves_finish(&curves);
	job_file_destroy(file);
}

/* Metrics of limits play no part in the formula, and its curve does not wait for them. */
static void a_formula_is_of_its_own_metrics(void **state)
{
	struct job_file *file = fixture_file(
		FORMULA ", \"limits\": [\"memory + lag <= 8\", \"lag <= 2\"]}, " SPACE);
	struct objective_curves curves = { 0 };

	assert_int_equal(file->objective.n, 3);
	assert_int_equal(file->objective.n_own, 2);
	put(&curves, file, "acc-1", 1, 8);
	put(&curves, file, "lag", 1, 2);
	assert_int_equal(curves.whole.n, 1);
	assert_true(value(&curves, file) == 4);
	put(&curves, file, "memory", 7, 5);

	const struct judgement check = limits(&curves, file);

	assert_int_equal(check.n_limits, 2);
	assert_true(check.excess[0] == -1 && check.excess[1] == 0);
	assert_true(objective_limits_name(&file->objective, 1));
	assert_false(objective_limits_name(&file->objective, 0));
	objective_curves_finish(&curves);
	job_file_destroy(file);
}

static void limits_are_part_of_what_is_stored(void **state)
{
	struct job_file *file = fixture_file(LIMITED);
	char *definition = job_file_objective(file);

	assert_string_equal(definition,
		"{\"metric\": \"acc\", \"goal\": \"maximize\", \"reduce\": {\"acc\": \"best\", "
		"\"lag-ms\": \"max\"}, \"limits\": [\"`lag-ms` <= 20\", \"acc >= 0.5\"]}");
	free(definition);
	job_file_destroy(file);
	/* The word for the objective's metric leaves the others' last value. */
	file = fixture_file("\"objective\": {\"metric\": \"acc\", \"goal\": \"maximize\", "
			    "\"reduce\": \"best\", \"limits\": [\"lag <= 20\"]}, " SPACE);
	definition = job_file_objective(file);
	assert_non_null(strstr(definition, "\"reduce\": \"best\", \"limits\": [\"lag <= 20\"]"));
	assert_int_equal(file->objective.metrics[1].reduce, REDUCE_LAST);
	free(definition);
	job_file_destroy(file);
}

static void a_message_that_is_too_long_is_cut_between_characters(void **state)
{
	char text[1000], message[LIMITS_MESSAGE_BYTES];
	const struct judgement check = { .n_limits = 1, .objective = 0.5, .excess = { 3 } };

	for (size_t shift = 0; shift < 2; shift++) {
		char name[200] = "";

		for (size_t i = 0; i < 80; i++)
			strcat(name, "ü");
		snprintf(text, sizeof text,
			"\"objective\": {\"metric\": \"acc\", \"goal\": \"maximize\", \"limits\": "
			"[\"%s%s + %s <= 20\"]}, " SPACE,
			shift ? "x" : "", name, name);
		struct job_file *file = fixture_file(text);

		objective_limits_message(&file->objective, file->metric, &check, message);
		const size_t length = strlen(message);

		assert_in_range(length, LIMITS_MESSAGE_BYTES - 4, LIMITS_MESSAGE_BYTES - 1);
		for (size_t i = 0, n; i < length; i += n)
			assert_true((n = text_utf8_character(message + i, length - i)) > 0);
		job_file_destroy(file);
	}
}

/* A metric counts once, whatever names it. */
static void as_many_metrics_as_a_formula_may_have_may_have_limits(void **state)
{
	struct text text = TEXT_EMPTY;

	text_add(&text, "\"objective\": {\"goal\": \"maximize\", \"expression\": \"m0");
	for (int i = 1; i < OBJECTIVE_METRICS_MAX; i++)
		text_print(&text, " + m%d", i);
	text_add(&text, "\", \"limits\": [\"m0 + m1 <= m31\"]}, " SPACE);

	struct job_file *file = fixture_file(text.bytes);

	assert_int_equal(file->objective.n, OBJECTIVE_METRICS_MAX);
	assert_int_equal(file->objective.n_limits, 1);
	job_file_destroy(file);
	text_finish(&text);
}

/* ---- further objectives ---- */

#define SEVERAL                                                                                    \
	"\"objective\": {\"metric\": \"acc\", \"goal\": \"maximize\", \"reduce\": {\"acc\": "      \
	"\"best\", \"lag-ms\": \"max\"}, \"also\": [{\"minimize\": \"`lag-ms`\"}, {\"maximize\": " \
	"\"log2(hits) - acc\"}], \"limits\": [\"hits <= 99\"]}, " SPACE

static void further_objectives_come_from_the_reduced_metrics(void **state)
{
	struct job_file *file = fixture_file(SEVERAL);
	struct objective_curves curves = { 0 };

	assert_int_equal(file->objective.n_also, 2);
	assert_int_equal(file->objective.n_own, 1);
	assert_false(file->objective.also[0].maximize);
	assert_true(file->objective.also[1].maximize);
	put(&curves, file, "acc", 1, 0.75);
	put(&curves, file, "acc", 2, 0.25);
	put(&curves, file, "hits", 2, 8);
	assert_int_equal(limits(&curves, file).n_also, 0); /* no lag-ms yet */
	assert_false(objective_complete(&curves, &file->objective));
	put(&curves, file, "lag-ms", 1, 31);
	put(&curves, file, "lag-ms", 2, 11);
	assert_true(objective_complete(&curves, &file->objective));
	assert_true(value(&curves, file) == 0.75);

	struct judgement judgement = limits(&curves, file);

	assert_int_equal(judgement.n_limits, 1);
	assert_true(judgement.excess[0] == 8 - 99);
	assert_int_equal(judgement.n_also, 2);
	assert_true(judgement.also[0] == 31 && judgement.also[1] == 3 - 0.75);
	objective_curves_finish(&curves);
	job_file_destroy(file);
}

/* A trial of which one objective is not a number has none. */
static void an_objective_that_gives_no_number_takes_the_others_with_it(void **state)
{
	struct job_file *file = fixture_file(SEVERAL);
	struct objective_curves curves = { 0 };
	struct told_metrics told = { .n = 0 };
	struct judgement judgement;
	struct tuner_error err;

	put(&curves, file, "acc", 1, 0.75);
	put(&curves, file, "lag-ms", 1, 31);
	put(&curves, file, "hits", 1, -1); /* its logarithm is none */
	assert_true(objective_complete(&curves, &file->objective));
	assert_true(isnan(value(&curves, file)));
	assert_int_equal(limits(&curves, file).n_also, 0);
	assert_true(told_metrics_add(&told, "lag-ms", 31, &err));
	assert_false(told_metrics_judge(&told, file, 0.75, &judgement, &err));
	assert_non_null(strstr(err.message, "limits need the metric \"hits\""));
	assert_true(told_metrics_add(&told, "hits", -1, &err));
	assert_true(told_metrics_judge(&told, file, 0.75, &judgement, &err));
	assert_true(judgement_lacks_objective(&judgement));
	told.items[1].value = 0; /* infinite is a number */
	assert_true(told_metrics_judge(&told, file, 0.75, &judgement, &err));
	assert_false(judgement_lacks_objective(&judgement));
	assert_true(judgement.also[1] == -INFINITY);
	told.n = 0;
	assert_true(told_metrics_add(&told, "hits", 3, &err));
	assert_false(told_metrics_judge(&told, file, 0.75, &judgement, &err));
	assert_non_null(strstr(err.message, "further objectives need the metric \"lag-ms\""));
	objective_curves_finish(&curves);
	job_file_destroy(file);
}

static void further_objectives_are_part_of_what_is_stored(void **state)
{
	struct job_file *file = fixture_file(SEVERAL), *restored = NULL;
	char *definition = job_file_objective(file);
	struct text text = TEXT_EMPTY;
	struct goals goals;
	struct tuner_error err;

	assert_non_null(strstr(definition,
		"\"limits\": [\"hits <= 99\"], \"also\": [{\"minimize\": \"`lag-ms`\"}, "
		"{\"maximize\": \"log2(hits) - acc\"}]}"));
	objective_text(file, &text);
	assert_string_equal(text.bytes, "maximize acc, minimize lag-ms, maximize log2(hits) - acc");
	text_clear(&text);
	assert_true(goals_read(file->metric, file->maximize, definition, &goals, &err));
	goals_text(&goals, &text);
	assert_string_equal(text.bytes, "maximize acc, minimize lag-ms, maximize log2(hits) - acc");
	goals_finish(&goals);
	restored =
		fixture_file("\"objective\": {\"metric\": \"x\", \"goal\": \"minimize\"}, " SPACE);
	assert_true(job_file_restore_also(restored, definition, &err));
	assert_int_equal(restored->objective.n_also, 2);
	assert_false(restored->objective.also[0].maximize);
	assert_true(restored->objective.also[1].maximize);
	text_finish(&text);
	free(definition);
	job_file_destroy(restored);
	job_file_destroy(file);
}

static void a_name_that_is_all_of_a_formula_has_no_backquotes(void **state)
{
	struct goals goals;
	struct tuner_error err;

	/* The first is what the database names it. */
	assert_true(
		goals_read("`a`", true, "{\"also\": [{\"minimize\": \"`a-b`\"}]}", &goals, &err));
	assert_string_equal(goals.items[0].name, "`a`");
	assert_string_equal(goals.items[1].name, "a-b");
	goals_finish(&goals);
	static const char *const names[][2] = { { "lag", "lag" }, { "`lag-ms`", "lag-ms" },
		{ "`a-b` + `c-d`", "`a-b` + `c-d`" }, { "`a``b`", "`a``b`" }, { "``", "``" } };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct text text = TEXT_EMPTY;

		goals_add_name(names[i][0], &text);
		assert_string_equal(text.bytes, names[i][1]);
		text_finish(&text);
	}
}

/* ---- what callers tell ---- */

static void what_callers_tell_is_what_the_limits_need(void **state)
{
	struct job_file *file = fixture_file(LIMITED);
	struct told_metrics told = { .n = 0 };
	struct metric_row rows[OBJECTIVE_METRICS_MAX];
	struct judgement check;
	struct tuner_error err;

	assert_false(told_metrics_judge(&told, file, 0.75, &check, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_non_null(strstr(err.message, "need the metric \"lag-ms\""));
	assert_true(told_metrics_add(&told, "lag-ms", 31, &err));
	assert_false(told_metrics_add(&told, "lag-ms", 30, &err));
	assert_true(told_metrics_judge(&told, file, 0.25, &check, &err));
	assert_int_equal(check.n_limits, 2);
	assert_true(check.objective == 0.25 && check.excess[0] == 11 && check.excess[1] == 0.25);
	assert_int_equal(told_metrics_rows(&told, 4, 9, rows), 1);
	assert_string_equal(rows[0].name, "lag-ms");
	assert_true(rows[0].step == 4 && rows[0].value == 31 && rows[0].time_us == 9);
	/* The value is the objective's metric. */
	assert_true(told_metrics_add(&told, "acc", 0.3, &err));
	assert_false(told_metrics_judge(&told, file, 0.25, &check, &err));
	assert_non_null(strstr(err.message, "\"acc\"; it needs lag-ms"));
	job_file_destroy(file);
}

/* ---- who wins ---- */

static double at(const struct vary_line *line, double price, double low, double high)
{
	return line->low + (line->high - line->low) * (price - low) / (high - low);
}

static int64_t draw(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16 & 63;
}

/* Against every line at many prices. */
static void the_envelope_is_the_least_everywhere(void **state)
{
	enum { LINES = 40, PRICES = 500 };
	const double low = 1, high = 20;
	unsigned seed = 1;

	for (int round = 0; round < 20; round++) {
		struct vary_line lines[LINES];
		struct vary_segment *segments = NULL;
		struct tuner_error err;
		size_t n = 0, s = 0;

		for (int i = 0; i < LINES; i++) {
			const int64_t a = draw(&seed), b = draw(&seed);
			lines[i] = (struct vary_line){ i, (double)a, (double)b };
		}
		assert_true(vary_envelope(lines, LINES, low, high, &segments, &n, &err));
		assert_true(n > 0 && segments[0].from == low && segments[n - 1].to == high);
		for (size_t i = 1; i < n; i++)
			assert_true(segments[i].from == segments[i - 1].to);
		for (int p = 0; p <= PRICES; p++) {
			const double price = low + (high - low) * p / PRICES;
			double least = INFINITY;

			while (s + 1 < n && segments[s].to < price)
				s++;
			for (int i = 0; i < LINES; i++)
				least = fmin(least, at(&lines[i], price, low, high));
			assert_true(at(&lines[segments[s].line], price, low, high) <= least + 1e-9);
		}
		free(segments);
	}
}

/* 3 a + b is 83 of all: which of their crossings is the first is a matter of the last bits. */
static void a_line_that_only_passes_where_others_cross_wins_nowhere(void **state)
{
	static const int counts[][2] = { { 7, 62 }, { 11, 50 }, { 5, 68 }, { 6, 65 }, { 9, 56 },
		{ 10, 53 } };
	enum { N = sizeof(counts) / sizeof(counts[0]) };
	struct vary_line lines[N];
	struct tuner_error err;

	for (int high = 4; high < 60; high++) {
		struct vary_segment *segments = NULL;
		size_t n = 0;

		for (int i = 0; i < N; i++)
			lines[i] = (struct vary_line){ i, (counts[i][0] + counts[i][1]) / 500.0,
				(high * counts[i][0] + counts[i][1]) / 500.0 };
		assert_true(vary_envelope(lines, N, 1, high, &segments, &n, &err));
		assert_int_equal(n, 2);
		assert_true(segments[0].line == 1 && segments[1].line == 2);
		assert_true(fabs(segments[0].to - 3) < 1e-9);
		free(segments);
	}
}

static void lines_that_never_cross_have_one_winner(void **state)
{
	const struct vary_line lines[] = { { 0, 3, 4 }, { 1, 1, 2 }, { 2, 1, 2 } };
	struct vary_segment *segments = NULL;
	struct tuner_error err;
	size_t n = 0;

	assert_true(vary_envelope(lines, 3, 0, 1, &segments, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(segments[0].line, 1);
	free(segments);
	assert_true(vary_envelope(lines, 0, 0, 1, &segments, &n, &err));
	assert_int_equal(n, 0);
	free(segments);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_metric_is_reduced_before_the_formula),
		cmocka_unit_test(the_wholes_curve_has_the_steps_of_all_metrics),
		cmocka_unit_test(what_is_missing_is_named_and_gives_no_number),
		cmocka_unit_test(one_metric_is_its_own_whole),
		cmocka_unit_test(a_cost_is_the_formula_that_it_stands_for),
		cmocka_unit_test(limits_are_judged_by_the_reduced_metrics),
		cmocka_unit_test(a_formula_is_of_its_own_metrics),
		cmocka_unit_test(limits_are_part_of_what_is_stored),
		cmocka_unit_test(a_message_that_is_too_long_is_cut_between_characters),
		cmocka_unit_test(as_many_metrics_as_a_formula_may_have_may_have_limits),
		cmocka_unit_test(further_objectives_come_from_the_reduced_metrics),
		cmocka_unit_test(an_objective_that_gives_no_number_takes_the_others_with_it),
		cmocka_unit_test(further_objectives_are_part_of_what_is_stored),
		cmocka_unit_test(a_name_that_is_all_of_a_formula_has_no_backquotes),
		cmocka_unit_test(what_callers_tell_is_what_the_limits_need),
		cmocka_unit_test(the_envelope_is_the_least_everywhere),
		cmocka_unit_test(a_line_that_only_passes_where_others_cross_wins_nowhere),
		cmocka_unit_test(lines_that_never_cross_have_one_winner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
