/* The control group of an attempt (cgroup v2), which bounds its memory where a group has been
 * delegated to us.
 *
 *     cgroup_find -> cgroup_prepare -> cgroup_make -> cgroup_add -> cgroup_limit_hit -> cgroup_kill -> cgroup_remove
 *
 * Processes belong in leaves only: a group whose children have controllers may have no processes of
 * its own. So we turn a delegated group into
 *
 *     GROUP                  delegated: its mark is user.delegate=1, as systemd sets it with Delegate=yes
 *     GROUP/tuner-programs   all that was in it: tuner, supervisors, the shell that has started them
 *     GROUP/tuner-KEY        the command of an attempt, and all that comes of it
 *
 * The mark is required because write permission says little: root always has it, and a user's
 * terminal is in a group that belongs to systemd. Libc only: the supervisor makes groups, and
 * whoever fences an attempt removes them. */
#ifndef SCHEDULER_CGROUP_H
#define SCHEDULER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

enum { CGROUP_PATH_MAX = 1024, CGROUP_WHY_MAX = 160 };

/* The delegated group that this process is in, itself or in its leaf. `root` is where cgroup v2 is
 * mounted, `membership` what /proc/self/cgroup says. Changes nothing. False: there is none, and
 * ret_why says why. */
bool cgroup_find(const char *root, const char *membership, char ret[CGROUP_PATH_MAX],
	char ret_why[CGROUP_WHY_MAX]);

/* The same for this process, at CGROUP_ROOT or where TUNER_CGROUP_ROOT says (for tests). */
bool cgroup_find_ours(char ret[CGROUP_PATH_MAX], char ret_why[CGROUP_WHY_MAX]);

/* Moves the group's processes into the leaf, and enables memory limits for its children. Several
 * processes may call this at a time. False, with errno: not possible; processes that were moved
 * have the same limits as before. */
bool cgroup_prepare(const char *group);

/* GROUP/tuner-KEY. False: too long. */
bool cgroup_name(const char *group, const char *key, char ret[CGROUP_PATH_MAX]);

/* Makes the group with this limit and no swap; exceeding the limit kills all processes in it.
 * False, with errno: nothing is left behind. */
bool cgroup_make(const char *path, int64_t memory_bytes);
bool cgroup_add(const char *path, pid_t pid);

/* Processes in it that the kernel's OOM killer has killed. */
int64_t cgroup_oom_kills(const char *path);

/* Whether it killed because the group reached its own limit, not another group's or the
 * machine's. */
bool cgroup_limit_hit(const char *path);

/* SIGKILL to all processes in it: at once by the kernel, or before Linux 5.14 one after the other,
 * repeated until none is left that another could have started meanwhile. */
void cgroup_kill(const char *path);

bool cgroup_is_empty(const char *path);

/* False: it is not empty (yet). A missing group counts as removed. */
bool cgroup_remove(const char *path);

/* Whether the path, read from a file, is that of this attempt's group. */
bool cgroup_is_of(const char *path, const char *key);

#endif
