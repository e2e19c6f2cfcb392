/* Numbers and durations as text, independent of the locale. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { NUMBER_TEXT = 32 }; /* bytes that hold any double as text, terminator included */

/* The shortest decimal that reads back to the same bits ("0.1", "1e-05", "150", "nan", "inf",
 * "-inf"), of several the nearest to value; -0.0 gives "0". Exponents below 1e-4 and from 1e16 on,
 * as in Python's repr. Returns ret_text. */
char *number_from_double(double value, char ret_text[NUMBER_TEXT]);

/* Reads the whole of `text` as a number; accepts what strtod does in the C locale, including "nan"
 * and "inf" in any case, and a leading '+'; a number beyond the largest double becomes infinity.
 * Blanks on either side of a double are skipped. False, and *ret_value untouched, if anything is
 * left over, text is empty, or the integer does not fit. */
bool number_to_double(const char *text, double *ret_value);
bool number_to_int64(const char *text, int64_t *ret_value);

/* True if `value`, which number_to_double read from `text`, is infinite because `text` is a finite
 * number beyond the largest double ("1e400"), not the word "inf". */
bool number_is_beyond(const char *text, double value);

/* Reads "90" (seconds), "1.5h", "30m", "20s", "500ms", "250us", "2d" or sums such as "1h30m" and
 * "1h 30m" into microseconds. Negative, non-finite or longer than 100 years: false. */
bool number_to_duration_us(const char *text, int64_t *ret_us);

/* "2d 4h", "2h 5m", "1m 30s", "41s", "0.3s", "35ms", "120us": two units at most, rounded to the
 * last one printed. number_to_duration_us reads it. Returns ret_text. */
char *number_from_duration_us(int64_t us, char ret_text[NUMBER_TEXT]);

/* The word of words[0..n) nearest to `word` by optimal string alignment distance, ignoring case and
 * taking '-' for '_'; of several the first. NULL if no word is within distance 1 + max(1, a third
 * of the length of `word`), or if all of these differ in more than half of the longer word ("lr"
 * and "wd", "bad" and "nan"). Counts bytes; a word of more than 127 has no near ones. */
const char *nearest_word(const char *word, const char *const *words, size_t n);

#endif
