/* Messages over two descriptors that never block. SIGPIPE must be ignored. */
#ifndef SCHEDULER_CHANNEL_H
#define SCHEDULER_CHANNEL_H

#include "scheduler/message.h"

struct channel {
	int in, out; /* non-blocking; not owned */
	struct buffer inbox, outbox;
};

/* Reads what is there, up to some bound. False: the other side has closed, or errno says why (0: closed). */
bool channel_fill(struct channel *channel);

/* Writes what goes. False with errno if the other side takes nothing any more. */
bool channel_flush(struct channel *channel);

void channel_finish(struct channel *channel);

#endif
