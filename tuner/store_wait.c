#include "tuner/store_wait.h"

#include "base/clock.h"
#include "base/file.h"
#include "trials/job.h"
#include "tuner/text_width.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* An ask or tell holds the lock for some milliseconds. Waiting processes try at varying moments, so
 * that none always meets the same holder. A process that has waited for longer is one of many,
 * which by trying every few milliseconds would take the processor from the holder. */
enum { PAUSE_MIN_US = 500, PAUSE_SPREAD_US = 4000, MANY_AFTER_US = 20000, MANY_SPREAD_US = 50000 };

int64_t store_wait_pause_us(int64_t waited_us, int64_t now_us)
{
	return PAUSE_MIN_US +
	       now_us % (waited_us < MANY_AFTER_US ? PAUSE_SPREAD_US : MANY_SPREAD_US);
}

static void pause_a_little(int64_t since_us)
{
	const int64_t now_us = clock_monotonic_us();
	const int64_t us = store_wait_pause_us(now_us - since_us, now_us);

	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

/* "tuner run job.jsonc" of a living process; nothing if it cannot be read. */
static void add_command_line(int64_t pid, struct text *ret)
{
	char path[64], words[200];
	snprintf(path, sizeof(path), "/proc/%lld/cmdline", (long long)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return;
	const size_t length = fread(words, 1, sizeof(words) - 1, file);
	fclose(file);
	words[length] = '\0';
	const char *program = path_name(words);
	for (size_t i = 0; i + 1 < length; i++)
		if (words[i] == '\0')
			words[i] = ' ';
	if (length == 0)
		return;
	text_add(ret, " (");
	text_add_visible(ret, program);
	text_add(ret, ")");
}

static bool fail_held(const char *path, int64_t wait_ms, struct tuner_error *err)
{
	struct text who = TEXT_EMPTY;
	struct tuner_error ignored;
	int64_t pid = 0;
	/* Of a process of another machine the message tells already, and what can be done. */
	if (store_holder(path, &pid, &ignored) && pid < 0 &&
		strstr(err->message, "--take-over") != NULL)
		return false;
	if (pid > 0) {
		text_print(&who, "process %lld", (long long)pid);
		add_command_line(pid, &who);
	} else {
		text_add(&who, "another process");
	}
	tuner_fail(err, TUNER_RETRY,
		"%s is still held by %.250s after a wait of %lld s: let it end, or name another "
		"database with --db",
		path, who.bytes, (long long)wait_ms / 1000);
	text_finish(&who);
	return false;
}

bool store_open_soon(const char *path, int64_t wait_ms, struct store **ret, struct tuner_error *err)
{
	const int64_t since_us = clock_monotonic_us(), until_us = since_us + wait_ms * 1000;
	for (;;) {
		struct tuner_error failed;
		if (store_open(path, STORE_WRITE, ret, &failed))
			return true;
		if (failed.code != TUNER_RETRY || clock_monotonic_us() >= until_us) {
			*err = failed;
			return false;
		}
		pause_a_little(since_us);
	}
}

bool store_open_waiting(
	const char *path, int64_t wait_ms, struct store **ret, struct tuner_error *err)
{
	if (store_open_soon(path, wait_ms, ret, err))
		return true;
	return err->code == TUNER_RETRY ? fail_held(path, wait_ms, err) : false;
}

bool store_job_holder(
	struct store *store, int64_t job_id, int64_t *ret_pid, struct tuner_error *err)
{
	int64_t runs = 0;

	if (!store_holder(store_path(store), ret_pid, err) ||
		(*ret_pid > 0 && !run_job_of(store, *ret_pid, &runs, err)))
		return false;
	if (runs != 0 && runs != job_id)
		*ret_pid = 0;
	return true;
}
