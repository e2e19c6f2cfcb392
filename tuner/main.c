/* tuner: finds good hyperparameters for training jobs. The only place that prints an error. */
#include "surrogate/gp.h"
#include "tuner/command.h"

#include <errno.h>
#include <fcntl.h>
#include <gsl/gsl_errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* If our parent has closed a standard descriptor, the next file or pipe opened would get its
 * number, and be read or written in its place: ask-tell waited for ever on a pipe of its own. They
 * are opened the wrong way round, so that using one is still an error. */
static void keep_standard_descriptors(void)
{
	static const int ways[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", ways[fd]); /* takes the lowest number: this one */
}

/* Whether the reader of standard output has gone, as in tuner trials | head. */
static bool reader_has_gone(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO };
	return poll(&output, 1, 0) > 0 && (output.revents & POLLERR);
}

/* Output to a full disk is lost, and whoever relies on it must be told. The results of `tuner run`
 * are in the database and are valid whatever became of its output. */
static int close_output(bool is_search, int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	const int number = errno;
	if (number == EPIPE || reader_has_gone())
		return status;
	fprintf(stderr, "tuner: standard output could not be written%s%s\n",
		number != 0 ? ": " : "; is the disk full?", number != 0 ? strerror(number) : "");
	return status == EXIT_DONE && !is_search ? EXIT_INFRASTRUCTURE : status;
}

/* Resets what our parent has set up for itself: with SIGCHLD ignored, no child's exit status could
 * be learnt, and a failed rsync would seem to have fetched its results; with all signals blocked,
 * no signal could end a run. */
static void forget_inherited_signals(void)
{
	sigset_t none;

	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A umask is meant to restrict others; one that restricts ourselves (0777) would make us write
 * files that we cannot read. */
static void keep_own_rights(void)
{
	umask(umask(0) & ~(mode_t)S_IRWXU);
}

int main(int argc, char **argv)
{
	keep_standard_descriptors();
	keep_own_rights();
	gsl_set_error_handler_off();
	forget_inherited_signals();
	/* A reader that goes away (tuner trials | head) makes the write fail, and does not end the
	 * job. */
	signal(SIGPIPE, SIG_IGN);
	/* A file at its size limit (ulimit -f) is an error of the write, like a full disk. */
	signal(SIGXFSZ, SIG_IGN);

	struct tuner_error err = { TUNER_OK, "" };
	struct invocation call;
	bool help = false;
	int status = -1;
	if (invocation_parse(argc, argv, &call, &help, &err)) {
		if (help) {
			command_help(call.command, stdout);
			status = EXIT_DONE;
		} else if (command_take_over(&call, &err)) {
			status = call.command->run(&call, &err);
		}
	}
	if (status < 0) {
		fprintf(stderr, "tuner: %s\n", err.message);
		status = err.code == TUNER_USAGE ? EXIT_USAGE : EXIT_INFRASTRUCTURE;
	}
	free(call.arguments);
	return close_output(call.command != NULL && call.command->run == cmd_run && !help, status);
}
