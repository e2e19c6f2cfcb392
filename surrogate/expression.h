/* Formulas over the parameters of a space: what a job file's "constraints" say.
 *
 *     expression_create -> expression_holds, any number of times -> expression_destroy
 *
 * From the loosest to the tightest:
 *
 *     or ||        and &&        not !        < <= > >= == !=        + -        * /        - +        ^ **
 *
 * The last is a power, from right to left, and binds tighter than the sign on its left: -2^2 is -4 and
 * 2^-1 is 1/2. Comparisons do not chain. Functions: abs, ceil, exp, floor, log, log10, log2, sqrt of
 * one number; pow of two; max, min of two or more. Parentheses, true and false, numbers as in JSON
 * or as .5.
 *
 * A name is letters, digits, '_', '.' and bytes beyond ASCII, no digit first. Any other name, or one that is a
 * word of the language, stands in backquotes: `weight-decay` (a backquote in it is written twice). Strings stand in
 * single or double quotes, have no escapes, and can only be compared, by == and !=, with a name whose
 * values are strings.
 *
 * Every part is a number, a truth or a string, and that is checked once, when the text is read. A
 * comparison with NaN is false, != as well. */
#ifndef SURROGATE_EXPRESSION_H
#define SURROGATE_EXPRESSION_H

#include "base/error.h"

#include <stddef.h>

enum {
	EXPRESSION_BYTES_MAX = 1000, /* of the text */
	EXPRESSION_NESTING_MAX = 50, /* parentheses, signs and powers inside one another */
	EXPRESSION_SIZE_MAX = 500, /* numbers, names and operators together */
};

enum expression_type { EXPRESSION_NUMBER, EXPRESSION_TRUTH, EXPRESSION_STRING };

/* What a name of the text stands for: the variable itself if n is 0 (a number then), else the
 * variable is an index into n meanings. Borrowed while the text is read. */
struct expression_name {
	const char *name;
	enum expression_type type;
	size_t variable; /* its place among the values; EXPRESSION_FIXED: index 0, always */
	size_t n;
	const double *numbers; /* n; of a truth 0 or 1 */
	const char *const *strings; /* n; of a string */
};

#define EXPRESSION_FIXED ((size_t)-1)

struct expression;

/* Reads a text of the wanted type (a number or a truth). TUNER_USAGE with a message that begins with the column,
 * in characters from 1: "column 9: expected a number, found the end". TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool expression_create(const char *text, const struct expression_name *names, size_t n,
	enum expression_type wanted, struct expression **ret, struct tuner_error *err);
TUNER_MUST_CHECK
bool expression_copy(
	const struct expression *expression, struct expression **ret, struct tuner_error *err);
void expression_destroy(struct expression *expression);

/* The names in a text, each once, in the order of their first places, before anything is known of what they
 * stand for: for formulas over whatever a command reports. Only the words are read, not the grammar; but a name
 * that runs into a '-' and more of a name ("validation-accuracy") is TUNER_USAGE, since it would be read as a
 * difference: such a name stands in backquotes, and a difference has blanks around its sign. The caller frees with
 * expression_names_free. */
TUNER_MUST_CHECK
bool expression_names(const char *text, char ***ret, size_t *ret_n, struct tuner_error *err);
void expression_names_free(char **names, size_t n);

/* True if the name must stand in backquotes. */
bool expression_name_is_quoted(const char *name);

/* Neither allocates nor fails; NaN for an index without a meaning. */
double expression_value(const struct expression *expression, const double *values);
bool expression_holds(const struct expression *expression, const double *values); /* of a truth */

/* As it was given. */
const char *expression_text(const struct expression *expression);

/* The variables that it names: ascending, each once. */
const size_t *expression_variables(const struct expression *expression, size_t *ret_n);

#endif
