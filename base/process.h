/* Processes by pid and start time, which together identify a process while the machine is up, and
 * the boot id, which identifies that period. Uses libc only, because the supervisor uses it too. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Fields of /proc/PID/stat. */
struct process {
	char state; /* 'R', 'S' ...; 'Z': a zombie */
	int64_t parent, group, session;
	int64_t start; /* field 22: ticks since boot */
	int64_t resident_pages; /* field 24 */
};

/* False if there is no such process. */
bool process_look(int64_t pid, struct process *ret);

/* True if the process with this start time still exists and is not a zombie. */
bool process_lives(int64_t pid, int64_t start);

enum { BOOT_ID_MAX = 40 };

/* "" if the kernel does not provide it. */
void process_boot_id(char ret[BOOT_ID_MAX]);

#endif
