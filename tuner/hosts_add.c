#include "tuner/hosts_add.h"

#include "base/clock.h"
#include "base/json.h"
#include "trials/host.h"
#include "tuner/job_argument.h"
#include "tuner/job_hosts.h"
#include "tuner/request_send.h"
#include "tuner/store_wait.h"
#include "tuner/trial_report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	FIRST_WORD_WAIT_US = 12000000, /* ssh gives up after 10 s */
	LOOK_NS = 50000000,
	ANSWER_WAIT_MS = 15000, /* this machine's GPUs may have to be queried */
	HOSTS_BYTES_MAX = 256 << 10, /* of a request */
};

struct addition {
	const char *path; /* FILE, as typed */
	struct job_file *file;
	struct job job;
	struct text self; /* what a command line calls the job (trial_report.h) */
	char *text; /* of its "hosts" */
	struct job_hosts hosts;
	struct text left; /* other differences, a line each */
	unsigned left_kinds;
	bool sees; /* the run's events can be read at once: we do not read a copy of the database */
	int64_t word_us
		[HOSTS_MAX]; /* when it was last said of one of hosts.all whether it answers; 0: never */
};

static void addition_finish(struct addition *addition)
{
	job_hosts_finish(&addition->hosts);
	job_file_destroy(addition->file);
	job_finish(&addition->job);
	text_finish(&addition->self);
	free(addition->text);
	text_finish(&addition->left);
}

/* ---- reading ---- */

/* `name`: the job's, if it differs from its file's; else NULL. */
static bool read_file(const struct invocation *call, const char *name, struct job_file **ret,
	struct tuner_error *err)
{
	static const struct option_row name_option = { "name", 0, "NAME", NULL };
	struct invocation one = *call;

	one.arguments = call->arguments + 1;
	one.n_arguments = 1;
	if (name != NULL) {
		if (one.n_options == OPTIONS_MAX)
			return tuner_fail(err, TUNER_USAGE, "too many options");
		one.options[one.n_options].row = &name_option;
		one.options[one.n_options++].value = name;
	}
	return job_argument_read(&one, COMMAND_CHECKED, ret, err);
}

static bool find_job(const struct invocation *call, struct store *store, struct addition *addition,
	struct tuner_error *err)
{
	bool found = false;

	if (!job_argument_is_file(addition->path))
		return tuner_fail(err, TUNER_USAGE,
			"there is no file \"%.300s\": \"add\" takes the job's edited file",
			addition->path);
	if (call->n_arguments > 2)
		return command_job(store, call->arguments[2], &addition->job, err) &&
		       read_file(call, addition->job.name, &addition->file, err);
	if (!read_file(call, NULL, &addition->file, err) ||
		!job_find(store, addition->file->name, &addition->job, &found, err))
		return false;
	return found || tuner_fail(err, TUNER_USAGE,
				"%s has no job \"%s\": \"tuner run %s\" begins it. If the job has "
				"another name: \"tuner hosts add %s JOB\"",
				call->db, addition->file->name, addition->path, addition->path);
}

/* A file with which "tuner run" would refuse to continue belongs to another job. */
static bool check_same_job(const struct addition *addition, struct tuner_error *err)
{
	const struct job_file *file = addition->file;

	if (addition->left_kinds & (CHANGE_OBJECTIVE | CHANGE_SEED))
		return tuner_fail(err, TUNER_USAGE,
			"%s is not the file of job \"%s\": its objective or seed differs:\n"
			"%.600sIf the job was begun with --set, --seed and the like, give them "
			"here as well, by --set.",
			addition->path, addition->job.name, addition->left.bytes);
	if (strcmp(file->directory, addition->job.directory) != 0)
		return tuner_fail(err, TUNER_USAGE,
			"job \"%s\" runs in %.300s, that of %s would run in %.300s: edit the "
			"job's own file, or set \"directory\"",
			addition->job.name, addition->job.directory, addition->path,
			file->directory);
	return true;
}

static bool compare(struct addition *addition, struct tuner_error *err)
{
	addition->text = job_hosts_json(addition->file);
	if (addition->text == NULL)
		return tuner_fail_memory(err);
	if (strlen(addition->text) > HOSTS_BYTES_MAX)
		return tuner_fail(
			err, TUNER_USAGE, "\"hosts\" is larger than %d KiB", HOSTS_BYTES_MAX >> 10);
	if (!job_hosts_merge(&addition->job, addition->text, &addition->hosts, err))
		return false;
	job_file_compare(
		addition->hosts.named, addition->file, &addition->left_kinds, &addition->left);
	return (!text_failed(&addition->left) || tuner_fail_memory(err)) &&
	       check_same_job(addition, err);
}

/* ---- whether they answer ---- */

static const struct host_event *find_word(const struct host_event_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

static bool note_words(struct store *store, struct addition *addition, struct tuner_error *err)
{
	const struct job_file *all = addition->hosts.all;
	struct host_event_list list;

	addition->sees = store_copied_us(store) == 0;
	if (!host_events_select(store, addition->job.id, false, &list, err))
		return false;
	for (size_t i = addition->hosts.old->n_hosts; i < all->n_hosts; i++) {
		struct text name = TEXT_EMPTY;
		job_hosts_text(all, i, i + 1, &name);
		const struct host_event *word = find_word(&list, name.bytes);
		addition->word_us[i] = word != NULL ? word->time_us : 0;
		text_finish(&name);
	}
	host_event_list_finish(&list);
	return true;
}

/* Prints what is new of those that were not told of yet; *ret_left: of how many nothing is known. */
static bool tell_words(struct store *store, const struct addition *addition, bool *told,
	size_t *ret_left, struct tuner_error *err)
{
	const struct job_file *all = addition->hosts.all;
	struct host_event_list list;

	*ret_left = 0;
	if (!host_events_select(store, addition->job.id, false, &list, err))
		return false;
	for (size_t i = addition->hosts.old->n_hosts; i < all->n_hosts; i++) {
		struct text name = TEXT_EMPTY;
		job_hosts_text(all, i, i + 1, &name);
		const struct host_event *word = find_word(&list, name.bytes);
		const bool is_new = word != NULL && word->time_us != addition->word_us[i];
		if (!told[i] && is_new && strcmp(word->state, "up") == 0)
			printf("%s answers\n", name.bytes);
		else if (!told[i] && is_new)
			printf("%s does not answer yet: %s\n", name.bytes, word->message);
		told[i] |= is_new;
		*ret_left += !told[i];
		text_finish(&name);
	}
	fflush(stdout);
	host_event_list_finish(&list);
	return true;
}

/* A host that answers late is not a failure. */
static bool await_words(
	const struct invocation *call, const struct addition *addition, struct tuner_error *err)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	const int64_t until_us = clock_monotonic_us() + FIRST_WORD_WAIT_US;
	bool told[HOSTS_MAX] = { false }, ok;
	struct store *store = NULL;
	size_t left = 0;

	/* This machine need not be asked. */
	for (size_t i = 0; i < addition->hosts.all->n_hosts; i++)
		told[i] = strcmp(addition->hosts.all->hosts[i].backend, "local") == 0;
	ok = command_open(call, STORE_READ, &store, err) &&
	     tell_words(store, addition, told, &left, err);
	while (ok && left > 0 && clock_monotonic_us() < until_us) {
		nanosleep(&pause, NULL);
		ok = tell_words(store, addition, told, &left, err);
	}
	if (ok && left > 0)
		printf("\"tuner hosts %s\" shows when the others answer\n", addition->self.bytes);
	store_close(store);
	return ok;
}

/* ---- telling ---- */

static void print_left(const struct addition *addition)
{
	const struct job_file *old = addition->hosts.old;

	for (size_t i = 0; i < old->n_hosts; i++) {
		struct text name = TEXT_EMPTY;
		if (addition->hosts.stays[i])
			continue;
		job_hosts_text(old, i, i + 1, &name);
		printf("%s is no longer in %s, but stays in use: \"tuner hosts drain %s %s\" ends "
		       "that\n",
			name.bytes, addition->path, name.bytes, addition->self.bytes);
		text_finish(&name);
	}
	if (addition->left.length > 0)
		printf("other changes in %s take effect at the next \"tuner run\"%s:\n"
		       "%s",
			addition->path,
			addition->left_kinds & CHANGE_COMMAND ? ", which needs --accept-change"
							      : "",
			addition->left.bytes);
}

static void say_not_running(const struct addition *addition)
{
	const struct job_file *all = addition->hosts.all;
	const size_t n = addition->hosts.old->n_hosts;
	struct text names = TEXT_EMPTY;

	job_hosts_text(all, n, all->n_hosts, &names);
	if (all->n_hosts == n)
		printf("job %s: it already has all hosts of %s\n", addition->job.name,
			addition->path);
	else
		printf("job %s: no \"tuner run\" is running it; the next one with %s uses %s\n",
			addition->job.name, addition->path, names.bytes);
	text_finish(&names);
}

static bool ask(
	const struct invocation *call, const struct addition *addition, struct tuner_error *err)
{
	struct text argument = TEXT_EMPTY, answer = TEXT_EMPTY;

	text_print(&argument, "{\"hosts\": %s}", addition->text);
	bool ok = request_tell(
		call, addition->job.id, "add-hosts", &argument, ANSWER_WAIT_MS, &answer, err);
	if (ok) {
		printf("job %s: %s\n", addition->job.name, answer.bytes);
		print_left(addition);
		fflush(stdout);
	}
	if (ok && addition->sees && strncmp(answer.bytes, HOSTS_ADDED, strlen(HOSTS_ADDED)) == 0)
		ok = await_words(call, addition, err);
	text_finish(&argument);
	text_finish(&answer);
	return ok;
}

bool hosts_add(const struct invocation *call, struct tuner_error *err)
{
	struct addition addition = {
		.path = call->arguments[1], .self = TEXT_EMPTY, .left = TEXT_EMPTY
	};
	struct store *store = NULL;
	bool ok = command_open(call, STORE_READ, &store, err) &&
		  find_job(call, store, &addition, err) && compare(&addition, err) &&
		  note_words(store, &addition, err);

	store_close(store);
	store = NULL;
	if (ok) {
		job_reference(call, addition.job.name, &addition.self);
		/* The lock decides whether there is a process to ask. */
		if (store_open_soon(call->db, STORE_GLANCE_MS, &store, err))
			say_not_running(&addition);
		else
			ok = err->code == TUNER_RETRY && ask(call, &addition, err);
		store_close(store);
	}
	addition_finish(&addition);
	return ok;
}
