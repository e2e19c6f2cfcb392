/* surrogate/expression.h: what formulas mean, and what is said about those that mean nothing. */
#include "surrogate/expression.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double batch_sizes[] = { 32, 64, 128 }, truths[] = { 0, 1 }, epochs[] = { 50 };
static const char *const optimizers[] = { "sgd", "adam", "rmsprop" }, *const devices[] = { "gpu" };

/* a, b: numbers themselves; batch_size: one of three numbers; nesterov: a bool; optimizer: one of three
 * strings; epochs and device: fixed. */
static const struct expression_name names[] = {
	{ "a", EXPRESSION_NUMBER, 0, 0, NULL, NULL },
	{ "b", EXPRESSION_NUMBER, 1, 0, NULL, NULL },
	{ "batch_size", EXPRESSION_NUMBER, 2, 3, batch_sizes, NULL },
	{ "nesterov", EXPRESSION_TRUTH, 3, 2, truths, NULL },
	{ "optimizer", EXPRESSION_STRING, 4, 3, NULL, optimizers },
	{ "weight-decay", EXPRESSION_NUMBER, 5, 0, NULL, NULL },
	{ "min", EXPRESSION_NUMBER, 6, 0, NULL, NULL },
	{ "tick`s", EXPRESSION_NUMBER, 7, 0, NULL, NULL },
	{ "model.größe", EXPRESSION_NUMBER, 8, 0, NULL, NULL },
	{ "epochs", EXPRESSION_NUMBER, EXPRESSION_FIXED, 1, epochs, NULL },
	{ "device", EXPRESSION_STRING, EXPRESSION_FIXED, 1, NULL, devices },
};

enum { NAMES = sizeof names / sizeof *names };

static const double values[] = { 3, 0.5, 1, 1, 1, 0.25, 9, 11, 13 };

static struct expression *read_as(const char *text, enum expression_type wanted)
{
	struct expression *expression = NULL;
	struct tuner_error err;

	if (!expression_create(text, names, NAMES, wanted, &expression, &err))
		fail_msg("%s: %s", text, err.message);
	assert_string_equal(expression_text(expression), text);
	return expression;
}

static double number_of(const char *text)
{
	struct expression *expression = read_as(text, EXPRESSION_NUMBER);
	const double value = expression_value(expression, values);

	expression_destroy(expression);
	return value;
}

static bool truth_of(const char *text)
{
	struct expression *expression = read_as(text, EXPRESSION_TRUTH);
	const bool holds = expression_holds(expression, values);

	expression_destroy(expression);
	return holds;
}

static void assert_number(const char *text, double wanted)
{
	const double value = number_of(text);

	if (!(fabs(value - wanted) <= 1e-15 * fabs(wanted)))
		fail_msg("%s is %.17g, not %.17g", text, value, wanted);
}

static void assert_refused_as(const char *text, enum expression_type wanted, const char *message)
{
	struct expression *expression = NULL;
	struct tuner_error err;

	if (expression_create(text, names, NAMES, wanted, &expression, &err))
		fail_msg("%s was taken", text);
	assert_null(expression);
	assert_int_equal(err.code, TUNER_USAGE);
	assert_string_equal(err.message, message);
}

static void assert_refused(const char *text, const char *message)
{
	assert_refused_as(text, EXPRESSION_TRUTH, message);
}

/* ---- what they mean ---- */

static void arithmetic_binds_as_it_does_on_paper(void **state)
{
	assert_number("1 + 2 * 3", 7);
	assert_number("(1 + 2) * 3", 9);
	assert_number("10 - 4 - 3", 3);
	assert_number("16 / 4 / 2", 2);
	assert_number("2 ^ 3 ^ 2", 512);
	assert_number("2 ** 3", 8);
	assert_number("-2 ^ 2", -4);
	assert_number("2 ^ -1", 0.5);
	assert_number("2 ^ -1 ^ 2", 0.5);
	assert_number("2 * -3", -6);
	assert_number("- - 3", 3);
	assert_number("+3 - +2", 1);
	assert_number("1e3 + .5 + 1.e-1", 1000.6);
}

static void functions_are_those_of_mathematics(void **state)
{
	assert_number("min(3, 1, 2)", 1);
	assert_number("max(3, 1, 2)", 3);
	assert_number("abs(-3)", 3);
	assert_number("log(exp(2))", 2);
	assert_number("log2(8) + log10(1000)", 6);
	assert_number("sqrt(16) + floor(2.7) + ceil(2.1)", 9);
	assert_number("pow(2, 10)", 1024);
	assert_number("max(min(a, 2), b) * 2", 4);
}

static void names_stand_for_values_and_for_what_indices_mean(void **state)
{
	assert_number("a * b", 1.5);
	assert_number("batch_size", 64);
	assert_number("epochs * batch_size", 3200);
	assert_number("`weight-decay` * 4", 1);
	assert_number("min + min(1, 2)", 10);
	assert_number("`tick``s`", 11);
	assert_number("model.größe", 13);
	assert_true(truth_of("nesterov"));
	assert_true(truth_of("nesterov == true and not (nesterov == false)"));
}

static void truths_bind_from_or_to_not(void **state)
{
	assert_true(truth_of("1 < 2"));
	assert_false(truth_of("2 < 2"));
	assert_true(truth_of("2 <= 2 && 3 >= 2 && 3 > 2 && 2 == 2 && 2 != 3"));
	assert_true(truth_of("true or false and false"));
	assert_false(truth_of("(true or false) and false"));
	assert_true(truth_of("not 1 > 2"));
	assert_true(truth_of("! false && ! false"));
	assert_false(truth_of("not (true or false)"));
	assert_true(truth_of("a + 1 < b * 10 || false"));
}

static void strings_are_compared_with_what_a_parameter_may_be(void **state)
{
	assert_true(truth_of("optimizer == 'adam'"));
	assert_false(truth_of("optimizer == \"sgd\""));
	assert_true(truth_of("optimizer != 'sgd'"));
	assert_true(truth_of("'adam' == optimizer"));
	assert_true(truth_of("(optimizer) == ('adam')"));
	assert_true(truth_of("device == 'gpu' and optimizer != 'rmsprop'"));
	assert_false(truth_of("optimizer == 'sgd' or batch_size > 64"));
}

static void no_comparison_with_nan_holds(void **state)
{
	static const char *const signs[] = { "<", "<=", ">", ">=", "==", "!=" };

	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		char text[40];

		snprintf(text, sizeof text, "sqrt(-1) %s 0", signs[i]);
		assert_false(truth_of(text));
		snprintf(text, sizeof text, "max(1, 0/0) %s 1", signs[i]);
		assert_false(truth_of(text));
		snprintf(text, sizeof text, "min(log(-1), 1) %s 1", signs[i]);
		assert_false(truth_of(text));
	}
	assert_true(truth_of("not sqrt(-1) > 0"));
}

static void an_index_without_a_meaning_satisfies_nothing(void **state)
{
	struct expression *expression = read_as("batch_size > 0", EXPRESSION_TRUTH);
	const double beyond[] = { 0, 0, 3 }, below[] = { 0, 0, -1 }, nan[] = { 0, 0, NAN };

	assert_false(expression_holds(expression, beyond));
	assert_false(expression_holds(expression, below));
	assert_false(expression_holds(expression, nan));
	expression_destroy(expression);
	expression_destroy(NULL);
}

static void the_variables_are_listed_each_once(void **state)
{
	struct expression *expression =
		read_as("batch_size * a > 3 and optimizer == 'sgd' or epochs < batch_size - a",
			EXPRESSION_TRUTH);
	struct expression *copy = NULL;
	struct tuner_error err;
	size_t n = 0;

	assert_true(expression_copy(expression, &copy, &err));
	expression_destroy(expression);
	const size_t *variables = expression_variables(copy, &n);

	assert_int_equal(n, 3);
	assert_int_equal(variables[0], 0);
	assert_int_equal(variables[1], 2);
	assert_int_equal(variables[2], 4);
	assert_true(expression_holds(copy, values)); /* 50 < 64 - 3 */
	expression_destroy(copy);
}

/* ---- what is said about the others ---- */

static void unknown_names_are_told_with_the_nearest(void **state)
{
	assert_refused("a * batch_sise <= 300",
		"column 5: there is no parameter \"batch_sise\"; did you mean \"batch_size\"?");
	assert_refused(
		"a < weight-decay", "column 5: weight-decay stands in backquotes: `weight-decay`");
	assert_refused("weight-decai < a",
		"column 1: there is no parameter \"weight\" (a string stands in quotes)");
	assert_refused("optimizer == adam",
		"column 14: there is no parameter \"adam\" (a string stands in quotes)");
	assert_refused("optimizer == 'adamw'",
		"column 14: expected a value of optimizer: \"sgd\", \"adam\", \"rmsprop\"; found "
		"\"adamw\"; did you mean \"adam\"?");
	assert_refused("ln(a) > 1",
		"column 1: there is no function ln: there are abs, ceil, exp, floor, log, log10, "
		"log2, max, min, pow and sqrt; did you mean log?");
	assert_refused("größe > sqr(2)",
		"column 1: there is no parameter \"größe\" (a string stands in quotes)");
	assert_refused("a > sqr(2)",
		"column 5: there is no function sqr: there are abs, ceil, exp, floor, log, log10, "
		"log2, max, min, pow and sqrt; did you mean sqrt?");
}

static void faults_of_the_grammar_are_told_with_their_column(void **state)
{
	assert_refused("", "column 1: expected a name, a number or '(', found the end");
	assert_refused("a <", "column 4: expected a name, a number or '(', found the end");
	assert_refused("a < 1 b", "column 7: expected an operator or the end, found b");
	assert_refused("(a < 1", "column 7: expected ), found the end");
	assert_refused("a < 1)", "column 6: expected an operator or the end, found )");
	assert_refused("a = 1", "column 3: expected ==, found =");
	assert_refused("a < 1 & b < 1", "column 7: expected &&, found &");
	assert_refused("a < 1 | b < 1", "column 7: expected ||, found |");
	assert_refused("a % 2 == 0", "column 3: expected a name, a number or an operator, found %");
	assert_refused("a < and", "column 5: expected a name, a number or '(', found and");
	assert_refused("optimizer == 'adam", "column 14: expected another ' behind this one");
	assert_refused("`a < 1", "column 1: expected another ` behind this one");
	assert_refused("3x < 1",
		"column 1: expected a number, found 3x < 1; a name that begins with a digit stands "
		"in backquotes");
	assert_refused("a < 1e999", "column 5: 1e999 is too large for a number");
	assert_refused("min(1) < 1", "column 6: expected ',' and another number, found )");
	assert_refused("pow(1, 2, 3) < 1", "column 9: expected ), found ,");
	assert_refused("abs() < 1", "column 5: expected a name, a number or '(', found )");
	assert_refused("größe", "column 1: there is no parameter \"größe\" (a string stands in "
				"quotes)");
	assert_refused("model.größe = 1", "column 13: expected ==, found =");
}

static void types_are_checked_once_for_all(void **state)
{
	assert_refused("a + 1", "column 1: expected something that is true or false, such as a <= "
				"1, found a + 1, which is a number");
	assert_refused_as("a < 1", EXPRESSION_NUMBER,
		"column 1: expected a number, found a < 1, which is true or false");
	assert_refused("a < 1 and b",
		"column 11: expected something that is true or false, such as "
		"a <= 1, found b, which is a number");
	assert_refused("not a", "column 5: expected something that is true or false, such as a <= "
				"1, found a, which is a number");
	assert_refused("1 + (a < 1) < 2",
		"column 5: expected a number, found (a < 1), which is true or false");
	assert_refused("(not nesterov or a ** 2 - 1 > b) + 1 < 2",
		"column 1: expected a number, found (not nesterov or a ** 2 - 1 > b), which is "
		"true or false");
	assert_refused("abs('0123456789012345678901234567890123456789012345678901234567é') < 1",
		"column 5: expected a number, found "
		"'0123456789012345678901234567890123456789012345678901234567..., which is a "
		"string");
	assert_refused("a and nesterov",
		"column 1: expected something that is true or false, such as a <= 1, found a, "
		"which is a number");
	assert_refused("a * 2 - 1  and nesterov",
		"column 1: expected something that is true or false, such as a <= 1, found a * 2 - "
		"1, which is a number");
	assert_refused("-nesterov < 1",
		"column 2: expected a number, found nesterov, which is true or false");
	assert_refused("nesterov < true",
		"column 1: expected a number, found nesterov, which is true or false");
	assert_refused("nesterov == 1", "column 13: expected something that is true or false, such "
					"as a <= 1, found 1, which is a number");
	assert_refused("optimizer * 2 < 1",
		"column 1: expected a number, found optimizer, which is a string");
	assert_refused(
		"a == 'adam'", "column 6: expected a number, found 'adam', which is a string");
	assert_refused(
		"'adam' == a", "column 1: expected a number, found 'adam', which is a string");
	assert_refused(
		"optimizer == 1", "column 14: expected a string, found 1, which is a number");
	assert_refused("optimizer < 'adam'", "column 1: strings are only compared by == and !=");
	assert_refused(
		"'sgd' == 'sgd'", "column 10: expected a parameter on one side, found two strings");
	assert_refused("optimizer == device", "column 14: expected a string in quotes: two "
					      "parameters cannot be compared by their "
					      "strings");
	assert_refused("0 < a < 1", "column 7: comparisons do not chain: write a < b and b < c");
	assert_refused("log(nesterov) < 1",
		"column 5: expected a number, found nesterov, which is true or false");
	assert_refused("optimizer", "column 1: expected something that is true or false, such as a "
				    "<= 1, found optimizer, which is a string");
}

static char *repeated(const char *part, size_t n, const char *end)
{
	const size_t length = strlen(part);
	char *text = malloc(n * length + strlen(end) + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(text + i * length, part, length);
	strcpy(text + n * length, end);
	return text;
}

static void assert_too_much(const char *part, size_t n, const char *end, const char *what)
{
	char *text = repeated(part, n, end);
	struct expression *expression = NULL;
	struct tuner_error err;

	if (expression_create(text, names, NAMES, EXPRESSION_NUMBER, &expression, &err))
		fail_msg("%zu times \"%s\" were taken", n, part);
	assert_int_equal(err.code, TUNER_USAGE);
	if (strstr(err.message, what) == NULL)
		fail_msg("%s", err.message);
	free(text);
}

static void length_depth_and_size_are_bounded(void **state)
{
	assert_too_much(" ", EXPRESSION_BYTES_MAX, "1", "longer than 1000 bytes");
	assert_too_much("-", EXPRESSION_NESTING_MAX + 1, "1", "nested more than 50 deep");
	assert_too_much("(", EXPRESSION_NESTING_MAX + 1, "1", "nested more than 50 deep");
	assert_too_much("2^", EXPRESSION_NESTING_MAX + 1, "1", "nested more than 50 deep");
	assert_too_much("abs(", EXPRESSION_NESTING_MAX + 1, "1", "nested more than 50 deep");
	assert_too_much("1+", EXPRESSION_SIZE_MAX / 2, "1", "more than 500 numbers");
	assert_too_much("not ", EXPRESSION_NESTING_MAX + 1, "true", "nested more than 50 deep");
	/* Each level leaves three values waiting. */
	assert_too_much("true||true&&true==(", 43, "true", "more than 128 values wait");
}

static void what_is_just_within_the_bounds_is_read(void **state)
{
	char *sum = repeated("1+", EXPRESSION_SIZE_MAX / 2 - 1, "1");
	char *deep = repeated("-", EXPRESSION_NESTING_MAX, "1");

	assert_true(number_of(sum) == EXPRESSION_SIZE_MAX / 2);
	assert_true(number_of(deep) == 1);
	free(sum);
	free(deep);
}

/* Random texts from the language's own parts and from any bytes: each is read or refused with a column,
 * and what is read has a value. */
static void random_texts_are_read_or_refused(void **state)
{
	static const char *const parts[] = { "a", "b", "batch_size", "nesterov", "optimizer",
		"'adam'", "1", "2.5", "(", ")", "min(", ",", "+", "-", "*", "/", "^", "<",
		"<=", "==", "!=", "and", "or", "not", "true", " ", "`weight-decay`", "\xff",
		"epochs", "log(" };
	struct random random;
	size_t n_read = 0;

	random_init(&random, (struct random_key){ .seed = 7, .purpose = RANDOM_SPACE });
	for (int round = 0; round < 200000; round++) {
		struct expression *expression = NULL;
		struct tuner_error err = { TUNER_OK, "" };
		char text[200] = "";

		const uint64_t n = 1 + random_below(&random, 12);

		for (uint64_t i = 0; i < n; i++) {
			const char any[2] = { (char)(1 + random_below(&random, 255)), '\0' };
			const bool own = random_below(&random, 30) > 0;

			strcat(text,
				own ? parts[random_below(&random, sizeof parts / sizeof *parts)]
				    : any);
		}
		if (expression_create(text, names, NAMES, EXPRESSION_TRUTH, &expression, &err)) {
			const double value = expression_value(expression, values);

			assert_true(value == 0 || value == 1);
			n_read++;
		} else {
			assert_int_equal(err.code, TUNER_USAGE);
			assert_memory_equal(err.message, "column ", 7);
		}
		expression_destroy(expression);
	}
	assert_true(n_read > 1000);
}

static void the_names_of_a_text_are_found_without_knowing_them(void **state)
{
	struct tuner_error err = { TUNER_OK, "" };
	char **found = NULL;
	size_t n = 0;

	assert_true(expression_names(
		"max(a, 2 * `b-c`) - a / log2 (d.e) and not true", &found, &n, &err));
	assert_int_equal(n, 3);
	assert_string_equal(found[0], "a");
	assert_string_equal(found[1], "b-c");
	assert_string_equal(found[2], "d.e");
	expression_names_free(found, n);
	assert_true(expression_names("1-a - b", &found, &n, &err));
	assert_int_equal(n, 2);
	expression_names_free(found, n);
	assert_false(expression_names("a + `b", &found, &n, &err));
}

static void a_name_with_a_dash_is_no_difference(void **state)
{
	struct tuner_error err = { TUNER_OK, "" };
	char **found = NULL;
	size_t n = 0;

	assert_false(expression_names("1 + validation-accuracy-top5", &found, &n, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_non_null(
		strstr(err.message, "column 5: validation-accuracy-top5 would be a difference"));
	assert_non_null(strstr(err.message, "`validation-accuracy-top5`"));
}

static void some_names_need_backquotes(void **state)
{
	assert_false(expression_name_is_quoted("val_loss.2"));
	assert_true(expression_name_is_quoted("val-loss"));
	assert_true(expression_name_is_quoted("5a"));
	assert_true(expression_name_is_quoted("not"));
	assert_true(expression_name_is_quoted("a b"));
}

static void assert_excess(const char *text, double wanted)
{
	struct expression *expression = read_as(text, EXPRESSION_TRUTH);

	assert_true(expression_is_bound(expression));
	assert_true(expression_excess(expression, values) == wanted);
	assert_int_equal(expression_holds(expression, values), wanted <= 0);
	expression_destroy(expression);
}

static void a_comparison_tells_how_far_it_is_broken(void **state)
{
	static const char *const none[] = { "a < 3", "a > 3", "a == 3", "not a <= 3",
		"a <= 3 and b <= 3", "nesterov", "optimizer == 'sgd'" };

	assert_excess("a <= 2.5", 0.5);
	assert_excess("a <= 3", 0);
	assert_excess("(a >= 2.5)", -0.5);
	assert_excess("2 * b >= a + 1", 3);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		struct expression *expression = read_as(none[i], EXPRESSION_TRUTH);

		assert_false(expression_is_bound(expression));
		expression_destroy(expression);
	}
	struct expression *unknown = read_as("log(0 - a) <= 1", EXPRESSION_TRUTH);

	assert_true(isnan(expression_excess(unknown, values)));
	expression_destroy(unknown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_names_of_a_text_are_found_without_knowing_them),
		cmocka_unit_test(a_name_with_a_dash_is_no_difference),
		cmocka_unit_test(some_names_need_backquotes),
		cmocka_unit_test(arithmetic_binds_as_it_does_on_paper),
		cmocka_unit_test(functions_are_those_of_mathematics),
		cmocka_unit_test(names_stand_for_values_and_for_what_indices_mean),
		cmocka_unit_test(truths_bind_from_or_to_not),
		cmocka_unit_test(strings_are_compared_with_what_a_parameter_may_be),
		cmocka_unit_test(no_comparison_with_nan_holds),
		cmocka_unit_test(an_index_without_a_meaning_satisfies_nothing),
		cmocka_unit_test(the_variables_are_listed_each_once),
		cmocka_unit_test(unknown_names_are_told_with_the_nearest),
		cmocka_unit_test(faults_of_the_grammar_are_told_with_their_column),
		cmocka_unit_test(types_are_checked_once_for_all),
		cmocka_unit_test(length_depth_and_size_are_bounded),
		cmocka_unit_test(what_is_just_within_the_bounds_is_read),
		cmocka_unit_test(random_texts_are_read_or_refused),
		cmocka_unit_test(a_comparison_tells_how_far_it_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
