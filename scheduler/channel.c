#include "scheduler/channel.h"

#include <errno.h>
#include <unistd.h>

enum { PIECE = 64 << 10, PIECES = 8 };

bool channel_fill(struct channel *channel)
{
	struct buffer *inbox = &channel->inbox;

	for (int i = 0; i < PIECES; i++) {
		if (!buffer_reserve(inbox, PIECE)) {
			errno = ENOMEM;
			return false;
		}
		const ssize_t n = read(channel->in, inbox->memory + inbox->to, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		if (n == 0) {
			errno = 0;
			return false;
		}
		inbox->to += (size_t)n;
	}
	return true;
}

bool channel_flush(struct channel *channel)
{
	struct buffer *outbox = &channel->outbox;

	while (buffer_size(outbox) > 0) {
		const ssize_t n = write(
			channel->out, outbox->memory + outbox->from, buffer_size(outbox));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		buffer_take(outbox, (size_t)n);
	}
	return true;
}

void channel_finish(struct channel *channel)
{
	buffer_finish(&channel->inbox);
	buffer_finish(&channel->outbox);
}
