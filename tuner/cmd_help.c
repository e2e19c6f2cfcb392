#include "tuner/command.h"

#include "base/number.h"

#include <string.h>

int cmd_help(const struct invocation *call, struct tuner_error *err)
{
	if (call->n_arguments == 0) {
		command_help(NULL, stdout);
		return EXIT_DONE;
	}
	const char *names[64];
	size_t n = 0;
	for (const struct subcommand *c = commands; c->name != NULL; c++) {
		names[n++] = c->name;
		if (strcmp(c->name, call->arguments[0]) == 0) {
			command_help(c, stdout);
			return EXIT_DONE;
		}
	}
	const char *nearest = nearest_word(call->arguments[0], names, n);
	tuner_fail(err, TUNER_USAGE, "there is no command \"%s\"; %s%s%s", call->arguments[0],
		nearest ? "did you mean \"tuner help " : "\"tuner help\" lists them all",
		nearest ? nearest : "", nearest ? "\"?" : "");
	return -1;
}
