#include "base/error.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MESSAGE_MAX = sizeof(((struct tuner_error *)0)->message) - 1 };

static void a_failure_sets_code_and_message_and_is_false(void **state)
{
	struct tuner_error err = { 0 };

	assert_false(tuner_fail(&err, TUNER_RETRY, "host %s, attempt %d", "gpu1", 3));
	assert_int_equal(err.code, TUNER_RETRY);
	assert_string_equal(err.message, "host gpu1, attempt 3");
}

static void each_layer_adds_what_it_knows_and_keeps_the_code(void **state)
{
	struct tuner_error err = { 0 };

	tuner_fail(&err, TUNER_NUMERIC, "singular matrix");
	assert_false(tuner_fail_in(&err, "trial %d: ", 41));
	assert_false(tuner_fail_in(&err, "job %s, ", "cifar10"));
	assert_int_equal(err.code, TUNER_NUMERIC);
	assert_string_equal(err.message, "job cifar10, trial 41: singular matrix");
}

static void a_new_failure_may_quote_the_old_message(void **state)
{
	struct tuner_error err = { 0 };

	tuner_fail(&err, TUNER_RETRY, "no route");
	tuner_fail(&err, TUNER_FATAL, "gave up: %s (%s)", err.message, err.message);
	assert_string_equal(err.message, "gave up: no route (no route)");
	tuner_fail_in(&err, "[%s] ", err.message);
	assert_string_equal(
		err.message, "[gave up: no route (no route)] gave up: no route (no route)");
}

static void errno_is_spelled_out(void **state)
{
	struct tuner_error err = { 0 };

	assert_false(tuner_fail_errno(&err, ENOSPC, "cannot write %s", "a.json"));
	assert_int_equal(err.code, TUNER_FATAL);
	assert_string_equal(err.message, "cannot write a.json: No space left on device");
}

static void no_memory_has_a_message_of_its_own(void **state)
{
	struct tuner_error err = { 0 };

	assert_false(tuner_fail_memory(&err));
	assert_int_equal(err.code, TUNER_FATAL);
	assert_string_equal(err.message, "out of memory");
}

/* n ASCII letters and then the character over and over. */
static void fill(char *ret_text, size_t size, size_t n, const char *character)
{
	size_t length = n;

	memset(ret_text, 'x', n);
	for (; length + strlen(character) < size; length += strlen(character))
		memcpy(ret_text + length, character, strlen(character));
	ret_text[length] = '\0';
}

/* Where the cut falls depends on what comes before: all four positions in the character. */
static void a_long_message_is_cut_at_a_whole_character(void **state)
{
	static const char *const characters[] = { "y", "é", "€", "😀" };
	char text[2 * MESSAGE_MAX];

	for (size_t c = 0; c < 4; c++) {
		const size_t size = strlen(characters[c]);
		for (size_t before = 0; before < 4; before++) {
			struct tuner_error err = { 0 };
			fill(text, sizeof(text), before, characters[c]);
			const size_t whole = before + (MESSAGE_MAX - before) / size * size;

			tuner_fail(&err, TUNER_USAGE, "%s", text);
			assert_int_equal(strlen(err.message), whole);
			assert_memory_equal(err.message, text, whole);
		}
	}
}

static void text_in_front_pushes_the_end_out_at_a_whole_character(void **state)
{
	struct tuner_error err = { 0 };
	char text[2 * MESSAGE_MAX];

	fill(text, sizeof(text), 0, "😀");
	tuner_fail(&err, TUNER_USAGE, "%s", text);
	for (size_t n = 1; n <= 5; n++) {
		tuner_fail_in(&err, ">");
		assert_int_equal(strlen(err.message), n + (MESSAGE_MAX - n) / 4 * 4);
		assert_memory_equal(err.message + n, text, strlen(err.message) - n);
	}
	tuner_fail_in(&err, "%s", text);
	assert_memory_equal(err.message, text, MESSAGE_MAX / 4 * 4);
}

static void the_reason_survives_a_path_that_is_too_long(void **state)
{
	static const char reason[] = ": No such file or directory";
	struct tuner_error err = { 0 };
	char path[2 * MESSAGE_MAX];

	fill(path, sizeof(path), 0, "€");
	tuner_fail_errno(&err, ENOENT, "%s", path);
	const size_t length = strlen(err.message);
	assert_true(length > MESSAGE_MAX - 3);
	assert_string_equal(err.message + length - strlen(reason), reason);
	assert_int_equal((length - strlen(reason)) % 3, 0);
}

static void a_false_assertion_aborts(void **state)
{
	const pid_t child = fork();
	int status;

	if (child == 0) {
		const struct rlimit no_core = { 0 };
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		tuner_assert(child != 0);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	tuner_assert(child > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_sets_code_and_message_and_is_false),
		cmocka_unit_test(each_layer_adds_what_it_knows_and_keeps_the_code),
		cmocka_unit_test(a_new_failure_may_quote_the_old_message),
		cmocka_unit_test(errno_is_spelled_out),
		cmocka_unit_test(no_memory_has_a_message_of_its_own),
		cmocka_unit_test(a_long_message_is_cut_at_a_whole_character),
		cmocka_unit_test(text_in_front_pushes_the_end_out_at_a_whole_character),
		cmocka_unit_test(the_reason_survives_a_path_that_is_too_long),
		cmocka_unit_test(a_false_assertion_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
