#include "tuner/init_range.h"

#include "base/number.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- words of a name ---- */

enum { WORDS_MAX = 8, WORD_MAX = 32 };

struct words {
	char items[WORDS_MAX][WORD_MAX];
	size_t n;
};

/* A capital after a small letter begins a word, as does whatever follows a separator. */
static struct words words_of(const char *name)
{
	struct words words = { 0 };
	size_t length = 0;
	char before = '\0';

	for (; *name && words.n < WORDS_MAX; before = *name++) {
		const bool letter = isalnum((unsigned char)*name);
		const bool begins = isupper((unsigned char)*name) && islower((unsigned char)before);
		if ((!letter || begins) && length > 0) {
			words.n++;
			length = 0;
		}
		if (letter && words.n < WORDS_MAX && length + 1 < WORD_MAX)
			words.items[words.n][length++] = (char)tolower((unsigned char)*name);
	}
	words.n += length > 0 && words.n < WORDS_MAX;
	return words;
}

/* Whether one of the words is in the list, separated by blanks; a number at its end is ignored
 * ("beta2"). */
static bool has_word(const struct words *words, const char *list)
{
	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->items[i];
		size_t length = strlen(word);
		while (length > 2 && isdigit((unsigned char)word[length - 1]))
			length--;
		for (const char *at = list; at; at = strchr(at, ' ')) {
			at += *at == ' ';
			const size_t n = strcspn(at, " ");
			if ((n == length || n == strlen(word)) && strncmp(at, word, n) == 0)
				return true;
		}
	}
	return false;
}

static const char stays[] =
	"epoch epochs step steps iter iters iterations seed worker workers gpu gpus device devices "
	"port rank world nproc node nodes thread threads job jobs log print save interval every "
	"freq "
	"frequency verbose verbosity version resume class classes limit max min patience timeout "
	"checkpoint keep local fold folds split trial year id debug image images sample samples";
static const char sizes[] = "depth leaf leaves bin bins"; /* whatever else: "max_depth" */
static const char parts[] = "subsample colsample bagging feature"; /* above 0, at most 1 */
static const char rates[] = "lr rate eta";
static const char penalties[] =
	"decay wd l1 l2 reg regularization lambda eps epsilon tol tolerance "
	"penalty";
static const char near_one[] = "momentum beta betas rho ema gamma";
static const char shares[] =
	"dropout drop droprate prob probability smoothing mixup cutmix fraction "
	"ratio noise";

/* ---- definitions ---- */

static void add_bounds(double min, double max, const char *rest, struct text *ret)
{
	text_add(ret, "{\"type\": \"float\", \"min\": ");
	text_add_json_double(ret, min);
	text_add(ret, ", \"max\": ");
	text_add_json_double(ret, max);
	text_print(ret, "%s}", rest);
}

/* To 3 digits: 0.01 / 10 is 0.001, not 0.0010000000000000000208. The value itself stays inside. */
static double rounded(double value)
{
	char text[NUMBER_TEXT];
	double result = value;

	snprintf(text, sizeof(text), "%.3g", value);
	number_to_double(text, &result);
	return result;
}

static bool add_log(double value, double factor, struct text *ret)
{
	const double min = rounded(value / factor), max = rounded(value * factor);

	if (!(min > 0) || !isfinite(max))
		return false;
	add_bounds(min, max, ", \"scale\": \"log\"", ret);
	return true;
}

static bool add_around(double value, double factor, struct text *ret)
{
	const double min = rounded(value / factor), max = rounded(value * factor);

	if (!(min > 0) || !isfinite(max) || !(min < max))
		return false;
	add_bounds(min, max, "", ret);
	return true;
}

static bool add_near_one(double value, struct text *ret)
{
	add_bounds(0, value <= 0.99 ? 0.99 : 1 - (1 - value) / 10, ", \"scale\": \"reverse-log\"",
		ret);
	return true;
}

static bool add_share(double value, struct text *ret)
{
	add_bounds(0, value < 0.5 ? 0.5 : fmax(0.9, value), ", \"scale\": \"linear\"", ret);
	return true;
}

static bool add_part(double value, struct text *ret)
{
	add_bounds(rounded(value / 2), 1, ", \"scale\": \"linear\"", ret);
	return true;
}

static bool is_power_of_two(double value)
{
	int exponent;

	return frexp(value, &exponent) == 0.5;
}

static bool add_powers(double value, struct text *ret)
{
	text_print(ret, "{\"type\": \"ordinal\", \"values\": [%.0f, %.0f, %.0f, %.0f, %.0f]}",
		value / 4, value / 2, value, 2 * value, 4 * value);
	return true;
}

static bool add_whole(double value, struct text *ret)
{
	if (value < 2 || value > 1e9)
		return false;
	if (value >= 8 && is_power_of_two(value))
		return add_powers(value, ret);
	text_print(ret, "{\"type\": \"int\", \"min\": %.0f, \"max\": %.0f}",
		fmax(1, floor(value / 2)), 2 * value);
	return true;
}

static bool add_float(double value, struct text *ret)
{
	if (value == 0) {
		add_bounds(0, 1, "", ret);
		return true;
	}
	return value < 0.1 ? add_log(value, 10, ret) : add_around(value, 4, ret);
}

static bool is_plain_number(const char *text)
{
	return text[strspn(text, "+-0123456789.eE")] == '\0' && strpbrk(text, "0123456789") != NULL;
}

bool init_range(const char *name, const char *number, struct text *ret)
{
	const struct words words = words_of(name);
	const bool whole = strpbrk(number, ".eE") == NULL;
	double value;

	if (!is_plain_number(number) || !number_to_double(number, &value) || !isfinite(value) ||
		value < 0)
		return false;
	if (has_word(&words, penalties)) /* before the rest: "lr_decay", "weight_decay_steps" */
		return !has_word(&words, "step steps epoch epochs") &&
		       (value == 0 ? (add_bounds(0, 0.01, "", ret), true)
				   : add_log(value, 100, ret));
	if (whole && has_word(&words, sizes))
		return add_whole(value, ret);
	if (has_word(&words, stays))
		return false;
	if (has_word(&words, parts) && !whole && value > 0 && value <= 1)
		return add_part(value, ret);
	if (has_word(&words, shares) && value < 1)
		return add_share(value, ret);
	if (has_word(&words, near_one) && value < 1)
		return add_near_one(value, ret);
	if (has_word(&words, rates) && value > 0 && !(whole && value > 1))
		return add_log(value, 10, ret);
	return whole ? add_whole(value, ret) : add_float(value, ret);
}
