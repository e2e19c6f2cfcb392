/* The real agent (beside $TUNER_SUPERVISE) at the other end of two pipes. */
#include "base/clock.h"
#include "base/file.h"
#include "scheduler/child.h"
#include "scheduler/process.h"
#include "scheduler/wire.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { APPS = 500 };

struct agent {
	char base[64];
	struct child_process process;
	struct wire wire;
	struct tuner_error err;
};

static void write_file(struct agent *agent, const char *name, const char *bytes, mode_t mode)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", agent->base, name);
	if (!file_write_atomic(path, bytes, strlen(bytes), mode, false, &agent->err))
		fail_msg("%s", agent->err.message);
}

/* An nvidia-smi that counts questions in `asked`, and lists many processes. */
static void write_smi(struct agent *agent)
{
	struct text text = TEXT_EMPTY;

	for (int i = 1; i <= APPS; i++)
		text_print(&text, "GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee, %d, 300\n", i);
	write_file(agent, "apps", text.bytes, 0600);
	text_clear(&text);
	text_print(&text,
		"#!/bin/sh\ncd '%s'\ncase $1 in\n"
		"--query-gpu=index*) echo '0, GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee, NVIDIA "
		"H100 80GB, 81559' ;;\n"
		"--query-gpu=uuid*) [ ! -e hang ] || { echo $$ >pid; read never <fifo; }; echo x "
		">>asked; echo "
		"'GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee, 7, 20, 81559, 99.5, 41' ;;\n"
		"*) cat apps ;;\nesac\n",
		agent->base);
	write_file(agent, "nvidia-smi", text.bytes, 0700);
	text_finish(&text);
}

static int start_agent(void **state)
{
	static struct agent agent;
	const char *supervisor = getenv("TUNER_SUPERVISE");
	char path[4096], program[4096], supervise[4096];

	agent = (struct agent){ .base = "/tmp/tuner-test-XXXXXX" };
	assert_non_null(mkdtemp(agent.base));
	write_smi(&agent);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", agent.base);
	setenv("PATH", path, 1);
	snprintf(program, sizeof(program), "%.*s/tuner-agent",
		(int)(strrchr(supervisor, '/') - supervisor), supervisor);
	snprintf(supervise, sizeof(supervise), "%s", supervisor);
	char *arguments[] = { program, agent.base, (char[]){ "job-1" }, supervise, NULL };
	signal(SIGPIPE, SIG_IGN);
	if (!child_process_start(&agent.process, arguments, true, &agent.err))
		fail_msg("%s", agent.err.message);
	agent.wire = (struct wire){ .in = agent.process.out, .out = agent.process.in };
	*state = &agent;
	return 0;
}

static int end_agent(void **state)
{
	struct agent *agent = *state;

	child_process_end(&agent->process);
	wire_finish(&agent->wire);
	return directory_remove(agent->base, &agent->err) ? 0 : -1;
}

static void send_number(struct agent *agent, enum message_kind kind, int64_t number)
{
	static struct message message;

	message = (struct message){ .kind = kind, .number = number };
	assert_true(message_write(&agent->wire.outbox, &message));
	assert_true(wire_flush(&agent->wire));
	assert_int_equal(buffer_size(&agent->wire.outbox), 0);
}

/* Reads up to a message of this kind; returns how many reports came before. */
static size_t read_up_to(struct agent *agent, enum message_kind kind)
{
	static struct message message;
	size_t used, reports = 0;

	for (;;) {
		const enum message_read got = message_read(&agent->wire.inbox, &message, &used);
		if (got == MESSAGE_PART) {
			assert_true(wire_fill(&agent->wire));
			usleep(1000);
			continue;
		}
		assert_int_equal(got, MESSAGE_READ);
		buffer_take(&agent->wire.inbox, used);
		if (message.kind == kind)
			return reports;
		reports += message.kind == MESSAGE_GPUS;
	}
}

static off_t questions(const struct agent *agent)
{
	struct stat status;
	char path[200];

	snprintf(path, sizeof(path), "%s/asked", agent->base);
	return stat(path, &status) == 0 ? status.st_size / 2 : 0;
}

/* The pipe holds two reports of this size, and the agent has two more at the most: one of which the
 * end has not left yet, and the newest. */
static void a_link_that_is_slower_than_the_reports_gets_the_newest(void **state)
{
	struct agent *agent = *state;

	read_up_to(agent, MESSAGE_HELLO);
	send_number(agent, MESSAGE_WATCH, 50000);
	while (questions(agent) < 30)
		usleep(1000);
	send_number(agent, MESSAGE_PING, 1);
	assert_in_range(read_up_to(agent, MESSAGE_PONG), 1, 5);
	while (read_up_to(agent, MESSAGE_GPUS), questions(agent) < 35)
		;
}

static pid_t pid_of_smi(const struct agent *agent)
{
	struct text text = TEXT_EMPTY;
	struct tuner_error ignored;
	char path[200];
	pid_t pid = 0;

	snprintf(path, sizeof(path), "%s/pid", agent->base);
	if (file_read(path, 100, &text, &ignored))
		pid = (pid_t)atoi(text.bytes);
	text_finish(&text);
	return pid;
}

/* Each connection would leave one. */
static void an_nvidia_smi_that_hangs_does_not_outlive_the_agent(void **state)
{
	struct agent *agent = *state;
	struct process process;
	char path[200];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/fifo", agent->base);
	assert_int_equal(mkfifo(path, 0600), 0);
	write_file(agent, "hang", "", 0600);
	read_up_to(agent, MESSAGE_HELLO);
	send_number(agent, MESSAGE_WATCH, 50000);
	while ((pid = pid_of_smi(agent)) == 0)
		usleep(1000);
	close(agent->process.in);
	agent->process.in = -1;
	while (!child_process_ended(&agent->process))
		usleep(1000);
	/* Nobody may have reaped it yet. */
	for (int i = 0; process_look(pid, &process) && process.resident_pages > 0; i++) {
		assert_true(i < 30000);
		usleep(1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_link_that_is_slower_than_the_reports_gets_the_newest, start_agent,
			end_agent),
		cmocka_unit_test_setup_teardown(an_nvidia_smi_that_hangs_does_not_outlive_the_agent,
			start_agent, end_agent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
