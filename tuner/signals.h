/* SIGINT, SIGTERM and SIGHUP as a descriptor to poll.
 *
 * Not a signalfd, which needs the signals blocked in every thread: a library may have started
 * threads of its own, even before main(), which block nothing, and a signal delivered to one of
 * them would end the process. Handlers apply to all threads. */
#ifndef TUNER_SIGNALS_H
#define TUNER_SIGNALS_H

#include "base/error.h"

#include <signal.h>

enum { SIGNALS_HEARD = 3 };

struct signals {
	int fd; /* readable when a signal has arrived */
	struct sigaction old[SIGNALS_HEARD];
};

/* At most one may be open per process. */
TUNER_MUST_CHECK
bool signals_open(struct signals *ret, struct tuner_error *err);

/* Takes the next signal that has arrived; 0 if there is none. Never waits. */
int signals_next(const struct signals *signals);

/* Whether a signal has arrived that signals_next would return. */
bool signals_waiting(const struct signals *signals);

/* Restores the previous handlers. */
void signals_close(struct signals *signals);

#endif
