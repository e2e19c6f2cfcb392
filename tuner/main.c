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

/* Of those that whoever started us has closed, the next file or pipe that is opened would take the number,
 * and be read or written to in their place: ask-tell waited for ever on a pipe of its own. Opened the wrong
 * way round, so that to use one stays the error that it is. */
static void keep_standard_descriptors(void)
{
	static const int ways[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", ways[fd]); /* takes the lowest number: this one */
}

/* Whether who reads standard output has gone, as in tuner trials | head. */
static bool reader_has_gone(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO };
	return poll(&output, 1, 0) > 0 && (output.revents & POLLERR);
}

/* What was printed into a full disk is not there, and who counts on it must learn of that. The results of
 * `tuner run` are in the database: they stand, whatever became of the lines. */
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

/* What whoever starts us has set up for himself: where the ends of children are ignored none could be learnt, and an rsync
 * that has failed would seem to have fetched its results; and a thread that has all signals blocked would start a
 * run that none can end. */
static void forget_inherited_signals(void)
{
	sigset_t none;

	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A umask takes rights from others; one that takes them from ourselves (0777) would have us write what we cannot read. */
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
	/* A reader that goes away (tuner trials | head) ends the write, not the job. */
	signal(SIGPIPE, SIG_IGN);
	/* A file that may grow no further (ulimit -f) is an error of the write, as a full disk is. */
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
