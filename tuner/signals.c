#include "tuner/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static const int heard[SIGNALS_HEARD] = { SIGINT, SIGTERM, SIGHUP };

/* The only variable of the program that is neither constant nor on a stack: a handler has no other
 * way to find its pipe. -1: not open. */
static volatile sig_atomic_t pipe_end = -1;

/* A full pipe holds enough signals. */
static void hear(int signal)
{
	const int error = errno;
	const unsigned char byte = (unsigned char)signal;
	const int fd = pipe_end;
	if (fd >= 0 && write(fd, &byte, 1) < 0)
		errno = error;
	errno = error;
}

bool signals_open(struct signals *ret, struct tuner_error *err)
{
	int ends[2];
	tuner_assert(pipe_end < 0);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return tuner_fail_errno(err, errno, "cannot receive signals");
	pipe_end = ends[1];
	ret->fd = ends[0];
	struct sigaction action = { .sa_handler = hear, .sa_flags = SA_RESTART };
	sigemptyset(&action.sa_mask);
	for (int i = 0; i < SIGNALS_HEARD; i++)
		sigaction(heard[i], &action, &ret->old[i]);
	return true;
}

int signals_next(const struct signals *signals)
{
	unsigned char byte;
	return read(signals->fd, &byte, 1) == 1 ? byte : 0;
}

bool signals_waiting(const struct signals *signals)
{
	struct pollfd wanted = { .fd = signals->fd, .events = POLLIN };

	return poll(&wanted, 1, 0) > 0;
}

void signals_close(struct signals *signals)
{
	const int end = pipe_end;
	for (int i = 0; i < SIGNALS_HEARD; i++)
		sigaction(heard[i], &signals->old[i], NULL);
	pipe_end = -1;
	close(end);
	close(signals->fd);
}
