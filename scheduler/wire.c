#include "scheduler/wire.h"

#include <errno.h>
#include <unistd.h>

enum { PIECE = 64 << 10, PIECES = 8 };

bool wire_fill(struct wire *wire)
{
	struct buffer *inbox = &wire->inbox;

	for (int i = 0; i < PIECES; i++) {
		if (!buffer_reserve(inbox, PIECE)) {
			errno = ENOMEM;
			return false;
		}
		const ssize_t n = read(wire->in, inbox->memory + inbox->to, PIECE);
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

bool wire_flush(struct wire *wire)
{
	struct buffer *outbox = &wire->outbox;

	while (buffer_size(outbox) > 0) {
		const ssize_t n =
			write(wire->out, outbox->memory + outbox->from, buffer_size(outbox));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		buffer_take(outbox, (size_t)n);
	}
	return true;
}

void wire_finish(struct wire *wire)
{
	buffer_finish(&wire->inbox);
	buffer_finish(&wire->outbox);
}
