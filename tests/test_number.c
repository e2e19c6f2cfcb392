#include "base/number.h"

#include "base/random.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(double value, const char *expected)
{
	char text[NUMBER_TEXT];

	assert_ptr_equal(number_from_double(value, text), text);
	assert_string_equal(text, expected);
}

static void doubles_are_written_as_people_write_them(void **state)
{
	assert_text(0, "0");
	assert_text(-0.0, "0");
	assert_text(150, "150");
	assert_text(-150, "-150");
	assert_text(0.1, "0.1");
	assert_text(0.5, "0.5");
	assert_text(-2.25, "-2.25");
	assert_text(0.0001, "0.0001");
	assert_text(0.00001, "1e-05");
	assert_text(1.5e-5, "1.5e-05");
	assert_text(1e15, "1000000000000000");
	assert_text(9007199254740993.0, "9007199254740992");
	assert_text(1e16, "1e+16");
	assert_text(1e22, "1e+22");
	assert_text(1e100, "1e+100");
	assert_text(123456.789, "123456.789");
	assert_text(0.1 + 0.2, "0.30000000000000004");
	assert_text(1.0 / 3, "0.3333333333333333");
	assert_text(NAN, "nan");
	assert_text(INFINITY, "inf");
	assert_text(-INFINITY, "-inf");
}

/* The ends of the range, the seams of the exponent, and powers of two, whose rounding intervals are
 * lopsided: the nearest decimal of 16 digits misses the one of 2^-44, the one above it hits. The
 * texts are those of Python's repr. */
static void hard_doubles_have_their_shortest_text(void **state)
{
	assert_text(DBL_MAX, "1.7976931348623157e+308");
	assert_text(-DBL_MAX, "-1.7976931348623157e+308");
	assert_text(DBL_MIN, "2.2250738585072014e-308");
	assert_text(nextafter(DBL_MIN, 0), "2.225073858507201e-308");
	assert_text(DBL_TRUE_MIN, "5e-324");
	assert_text(-3 * DBL_TRUE_MIN, "-1.5e-323");
	assert_text(0x1p-44, "5.684341886080802e-14");
	assert_text(0x1p-24, "5.960464477539063e-08");
	assert_text(0x1p971, "1.99584030953472e+292");
	assert_text(9.5367431640625e-07, "9.5367431640625e-07");
	assert_text(2e-44, "2e-44");
	assert_text(9007199254740991.0, "9007199254740991");
	assert_text(0.99999999999999989, "0.9999999999999999");
	assert_text(99999999999999.98, "99999999999999.98");
}

/* Bits at random are mostly extreme exponents; uniforms and short decimals are what users have. */
static double random_double(struct random *random, unsigned kind)
{
	double value;

	if (kind == 0) {
		const uint64_t bits = random_u64(random);
		memcpy(&value, &bits, sizeof(value));
		return value;
	}
	if (kind == 1)
		return random_uniform(random);
	if (kind == 2)
		return ldexp(1, (int)random_below(random, 2098) - 1074);
	return (double)random_below(random, 1000000) / 1e5;
}

/* From the first digit that is not 0 to the last one. */
static int significant_digits(const char *text)
{
	int n = 0, significant = 0;

	for (const char *c = text; *c && *c != 'e'; c++) {
		n += *c >= '1' && *c <= '9' ? 1 : *c == '0' && n > 0;
		if (*c >= '1' && *c <= '9')
			significant = n;
	}
	return significant;
}

static bool has_shorter_text(double value, const char *text)
{
	const int digits = significant_digits(text);
	char shorter[64];

	if (digits < 2)
		return false;
	snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, value);
	return strtod(shorter, NULL) == value;
}

static void a_hundred_thousand_doubles_survive_the_way_out_and_back(void **state)
{
	struct random random;
	char text[NUMBER_TEXT];

	random_init(&random, (struct random_key){ .seed = 1, .purpose = RANDOM_TEST });
	for (unsigned i = 0; i < 100000; i++) {
		const double value = random_double(&random, i % 4);
		double read = 1;

		number_from_double(value, text);
		assert_true(number_to_double(text, &read));
		if (isnan(value)) {
			assert_string_equal(text, "nan");
			assert_true(isnan(read));
			continue;
		}
		if (memcmp(&read, &value, sizeof(value)) != 0 && value != 0)
			fail_msg("%a became %s", value, text);
		if (isfinite(value) && has_shorter_text(value, text))
			fail_msg("%a became %s, which is not the shortest", value, text);
	}
}

static void assert_double(const char *text, double expected)
{
	double value = 0;

	if (!number_to_double(text, &value))
		fail_msg("%s was refused", text);
	assert_memory_equal(&value, &expected, sizeof(value));
}

static void doubles_are_read_whole_or_not_at_all(void **state)
{
	static const char *const wrong[] = { "", " ", "x", "1x", "1 x", "1 2", "0.1.2", "1,5", "1e",
		"--1", "+-1", "0x", "infinite", "1e5 2" };
	double value = 42;

	assert_double("1", 1);
	assert_double("+.5", 0.5);
	assert_double("-1e-05", -1e-5);
	assert_double(" 0.5 ", 0.5);
	assert_double("-0.5\r", -0.5);
	assert_double("0x1p-3", 0.125);
	assert_double("Inf", INFINITY);
	assert_double("-infinity", -INFINITY);
	assert_double("1e999", INFINITY);
	assert_double("-0", -0.0);
	assert_true(number_to_double("NaN", &value) && isnan(value));

	value = 42;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (number_to_double(wrong[i], &value))
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_true(value == 42);
	}
}

static void a_number_beyond_the_largest_is_told_from_infinity(void **state)
{
	static const struct {
		const char *text;
		bool beyond;
	} cases[] = { { "1e400", true }, { " -1e309", true }, { "0x1p9999", true },
		{ "inf", false }, { "-Infinity", false }, { "1e308", false }, { "nan(1)", false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		double value = 0;
		assert_true(number_to_double(cases[i].text, &value));
		assert_true(number_is_beyond(cases[i].text, value) == cases[i].beyond);
	}
}

static void integers_are_read_whole_and_in_range(void **state)
{
	static const char *const wrong[] = { "", "x", "1.0", "1e3", "0x10", "1 ",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999" };
	int64_t value = 42;

	assert_true(number_to_int64("9223372036854775807", &value) && value == INT64_MAX);
	assert_true(number_to_int64("-9223372036854775808", &value) && value == INT64_MIN);
	assert_true(number_to_int64("+7", &value) && value == 7);
	assert_true(number_to_int64("007", &value) && value == 7);

	value = 42;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (number_to_int64(wrong[i], &value))
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_int_equal(value, 42);
	}
}

static void a_comma_in_the_locale_changes_nothing(void **state)
{
	static const char *const locales[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
		"de_DE" };
	const char *set = NULL;
	int64_t us;

	for (size_t i = 0; i < sizeof(locales) / sizeof(locales[0]) && !set; i++)
		set = setlocale(LC_ALL, locales[i]);
	if (!set) { /* the one that tests/meson.build has made, as seen from where meson runs us */
		setenv("LOCPATH", "tests/locale", 1);
		set = setlocale(LC_ALL, locales[0]);
	}
	if (!set)
		skip();
	assert_string_equal(localeconv()->decimal_point, ",");
	assert_text(0.1, "0.1");
	assert_text(1.5e-300, "1.5e-300");
	assert_double("0.1", 0.1);
	assert_true(number_to_duration_us("1.5s", &us) && us == 1500000);
	setlocale(LC_ALL, "C");
}

static void assert_duration(const char *text, int64_t expected)
{
	int64_t us = -1;

	if (!number_to_duration_us(text, &us))
		fail_msg("\"%s\" was refused", text);
	assert_int_equal(us, expected);
}

static void durations_are_read_with_units_and_as_sums(void **state)
{
	assert_duration("90", 90000000);
	assert_duration("0", 0);
	assert_duration("0.5", 500000);
	assert_duration("1.5h", 5400000000);
	assert_duration("30m", 1800000000);
	assert_duration("20s", 20000000);
	assert_duration("500ms", 500000);
	assert_duration("250us", 250);
	assert_duration("2d", 172800000000);
	assert_duration("1h30m", 5400000000);
	assert_duration("1h 30m", 5400000000);
	assert_duration("1d2h3m4s5ms", 93784005000);
	assert_duration(".5m", 30000000);
	assert_duration("36525d", 36525 * 86400000000);
	assert_duration("0.1s", 100000);
	assert_duration("0.0000014s", 1);
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const wrong[] = { "", " ", "-1", "-1s", "+1s", "s", "1x", "1h30", "1 h",
		"nan", "inf", "infs", "1e3", "0x10", "1h-5m", "36526d", "101e99d", "1h,30m",
		"1.2.3s", ".", ".s", "1hh", "9999999999999999999999999999d", "1h  30m" };
	int64_t us = 42;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (number_to_duration_us(wrong[i], &us))
			fail_msg("\"%s\" was taken as %lld us", wrong[i], (long long)us);
		assert_int_equal(us, 42);
	}
}

static void assert_duration_text(int64_t us, const char *expected)
{
	char text[NUMBER_TEXT];

	assert_string_equal(number_from_duration_us(us, text), expected);
}

static void durations_are_written_in_two_units_at_most(void **state)
{
	assert_duration_text(0, "0s");
	assert_duration_text(120, "120us");
	assert_duration_text(35000, "35ms");
	assert_duration_text(1400, "1.4ms");
	assert_duration_text(300000, "0.3s");
	assert_duration_text(350000, "0.35s");
	assert_duration_text(309000, "0.31s");
	assert_duration_text(104000, "0.1s");
	assert_duration_text(1000000, "1s");
	assert_duration_text(1500000, "1.5s");
	assert_duration_text(41000000, "41s");
	assert_duration_text(41400000, "41s");
	assert_duration_text(60000000, "1m");
	assert_duration_text(90000000, "1m 30s");
	assert_duration_text(7500000000, "2h 5m");
	assert_duration_text(7200000000, "2h");
	assert_duration_text(187200000000, "2d 4h");
	assert_duration_text(-300000, "-0.3s");
	assert_duration_text(INT64_MAX, "106751991d 4h");
	assert_duration_text(INT64_MIN, "-106751991d 4h");
}

static void rounding_up_reaches_the_next_unit(void **state)
{
	assert_duration_text(999, "999us");
	assert_duration_text(9949, "9.9ms");
	assert_duration_text(9950, "10ms");
	assert_duration_text(99499, "99ms");
	assert_duration_text(99500, "0.1s");
	assert_duration_text(949999, "0.95s");
	assert_duration_text(994999, "0.99s");
	assert_duration_text(995000, "1s");
	assert_duration_text(9949999, "9.9s");
	assert_duration_text(9950000, "10s");
	assert_duration_text(59499999, "59s");
	assert_duration_text(59500000, "1m");
	assert_duration_text(3599499999, "59m 59s");
	assert_duration_text(3599500000, "1h");
	assert_duration_text(86369999999, "23h 59m");
	assert_duration_text(86370000000, "1d");
}

static void a_written_duration_can_be_read(void **state)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = 2, .purpose = RANDOM_TEST });
	for (int i = 0; i < 10000; i++) {
		const int64_t us = (int64_t)random_below(&random, (uint64_t)1 << (i % 51));
		char text[NUMBER_TEXT];
		int64_t read;

		number_from_duration_us(us, text);
		if (!number_to_duration_us(text, &read))
			fail_msg("\"%s\" was refused", text);
		assert_true(fabs((double)(read - us)) <= 0.06 * (double)us);
	}
}

static const char *const keys[] = { "name", "objective", "metrics", "parameters", "learning_rate",
	"budget", "trials", "parallel", "min", "max", "scale", "wd" };

static const char *nearest(const char *word)
{
	return nearest_word(word, keys, sizeof(keys) / sizeof(keys[0]));
}

static void a_mistyped_word_finds_the_one_that_was_meant(void **state)
{
	assert_string_equal(nearest("parametres"), "parameters");
	assert_string_equal(nearest("paralel"), "parallel");
	assert_string_equal(nearest("trails"), "trials"); /* neighbours swapped: one step */
	assert_string_equal(nearest("Learning-Rate"), "learning_rate");
	assert_string_equal(nearest("learningrate"), "learning_rate");
	assert_string_equal(nearest("mni"), "min");
	assert_string_equal(nearest("mx"), "max");
	assert_string_equal(nearest("min"), "min");
}

static void a_word_that_means_nothing_here_finds_nothing(void **state)
{
	assert_null(nearest("zzzzzz"));
	assert_null(nearest("lr")); /* two steps from "wd", but nothing in common */
	assert_null(nearest("tan")); /* one letter of "max" or "min" is not enough */
	assert_null(nearest(""));
	assert_null(nearest("objectionableness"));
	assert_null(nearest_word("min", NULL, 0));
}

/* The limit is a third of the word's length plus 1: of 9 letters, 4 may be wrong but not 5. */
static void the_limit_grows_with_the_length(void **state)
{
	static const char *const words[] = { "abcdefghi" };

	assert_string_equal(nearest_word("abcdeWXYZ", words, 1), "abcdefghi");
	assert_null(nearest_word("abcdVWXYZ", words, 1));
	assert_string_equal(nearest_word("abcdefghijkl", words, 1), "abcdefghi");
}

static void of_equally_near_words_the_first_is_taken(void **state)
{
	static const char *const words[] = { "cat", "bat", "rat" };

	assert_string_equal(nearest_word("hat", words, 3), "cat");
	assert_string_equal(nearest_word("rat", words, 3), "rat");
}

static void words_of_any_length_are_safe(void **state)
{
	char hundred[101], thousand[1001];
	const char *words[] = { hundred, thousand };

	memset(hundred, 'a', 100);
	memset(thousand, 'a', 1000);
	hundred[100] = thousand[1000] = '\0';
	assert_null(nearest_word(thousand, words, 2));
	assert_ptr_equal(nearest_word(thousand + 901, words, 2), hundred);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_are_written_as_people_write_them),
		cmocka_unit_test(hard_doubles_have_their_shortest_text),
		cmocka_unit_test(a_hundred_thousand_doubles_survive_the_way_out_and_back),
		cmocka_unit_test(doubles_are_read_whole_or_not_at_all),
		cmocka_unit_test(a_number_beyond_the_largest_is_told_from_infinity),
		cmocka_unit_test(integers_are_read_whole_and_in_range),
		cmocka_unit_test(a_comma_in_the_locale_changes_nothing),
		cmocka_unit_test(durations_are_read_with_units_and_as_sums),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(durations_are_written_in_two_units_at_most),
		cmocka_unit_test(rounding_up_reaches_the_next_unit),
		cmocka_unit_test(a_written_duration_can_be_read),
		cmocka_unit_test(a_mistyped_word_finds_the_one_that_was_meant),
		cmocka_unit_test(a_word_that_means_nothing_here_finds_nothing),
		cmocka_unit_test(the_limit_grows_with_the_length),
		cmocka_unit_test(of_equally_near_words_the_first_is_taken),
		cmocka_unit_test(words_of_any_length_are_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
