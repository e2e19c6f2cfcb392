/* tuner: finds good hyperparameters for training jobs. The only place that prints an error. */
#include "tuner/command.h"

#include <gsl/gsl_errno.h>
#include <signal.h>
#include <stdlib.h>

/* OpenBLAS spins against the training jobs when it may use several threads, and one thread gives
 * the same bits on every machine of a kind. Weak: another BLAS has no such function. */
void openblas_set_num_threads(int n) __attribute__((weak));

int main(int argc, char **argv)
{
	gsl_set_error_handler_off();
	if (openblas_set_num_threads != NULL)
		openblas_set_num_threads(1);
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
	return status;
}
