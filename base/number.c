#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- doubles --- */

enum { DIGITS_MAX = 17 }; /* enough to tell any two doubles apart */

/* value = 0.d1 d2 ... dn times 10^(point): the point is after `point` digits. */
struct decimal {
	bool negative;
	char digits[DIGITS_MAX + 1];
	int n, point;
};

/* The decimal of n digits nearest to a finite value, without trailing zeros. */
static struct decimal decimal_from(double value, int n)
{
	struct decimal decimal = { .negative = value < 0 };
	char text[48];

	/* The locale's decimal point, whatever it is, is skipped like all non-digits. */
	snprintf(text, sizeof(text), "%.*e", n - 1, fabs(value));
	const char *exponent = strchr(text, 'e');
	for (const char *c = text; c < exponent; c++)
		if (isdigit((unsigned char)*c))
			decimal.digits[decimal.n++] = *c;
	decimal.point = (int)strtol(exponent + 1, NULL, 10) + 1;
	while (decimal.n > 1 && decimal.digits[decimal.n - 1] == '0')
		decimal.n--;
	return decimal;
}

/* Writes the digits with the point among them, or with an exponent where there would be many
 * zeros. */
static char *decimal_print(const struct decimal *decimal, char ret_text[NUMBER_TEXT])
{
	const char *sign = decimal->negative ? "-" : "";
	const char *digits = decimal->digits;
	const int n = decimal->n, point = decimal->point;
	static const char zeros[] = "0000000000000000";

	if (point < -3 || point > 16)
		snprintf(ret_text, NUMBER_TEXT, "%s%c%s%.*se%+03d", sign, digits[0],
			n > 1 ? "." : "", n - 1, digits + 1, point - 1);
	else if (point <= 0)
		snprintf(ret_text, NUMBER_TEXT, "%s0.%.*s%.*s", sign, -point, zeros, n, digits);
	else if (point >= n)
		snprintf(ret_text, NUMBER_TEXT, "%s%.*s%.*s", sign, n, digits, point - n, zeros);
	else
		snprintf(ret_text, NUMBER_TEXT, "%s%.*s.%.*s", sign, point, digits, n - point,
			digits + point);
	return ret_text;
}

static bool reads_back(const struct decimal *decimal, double value, char ret_text[NUMBER_TEXT])
{
	double read;

	return number_to_double(decimal_print(decimal, ret_text), &read) && read == value;
}

/* The next larger decimal of n digits; false if a carry would run through all of them. */
static bool decimal_up(struct decimal *decimal, int n)
{
	while (decimal->n < n)
		decimal->digits[decimal->n++] = '0';
	while (decimal->n > 0 && decimal->digits[decimal->n - 1] == '9')
		decimal->n--;
	if (decimal->n == 0)
		return false;
	decimal->digits[decimal->n - 1]++;
	return true;
}

/* Tries the decimal of n digits nearest to value and the one above it.
 *
 * Why the second: a power of two has neighbours at unequal distances, the nearer one below. The
 * nearest decimal can then lie below value and outside its rounding interval while the next one up
 * is still inside: 2^-44 is 5.684341886080802e-14, not 5.6843418860808015e-14. */
static bool prints_with(double value, int n, char ret_text[NUMBER_TEXT])
{
	struct decimal decimal = decimal_from(value, n);

	if (reads_back(&decimal, value, ret_text))
		return true;
	return decimal_up(&decimal, n) && reads_back(&decimal, value, ret_text);
}

char *number_from_double(double value, char ret_text[NUMBER_TEXT])
{
	if (isnan(value))
		return strcpy(ret_text, "nan");
	if (isinf(value))
		return strcpy(ret_text, value > 0 ? "inf" : "-inf");
	if (value == 0)
		return strcpy(ret_text, "0");

	/* A decimal of up to DBL_DIG digits survives conversion to a normal double and back, so if
	 * one reads back to value, it is the nearest of DBL_DIG digits to value, without trailing
	 * zeros. Subnormal numbers have fewer bits, so every length is tried for them. */
	const int first = fabs(value) < DBL_MIN ? 1 : DBL_DIG;

	for (int n = first; n < DIGITS_MAX; n++)
		if (prints_with(value, n, ret_text))
			return ret_text;
	const struct decimal exact = decimal_from(value, DIGITS_MAX);
	return decimal_print(&exact, ret_text);
}

bool number_to_double(const char *text, double *ret_value)
{
	/* In glibc and musl this locale is static: nothing is allocated, nothing to free. */
	const locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	char *end;

	const double value = c_locale ? strtod_l(text, &end, c_locale) : strtod(text, &end);
	if (end == text)
		return false;
	/* strtod skips leading blanks; $(...) may leave trailing ones, such as the \r of a line
	 * from Windows. */
	if (end[strspn(end, " \t\n\v\f\r")] != '\0')
		return false;
	*ret_value = value;
	return true;
}

bool number_is_beyond(const char *text, double value)
{
	return isinf(value) && text[strcspn(text, "0123456789")] != '\0';
}

bool number_to_int64(const char *text, int64_t *ret_value)
{
	char *end;

	errno = 0;
	const long long value = strtoll(text, &end, 10);
	if (end == text || *end || errno == ERANGE)
		return false;
	*ret_value = value;
	return true;
}

/* --- durations --- */

static const int64_t US = 1, MS = 1000, SECOND = 1000000, MINUTE = 60000000, HOUR = 3600000000,
		     DAY = 86400000000, DURATION_MAX = 36525 * 86400000000;

/* Reads a unit and moves *text behind it; false if there is none. */
static bool read_unit(const char **text, int64_t *ret_us)
{
	const struct {
		const char *name;
		int64_t us;
	} units[] = { { "us", US }, { "ms", MS }, { "s", SECOND }, { "m", MINUTE }, { "h", HOUR },
		{ "d", DAY } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		const size_t length = strlen(units[i].name);
		if (strncmp(*text, units[i].name, length) != 0)
			continue;
		*text += length;
		*ret_us = units[i].us;
		return true;
	}
	return false;
}

/* Reads "1", "1.5" or ".5" and moves *text behind it: no sign, no exponent, no "inf". */
static bool read_amount(const char **text, double *ret_amount)
{
	static const char digits[] = "0123456789";
	char copy[64];
	size_t length = strspn(*text, digits);

	if ((*text)[length] == '.')
		length += 1 + strspn(*text + length + 1, digits);
	if (length >= sizeof(copy))
		return false;
	memcpy(copy, *text, length);
	copy[length] = '\0';
	*text += length;
	return number_to_double(copy, ret_amount);
}

bool number_to_duration_us(const char *text, int64_t *ret_us)
{
	double sum = 0;
	bool first = true;

	do {
		double amount;
		int64_t unit;
		if (!read_amount(&text, &amount))
			return false;
		if (!read_unit(&text, &unit)) {
			if (!first) /* "1h30": of what? */
				return false;
			unit = SECOND;
			if (*text)
				return false;
		}
		sum += rint(amount * (double)unit);
		if (sum > (double)DURATION_MAX)
			return false;
		if (*text == ' ')
			text++;
		first = false;
	} while (*text);

	*ret_us = (int64_t)sum;
	return true;
}

/* us in units of `unit`, rounded to the nearest. */
static uint64_t in_units(uint64_t us, int64_t unit)
{
	return us / (uint64_t)unit + (us % (uint64_t)unit >= (uint64_t)(unit - unit / 2));
}

/* "2h 5m" from 125, 60, "h", "m"; without the second part if it is 0. */
static void print_pair(char *ret_text, const char *sign, uint64_t small, uint64_t small_per_large,
	const char *large_unit, const char *small_unit)
{
	const unsigned long long large = small / small_per_large;
	const unsigned short rest = (unsigned short)(small % small_per_large); /* below 1000 */

	if (rest)
		snprintf(ret_text, NUMBER_TEXT, "%s%llu%s %hu%s", sign, large, large_unit, rest,
			small_unit);
	else
		snprintf(ret_text, NUMBER_TEXT, "%s%llu%s", sign, large, large_unit);
}

/* "0.35s" from 35 steps, 100 of which make one "s"; per_unit is 10 or 100. */
static void print_fraction(
	char *ret_text, const char *sign, uint64_t steps, unsigned per_unit, const char *unit)
{
	const unsigned long long whole = steps / per_unit,
				 hundredths = steps % per_unit * (100 / per_unit);

	if (hundredths == 0)
		snprintf(ret_text, NUMBER_TEXT, "%s%llu%s", sign, whole, unit);
	else if (hundredths % 10 == 0)
		snprintf(
			ret_text, NUMBER_TEXT, "%s%llu.%llu%s", sign, whole, hundredths / 10, unit);
	else
		snprintf(ret_text, NUMBER_TEXT, "%s%llu.%02llu%s", sign, whole, hundredths, unit);
}

/* Each branch rounds to what it prints, and is taken only if the result does not fill the next
 * unit: 59.7 s is "1m", never "60s". */
char *number_from_duration_us(int64_t us, char ret_text[NUMBER_TEXT])
{
	const char *sign = us < 0 ? "-" : "";
	const uint64_t n = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;

	if (n == 0)
		strcpy(ret_text, "0s");
	else if (n < (uint64_t)MS)
		print_pair(ret_text, sign, n, 1, "us", "");
	else if (in_units(n, MS / 10) < 100)
		print_fraction(ret_text, sign, in_units(n, MS / 10), 10, "ms");
	else if (in_units(n, MS) < 100)
		print_pair(ret_text, sign, in_units(n, MS), 1, "ms", "");
	else if (in_units(n, SECOND / 100) < 100)
		print_fraction(ret_text, sign, in_units(n, SECOND / 100), 100, "s");
	else if (in_units(n, SECOND / 10) < 100)
		print_fraction(ret_text, sign, in_units(n, SECOND / 10), 10, "s");
	else if (in_units(n, SECOND) < 60)
		print_pair(ret_text, sign, in_units(n, SECOND), 1, "s", "");
	else if (in_units(n, SECOND) < 3600)
		print_pair(ret_text, sign, in_units(n, SECOND), 60, "m", "s");
	else if (in_units(n, MINUTE) < 1440)
		print_pair(ret_text, sign, in_units(n, MINUTE), 60, "h", "m");
	else
		print_pair(ret_text, sign, in_units(n, HOUR), 24, "d", "h");
	return ret_text;
}

/* --- words --- */

enum { WORD_MAX = 127 };

static char folded(char character)
{
	if (character >= 'A' && character <= 'Z')
		return (char)(character - 'A' + 'a');
	return character == '-' ? '_' : character;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: the fewest insertions, deletions, substitutions and swaps of
 * neighbours, none of them inside another's result. row[i % 3][j] is the distance of a[0..i) and b[0..j). */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t row[3][WORD_MAX + 1];

	for (size_t j = 0; j <= m; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		const size_t *above = row[(i - 1) % 3], *two_above = row[(i + 1) % 3];
		size_t *here = row[i % 3];
		here[0] = i;
		for (size_t j = 1; j <= m; j++) {
			const char x = folded(a[i - 1]), y = folded(b[j - 1]);
			here[j] = smaller(
				above[j - 1] + (x != y), smaller(above[j], here[j - 1]) + 1);
			if (i > 1 && j > 1 && x == folded(b[j - 2]) && folded(a[i - 2]) == y)
				here[j] = smaller(here[j], two_above[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

const char *nearest_word(const char *word, const char *const *words, size_t n)
{
	const size_t length = strlen(word);
	const size_t limit = (length / 3 > 1 ? length / 3 : 1) + 1;
	const char *nearest = NULL;
	size_t least = limit + 1;

	for (size_t i = 0; i < n; i++) {
		const size_t other = strlen(words[i]);
		if (length > WORD_MAX || other > WORD_MAX)
			continue;
		const size_t between = distance(word, length, words[i], other);
		/* At least half of the longer word must match. */
		if (between < least && 2 * between <= (length > other ? length : other)) {
			nearest = words[i];
			least = between;
		}
	}
	return nearest;
}
