#include "tuner/outlet.h"

#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* Errors count as ready: the write then reports them. */
static bool is_ready(int wait_ms)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&fd, 1, wait_ms) > 0;
}

static void forget(struct outlet *outlet)
{
	text_clear(&outlet->text);
	outlet->given = 0;
}

static void take_failure(struct outlet *outlet)
{
	fputs(outlet->text.bytes + outlet->given, stdout);
	fflush(stdout);
	forget(outlet);
}

/* A pipe that is ready has room for PIPE_BUF bytes; a terminal may accept fewer, and returns their
 * number. False: nothing was accepted. */
static bool give_some(struct outlet *outlet)
{
	const size_t left = outlet->text.length - outlet->given;
	const ssize_t n = write(STDOUT_FILENO, outlet->text.bytes + outlet->given,
		left < PIPE_BUF ? left : PIPE_BUF);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0)
		take_failure(outlet);
	else
		outlet->given += (size_t)n;
	return true;
}

static bool is_empty(struct outlet *outlet)
{
	if (outlet->given < outlet->text.length)
		return false;
	forget(outlet);
	return true;
}

bool outlet_give(struct outlet *outlet)
{
	while (!is_empty(outlet))
		if (!is_ready(0) || !give_some(outlet))
			return false;
	return true;
}

bool outlet_finish(struct outlet *outlet, int wait_ms)
{
	const int64_t until_us = clock_monotonic_us() + wait_ms * INT64_C(1000);
	bool taken = outlet_give(outlet);

	while (!taken && (wait_ms < 0 || clock_monotonic_us() < until_us)) {
		is_ready(wait_ms < 0 ? -1 : 20);
		taken = outlet_give(outlet);
	}
	text_finish(&outlet->text);
	outlet->given = 0;
	return taken;
}
