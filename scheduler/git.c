#include "scheduler/git.h"

#include "base/clock.h"
#include "base/file.h"
#include "scheduler/strings.h"
#include "scheduler/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	LOCAL_US = 10000000, /* for calls that inspect a work tree */
	LIST_BYTES_MAX = 16 << 20,
	ANSWER_BYTES_MAX = 64 * 1024,
	SUBMODULE_DEPTH_MAX = 8,
	WORDS_MAX = 64,
	FILTERS_MAX = 16,
};

extern char **environ;

/* ---- running it ---- */

/* The part of our environment that git gets when it inspects a work tree. */
static const char *const passed_on[] = { "HOME", "PATH", "TMPDIR", "USER", "LOGNAME",
	"XDG_CONFIG_HOME" };

/* To reach a repository git may need variables of the user's shell: agents, proxies,
 * certificates. */
static void add_all_but_git(struct strings *ret)
{
	for (char *const *v = environ; *v != NULL; v++)
		if (strncmp(*v, "GIT_", 4) != 0 && strncmp(*v, "SSH_ASKPASS=", 12) != 0)
			strings_put_pair(ret, *v);
	/* The user chooses how to reach a server. */
	static const char *const kept[] = { "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO" };
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (getenv(kept[i]) != NULL)
			strings_put_text(ret, kept[i], getenv(kept[i]));
	if (getenv("GIT_SSH") == NULL && getenv("GIT_SSH_COMMAND") == NULL)
		strings_put_text(ret, "GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
}

static bool make_environment(bool network, struct strings *ret, struct tuner_error *err)
{
	if (network)
		add_all_but_git(ret);
	for (size_t i = 0; !network && i < sizeof(passed_on) / sizeof(*passed_on); i++)
		if (getenv(passed_on[i]) != NULL)
			strings_put_text(ret, passed_on[i], getenv(passed_on[i]));
	strings_put_text(ret, "LC_ALL", "C"); /* its messages are parsed */
	strings_put_text(ret, "GIT_TERMINAL_PROMPT", "0");
	strings_put_text(ret, "GIT_OPTIONAL_LOCKS", "0");
	strings_put_text(ret, "GIT_PAGER", "cat");
	if (!network)
		strings_put_text(ret, "GIT_NO_LAZY_FETCH", "1");
	return !strings_failed(ret) || tuner_fail_memory(err);
}

/* One call of git: words after the options common to all calls. */
struct call {
	const char *words[WORDS_MAX];
	size_t n;
	const char *directory;
	int64_t timeout_us;
	size_t bytes_max;
	bool network;
};

static void add_words(struct call *call, const char *const *words)
{
	for (; *words != NULL && call->n < WORDS_MAX - 1; words++)
		call->words[call->n++] = *words;
}

static struct call call_begin(const char *directory)
{
	static const char *const safe[] = { "git", "--no-pager", "-c", "core.fsmonitor=false", "-c",
		"core.hooksPath=/dev/null", "-c", "submodule.recurse=false", "-c", "gc.auto=0",
		NULL };
	struct call call = {
		.directory = directory, .timeout_us = LOCAL_US, .bytes_max = ANSWER_BYTES_MAX
	};

	add_words(&call, safe);
	return call;
}

static bool call_run(const struct call *call, struct text *output, struct tool_result *ret,
	struct tuner_error *err)
{
	struct strings environment = { 0 };
	const char **vector = NULL;
	bool ok = make_environment(call->network, &environment, err);

	if (ok) {
		vector = calloc(environment.n + 1, sizeof(*vector));
		ok = vector != NULL || tuner_fail_memory(err);
	}
	for (size_t i = 0; ok && i < environment.n; i++)
		vector[i] = strings_item(&environment, i);
	if (ok) {
		const struct tool tool = { .arguments = call->words,
			.environment = vector,
			.directory = call->directory,
			.timeout_us = call->timeout_us,
			.bytes_max = call->bytes_max };
		ok = tool_run(&tool, output, ret, err);
	}
	free(vector);
	strings_finish(&environment);
	return ok;
}

static bool succeeded(const struct tool_result *result)
{
	return result->end == TOOL_DONE && result->status == 0;
}

/* Runs the words for one line of output. */
static bool ask(const char *directory, const char *const *words, struct text *line,
	struct tool_result *ret, struct tuner_error *err)
{
	struct call call = call_begin(directory);
	struct text output = TEXT_EMPTY;

	add_words(&call, words);
	const bool ok = call_run(&call, &output, ret, err);
	if (ok)
		text_add_bytes(line, output.bytes, strcspn(output.bytes, "\n"));
	text_finish(&output);
	return ok && (!text_failed(line) || tuner_fail_memory(err));
}

/* ---- looking at a work tree ---- */

static void explain(const struct tool_result *result, char ret_why[320])
{
	char text[320];

	if (result->end == TOOL_MISSING)
		snprintf(ret_why, 320, "there is no git");
	else
		snprintf(ret_why, 320, "git: %.300s", tool_result_text(result, text));
}

bool git_top(const char *directory, char **ret_top, char ret_why[320], struct tuner_error *err)
{
	static const char *const words[] = { "rev-parse", "--show-toplevel", NULL };
	struct text top = TEXT_EMPTY;
	struct tool_result result;

	*ret_top = NULL;
	ret_why[0] = '\0';
	bool ok = ask(directory, words, &top, &result, err);
	if (ok && succeeded(&result) && top.length > 0)
		ok = (*ret_top = text_take(&top)) != NULL || tuner_fail_memory(err);
	else if (ok)
		explain(&result, ret_why);
	text_finish(&top);
	return ok;
}

struct listing {
	const char *top;
	struct file_list *list;
	unsigned depth;
	bool failed; /* git failed, and `why` says how */
	char *why; /* of 320 bytes */
};

static bool list_inside(struct listing *listing, const char *path, struct tuner_error *err);

static bool is_directory_there(const char *top, const char *path)
{
	/* Not opened step by step as elsewhere: git lists a link to a directory as a link. */
	char *full = path_join(top, path);
	struct stat status;
	const bool is = full != NULL && lstat(full, &status) == 0 && S_ISDIR(status.st_mode);

	free(full);
	return is;
}

/* "path\0" of one entry: a file, or a repository inside, with a slash at its end if git does not track it. */
static bool add_entry(struct listing *listing, const char *path, const char *entry, bool marked,
	struct tuner_error *err)
{
	struct text full = TEXT_EMPTY;
	size_t length = strlen(entry);
	bool ok;

	while (length > 0 && entry[length - 1] == '/')
		length--;
	text_print(&full, "%s%s", path, path[0] ? "/" : "");
	text_add_bytes(&full, entry, length);
	if (text_failed(&full)) {
		ok = tuner_fail_memory(err);
	} else if (!is_directory_there(listing->top, full.bytes)) {
		ok = file_list_add(listing->list, full.bytes, full.length, marked, err);
	} else {
		ok = listing->depth >= SUBMODULE_DEPTH_MAX || list_inside(listing, full.bytes, err);
	}
	text_finish(&full);
	return ok;
}

static bool list_some(struct listing *listing, const char *path, const char *const *words,
	bool marked, struct tuner_error *err)
{
	char *directory = path_join(listing->top, path);
	struct text output = TEXT_EMPTY;
	struct tool_result result;

	if (directory == NULL)
		return tuner_fail_memory(err);
	struct call call = call_begin(directory);
	call.bytes_max = LIST_BYTES_MAX;
	add_words(&call, words);
	bool ok = call_run(&call, &output, &result, err);
	if (ok && result.end == TOOL_CUT)
		listing->list->cut = true;
	else if (ok && !succeeded(&result) && listing->depth == 0) {
		listing->failed = true;
		explain(&result, listing->why);
	}
	const char *end = output.bytes + output.length;
	for (const char *entry = output.bytes;
		ok && !listing->failed && !listing->list->cut && entry < end && *entry != '\0';
		entry += strlen(entry) + 1)
		ok = add_entry(listing, path, entry, marked, err);
	text_finish(&output);
	free(directory);
	return ok;
}

static bool list_here(struct listing *listing, const char *path, struct tuner_error *err)
{
	static const char *const tracked[] = { "ls-files", "-z", "--cached", NULL };
	static const char *const untracked[] = { "ls-files", "-z", "--others", "--exclude-standard",
		NULL };

	return list_some(listing, path, tracked, false, err) &&
	       (listing->failed || list_some(listing, path, untracked, true, err));
}

/* Lists a submodule only if it is a repository of its own: one that was never checked out is an
 * empty directory, in which git would find the outer repository again, and in it that directory. */
static bool list_inside(struct listing *listing, const char *path, struct tuner_error *err)
{
	struct text inner = TEXT_EMPTY;
	struct stat status;

	text_print(&inner, "%s/%s/.git", listing->top, path);
	const bool own = !text_failed(&inner) && lstat(inner.bytes, &status) == 0;
	text_finish(&inner);
	if (!own)
		return true;
	listing->depth++;
	const bool ok = list_here(listing, path, err);
	listing->depth--;
	return ok;
}

bool git_list(const char *top, const char *path, struct file_list *list, bool *ret_listed,
	char ret_why[320], struct tuner_error *err)
{
	struct listing listing = { .top = top, .list = list, .why = ret_why };
	const bool ok = list_here(&listing, path, err);

	*ret_listed = !listing.failed;
	return ok;
}

bool git_head(const char *top, char ret_commit[GIT_HASH], struct tuner_error *err)
{
	static const char *const words[] = { "rev-parse", "--verify", "--quiet", "HEAD^{commit}",
		NULL };
	struct text line = TEXT_EMPTY;
	struct tool_result result;
	const bool ok = ask(top, words, &line, &result, err);

	ret_commit[0] = '\0';
	if (ok && succeeded(&result) && line.length < GIT_HASH)
		memcpy(ret_commit, line.bytes, line.length + 1);
	text_finish(&line);
	return ok;
}

/* ---- differences ---- */

/* Filters configured by the repository would run programs, so each is emptied by an option. */
struct filters {
	char options[3 * FILTERS_MAX][200];
	size_t n;
	bool failed; /* there are more, or git fails to list them */
};

static void disarm(struct filters *filters, const char *key)
{
	const char *dot = strrchr(key, '.');
	const int length = dot != NULL ? (int)(dot - key) : 0;

	if (length == 0 || length > 150 || filters->n + 3 > 3 * FILTERS_MAX) {
		filters->failed = true;
		return;
	}
	static const char *const ends[] = { "clean=", "process=", "required=false" };
	for (size_t i = 0; i < 3; i++)
		snprintf(filters->options[filters->n++], sizeof(filters->options[0]), "%.*s.%s",
			length, key, ends[i]);
}

static bool find_filters(const char *top, struct filters *ret, struct tuner_error *err)
{
	static const char *const words[] = { "config", "--show-scope", "--name-only",
		"--get-regexp", "^filter\\..*\\.(clean|process)$", NULL };
	struct call call = call_begin(top);
	struct text output = TEXT_EMPTY;
	struct tool_result result;

	*ret = (struct filters){ 0 };
	add_words(&call, words);
	if (!call_run(&call, &output, &result, err)) {
		text_finish(&output);
		return false;
	}
	/* 1: there are none. */
	ret->failed = result.end != TOOL_DONE || result.status > 1;
	char *lines = text_take(&output), *rest = NULL;
	if (lines == NULL)
		return tuner_fail_memory(err);
	for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *key = strchr(line, '\t');
		if (key != NULL && strncmp(line, "global", 6) != 0 &&
			strncmp(line, "system", 6) != 0)
			disarm(ret, key + 1);
	}
	free(lines);
	return true;
}

bool git_diff(const char *top, const char *commit, const char *without, size_t bytes_max,
	struct text *ret, bool *ret_cut, struct tuner_error *err)
{
	/* The empty tree has the same hash everywhere. */
	static const char nothing[] = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
	const char *const words[] = { "diff", "--no-ext-diff", "--no-textconv", "--no-color",
		"--submodule=short", "--binary", commit[0] ? commit : nothing, "--", ".", NULL };
	struct call call = call_begin(top);
	struct text excluded = TEXT_EMPTY;
	struct filters filters;
	struct tool_result result;

	*ret_cut = false;
	if (!find_filters(top, &filters, err))
		return false;
	if (filters.failed)
		return true; /* better no patch than running an unknown program */
	for (size_t i = 0; i < filters.n && call.n < WORDS_MAX - 16; i++) {
		call.words[call.n++] = "-c";
		call.words[call.n++] = filters.options[i];
	}
	add_words(&call, words);
	call.bytes_max = bytes_max;
	if (without != NULL) {
		text_print(&excluded, ":(exclude,literal)%s", without);
		call.words[call.n++] = excluded.bytes;
	}
	const bool ok = !text_failed(&excluded) ? call_run(&call, ret, &result, err)
						: tuner_fail_memory(err);
	text_finish(&excluded);
	if (!ok)
		return false;
	*ret_cut = result.end == TOOL_CUT || result.end == TOOL_LATE;
	return true;
}

/* ---- a commit from elsewhere ---- */

struct fetch {
	const char *url, *commit, *directory;
	int64_t until_us;
};

/* Runs the words in the new repository, with whatever time is left. */
static bool fetch_step(const struct fetch *fetch, const char *const *words, struct text *output,
	struct tool_result *ret, struct tuner_error *err)
{
	/* ext:: is a command line in place of an address. */
	static const char *const careful[] = { "-c", "protocol.ext.allow=never", "-c",
		"advice.detachedHead=false", NULL };
	const int64_t left_us = fetch->until_us - clock_monotonic_us();
	struct call call = call_begin(fetch->directory);

	call.network = true;
	call.timeout_us = left_us > 0 ? left_us : 0;
	add_words(&call, careful);
	add_words(&call, words);
	return call_run(&call, output, ret, err);
}

static bool fetch_failed(
	const struct fetch *fetch, const struct tool_result *result, struct tuner_error *err)
{
	char text[320];

	if (result->end == TOOL_MISSING)
		return tuner_fail(err, TUNER_USAGE,
			"\"source\" names a git repository, and there is no git on PATH");
	return tuner_fail(err, TUNER_USAGE, "cannot fetch %.300s: %.200s", fetch->url,
		tool_result_text(result, text));
}

/* A step that must succeed. */
static bool fetch_surely(
	const struct fetch *fetch, const char *const *words, struct tuner_error *err)
{
	struct text ignored = TEXT_EMPTY;
	struct tool_result result;
	bool ok = fetch_step(fetch, words, &ignored, &result, err);

	if (ok && !succeeded(&result))
		ok = fetch_failed(fetch, &result, err);
	text_finish(&ignored);
	return ok;
}

/* Fetches only the commit, if the server serves commits by hash: quick even for a long history. */
static bool fetch_one(const struct fetch *fetch, bool *ret_there, struct tuner_error *err)
{
	const char *const words[] = { "fetch", "--quiet", "--no-tags", "--depth=1", "--",
		fetch->url, fetch->commit, NULL };
	const size_t length = strlen(fetch->commit);
	struct text ignored = TEXT_EMPTY;
	struct tool_result result = { 0 };

	*ret_there = false;
	if (length != 40 && length != 64)
		return true;
	const bool ok = fetch_step(fetch, words, &ignored, &result, err);
	*ret_there = ok && succeeded(&result);
	text_finish(&ignored);
	return ok;
}

static bool fetch_all(const struct fetch *fetch, struct tuner_error *err)
{
	const char *const words[] = { "fetch", "--quiet", "--tags", "--", fetch->url,
		"+refs/heads/*:refs/remotes/origin/*", NULL };

	return fetch_surely(fetch, words, err);
}

/* The full hash of the requested commit, of which the request must be a prefix: a branch or tag
 * with that name does not count. */
static bool resolve(const struct fetch *fetch, char ret_commit[GIT_HASH], struct tuner_error *err)
{
	struct text wanted = TEXT_EMPTY, line = TEXT_EMPTY;
	struct tool_result result;
	bool ok = false;

	text_print(&wanted, "%s^{commit}", fetch->commit);
	const char *const words[] = { "rev-parse", "--verify", "--quiet", wanted.bytes, NULL };
	if (text_failed(&wanted)) {
		tuner_fail_memory(err);
		goto out;
	}
	if (!ask(fetch->directory, words, &line, &result, err))
		goto out;
	if (!succeeded(&result) || line.length >= GIT_HASH ||
		strncmp(line.bytes, fetch->commit, strlen(fetch->commit)) != 0) {
		tuner_fail(err, TUNER_USAGE,
			"%.200s has no single commit %.64s: \"commit\" takes a hash, whole or so "
			"much of it that no other begins so (git log shows them)",
			fetch->url, fetch->commit);
		goto out;
	}
	memcpy(ret_commit, line.bytes, line.length + 1);
	ok = true;
out:
	text_finish(&line);
	text_finish(&wanted);
	return ok;
}

static bool check_out(const struct fetch *fetch, const char *commit, struct tuner_error *err)
{
	const char *const words[] = { "checkout", "--quiet", "--detach", commit, NULL };

	return fetch_surely(fetch, words, err);
}

static bool make_repository(const struct fetch *fetch, struct tuner_error *err)
{
	static const char *const words[] = { "init", "--quiet", "--template=", ".", NULL };

	return directory_make(fetch->directory, 0700, err) && fetch_surely(fetch, words, err);
}

bool git_fetch(const char *url, const char *commit, const char *directory, int64_t timeout_us,
	char ret_commit[GIT_HASH], struct tuner_error *err)
{
	const struct fetch fetch = { url, commit, directory, clock_monotonic_us() + timeout_us };
	bool there;

	return make_repository(&fetch, err) && fetch_one(&fetch, &there, err) &&
	       (there || fetch_all(&fetch, err)) && resolve(&fetch, ret_commit, err) &&
	       check_out(&fetch, ret_commit, err);
}
