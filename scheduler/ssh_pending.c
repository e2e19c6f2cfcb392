#include "scheduler/ssh_pending.h"

#include "base/array.h"
#include "base/file.h"

#include <dirent.h>
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

static bool read_pending(const char *directory, const char *name, struct pending *ret)
{
	struct text line = TEXT_EMPTY;
	struct tuner_error ignored;
	char *path = path_join(directory, name);
	long long id = 0;

	*ret = (struct pending){ 0 };
	const bool ok = path != NULL && read_name(name, ret) &&
			file_read(path, 1024, &line, &ignored) &&
			sscanf(line.bytes, "%lld %63s", &id, ret->key) == 2;
	ret->id = id;
	text_finish(&line);
	free(path);
	return ok;
}

bool pending_list(
	const char *directory, struct pending **ret, size_t *ret_n, struct tuner_error *err)
{
	DIR *stream = opendir(directory);
	struct pending *items = NULL, one;
	const struct dirent *entry;
	size_t n = 0, capacity = 0;

	while (stream != NULL && (entry = readdir(stream)) != NULL) {
		if (!read_pending(directory, entry->d_name, &one))
			continue;
		if (!array_reserve(&items, n, &capacity, sizeof(*items))) {
			free(items);
			closedir(stream);
			return tuner_fail_memory(err);
		}
		items[n++] = one;
	}
	if (stream != NULL)
		closedir(stream);
	*ret = items;
	*ret_n = n;
	return true;
}

static bool has_fetch(const char *directory, const char *trial)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;
	struct pending found;
	bool is_there = false;

	while (stream != NULL && !is_there && (entry = readdir(stream)) != NULL)
		is_there = read_name(entry->d_name, &found) && found.kind == PENDING_FETCH &&
			   strcmp(found.trial, trial) == 0;
	if (stream != NULL)
		closedir(stream);
	return is_there;
}

bool pending_fetch_of(const char *directories, const char *trial)
{
	DIR *stream = opendir(directories);
	const struct dirent *entry;
	bool found = false;

	while (stream != NULL && !found && (entry = readdir(stream)) != NULL) {
		char *path = entry->d_name[0] != '.' ? path_join(directories, entry->d_name) : NULL;
		found = path != NULL && has_fetch(path, trial);
		free(path);
	}
	if (stream != NULL)
		closedir(stream);
	return found;
}
