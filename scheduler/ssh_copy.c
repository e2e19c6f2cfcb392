#include "scheduler/ssh_inside.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "scheduler/attempt_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES_MAX = 5 };

static const int64_t LATER_US = 60000000; /* until a copy that failed that often is tried again */

static const int64_t COPY_US = 12 * INT64_C(3600000000); /* gigabytes over a slow line */
static const int64_t PAUSE_US = 2000000;
static const int64_t LOOK_US = 200000;
/* How long a retry waits for its trial's results on another host. */
static const int64_t OTHERS_US = 60000000;

/* ---- the words of rsync ---- */

/* rsync splits its -e at blanks, and accepts both kinds of quotes, but not one within the other. */
static void remote_shell(const struct ssh *ssh, struct text *ret)
{
	const struct ssh_target target = ssh_target_of(ssh);
	struct strings words = { 0 };

	ssh_words(&target, false, &words);
	for (size_t i = 0; i < words.n; i++) {
		const char *word = strings_item(&words, i);
		const char *quote = strchr(word, '\'') != NULL ? "\"" : "'";
		text_print(ret, "%s%s%s%s", i > 0 ? " " : "", quote, word, quote);
	}
	ret->failed |= strings_failed(&words);
	strings_finish(&words);
}

static void add_word(struct strings *words, const char *format, ...) TUNER_PRINTF(2, 3);
static void add_word(struct strings *words, const char *format, ...)
{
	struct text word = TEXT_EMPTY;
	va_list args;

	va_start(args, format);
	text_print_v(&word, format, args);
	va_end(args);
	strings_add(words, word.bytes);
	words->failed |= text_failed(&word);
	text_finish(&word);
}

/* A directory on the host in rsync's notation. An IPv6 address has brackets. */
static void add_remote(struct strings *words, const struct ssh *ssh, const char *below)
{
	const bool colons = strchr(ssh->address, ':') != NULL;

	add_word(words, "%s%s%s:%s/%s/%s/", colons ? "[" : "", ssh->address, colons ? "]" : "",
		ssh->root.bytes, ssh->job, below);
}

/* Leaves out the file, or what has a name that begins with it; a file elsewhere is not sent anyway.
 * Pattern characters in its name are escaped; without any, rsync takes a backslash as it is. */
static void exclude(
	const struct ssh *ssh, const char *path, const char *ending, struct strings *words)
{
	const size_t n = strlen(ssh->code);
	const bool is_pattern = *ending != '\0' || (path != NULL && strpbrk(path, "*?[") != NULL);
	struct text word = TEXT_EMPTY;

	if (path == NULL || strncmp(path, ssh->code, n) != 0 || path[n] != '/')
		return;
	text_add(&word, "--exclude=");
	for (const char *c = path + n; *c != '\0'; c++) {
		text_add(&word, is_pattern && strchr("*?[\\", *c) != NULL ? "\\" : "");
		text_add_char(&word, *c);
	}
	text_add(&word, ending);
	strings_add(words, word.bytes);
	words->failed |= text_failed(&word);
	text_finish(&word);
}

/* ---- whose checkpoints are the newest: attempts have numbers, and the clocks of hosts differ by hours ---- */

static bool has_begun(const char *trial, const char *number)
{
	char *attempt = path_join(trial, number);
	char *started = attempt != NULL ? path_join(attempt, ATTEMPT_STARTED) : NULL;
	const bool has = started != NULL && access(started, F_OK) == 0;

	free(started);
	free(attempt);
	return has;
}

/* The newest attempt with number in [from, to) that has begun, here or on any host; 0: none. */
static long newest_begun(const struct ssh *ssh, const struct pending *of, long from, long to)
{
	char *trial = path_join(ssh->mirror, of->trial);
	DIR *stream = trial != NULL ? opendir(trial) : NULL;
	const struct dirent *entry;
	long newest = 0;

	while (stream != NULL && (entry = readdir(stream)) != NULL) {
		const long number = atol(entry->d_name);
		if (number >= from && number < to && number > newest &&
			has_begun(trial, entry->d_name))
			newest = number;
	}
	if (stream != NULL)
		closedir(stream);
	free(trial);
	return newest;
}

static bool was_for_this_host(const struct ssh *ssh, const struct pending *of, long number)
{
	struct text path = TEXT_EMPTY, launch = TEXT_EMPTY, host = TEXT_EMPTY;
	struct tuner_error ignored;

	text_print(&path, "%s/%s/%ld/" ATTEMPT_LAUNCH, ssh->mirror, of->trial, number);
	text_print(&host, "%cTUNER_HOST=%s", LAUNCH_ENVIRONMENT, ssh->name);
	const bool was = !text_failed(&path) && !text_failed(&host) &&
			 file_read(path.bytes, LAUNCH_BYTES_MAX, &launch, &ignored) &&
			 memmem(launch.bytes, launch.length, host.bytes, host.length + 1) != NULL;
	text_finish(&host);
	text_finish(&launch);
	text_finish(&path);
	return was;
}

/* Whether the trial's last attempt ran on this host, so that its files there are newer than those
 * here. */
static bool ran_here_last(const struct ssh *ssh, const struct pending *of)
{
	const long last = newest_begun(ssh, of, 1, atol(of->number));

	return last != 0 && was_for_this_host(ssh, of, last);
}

static void words_of(const struct ssh *ssh, const struct ssh_copy *copy, struct strings *words)
{
	struct text shell = TEXT_EMPTY;

	remote_shell(ssh, &shell);
	strings_add(words, "rsync");
	strings_add(words, "-a");
	strings_add(words, "-s");
	strings_add(words, "--timeout=60");
	/* Files may differ with equal size and second: compare times to the nanosecond. */
	strings_add(words, "--modify-window=-1");
	strings_add(words, "-e");
	strings_add(words, shell.bytes);
	words->failed |= text_failed(&shell);
	text_finish(&shell);
	switch (copy->kind) {
	case COPY_CODE:
		if (!ssh->frozen) {
			strings_add(words, "--exclude=.git/");
			/* The database is usually in the working directory, and so are attempts
			 * and logs beside it. */
			exclude(ssh, ssh->database, "*", words);
			exclude(ssh, ssh->secrets, "", words);
			strings_add(words, "--filter=:- .gitignore");
		}
		add_word(words, "%s/", ssh->code);
		add_remote(words, ssh, ssh->code_name);
		break;
	case COPY_CHECKPOINT:
		if (ran_here_last(ssh, &copy->of))
			strings_add(words, "--ignore-existing");
		add_word(words, "%s/%s/checkpoint", ssh->mirror, copy->of.trial);
		add_remote(words, ssh, copy->of.trial);
		break;
	case COPY_RESULTS:
		/* Late results: another attempt may have left newer ones already. */
		if (newest_begun(ssh, &copy->of, atol(copy->of.number) + 1, LONG_MAX) != 0)
			strings_add(words, "--update");
		strings_add(words, "--include=/checkpoint/***");
		add_word(words, "--include=/%s/", copy->of.number);
		add_word(words, "--include=/%s/model/***", copy->of.number);
		add_word(words, "--include=/%s/output/***", copy->of.number);
		strings_add(words, "--exclude=*");
		add_remote(words, ssh, copy->of.trial);
		add_word(words, "%s/%s/", ssh->mirror, copy->of.trial);
		break;
	}
}

static bool start(const struct ssh *ssh, struct ssh_copy *copy, struct tuner_error *err)
{
	struct strings words = { 0 };
	bool ok = false;

	words_of(ssh, copy, &words);
	char **arguments = strings_vector(&words);
	if (arguments == NULL)
		tuner_fail_memory(err);
	else
		ok = child_process_start(&copy->rsync, arguments, false, err);
	copy->runs = ok;
	copy->until_us = clock_monotonic_us() + COPY_US;
	copy->tries++;
	free(arguments);
	strings_finish(&words);
	return ok;
}

/* ---- the queue ---- */

bool ssh_copy_add(
	struct ssh *ssh, enum copy_kind kind, const struct pending *of, struct tuner_error *err)
{
	if (!array_reserve(
		    &ssh->copies, ssh->n_copies, &ssh->copies_capacity, sizeof(*ssh->copies)))
		return tuner_fail_memory(err);
	ssh->copies[ssh->n_copies++] = (struct ssh_copy){
		.kind = kind,
		.of = of != NULL ? *of : (struct pending){ 0 },
		.others_until_us = clock_monotonic_us() + OTHERS_US,
		.rsync = { .in = -1, .out = -1, .errors = -1 },
	};
	return true;
}

static void drop(struct ssh *ssh, size_t i)
{
	child_process_end(&ssh->copies[i].rsync);
	ssh->n_copies--;
	memmove(ssh->copies + i, ssh->copies + i + 1, (ssh->n_copies - i) * sizeof(*ssh->copies));
}

/* At most one copy of each kind runs at a time. */
static bool may_start(const struct ssh *ssh, struct ssh_copy *copy, int64_t now_us)
{
	char *others;

	if (copy->runs || now_us < copy->due_us || !ssh->greeted || ssh->link.state != LINK_OPEN)
		return false;
	for (size_t i = 0; i < ssh->n_copies; i++)
		if (ssh->copies[i].runs && ssh->copies[i].kind == copy->kind)
			return false;
	if (copy->kind != COPY_CHECKPOINT || now_us >= copy->others_until_us)
		return true;
	/* Not before the results of the trial's last attempt have arrived from elsewhere. */
	others = path_join(ssh->mirror, ".hosts");
	const bool waits = others != NULL && pending_fetch_of(others, copy->of.trial);
	free(others);
	if (waits)
		copy->due_us = now_us + LOOK_US;
	return !waits;
}

/* True: it is done, and fault says whether it failed. False: to be tried again. */
static bool is_through(struct ssh_copy *copy, bool in_time, char fault[256])
{
	const int status = copy->rsync.status;

	fault[0] = '\0';
	copy->runs = false;
	/* 24: files have vanished meanwhile, as those of a running command may. */
	if (in_time && WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 24))
		return true;
	if (in_time && strncmp(copy->rsync.complaint, "protocol version mismatch", 25) == 0)
		snprintf(fault, 256,
			"its login shell prints something where rsync is to speak: let ~/.bashrc "
			"and the like print to terminals only");
	else if (in_time)
		child_process_explain(&copy->rsync, "rsync", fault, 256);
	else
		snprintf(fault, 256, "rsync takes more than 12 hours");
	if (copy->tries >= TRIES_MAX)
		return true;
	copy->due_us = clock_monotonic_us() + PAUSE_US * copy->tries;
	return false;
}

static void finish(struct ssh *ssh, size_t i, const char *fault)
{
	const struct pending of = ssh->copies[i].of;
	const enum copy_kind kind = ssh->copies[i].kind;

	drop(ssh, i);
	if (kind == COPY_CODE && fault[0] == '\0') {
		ssh->code_sent = true;
		ssh->code_missing = false;
		ssh->copy_fault[0] = '\0';
	} else if (kind == COPY_CHECKPOINT) {
		ssh_checkpoint_sent(ssh, of.id, fault);
	} else if (kind == COPY_RESULTS) {
		pending_remove(ssh->pending, &of);
	}
}

/* Results are waited for as long as they may arrive soon. After that a warning is given, and the
 * copy is tried now and then: a model exists only there. */
static bool put_off(
	struct ssh *ssh, struct ssh_copy *copy, const char *fault, struct tuner_error *err)
{
	char message[256];

	copy->due_us = clock_monotonic_us() + LATER_US;
	if (copy->fails)
		return true;
	copy->fails = true;
	snprintf(message, sizeof(message), "what trial %d has left there cannot be fetched: %.180s",
		atoi(copy->of.trial), fault);
	return ssh_tell_text(ssh, BACKEND_WARNING, 0, message, err);
}

/* Sending code is retried until it succeeds: nothing can be started without it. *ret_gone: the copy
 * has been removed. */
static bool settle(struct ssh *ssh, size_t i, bool through, const char *fault, bool *ret_gone,
	struct tuner_error *err)
{
	struct ssh_copy *copy = &ssh->copies[i];

	if (copy->kind == COPY_CODE && fault[0] != '\0') {
		snprintf(ssh->copy_fault, sizeof(ssh->copy_fault),
			"the working directory cannot be sent there: %.200s", fault);
		copy->tries = 1;
		copy->due_us = clock_monotonic_us() + 10 * PAUSE_US;
		return true;
	}
	if (through && copy->kind == COPY_RESULTS && fault[0] != '\0')
		return put_off(ssh, copy, fault, err);
	if (through)
		finish(ssh, i, fault);
	*ret_gone = through;
	return true;
}

static bool take_end(
	struct ssh *ssh, size_t i, bool in_time, bool *ret_gone, struct tuner_error *err)
{
	struct ssh_copy *copy = &ssh->copies[i];
	char fault[256];

	if (!in_time)
		child_process_end(&copy->rsync);
	const bool through = is_through(copy, in_time, fault);
	child_process_end(&copy->rsync);
	return settle(ssh, i, through, fault, ret_gone, err);
}

/* No rsync here for the moment, or no process to be had: counts as a failed one. */
static bool take_no_start(
	struct ssh *ssh, size_t i, const char *fault, bool *ret_gone, struct tuner_error *err)
{
	struct ssh_copy *copy = &ssh->copies[i];

	copy->due_us = clock_monotonic_us() + PAUSE_US * copy->tries;
	return settle(ssh, i, copy->tries >= TRIES_MAX, fault, ret_gone, err);
}

/* Whether checkpoints that were waited for have not come. */
static bool has_nothing_to_send(const struct ssh *ssh, const struct ssh_copy *copy)
{
	char *trial = path_join(ssh->mirror, copy->of.trial);
	char *checkpoint = trial != NULL ? path_join(trial, "checkpoint") : NULL;
	const bool nothing = copy->kind == COPY_CHECKPOINT && checkpoint != NULL &&
			     access(checkpoint, F_OK) != 0 && errno == ENOENT;

	free(trial);
	free(checkpoint);
	return nothing;
}

/* *ret_gone: the copy is done and has been removed. */
static bool step(struct ssh *ssh, size_t i, bool *ret_gone, struct tuner_error *err)
{
	struct ssh_copy *copy = &ssh->copies[i];
	struct tuner_error failed = { TUNER_OK, "" };
	const int64_t now_us = clock_monotonic_us();

	if (copy->runs) {
		const bool ended = child_process_ended(&copy->rsync);
		return (!ended && now_us < copy->until_us) ||
		       take_end(ssh, i, ended, ret_gone, err);
	}
	if (!may_start(ssh, copy, now_us))
		return true;
	if (has_nothing_to_send(ssh, copy)) {
		finish(ssh, i, "");
		*ret_gone = true;
		return true;
	}
	return start(ssh, copy, &failed) || take_no_start(ssh, i, failed.message, ret_gone, err);
}

bool ssh_copies_step(struct ssh *ssh, struct tuner_error *err)
{
	for (size_t i = 0; i < ssh->n_copies;) {
		bool gone = false;
		if (!step(ssh, i, &gone, err))
			return false;
		i += !gone;
	}
	return true;
}

/* An unreadable directory counts as holding something: sending it then fails and reports why. */
static bool holds_something(const char *path)
{
	DIR *stream = opendir(path);
	const struct dirent *entry;
	bool found = false;

	if (stream == NULL)
		return errno != ENOENT && errno != ENOTDIR;
	while (errno = 0, !found && (entry = readdir(stream)) != NULL)
		found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	found |= errno != 0;
	closedir(stream);
	return found;
}

bool ssh_needs_checkpoint(const struct ssh *ssh, const struct ssh_attempt *attempt)
{
	char *trial = path_join(ssh->mirror, attempt->trial);
	char *checkpoint = trial != NULL ? path_join(trial, "checkpoint") : NULL;
	char *others = path_join(ssh->mirror, ".hosts");
	const bool needs = ssh->code != NULL && strcmp(attempt->number, "1") != 0 &&
			   ((checkpoint != NULL && holds_something(checkpoint)) ||
				   (others != NULL && pending_fetch_of(others, attempt->trial)));
	free(trial);
	free(checkpoint);
	free(others);
	return needs;
}

bool ssh_copies_results(const struct ssh *ssh, int64_t attempt)
{
	for (size_t i = 0; i < ssh->n_copies; i++)
		if (ssh->copies[i].kind == COPY_RESULTS && ssh->copies[i].of.id == attempt)
			return true;
	return false;
}

bool ssh_awaits_results(const struct ssh *ssh)
{
	for (size_t i = 0; i < ssh->n_copies; i++)
		if (ssh->copies[i].kind == COPY_RESULTS && !ssh->copies[i].fails)
			return true;
	return false;
}

size_t ssh_copies_descriptors(struct ssh *ssh, struct pollfd *ret_fds, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < ssh->n_copies && n < size; i++)
		if (ssh->copies[i].runs && ssh->copies[i].rsync.errors >= 0)
			ret_fds[n++] = (struct pollfd){ .fd = ssh->copies[i].rsync.errors,
				.events = POLLIN };
	return n;
}

int64_t ssh_copies_due_us(const struct ssh *ssh)
{
	const int64_t now_us = clock_monotonic_us();
	int64_t due_us = INT64_MAX;
	for (size_t i = 0; i < ssh->n_copies; i++) {
		const struct ssh_copy *copy = &ssh->copies[i];
		/* An rsync that has closed its streams ends in a moment. */
		const int64_t its_us = !copy->runs              ? copy->due_us
				       : copy->rsync.errors < 0 ? now_us + 10000
								: copy->until_us;
		if (ssh->link.state == LINK_OPEN && its_us > now_us && its_us < due_us)
			due_us = its_us;
	}
	return due_us;
}

void ssh_copies_interrupt(struct ssh *ssh)
{
	for (size_t i = 0; i < ssh->n_copies; i++) {
		struct ssh_copy *copy = &ssh->copies[i];
		if (!copy->runs)
			continue;
		child_process_end(&copy->rsync);
		copy->runs = false;
		copy->tries = 0;
		copy->fails = false;
		copy->due_us = 0;
	}
}

void ssh_copies_finish(struct ssh *ssh)
{
	while (ssh->n_copies > 0)
		drop(ssh, 0);
	free(ssh->copies);
}
