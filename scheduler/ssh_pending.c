#include "scheduler/ssh_pending.h"

#include "base/array.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[PENDING_KINDS] = { "fetch", "fence" };

static char *path_of(const char *directory, const struct pending *pending)
{
	char name[96];

	snprintf(name, sizeof(name), "%s-%s-%s", kinds[pending->kind], pending->trial,
		pending->number);
	return path_join(directory, name);
}

bool pending_add(const char *directory, const struct pending *pending, struct tuner_error *err)
{
	char line[128], *path = path_of(directory, pending);
	const int n =
		snprintf(line, sizeof(line), "%lld %s\n", (long long)pending->id, pending->key);
	const bool ok = path != NULL
				? directory_make(directory, 0700, err) &&
					  file_write_atomic(path, line, (size_t)n, 0600, true, err)
				: tuner_fail_memory(err);
	free(path);
	return ok;
}

void pending_remove(const char *directory, const struct pending *pending)
{
	char *path = path_of(directory, pending);

	if (path != NULL)
		unlink(path);
	free(path);
}

static bool read_name(const char *name, struct pending *ret)
{
	char kind[16], end;

	if (sscanf(name, "%15[a-z]-%31[0-9]-%31[0-9]%c", kind, ret->trial, ret->number, &end) != 3)
		return false;
	for (size_t i = 0; i < PENDING_KINDS; i++)
		if (strcmp(kind, kinds[i]) == 0) {
			ret->kind = (enum pending_kind)i;
			return true;
		}
	return false;
}

static bool read_pending(
	const char *directory, const char *name, struct pending *ret, struct tuner_error *err)
{
	struct text line = TEXT_EMPTY;
	char *path = path_join(directory, name);
	bool ok = path != NULL ? file_read(path, 1024, &line, err) : tuner_fail_memory(err);
	long long id = 0;

	if (ok && sscanf(line.bytes, "%lld %63s", &id, ret->key) != 2)
		ok = tuner_fail(err, TUNER_FATAL,
			"%s is damaged: see to it that nothing of that attempt runs on its host "
			"any "
			"more, and remove the file",
			path);
	ret->id = id;
	text_finish(&line);
	free(path);
	return ok;
}

static bool read_all(const char *directory, DIR *stream, struct pending **ret, size_t *ret_n,
	struct tuner_error *err)
{
	const struct dirent *entry;
	size_t capacity = 0;

	while (errno = 0, (entry = readdir(stream)) != NULL) {
		struct pending one = { 0 };
		if (!read_name(entry->d_name, &one))
			continue;
		if (!read_pending(directory, entry->d_name, &one, err))
			return false;
		if (!array_reserve(ret, *ret_n, &capacity, sizeof(**ret)))
			return tuner_fail_memory(err);
		(*ret)[(*ret_n)++] = one;
	}
	return errno == 0 || tuner_fail_errno(err, errno, "cannot list %s", directory);
}

bool pending_list(
	const char *directory, struct pending **ret, size_t *ret_n, struct tuner_error *err)
{
	DIR *stream = opendir(directory);
	const int error = errno;

	*ret = NULL;
	*ret_n = 0;
	if (stream == NULL)
		return error == ENOENT || tuner_fail_errno(err, error, "cannot list %s", directory);
	const bool ok = read_all(directory, stream, ret, ret_n, err);
	closedir(stream);
	if (!ok) {
		free(*ret);
		*ret = NULL;
		*ret_n = 0;
	}
	return ok;
}

/* Whether the directory does not exist, as opposed to one that cannot be read, whose content is
 * unknown. */
static bool is_absent(int number)
{
	return number == ENOENT || number == ENOTDIR;
}

static bool has_fetch(const char *directory, const char *trial)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;
	struct pending found;
	bool is_there = false;

	if (stream == NULL)
		return !is_absent(errno);
	while (errno = 0, !is_there && (entry = readdir(stream)) != NULL)
		is_there = read_name(entry->d_name, &found) && found.kind == PENDING_FETCH &&
			   strcmp(found.trial, trial) == 0;
	is_there |= errno != 0;
	closedir(stream);
	return is_there;
}

bool pending_fetch_of(const char *directories, const char *trial)
{
	DIR *stream = opendir(directories);
	const struct dirent *entry;
	bool found = false;

	if (stream == NULL)
		return !is_absent(errno);
	while (errno = 0, !found && (entry = readdir(stream)) != NULL) {
		char *path = entry->d_name[0] != '.' ? path_join(directories, entry->d_name) : NULL;
		found = path != NULL && has_fetch(path, trial);
		free(path);
	}
	found |= errno != 0;
	closedir(stream);
	return found;
}
