/* Messages over two descriptors that never block. SIGPIPE must be ignored. */
#ifndef SCHEDULER_WIRE_H
#define SCHEDULER_WIRE_H

#include "scheduler/message.h"

struct wire {
	int in, out; /* non-blocking; not owned */
	struct buffer inbox, outbox;
};

/* Reads what is there, up to some bound. False: the other side has closed, or errno says why (0: closed). */
bool wire_fill(struct wire *wire);

/* Writes what goes. False with errno if the other side takes nothing any more. */
bool wire_flush(struct wire *wire);

void wire_finish(struct wire *wire);

#endif
