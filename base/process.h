/* Processes by pid and start time, which together name one for as long as the machine is up, and the boot id, which
 * names that time. Libc only: the supervisor is made of it, too. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* As /proc/PID/stat has it. */
struct process {
	char state; /* 'R', 'S' ...; 'Z': a zombie */
	int64_t parent, group, session;
	int64_t start; /* field 22: ticks since boot */
	int64_t resident_pages; /* field 24 */
};

/* False if there is no such process. */
bool process_look(int64_t pid, struct process *ret);

/* Whether the process that began then is still there, and more than a zombie. */
bool process_lives(int64_t pid, int64_t start);

enum { BOOT_ID_MAX = 40 };

/* "" if the kernel does not tell. */
void process_boot_id(char ret[BOOT_ID_MAX]);

#endif
