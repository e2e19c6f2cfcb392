/* The control group of an attempt (cgroup v2), which bounds its memory where one has been delegated to us.
 *
 *     cgroup_find -> cgroup_prepare -> cgroup_make -> cgroup_add -> cgroup_limit_hit -> cgroup_kill -> cgroup_remove
 *
 * Processes stand in leaves alone: a group whose children have controllers may have none of its own. So of a
 * delegated group we make
 *
 *     GROUP                  delegated: its mark is user.delegate=1, as systemd sets it with Delegate=yes
 *     GROUP/tuner-programs   all that was in it: tuner, supervisors, the shell that has started them
 *     GROUP/tuner-KEY        the command of an attempt, and all that comes of it
 *
 * The mark is asked for, since that we may write says little: root always may, and a user's terminal lies in a group that
 * belongs to systemd. Libc only: the supervisor makes groups, and whoever fences an attempt removes them. */
#ifndef SCHEDULER_CGROUP_H
#define SCHEDULER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

enum { CGROUP_PATH_MAX = 1024, CGROUP_WHY_MAX = 160 };

/* The delegated group that this process is in, itself or in its leaf. `root` is where cgroup v2 is mounted, `membership`
 * what /proc/self/cgroup says. Looks only. False: there is none, and why. */
bool cgroup_find(const char *root, const char *membership, char ret[CGROUP_PATH_MAX],
	char ret_why[CGROUP_WHY_MAX]);

/* The same for this process, at CGROUP_ROOT or where TUNER_CGROUP_ROOT says (for tests). */
bool cgroup_find_ours(char ret[CGROUP_PATH_MAX], char ret_why[CGROUP_WHY_MAX]);

/* Moves its processes into the leaf, and lets its groups have memory limits. Several may do so at a time. False, with
 * errno: it is not possible, and whatever was moved is where it has the same limits as before. */
bool cgroup_prepare(const char *group);

/* GROUP/tuner-KEY. False: too long. */
bool cgroup_name(const char *group, const char *key, char ret[CGROUP_PATH_MAX]);

/* Makes it, with the limit; no swap, and one that asks for more ends all of them. False, with errno: nothing is left. */
bool cgroup_make(const char *path, int64_t memory_bytes);
bool cgroup_add(const char *path, pid_t pid);

/* Processes in it that the kernel has killed for want of memory. */
int64_t cgroup_oom_kills(const char *path);

/* Whether it has because the group came to its own limit, not another's or the machine's. */
bool cgroup_limit_hit(const char *path);

/* SIGKILL to all in it: at once by the kernel, or before Linux 5.14 to one after the other, until none is left that
 * another could have begun meanwhile. */
void cgroup_kill(const char *path);

bool cgroup_is_empty(const char *path);

/* False: it is not empty (yet). One that is not there is removed. */
bool cgroup_remove(const char *path);

/* Whether such a path is that of this attempt: for who has read it somewhere. */
bool cgroup_is_of(const char *path, const char *key);

#endif
