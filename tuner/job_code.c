#include "tuner/job_code.h"

#include "base/clock.h"
#include "base/file.h"
#include "scheduler/snapshot.h"
#include "trials/event.h"
#include "trials/provenance.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FETCH_US = 600000000, COPIES_MAX = 3 };

/* Of a copy. Without git nothing tells code from data, so less is taken for code. */
#define GIT_BYTES_MAX   ((int64_t)512 << 20)
#define PLAIN_BYTES_MAX ((int64_t)64 << 20)

/* One freezing: from the live code to a row that names the copy. */
struct freezing {
	struct store *store;
	int64_t job_id;
	const struct job_file *file;
	int64_t before; /* state of the code so far; 0: none */
	struct code code;
	char commit[GIT_HASH]; /* the fetched commit */
	char *inside; /* where in the copy the command runs */
	char *relative; /* JOB/source/NAME, relative to store_directory */
	char *directory; /* the same, absolute */
};

void job_code_finish(struct job_code_place *place)
{
	free(place->directory);
	text_finish(&place->said);
	*place = (struct job_code_place){ .said = TEXT_EMPTY };
}

struct code_place job_code_where(const struct store *store, const struct job_file *file)
{
	return (struct code_place){ .directory = file->directory,
		.command = file->command,
		.database = store_file(store),
		.job_file = file->search_path != NULL ? file->search_path : file->path,
		.secrets = file->env_file };
}

/* ---- where it lies ---- */

static char *source_path(const struct job_file *file, const char *name)
{
	struct text path = TEXT_EMPTY;

	text_print(&path, "%s/source%s%s", file->name, name[0] ? "/" : "", name);
	return text_take(&path);
}

static char *absolute(const struct store *store, const struct job_file *file, const char *name)
{
	char *relative = source_path(file, name);
	char *path = relative != NULL ? path_join(store_directory(store), relative) : NULL;

	free(relative);
	return path;
}

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool sync_directory(const char *path, struct tuner_error *err)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const bool ok = fd >= 0 && fsync(fd) == 0;

	if (!ok)
		tuner_fail_errno(err, errno, "%s cannot be written to the disk", path);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* The temporary name; removes what a killed run has left there. */
static bool begin_directory(const struct freezing *f, char **ret_draft, struct tuner_error *err)
{
	char *parent = absolute(f->store, f->file, "");
	char *draft = absolute(f->store, f->file, ".new");
	const bool ok = (parent != NULL && draft != NULL)
				? directory_make(parent, 0700, err) && directory_remove(draft, err)
				: tuner_fail_memory(err);

	free(parent);
	if (ok)
		*ret_draft = draft;
	else
		free(draft);
	return ok;
}

/* After a failure; reports what cannot be removed. */
static void drop(const char *draft, struct tuner_error *err)
{
	struct tuner_error ignored;

	if (!directory_remove(draft, &ignored))
		tuner_fail_in(err, "(%.100s is left) ", draft);
}

static bool end_directory(
	struct freezing *f, const char *draft, const char *name, struct tuner_error *err)
{
	char *parent = absolute(f->store, f->file, "");

	f->relative = source_path(f->file, name);
	f->directory = absolute(f->store, f->file, name);
	bool ok = (parent && f->relative && f->directory) || tuner_fail_memory(err);
	/* The same code again: an existing copy under its name is complete. */
	if (ok && is_directory(f->directory))
		ok = directory_remove(draft, err);
	else if (ok)
		ok = rename(draft, f->directory) == 0 ||
		     tuner_fail_errno(err, errno, "cannot rename %s", draft);
	ok = ok && sync_directory(parent, err);
	free(parent);
	return ok;
}

/* ---- a copy ---- */

static bool check_size(const struct code *code, struct tuner_error *err)
{
	const int64_t bytes_max = code->git ? GIT_BYTES_MAX : PLAIN_BYTES_MAX;
	const struct listed_file *largest = NULL;

	if (!code->files.cut && code->files.bytes <= bytes_max)
		return true;
	for (size_t i = 0; i < code->files.n; i++)
		if (largest == NULL || code->files.items[i].size > largest->size)
			largest = &code->files.items[i];
	if (code->files.cut)
		return tuner_fail(err, TUNER_USAGE,
			"\"source\": \"snapshot\" copies at most %zu files, and %.100s has more: "
			"%s",
			code_limits.files_max, code->files.root,
			code->git ? "data and results belong into .gitignore"
				  : "git init and a .gitignore tell code from data");
	return tuner_fail(err, TUNER_USAGE,
		"\"source\": \"snapshot\" copies at most %lld MiB, and %.80s has %lld (the largest "
		"is "
		"%.60s): %s",
		(long long)(bytes_max >> 20), code->files.root,
		(long long)((code->files.bytes >> 20) + 1), largest->path,
		code->git ? "data belong into .gitignore"
			  : "git init and a .gitignore tell code from data");
}

static bool copy_once(struct freezing *f, struct tuner_error *err)
{
	const struct code_place place = job_code_where(f->store, f->file);
	char *draft = NULL, name[17];

	code_finish(&f->code);
	if (!code_read(&place, CODE_ALL, &code_limits, NULL, &f->code, err) ||
		!code_commit(&f->code, err) || !check_size(&f->code, err) ||
		!begin_directory(f, &draft, err))
		return false;
	snprintf(name, sizeof(name), "%.16s", f->code.files.fingerprint);
	bool ok = snapshot_copy(&f->code, draft, err);
	if (ok)
		ok = end_directory(f, draft, name, err);
	else
		drop(draft, err);
	free(draft);
	return ok;
}

/* An edit meanwhile is not unlikely: people continue to work after starting a job. */
static bool take_copy(struct freezing *f, struct tuner_error *err)
{
	for (int i = 1;; i++) {
		struct tuner_error failed = { TUNER_OK, "" };
		if (copy_once(f, &failed))
			return true;
		if (failed.code != TUNER_RETRY || i == COPIES_MAX) {
			*err = failed;
			return tuner_fail_in(err, "snapshot: ");
		}
	}
}

/* ---- a commit ---- */

static bool fetch(struct freezing *f, struct tuner_error *err)
{
	const struct job_code *wanted = &f->file->code;
	char *draft = NULL, name[17];
	bool ok = false;

	if (!begin_directory(f, &draft, err))
		return false;
	const struct code_place place = { .directory = draft };
	if (!git_fetch(wanted->git, wanted->commit, draft, FETCH_US, f->commit, err) ||
		!code_read(&place, CODE_ALL, &code_limits, NULL, &f->code, err) ||
		!code_commit(&f->code, err))
		goto out;
	snprintf(name, sizeof(name), "%.16s", f->commit);
	ok = sync_directory(draft, err) && end_directory(f, draft, name, err);
out:
	if (!ok)
		drop(draft, err);
	free(draft);
	return ok;
}

/* ---- its row ---- */

static void add_facts(const struct freezing *f, bool cut, struct text *ret)
{
	text_add(ret, "{");
	if (f->file->code.from == CODE_GIT) {
		text_add(ret, "\"git\":");
		text_add_json_string(ret, f->file->code.git);
		text_add(ret, ",\"path\":");
		text_add_json_string(ret, f->file->code.path);
		text_print(ret, ",\"commit\":\"%s\",\"files\":%zu,\"bytes\":%lld", f->commit,
			f->code.files.n, (long long)f->code.files.bytes);
	} else {
		code_facts(&f->code, ret);
	}
	text_print(ret, ",\"patch_complete\":%s}", cut ? "false" : "true");
}

static bool put_patch(
	const struct freezing *f, const struct text *patch, int64_t *ret, struct tuner_error *err)
{
	struct sha256 sum;
	char name[SHA256_TEXT];

	*ret = 0;
	if (patch->length == 0)
		return true;
	sha256_begin(&sum);
	sha256_add(&sum, patch->bytes, patch->length);
	sha256_end(&sum, name);
	return document_put(
		f->store, name, patch->bytes, patch->length, (int64_t)patch->length, ret, err);
}

static bool add_event(
	const struct freezing *f, int64_t state, int64_t now_us, struct tuner_error *err)
{
	struct text data = TEXT_EMPTY;
	int64_t id;

	text_print(&data, "{\"state\":%lld,\"before\":", (long long)state);
	text_print(&data, f->before > 0 ? "%lld" : "null", (long long)f->before);
	text_add(&data, ",\"directory\":");
	text_add_json_string(&data, f->relative);
	text_add(&data, "}");
	const bool ok = text_failed(&data) ? tuner_fail_memory(err)
					   : event_add(f->store, f->job_id, 0, 0, "source",
						     data.bytes, now_us, &id, err);
	text_finish(&data);
	return ok;
}

static bool put_rows(const struct freezing *f, const struct text *patch, const char *facts,
	int64_t *ret_state, struct tuner_error *err)
{
	const int64_t now_us = clock_wall_us();
	struct found_state state = { .of = STATE_OF_CODE,
		.fingerprint = f->code.files.fingerprint,
		.source = f->file->code.from == CODE_GIT ? "git" : "snapshot",
		.facts = facts };
	bool is_new;

	return put_patch(f, patch, &state.patch, err) &&
	       state_put(f->store, f->job_id, &state, now_us, ret_state, &is_new, err) &&
	       job_source_set(f->store, f->job_id, *ret_state, f->relative, err) &&
	       (*ret_state == f->before || add_event(f, *ret_state, now_us, err));
}

static bool store_rows(struct freezing *f, int64_t *ret_state, struct tuner_error *err)
{
	struct text patch = TEXT_EMPTY, facts = TEXT_EMPTY;
	bool cut = false;
	bool ok = f->file->code.from == CODE_GIT ||
		  code_patch(&f->code, PATCH_BYTES_MAX, &patch, &cut, err);

	add_facts(f, cut, &facts);
	ok = ok && (!text_failed(&facts) || tuner_fail_memory(err)) &&
	     store_begin(f->store, STORE_DURABLE, err);
	if (ok) {
		ok = put_rows(f, &patch, facts.bytes, ret_state, err);
		if (!ok)
			store_rollback(f->store);
		ok = ok && store_commit(f->store, err);
	}
	text_finish(&patch);
	text_finish(&facts);
	return ok;
}

/* ---- what was frozen before ---- */

static const char *const source_names[] = { [CODE_SNAPSHOT] = "snapshot", [CODE_GIT] = "git" };

static bool text_is(const cJSON *object, const char *name, const char *wanted)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsString(value) && strcmp(value->valuestring, wanted) == 0;
}

/* Whether the facts are of the commit that the job file names. */
static bool is_commit(const cJSON *facts, const struct job_code *wanted)
{
	const cJSON *commit = cJSON_GetObjectItemCaseSensitive(facts, "commit");

	return text_is(facts, "git", wanted->git) && cJSON_IsString(commit) &&
	       strncmp(commit->valuestring, wanted->commit, strlen(wanted->commit)) == 0;
}

static bool look_at_facts(struct freezing *f, const struct found_state *state, bool *ret_usable,
	struct tuner_error *err)
{
	const struct job_code *wanted = &f->file->code;
	cJSON *facts = cJSON_Parse(state->facts);
	const cJSON *inside = cJSON_GetObjectItemCaseSensitive(facts, "directory");

	f->inside = strdup(cJSON_IsString(inside) ? inside->valuestring : "");
	*ret_usable = strcmp(state->source, source_names[wanted->from]) == 0 &&
		      (wanted->from != CODE_GIT || is_commit(facts, wanted));
	cJSON_Delete(facts);
	return f->inside != NULL || tuner_fail_memory(err);
}

/* *ret_usable: the code of the job so far is what the job file asks for. */
static bool look_back(struct freezing *f, bool *ret_usable, struct tuner_error *err)
{
	struct state_list states = { 0 };
	char *relative = NULL;

	*ret_usable = false;
	if (!job_source(f->store, f->job_id, &f->before, &relative, err))
		return false;
	if (f->before == 0)
		return true;
	f->relative = relative;
	f->directory = path_join(store_directory(f->store), relative);
	if (f->directory == NULL)
		return tuner_fail_memory(err);
	if (!state_select(f->store, f->job_id, STATE_OF_CODE, &states, err))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < states.n; i++)
		if (states.items[i].id == f->before)
			ok = look_at_facts(f, &states.items[i], ret_usable, err);
	state_list_finish(&states);
	return ok;
}

static void forget(struct freezing *f)
{
	free(f->relative);
	free(f->directory);
	free(f->inside);
	f->relative = f->directory = f->inside = NULL;
}

static bool is_gone(const struct freezing *f, struct tuner_error *err)
{
	return tuner_fail(err, TUNER_USAGE,
		"the copy of job %s's code, %.200s, is gone: --accept-change takes a new one (of "
		"the "
		"code as it is now), another name (--name) starts anew",
		f->file->name, f->directory);
}

/* Uses the existing copy, or makes a new one. */
static bool freeze(
	struct freezing *f, bool accept_change, int64_t *ret_state, struct tuner_error *err)
{
	const bool git = f->file->code.from == CODE_GIT;
	bool usable;

	if (!look_back(f, &usable, err))
		return false;
	const bool there = usable && is_directory(f->directory);
	/* A commit can be fetched again, and is the same. */
	if (there && (git || !accept_change)) {
		*ret_state = f->before;
		return true;
	}
	if (usable && !git && !accept_change)
		return is_gone(f, err);
	forget(f);
	if (!(git ? fetch(f, err) : take_copy(f, err)))
		return false;
	f->inside = strdup(f->code.inside);
	return (f->inside != NULL || tuner_fail_memory(err)) && store_rows(f, ret_state, err);
}

/* ---- whether the command finds itself there ---- */

static bool is_option(const char *word)
{
	return word[0] == '-' || word[0] == '\0' || strchr(word, '{') != NULL;
}

static bool exists(const char *directory, const char *word)
{
	char *path = path_join(directory, word);
	const bool is = path != NULL && access(path, F_OK) == 0;

	free(path);
	return is;
}

/* Warns of words of the command that refer to what was not copied. */
static void check_words(const struct job_file *file, const char *directory, const struct code *code,
	struct text *said)
{
	for (char *const *word = file->command; word != NULL && *word != NULL; word++) {
		if (is_option(*word))
			continue;
		if ((*word)[0] != '/' && exists(file->directory, *word) &&
			!exists(directory, *word))
			text_print(said,
				"warning: \"%s\" is not in the copy of the code (git ignores it, "
				"or it "
				"lies outside): data go by \"channels\" or an absolute path\n",
				*word);
		const size_t length = code->files.root != NULL ? strlen(code->files.root) : 0;
		if (length > 0 && strncmp(*word, code->files.root, length) == 0 &&
			(*word)[length] == '/' &&
			file_list_find(&code->files, *word + length + 1) != NULL)
			text_print(said,
				"warning: \"%s\" is an absolute path to code that may be edited: "
				"written "
				"as a relative one it is taken from the copy\n",
				*word);
	}
}

static bool check_command(
	const struct job_file *file, const char *directory, struct tuner_error *err)
{
	struct tuner_error fault = { TUNER_OK, "" };
	const bool prefixed = file->n_hosts > 0 && file->hosts[0].prefix != NULL;
	char *found = NULL;
	bool ok = true;

	if (!is_directory(directory))
		return tuner_fail(err, TUNER_USAGE, "source.path: the commit has no directory %s",
			file->code.path);
	if (file->command != NULL && !prefixed && !is_option(file->command[0]) &&
		strchr(file->command[0], '/') != NULL) {
		ok = command_exists(file->command[0], directory, getenv("PATH"), &found, &fault);
		if (!ok)
			tuner_fail(err, fault.code,
				"the command is not in the copy of the code: %s (what git ignores "
				"is "
				"not copied: give it an absolute path)",
				fault.message);
	}
	free(found);
	return ok;
}

static void tell(const struct freezing *f, int64_t state, struct text *said)
{
	const bool git = f->file->code.from == CODE_GIT;

	if (state == f->before)
		text_print(said, "code: %s in %s\n", git ? "the commit" : "the copy", f->directory);
	else if (git)
		text_print(said, "code: commit %.12s of %s, in %s\n", f->commit, f->file->code.git,
			f->directory);
	else
		text_print(said, "code: %s copy of %zu file%s%s%.12s%s, in %s\n",
			f->before > 0 ? "a new" : "a", f->code.files.n,
			f->code.files.n == 1 ? "" : "s", f->code.commit[0] ? " (commit " : "",
			f->code.commit, f->code.commit[0] ? " and what differs from it)" : "",
			f->directory);
}

static bool prepare_frozen(
	struct freezing *f, bool accept_change, struct job_code_place *ret, struct tuner_error *err)
{
	if (!freeze(f, accept_change, &ret->state, err))
		return false;
	tell(f, ret->state, &ret->said);
	ret->directory = path_join(
		f->directory, f->file->code.from == CODE_GIT ? f->file->code.path : f->inside);
	if (ret->directory == NULL)
		return tuner_fail_memory(err);
	if (!check_command(f->file, ret->directory, err))
		return false;
	if (f->file->code.from == CODE_SNAPSHOT)
		check_words(f->file, ret->directory, &f->code, &ret->said);
	return !text_failed(&ret->said) || tuner_fail_memory(err);
}

bool job_code_prepare(struct store *store, int64_t job_id, const struct job_file *file,
	bool accept_change, struct job_code_place *ret, struct tuner_error *err)
{
	*ret = (struct job_code_place){ .said = TEXT_EMPTY };
	if (file->code.from == CODE_LIVE) {
		ret->directory = strdup(file->directory);
		return ret->directory != NULL || tuner_fail_memory(err);
	}
	struct freezing freezing = { .store = store, .job_id = job_id, .file = file };
	const bool ok = prepare_frozen(&freezing, accept_change, ret, err);
	code_finish(&freezing.code);
	forget(&freezing);
	return ok;
}
