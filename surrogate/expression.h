/* Formulas over the parameters of a space, such as a job file's "constraints".
 *
 *     expression_create -> expression_holds, any number of times -> expression_destroy
 *
 * Operators, from the loosest to the tightest binding:
 *
 *     or ||        and &&        not !        < <= > >= == !=        + -        * /        - +        ^ **
 *
 * The last is the power; it associates to the right and binds tighter than the sign on its left:
 * -2^2 is -4 and 2^-1 is 1/2. Comparisons do not chain. Functions: abs, ceil, exp, floor, log,
 * log10, log2, sqrt of one number; pow of two; max, min of two or more. Parentheses, true and
 * false, numbers as in JSON or as .5.
 *
 * A name consists of letters, digits, '_', '.' and bytes beyond ASCII, and does not begin with a
 * digit. Any other name, and a name that is a word of the language, is written in backquotes:
 * `weight-decay` (a backquote in it is doubled). Strings are in single or double quotes, have no
 * escapes, and can only be compared, by == and !=, with a name whose values are strings.
 *
 * Every part is a number, a truth value or a string; types are checked once, when the text is read.
 * Any comparison with NaN is false, != included. */
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

/* The meaning of a name in the text: the variable itself if n is 0 (then it is a number), else the
 * variable is an index into n meanings. Borrowed while the text is read. */
struct expression_name {
	const char *name;
	enum expression_type type;
	size_t variable; /* its index among the values; EXPRESSION_FIXED: the name always has
			    meaning 0 */
	size_t n;
	const double *numbers; /* n; of a truth 0 or 1 */
	const char *const *strings; /* n; of a string */
};

#define EXPRESSION_FIXED ((size_t)-1)

struct expression;

/* Parses a text of the wanted type (a number or a truth value). TUNER_USAGE with a message that
 * begins with the column, in characters from 1: "column 9: expected a number, found the end".
 * TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool expression_create(const char *text, const struct expression_name *names, size_t n,
	enum expression_type wanted, struct expression **ret, struct tuner_error *err);
TUNER_MUST_CHECK
bool expression_copy(
	const struct expression *expression, struct expression **ret, struct tuner_error *err);
void expression_destroy(struct expression *expression);

/* The names in a text, each once, in the order of their first occurrence, when their meanings are
 * not known yet: for formulas over whatever a command reports. Only the tokens are read, not the
 * grammar. But a name directly followed by '-' and more of a name ("validation-accuracy") is
 * TUNER_USAGE, since it would be read as a difference: such a name belongs in backquotes, and a
 * difference needs blanks around its sign. The caller frees the result with
 * expression_names_free. */
TUNER_MUST_CHECK
bool expression_names(const char *text, char ***ret, size_t *ret_n, struct tuner_error *err);
void expression_names_free(char **names, size_t n);

/* True if the name must be written in backquotes. */
bool expression_name_is_quoted(const char *name);

/* Neither call allocates or fails. An index without a meaning counts as NaN. */
double expression_value(const struct expression *expression, const double *values);
bool expression_holds(const struct expression *expression, const double *values); /* of a truth */

/* Whether it is one comparison of two numbers by <= or >=, such as "latency_ms <= 20". */
bool expression_is_bound(const struct expression *expression);

/* How far such a comparison is from holding: the left side less the right one, or the reverse for
 * >=. At most 0 where it holds. */
double expression_excess(const struct expression *expression, const double *values);

/* The text as given. */
const char *expression_text(const struct expression *expression);

/* The variables that the expression names: ascending, each once. */
const size_t *expression_variables(const struct expression *expression, size_t *ret_n);

#endif
