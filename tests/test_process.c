/* base/process.h. */
#include "base/process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* One that waits, with a name that looks like fields. */
static pid_t begin_child(void)
{
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

static void await_end(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void a_process_is_seen_as_it_is(void **state)
{
	struct process process, self;

	assert_int_equal(prctl(PR_SET_NAME, "a) Z 1 (1 2"), 0);
	const pid_t pid = begin_child();
	assert_true(process_look(pid, &process));
	assert_true(process_look(getpid(), &self));
	assert_int_equal(process.parent, getpid());
	assert_int_equal(process.group, getpgrp());
	assert_int_equal(process.session, getsid(0));
	assert_true(process.start >= self.start && self.start > 0);
	assert_true(self.resident_pages > 10 && self.resident_pages < 1 << 30);
	assert_non_null(strchr("RS", process.state));
	await_end(pid);
	waitpid(pid, NULL, 0);
	assert_false(process_look(pid, &process));
}

static void it_lives_until_it_has_ended(void **state)
{
	struct process process;
	const pid_t pid = begin_child();

	assert_true(process_look(pid, &process));
	assert_true(process_lives(pid, process.start));
	assert_false(process_lives(pid, process.start + 1));
	await_end(pid);
	assert_true(process_look(pid, &process)); /* a zombie */
	assert_false(process_lives(pid, process.start));
	waitpid(pid, NULL, 0);
	assert_false(process_lives(pid, process.start));
}

static void a_boot_has_a_name(void **state)
{
	char one[BOOT_ID_MAX], two[BOOT_ID_MAX];

	process_boot_id(one);
	process_boot_id(two);
	assert_int_equal(strlen(one), 36);
	assert_string_equal(one, two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_seen_as_it_is),
		cmocka_unit_test(it_lives_until_it_has_ended),
		cmocka_unit_test(a_boot_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
