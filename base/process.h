/* Processes by pid and start time, which together name one for as long as the machine is up. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct process {
	char state; /* 'R', 'S' ...; 'Z': a zombie */
	int64_t group, session;
	int64_t start; /* field 22 of /proc/PID/stat, ticks since boot */
};

/* False if there is no such process. */
bool process_look(int64_t pid, struct process *ret);

#endif
