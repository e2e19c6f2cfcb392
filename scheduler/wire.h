/* Messages over two descriptors that never block. SIGPIPE must be ignored. */
#ifndef SCHEDULER_WIRE_H
#define SCHEDULER_WIRE_H

#include "scheduler/message.h"

struct wire {
	int in, out; /* non-blocking; not owned */
	struct buffer inbox, outbox;
};

/* Reads what is available, up to some bound. False, with errno: 0 if the other side has closed,
 * else the error. */
bool wire_fill(struct wire *wire);

/* Writes as much as possible. False with errno if the other side no longer accepts anything. */
bool wire_flush(struct wire *wire);

void wire_finish(struct wire *wire);

#endif
