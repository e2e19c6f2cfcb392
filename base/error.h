/* The one error type: by value, on the caller's stack.
 *
 *     struct tuner_error err;
 *     if (!gp_fit(gp, ..., &err))
 *             return tuner_fail_in(&err, "trial %d: ", number);
 *
 * It is the last argument, never NULL, and untouched on success. The code says what the caller
 * should do; the message is for people and says what they can do. Its size is fixed, because
 * reporting "out of memory" must not allocate; a longer message is cut at a whole character. The
 * old message may be an argument of the new one. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stdarg.h>

#define TUNER_MUST_CHECK            __attribute__((warn_unused_result))
#define TUNER_PRINTF(string, first) __attribute__((format(printf, string, first)))

enum tuner_code {
	TUNER_OK,
	TUNER_USAGE, /* the user can fix it: exit status 2 */
	TUNER_RETRY, /* may pass later: back off and repeat (SQLITE_BUSY, HTTP 503) */
	TUNER_NUMERIC, /* the model failed: propose a quasi-random point this once, and say so */
	TUNER_FATAL, /* stop; what is on disk is consistent */
};

struct tuner_error {
	enum tuner_code code;
	char message[1024];
};

/* Sets code and message. Returns false, so that a failing function can `return tuner_fail(...)`. */
bool tuner_fail(struct tuner_error *err, enum tuner_code code, const char *format, ...)
	TUNER_PRINTF(3, 4);
bool tuner_fail_v(struct tuner_error *err, enum tuner_code code, const char *format, va_list args)
	TUNER_PRINTF(3, 0);

/* Puts text in front of the message of an error that is already set ("trial 41: "); the code stays.
 * Returns false. */
bool tuner_fail_in(struct tuner_error *err, const char *format, ...) TUNER_PRINTF(2, 3);

/* As tuner_fail with TUNER_FATAL, followed by ": " and strerror(error_number), which is kept whole
 * when the message must be cut. */
bool tuner_fail_errno(struct tuner_error *err, int error_number, const char *format, ...)
	TUNER_PRINTF(3, 4);

/* As tuner_fail with TUNER_FATAL and "out of memory". */
bool tuner_fail_memory(struct tuner_error *err);

/* Aborts with file and line if a property that our own code guarantees does not hold; on in release
 * builds too. Never for input. */
#define tuner_assert(property)                                                                     \
	((property) ? (void)0 : tuner_assert_failed(#property, __FILE__, __LINE__))
_Noreturn void tuner_assert_failed(const char *property, const char *file, int line);

#endif
