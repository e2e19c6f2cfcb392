/* SIGINT, SIGTERM and SIGHUP as something to wait for.
 *
 * Not a signalfd: that needs the signals blocked in every thread, and a library may have started threads
 * of its own, even before main(), which block nothing; the kernel would hand one of them the signal, and
 * with it end the process. Handlers count for all threads. */
#ifndef TUNER_SIGNALS_H
#define TUNER_SIGNALS_H

#include "base/error.h"

#include <signal.h>

enum { SIGNALS_HEARD = 3 };

struct signals {
	int fd; /* readable when a signal has come */
	struct sigaction old[SIGNALS_HEARD];
};

/* One at a time in a process. */
TUNER_MUST_CHECK
bool signals_open(struct signals *ret, struct tuner_error *err);

/* The next signal that has come; 0 if there is none. Never waits. */
int signals_next(const struct signals *signals);

/* Whether there is one, which the next call gives. */
bool signals_waiting(const struct signals *signals);

/* What was before is in force again. */
void signals_close(struct signals *signals);

#endif
