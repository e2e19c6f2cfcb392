#include "scheduler/code.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	UNTRACKED_BYTES_MAX = 256 * 1024, /* per file in a patch */
	BESIDE_MAX = 1000, /* files examined beside a script */
};

/* ---- what counts ---- */

bool code_is_program(const char *path)
{
	/* Without .json, .yaml and .txt: trials write such files as often as they read them. */
	static const char *const endings[] = { "py", "pyx", "pyi", "sh", "bash", "r", "R", "jl",
		"pl", "rb", "lua", "js", "ts", "m", "c", "h", "cc", "cpp", "cxx", "hpp", "cu",
		"cuh", "rs", "go", "java", "scala", "f90", "toml" };
	const char *name = path_name(path), *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(endings) / sizeof(*endings); i++)
		if (strcmp(dot + 1, endings[i]) == 0)
			return true;
	return false;
}

static bool is_compiled(const char *path)
{
	const size_t length = strlen(path);
	const char *cache = strstr(path, "__pycache__/");

	return (cache != NULL && (cache == path || cache[-1] == '/')) ||
	       (length > 4 && strcmp(path + length - 4, ".pyc") == 0);
}

/* True for FILE, FILE-wal, FILE.d/..., where FILE is `of`. */
static bool belongs_to(const char *path, const char *of)
{
	const size_t length = strlen(of);

	return strncmp(path, of, length) == 0 &&
	       (path[length] == '\0' || path[length] == '-' || path[length] == '.');
}

struct choice {
	const struct code_place *place;
	enum code_scope scope;
	bool git;
	struct text full; /* room for a path */
};

/* Whether the command names this file, relative to its working directory. */
static bool is_named(const struct code_place *place, const char *full)
{
	for (char *const *word = place->command; word != NULL && *word != NULL; word++) {
		if (strlen(path_name(*word)) == 0 || strcmp(path_name(*word), path_name(full)) != 0)
			continue;
		char *path = path_join(place->directory, *word);
		char *real = path != NULL ? realpath(path, NULL) : NULL;
		const bool same = real != NULL && strcmp(real, full) == 0;
		free(real);
		free(path);
		if (same)
			return true;
	}
	return false;
}

static bool counts(struct choice *choice, const char *root, const struct listed_file *file)
{
	const struct code_place *place = choice->place;

	text_clear(&choice->full);
	text_print(&choice->full, "%s%s%s", root, strcmp(root, "/") ? "/" : "", file->path);
	if (is_compiled(file->path) ||
		(place->database != NULL && belongs_to(choice->full.bytes, place->database)) ||
		(place->job_file != NULL && strcmp(choice->full.bytes, place->job_file) == 0) ||
		(place->secrets != NULL && strcmp(choice->full.bytes, place->secrets) == 0))
		return false;
	return choice->scope == CODE_ALL || !choice->git || !file->marked ||
	       code_is_program(file->path) || is_named(place, choice->full.bytes);
}

static void choose(struct choice *choice, struct code *code)
{
	struct file_list *files = &code->files;
	size_t kept = 0;

	for (size_t i = 0; i < files->n; i++) {
		if (!counts(choice, files->root, &files->items[i])) {
			free(files->items[i].path);
			continue;
		}
		code->untracked += files->items[i].marked;
		files->items[kept++] = files->items[i];
	}
	files->n = kept;
	text_finish(&choice->full);
}

/* ---- git ---- */

static bool has_any_inside(const struct code *code)
{
	const size_t length = strlen(code->inside);

	for (size_t i = 0; i < code->files.n; i++)
		if (strncmp(code->files.items[i].path, code->inside, length) == 0 &&
			(length == 0 || code->files.items[i].path[length] == '/'))
			return true;
	return false;
}

/* The part of `path` after its prefix `top`. */
static const char *behind(const char *top, const char *path)
{
	const char *inside = path + strlen(top);

	return *inside == '/' ? inside + 1 : inside;
}

static bool list_from(struct code *code, const char *top, const char *path,
	const struct file_limits *limits, struct tuner_error *err)
{
	bool listed = false;

	file_list_finish(&code->files);
	if (!file_list_init(&code->files, top, limits, err) ||
		!git_list(top, path, &code->files, &listed, code->why, err))
		return false;
	code->git = listed;
	return true;
}

/* Lists the whole work tree, or, if it is too large, the part where the command runs. */
static bool list_by_git(struct code *code, const char *directory, const struct file_limits *limits,
	struct tuner_error *err)
{
	char *top = NULL;

	if (!git_top(directory, &top, code->why, err))
		return false;
	bool ok = true;
	/* git resolves links as realpath does; if it does not, there is nothing to compare by. */
	const size_t length = top != NULL ? strlen(top) : 0;
	if (top != NULL && (strncmp(directory, top, length) != 0 ||
				   (directory[length] != '/' && directory[length] != '\0' &&
					   strcmp(top, "/") != 0))) {
		snprintf(code->why, sizeof(code->why), "git names another directory");
	} else if (top != NULL) {
		code->inside = strdup(behind(top, directory));
		ok = code->inside != NULL || tuner_fail_memory(err);
		ok = ok && list_from(code, top, "", limits, err);
		if (ok && code->files.cut && code->inside[0] != '\0')
			ok = list_from(code, top, code->inside, limits, err);
		if (ok && code->git && !code->files.cut && !has_any_inside(code)) {
			code->git = false;
			snprintf(code->why, sizeof(code->why), "git ignores this directory");
		}
	}
	free(top);
	return ok;
}

/* ---- without git ---- */

/* Adds programs beside the script, without subdirectories. */
static bool list_beside(struct code *code, struct tuner_error *err)
{
	DIR *directory = opendir(code->files.root);
	bool ok = true;
	int looked = 0;

	for (struct dirent *entry;
		ok && directory && looked < BESIDE_MAX && (entry = readdir(directory)) != NULL;
		looked++)
		if (code_is_program(entry->d_name))
			ok = file_list_add(
				&code->files, entry->d_name, strlen(entry->d_name), false, err);
	if (directory != NULL)
		closedir(directory);
	return ok;
}

/* Adds files below the directory that the command names. */
static bool list_named(struct code *code, char *const *command, struct tuner_error *err)
{
	const char *root = code->files.root;
	const size_t length = strcmp(root, "/") != 0 ? strlen(root) : 0;
	bool ok = true;

	for (; ok && command != NULL && *command != NULL; command++) {
		char *path = path_join(root, *command);
		char *real = path != NULL ? realpath(path, NULL) : NULL;
		struct stat status;
		if (real != NULL && strncmp(real, root, length) == 0 && real[length] == '/' &&
			stat(real, &status) == 0 && S_ISREG(status.st_mode)) {
			const char *inside = behind(root, real);
			ok = file_list_add(&code->files, inside, strlen(inside), false, err);
		}
		free(real);
		free(path);
	}
	return ok;
}

static bool list_plainly(struct code *code, const struct code_place *place, const char *directory,
	enum code_scope scope, const struct file_limits *limits, struct tuner_error *err)
{
	free(code->inside);
	file_list_finish(&code->files);
	code->inside = strdup("");
	if (code->inside == NULL)
		return tuner_fail_memory(err);
	if (!file_list_init(&code->files, directory, limits, err))
		return false;
	if (scope == CODE_ALL)
		return file_list_walk(&code->files, "", err);
	return list_named(code, place->command, err) && list_beside(code, err);
}

/* Where below the root the file of secrets is. */
static bool find_secrets(struct code *code, const char *secrets, struct tuner_error *err)
{
	const char *root = code->files.root;
	const size_t length = strcmp(root, "/") != 0 ? strlen(root) : 0;

	if (secrets == NULL || strncmp(secrets, root, length) != 0 || secrets[length] != '/')
		return true;
	code->secrets = strdup(secrets + length + 1);
	return code->secrets != NULL || tuner_fail_memory(err);
}

bool code_read(const struct code_place *place, enum code_scope scope,
	const struct file_limits *limits, const struct code *earlier, struct code *ret,
	struct tuner_error *err)
{
	struct choice choice = { .place = place, .scope = scope, .full = TEXT_EMPTY };
	struct code code = { 0 };
	char *directory = realpath(place->directory, NULL);

	if (directory == NULL)
		return tuner_fail_errno(err, errno, "cannot look at %s", place->directory);
	bool ok = list_by_git(&code, directory, limits, err) &&
		  (code.git || list_plainly(&code, place, directory, scope, limits, err)) &&
		  find_secrets(&code, place->secrets, err);
	if (ok) {
		const bool same_root = earlier != NULL && earlier->files.root != NULL &&
				       strcmp(earlier->files.root, code.files.root) == 0;
		choice.git = code.git;
		choose(&choice, &code);
		ok = file_list_sum(&code.files, same_root ? &earlier->files : NULL, limits, err);
	}
	free(directory);
	if (ok)
		*ret = code;
	else
		code_finish(&code);
	return ok;
}

void code_finish(struct code *code)
{
	file_list_finish(&code->files);
	free(code->inside);
	free(code->secrets);
	*code = (struct code){ 0 };
}

bool code_commit(struct code *code, struct tuner_error *err)
{
	return !code->git || git_head(code->files.root, code->commit, err);
}

void code_facts(const struct code *code, struct text *ret)
{
	text_add(ret, "\"root\":");
	text_add_json_string(ret, code->files.root);
	text_add(ret, ",\"directory\":");
	text_add_json_string(ret, code->inside);
	if (code->git && code->commit[0] != '\0')
		text_print(ret, ",\"commit\":\"%s\"", code->commit);
	else
		text_add(ret, ",\"commit\":null");
	if (!code->git) {
		text_add(ret, ",\"no_git\":");
		text_add_json_string(ret, code->why);
	}
	text_print(ret, ",\"files\":%zu,\"untracked\":%zu,\"bytes\":%lld,\"by_size_and_time\":%zu",
		code->files.n, code->untracked, (long long)code->files.bytes, code->files.not_read);
	text_print(ret, ",\"complete\":%s", code->files.cut ? "false" : "true");
}

/* ---- the patch ---- */

/* Appends a file as git shows a new one. Binary and overlong files are only named. */
static bool add_new_file(const struct code *code, const struct listed_file *file, struct text *ret,
	struct tuner_error *err)
{
	struct text content = TEXT_EMPTY;
	struct tuner_error ignored;
	char *full = path_join(code->files.root, file->path);

	if (full == NULL)
		return tuner_fail_memory(err);
	const bool readable =
		file->kind != FILE_LINK && file_read(full, UNTRACKED_BYTES_MAX, &content, &ignored);
	const bool is_text =
		readable && content.length > 0 && memchr(content.bytes, 0, content.length) == NULL;
	text_print(ret, "diff --git a/%s b/%s\nnew file mode %s\n", file->path, file->path,
		file->kind == FILE_EXECUTABLE ? "100755" : "100644");
	size_t lines = 0;
	for (size_t i = 0; is_text && i < content.length; i++)
		lines += content.bytes[i] == '\n';
	const bool ends = is_text && content.bytes[content.length - 1] == '\n';
	lines += is_text && !ends;
	if (is_text)
		text_print(ret, "--- /dev/null\n+++ b/%s\n@@ -0,0 +1,%zu @@\n", file->path, lines);
	for (const char *line = content.bytes; is_text && *line != '\0';) {
		const size_t length = strcspn(line, "\n");
		text_add_char(ret, '+');
		text_add_bytes(ret, line, length);
		text_add_char(ret, '\n');
		line += length + (line[length] == '\n');
	}
	if (is_text && !ends)
		text_add(ret, "\\ No newline at end of file\n");
	text_finish(&content);
	free(full);
	return !text_failed(ret) || tuner_fail_memory(err);
}

/* The headers, and the sign before each line, count too. */
static bool add_if_it_fits(const struct code *code, const struct listed_file *file,
	size_t bytes_max, struct text *ret, bool *ret_cut, struct tuner_error *err)
{
	struct text one = TEXT_EMPTY;
	bool ok = true;

	*ret_cut = ret->length + (size_t)file->size > bytes_max;
	if (!*ret_cut)
		ok = add_new_file(code, file, &one, err);
	*ret_cut |= ret->length + one.length > bytes_max;
	if (ok && !*ret_cut)
		text_add_bytes(ret, one.bytes, one.length);
	text_finish(&one);
	return ok && (!text_failed(ret) || tuner_fail_memory(err));
}

bool code_patch(const struct code *code, size_t bytes_max, struct text *ret, bool *ret_cut,
	struct tuner_error *err)
{
	*ret_cut = false;
	if (!code->git)
		return true;
	if (!git_diff(code->files.root, code->commit, code->secrets, bytes_max, ret, ret_cut, err))
		return false;
	for (size_t i = 0; !*ret_cut && i < code->files.n; i++)
		if (code->files.items[i].marked &&
			!add_if_it_fits(code, &code->files.items[i], bytes_max, ret, ret_cut, err))
			return false;
	return true;
}
