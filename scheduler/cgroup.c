#include "scheduler/cgroup.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LEAF   "tuner-programs"
#define PREFIX "tuner-"

enum {
	BYTES_MAX = 64 * 1024, /* of a file; a longer list of processes is read repeatedly */
	PREPARE_TRIES = 50, /* because others start processes meanwhile */
	KILL_TRIES = 10, /* likewise; killed processes stay listed for a moment */
};

/* ---- small files of the kernel's ---- */

static bool file_path(const char *directory, const char *name, char ret[CGROUP_PATH_MAX])
{
	const int n = snprintf(ret, CGROUP_PATH_MAX, "%s/%s", directory, name);
	return n > 0 && n < CGROUP_PATH_MAX;
}

/* "" if it cannot be read. */
static const char *read_file(const char *directory, const char *name, char *ret, size_t size)
{
	char path[CGROUP_PATH_MAX];

	ret[0] = '\0';
	if (file_path(directory, name, path))
		(void)io_read_small(path, ret, size);
	return ret;
}

static bool write_file(const char *directory, const char *name, const char *text)
{
	char path[CGROUP_PATH_MAX];

	errno = ENAMETOOLONG;
	const int fd = file_path(directory, name, path) ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return false;
	const bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	const int error = errno;
	close(fd);
	errno = error;
	return ok;
}

static bool write_number(const char *directory, const char *name, int64_t number)
{
	char text[32];
	snprintf(text, sizeof(text), "%lld", (long long)number);
	return write_file(directory, name, text);
}

/* Whether a list of words, separated by blanks, has this one. */
static bool has_word(const char *list, const char *word)
{
	const size_t length = strlen(word);

	while (*list != '\0') {
		const size_t n = strcspn(list, " \n");
		if (n == length && strncmp(list, word, n) == 0)
			return true;
		list += n;
		list += strspn(list, " \n");
	}
	return false;
}

/* The number after a word at the beginning of a line; 0 if there is none. */
static long long number_of(const char *text, const char *word)
{
	const size_t length = strlen(word);

	for (; text != NULL; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, word, length) == 0 && text[length] == ' ')
			return strtoll(text + length, NULL, 10);
	}
	return 0;
}

/* ---- the delegated group ---- */

static bool is_marked(const char *directory)
{
	char value[8] = "";

	/* The older name, readable only by root. */
	return (getxattr(directory, "user.delegate", value, sizeof(value)) == 1 &&
		       value[0] == '1') ||
	       (getxattr(directory, "trusted.delegate", value, sizeof(value)) == 1 &&
		       value[0] == '1');
}

static bool may_write(const char *directory)
{
	char procs[CGROUP_PATH_MAX], control[CGROUP_PATH_MAX];

	return file_path(directory, "cgroup.procs", procs) &&
	       file_path(directory, "cgroup.subtree_control", control) &&
	       access(directory, W_OK | X_OK) == 0 && access(procs, W_OK) == 0 &&
	       access(control, W_OK) == 0;
}

/* The line of version 2: "0::PATH". A path that begins with /.. is outside what we see. */
static bool own_path(const char *membership, char ret[CGROUP_PATH_MAX])
{
	const char *line = membership;

	while (strncmp(line, "0::/", 4) != 0) {
		line = strchr(line, '\n');
		if (line == NULL)
			return false;
		line++;
	}
	if (strncmp(line, "0::/..", 6) == 0)
		return false;
	const int length = (int)strcspn(line + 3, "\n");
	const int n = snprintf(ret, CGROUP_PATH_MAX, "%.*s", length, line + 3);
	return n < CGROUP_PATH_MAX;
}

bool cgroup_find(const char *root, const char *membership, char ret[CGROUP_PATH_MAX],
	char ret_why[CGROUP_WHY_MAX])
{
	char path[CGROUP_PATH_MAX], controllers[1024];
	const char *why = NULL;

	const bool has_path = own_path(membership, path);
	const int n = has_path ? snprintf(ret, CGROUP_PATH_MAX, "%s%s", root, path) : -1;
	if (n < 0 || n >= CGROUP_PATH_MAX) {
		snprintf(ret_why, CGROUP_WHY_MAX, "there is no cgroup v2");
		return false;
	}
	char *last = strrchr(ret, '/');
	if (strcmp(last, "/" LEAF) == 0 || last[1] == '\0')
		*last = '\0';
	if (access(ret, F_OK) != 0 ||
		read_file(ret, "cgroup.controllers", controllers, sizeof(controllers))[0] == '\0')
		why = "there is no cgroup v2";
	else if (!has_word(controllers, "memory"))
		why = "its cgroup has no memory controller";
	else if (!is_marked(ret))
		why = "its cgroup is not delegated";
	else if (!may_write(ret))
		why = "its cgroup cannot be written to";
	if (why != NULL)
		snprintf(ret_why, CGROUP_WHY_MAX, "%s", why);
	return why == NULL;
}

bool cgroup_find_ours(char ret[CGROUP_PATH_MAX], char ret_why[CGROUP_WHY_MAX])
{
	const char *root = getenv("TUNER_CGROUP_ROOT");
	char membership[8192];

	return cgroup_find(root != NULL && root[0] == '/' ? root : CGROUP_ROOT,
		read_file("/proc/self", "cgroup", membership, sizeof(membership)), ret, ret_why);
}

/* Reads the processes in a group, one per line, without the last line of a list that does not fit,
 * whose number may be cut. */
static void read_processes(const char *directory, char *ret, size_t size)
{
	read_file(directory, "cgroup.procs", ret, size);
	char *const last = strrchr(ret, '\n');
	*(last != NULL ? last + 1 : ret) = '\0';
}

/* A process that has ended meanwhile need not be moved, and one that has started is found the next
 * time. */
static void move_all(const char *from, const char *to)
{
	static char list[BYTES_MAX];
	char *rest = NULL;

	read_processes(from, list, sizeof(list));
	for (char *pid = strtok_r(list, "\n", &rest); pid != NULL;
		pid = strtok_r(NULL, "\n", &rest))
		write_file(to, "cgroup.procs", pid);
}

bool cgroup_prepare(const char *group)
{
	char enabled[1024], leaf[CGROUP_PATH_MAX];

	if (has_word(
		    read_file(group, "cgroup.subtree_control", enabled, sizeof(enabled)), "memory"))
		return true;
	errno = ENAMETOOLONG;
	if (!file_path(group, LEAF, leaf) || (mkdir(leaf, 0755) != 0 && errno != EEXIST))
		return false;
	for (int i = 0; i < PREPARE_TRIES; i++) {
		move_all(group, leaf);
		if (write_file(group, "cgroup.subtree_control", "+memory"))
			return true;
		if (errno != EBUSY)
			return false;
	}
	return false;
}

/* ---- the group of an attempt ---- */

bool cgroup_name(const char *group, const char *key, char ret[CGROUP_PATH_MAX])
{
	const int n = snprintf(ret, CGROUP_PATH_MAX, "%s/" PREFIX "%s", group, key);
	return n > 0 && n < CGROUP_PATH_MAX;
}

bool cgroup_is_of(const char *path, const char *key)
{
	const char *last = path[0] == '/' ? strrchr(path, '/') : NULL;

	return last != NULL && strstr(path, "/../") == NULL && key[0] != '\0' &&
	       strncmp(last + 1, PREFIX, strlen(PREFIX)) == 0 &&
	       strcmp(last + 1 + strlen(PREFIX), key) == 0;
}

bool cgroup_make(const char *path, int64_t memory_bytes)
{
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return false;
	if (!write_number(path, "memory.max", memory_bytes)) {
		const int error = errno;
		rmdir(path);
		errno = error;
		return false;
	}
	/* Not there without swap, or before Linux 4.19. */
	write_file(path, "memory.swap.max", "0");
	write_file(path, "memory.oom.group", "1");
	return true;
}

bool cgroup_add(const char *path, pid_t pid)
{
	return write_number(path, "cgroup.procs", pid);
}

static long long event_count(const char *path, const char *file, const char *event)
{
	char events[1024];

	return number_of(read_file(path, file, events, sizeof(events)), event);
}

int64_t cgroup_oom_kills(const char *path)
{
	return event_count(path, "memory.events", "oom_kill");
}

bool cgroup_limit_hit(const char *path)
{
	return cgroup_oom_kills(path) > 0 && event_count(path, "memory.events", "oom") > 0;
}

bool cgroup_is_empty(const char *path)
{
	return event_count(path, "cgroup.events", "populated") == 0;
}

/* Returns their number. */
static size_t kill_listed(const char *path)
{
	static char list[BYTES_MAX];
	char *rest = NULL;
	size_t n = 0;

	read_processes(path, list, sizeof(list));
	for (char *line = strtok_r(list, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		const long pid = strtol(line, NULL, 10);
		if (pid > 1 && pid <= INT_MAX && pid != getpid())
			n += kill((pid_t)pid, SIGKILL) == 0;
	}
	return n;
}

void cgroup_kill(const char *path)
{
	if (write_file(path, "cgroup.kill", "1") || errno != ENOENT)
		return;
	for (int i = 0; i < KILL_TRIES && kill_listed(path) > 0; i++)
		;
}

bool cgroup_remove(const char *path)
{
	return rmdir(path) == 0 || errno == ENOENT;
}
