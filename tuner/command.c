#include "tuner/command.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "tuner/confirmation.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SYNOPSIS_COLUMNS = 30, JOBS_NAMED = 10 };

static const struct option_row option_help = { "help", 'h', NULL, "print this help" };
static const struct option_row option_db = { "db", 0, "PATH",
	"the database (default: $TUNER_DB, else tuner.db)" };
static const struct option_row option_only_db = { "db", 0, "PATH",
	"the database (default: none, whatever $TUNER_DB says)" };
static const struct option_row option_json = { "json", 0, NULL, "print JSON" };
static const struct option_row option_take_over = { "take-over", 0, NULL,
	"on a network file system: take the database from a dead process of another machine" };

const char *invocation_option(const struct invocation *call, const char *name)
{
	for (size_t i = call->n_options; i-- > 0;)
		if (strcmp(call->options[i].row->name, name) == 0)
			return call->options[i].value;
	return NULL;
}

size_t invocation_options(
	const struct invocation *call, const char *name, const char **ret_values, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < call->n_options && n < size; i++)
		if (strcmp(call->options[i].row->name, name) == 0)
			ret_values[n++] = call->options[i].value;
	return n;
}

bool invocation_integer(const struct invocation *call, const char *name, int64_t low, int64_t high,
	int64_t otherwise, int64_t *ret_value, struct tuner_error *err)
{
	const char *text = invocation_option(call, name);
	if (text == NULL) {
		*ret_value = otherwise;
		return true;
	}
	int64_t value;
	if (!number_to_int64(text, &value) || value < low || value > high)
		return tuner_fail(err, TUNER_USAGE,
			"--%s takes a whole number from %lld to %lld, not \"%s\"", name,
			(long long)low, (long long)high, text);
	*ret_value = value;
	return true;
}

static const struct subcommand *find_command(const char *name)
{
	for (const struct subcommand *c = commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static bool unknown_command(const char *name, struct tuner_error *err)
{
	const char *names[64];
	size_t n = 0;
	for (const struct subcommand *c = commands; c->name != NULL && n < 64; c++)
		names[n++] = c->name;
	const char *nearest = nearest_word(name, names, n);
	if (nearest != NULL)
		return tuner_fail(err, TUNER_USAGE,
			"there is no command \"%s\"; did you mean \"tuner %s\"?", name, nearest);
	return tuner_fail(err, TUNER_USAGE,
		"there is no command \"%s\"; \"tuner help\" lists them all", name);
}

/* The option rows that a command understands, the common ones first. */
static size_t option_rows(
	const struct subcommand *command, const struct option_row *ret_rows[OPTIONS_MAX])
{
	size_t n = 0;
	ret_rows[n++] = &option_help;
	if (command->takes & TAKES_DB)
		ret_rows[n++] = command->takes & NO_OTHER_DB ? &option_only_db : &option_db;
	if (command->takes & TAKES_JSON)
		ret_rows[n++] = &option_json;
	if (command->takes & TAKES_OVER)
		ret_rows[n++] = &option_take_over;
	for (const struct option_row *row = command->options; row != NULL && row->name != NULL;
		row++) {
		tuner_assert(n < OPTIONS_MAX);
		ret_rows[n++] = row;
	}
	return n;
}

/* Where a command may follow, its own options are easily taken for those of tuner. */
static const char *whose_options(const struct subcommand *command)
{
	return strstr(command->synopsis, "COMMAND") != NULL
		       ? "; those of your own command go behind \"--\""
		       : "";
}

static const struct option_row *find_option(
	const struct subcommand *command, const char *name, size_t length, struct tuner_error *err)
{
	const struct option_row *rows[OPTIONS_MAX];
	const char *names[OPTIONS_MAX];
	const size_t n = option_rows(command, rows);
	for (size_t i = 0; i < n; i++) {
		names[i] = rows[i]->name;
		if (strlen(rows[i]->name) == length && strncmp(rows[i]->name, name, length) == 0)
			return rows[i];
	}
	char word[64];
	snprintf(word, sizeof(word), "%.*s", (int)length, name);
	const char *nearest = nearest_word(word, names, n);
	if (nearest != NULL)
		tuner_fail(err, TUNER_USAGE, "tuner %s has no option --%s; did you mean --%s?",
			command->name, word, nearest);
	else
		tuner_fail(err, TUNER_USAGE,
			"tuner %s has no option --%s; \"tuner %s --help\" lists them%s",
			command->name, word, command->name, whose_options(command));
	return NULL;
}

static const struct option_row *find_letter(
	const struct subcommand *command, char letter, struct tuner_error *err)
{
	const struct option_row *rows[OPTIONS_MAX];
	const size_t n = option_rows(command, rows);
	for (size_t i = 0; i < n; i++)
		if (rows[i]->letter == letter)
			return rows[i];
	tuner_fail(err, TUNER_USAGE, "tuner %s has no option -%c; \"tuner %s --help\" lists them%s",
		command->name, letter, command->name, whose_options(command));
	return NULL;
}

static bool add_option(struct invocation *call, const struct option_row *row, const char *value,
	struct tuner_error *err)
{
	if (call->n_options == OPTIONS_MAX)
		return tuner_fail(err, TUNER_USAGE, "more than %d options", OPTIONS_MAX);
	call->options[call->n_options].row = row;
	call->options[call->n_options++].value = value;
	return true;
}

static bool names_a_file(const struct option_row *row)
{
	static const char *const kinds[] = { "FILE", "PATH", "DIR", "DB" };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(row->value, kinds[i]) == 0)
			return true;
	return false;
}

/* Reads the option at argv[*i], moving *i past a value in the next argument. */
static bool read_option(
	int argc, char **argv, int *i, struct invocation *call, struct tuner_error *err)
{
	const char *word = argv[*i];
	const struct option_row *row;
	const char *value = NULL;

	if (word[1] == '-') {
		const char *equals = strchr(word, '=');
		const size_t length = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
		row = find_option(call->command, word + 2, length, err);
		value = equals ? equals + 1 : NULL;
	} else {
		row = find_letter(call->command, word[1], err);
		value = word[2] != '\0' ? word + 2 : NULL;
	}
	if (row == NULL)
		return false;
	if (row->value == NULL) {
		if (value != NULL)
			return tuner_fail(err, TUNER_USAGE, "--%s takes no value", row->name);
		return add_option(call, row, "", err);
	}
	if (value == NULL) {
		if (*i + 1 >= argc)
			return tuner_fail(
				err, TUNER_USAGE, "--%s needs a value: %s", row->name, row->value);
		value = argv[++*i];
	}
	/* A script's unset variable: --db "$DB" must not become tuner.db. */
	if (value[0] == '\0' && names_a_file(row))
		return tuner_fail(err, TUNER_USAGE, "--%s needs a value that is not empty: %s",
			row->name, row->value);
	return add_option(call, row, value, err);
}

static bool check_arguments(const struct invocation *call, struct tuner_error *err)
{
	const struct subcommand *command = call->command;
	if (call->n_arguments < command->min_arguments)
		return tuner_fail(err, TUNER_USAGE, "usage: tuner %s%s%s", command->name,
			command->synopsis[0] != '\0' ? " " : "", command->synopsis);
	if (call->n_arguments > command->max_arguments)
		return tuner_fail(err, TUNER_USAGE,
			"\"%s\" is one word too many; usage: tuner %s%s%s",
			call->arguments[command->max_arguments], command->name,
			command->synopsis[0] != '\0' ? " " : "", command->synopsis);
	return true;
}

static bool want_color(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

bool invocation_parse(
	int argc, char **argv, struct invocation *ret, bool *ret_help, struct tuner_error *err)
{
	*ret = (struct invocation){ .program = argv[0], .color = want_color() };
	*ret_help = false;
	const char *name = argc > 1 ? argv[1] : "help";
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	ret->command = find_command(name);
	if (ret->command == NULL)
		return unknown_command(name, err);
	ret->arguments = calloc((size_t)argc + 1, sizeof(*ret->arguments));
	if (ret->arguments == NULL)
		return tuner_fail_memory(err);

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			if (!(ret->command->takes & TAKES_REST))
				return tuner_fail(err, TUNER_USAGE,
					"tuner %s takes no words after --", ret->command->name);
			ret->rest = argv + i + 1;
			if (ret->rest[0] == NULL)
				return tuner_fail(
					err, TUNER_USAGE, "expected the training command after --");
			break;
		}
		/* "-0.5" is a value to tell, not an option: none has a digit for a letter. */
		double number;
		if (argv[i][0] == '-' && argv[i][1] != '\0' &&
			!number_to_double(argv[i], &number)) {
			if (!read_option(argc, argv, &i, ret, err))
				return false;
		} else {
			ret->arguments[ret->n_arguments++] = argv[i];
		}
	}
	*ret_help = invocation_option(ret, "help") != NULL;
	ret->json = (ret->command->takes & TAKES_JSON) && invocation_option(ret, "json") != NULL;
	ret->db = (ret->command->takes & TAKES_DB) ? invocation_option(ret, "db") : NULL;
	if (ret->db == NULL)
		ret->db = getenv("TUNER_DB");
	if (ret->db == NULL || ret->db[0] == '\0')
		ret->db = "tuner.db";
	return *ret_help || check_arguments(ret, err);
}

static void print_option(const struct option_row *row, FILE *out)
{
	char left[64];
	snprintf(left, sizeof(left), "%s%c%s--%s%s%s", row->letter ? "-" : " ",
		row->letter ? row->letter : ' ', row->letter ? ", " : "  ", row->name,
		row->value ? " " : "", row->value ? row->value : "");
	fprintf(out, "  %-26s %s\n", left, row->help);
}

void command_help(const struct subcommand *command, FILE *out)
{
	if (command == NULL) {
		fputs("tuner finds good hyperparameters for training jobs.\n\n"
		      "usage: tuner COMMAND [OPTION...]\n\n",
			out);
		for (const struct subcommand *c = commands; c->name != NULL; c++) {
			char left[64];
			snprintf(left, sizeof(left), "%s %s", c->name, c->synopsis);
			if (strlen(left) > SYNOPSIS_COLUMNS)
				fprintf(out, "  %s\n  %-*s %s\n", left, SYNOPSIS_COLUMNS, "",
					c->help);
			else
				fprintf(out, "  %-*s %s\n", SYNOPSIS_COLUMNS, left, c->help);
		}
		fputs("\nA JOB is a job's name or its file; by default it is the newest (one of "
		      "\"tuner confirm\"\n"
		      "counts only until it has ended). A FILE of run, check, try or ask may be -: "
		      "standard input.\n"
		      "\"tuner COMMAND --help\" explains one command.\n",
			out);
		return;
	}
	fprintf(out, "usage: tuner %s%s%s\n\n%s.\n", command->name,
		command->synopsis[0] != '\0' ? " " : "", command->synopsis, command->help);
	if (command->details != NULL)
		fprintf(out, "\n%s\n", command->details);
	const struct option_row *rows[OPTIONS_MAX];
	const size_t n = option_rows(command, rows);
	fputs("\noptions:\n", out);
	for (size_t i = 1; i < n; i++)
		print_option(rows[i], out);
	print_option(rows[0], out);
}

bool command_open(const struct invocation *call, enum store_mode mode, struct store **ret,
	struct tuner_error *err)
{
	if (mode != STORE_WRITE && access(call->db, F_OK) != 0)
		return tuner_fail(err, TUNER_USAGE,
			"there is no database \"%s\" here: \"tuner run FILE\" makes one, --db or "
			"TUNER_DB names another",
			call->db);
	return store_open(call->db, mode, ret, err);
}

void command_say_age(const struct invocation *call, const struct store *store)
{
	const int64_t copied_us = store_copied_us(store);
	const int64_t age_us = clock_wall_us() - copied_us;
	const int64_t whole_us = age_us > 0 ? age_us / 1000000 * 1000000 : 0;
	char age[NUMBER_TEXT];

	if (copied_us > 0)
		fprintf(stderr,
			"as of %s ago: another process writes \"%s\", and this is its copy\n",
			number_from_duration_us(whole_us, age), call->db);
}

bool command_spare_file(
	const struct job *job, const char *option, const char *path, struct tuner_error *err)
{
	return path == NULL || !file_is_same(path, job->path) ||
	       tuner_fail(err, TUNER_USAGE, "--%s: %.100s is the job file", option, path);
}

bool command_take_over(const struct invocation *call, struct tuner_error *err)
{
	bool taken = false;

	if (invocation_option(call, "take-over") == NULL || access(call->db, F_OK) != 0)
		return true;
	if (!store_take_over(call->db, &taken, err))
		return false;
	if (taken)
		fprintf(stderr, "\"%s\" was taken over\n", call->db);
	return true;
}

static bool no_such_job(struct store *store, const char *argument, struct tuner_error *err)
{
	struct job_list list;
	if (!job_list(store, &list, err))
		return false;
	struct text names = TEXT_EMPTY;
	const char **words = calloc(list.n + 1, sizeof(*words));
	const size_t shown = list.n < JOBS_NAMED ? list.n : JOBS_NAMED;
	/* The newest come last. */
	for (size_t i = 0; words != NULL && i < list.n; i++) {
		words[i] = list.items[i].name;
		if (i >= list.n - shown)
			text_print(&names, "%s%s", i > list.n - shown ? ", " : "", words[i]);
	}
	if (shown < list.n)
		text_print(
			&names, " and %zu older ones (\"tuner jobs\" lists them)", list.n - shown);
	const char *nearest = words != NULL ? nearest_word(argument, words, list.n) : NULL;
	if (list.n == 0)
		tuner_fail(err, TUNER_USAGE,
			"the database \"%s\" has no job yet: \"tuner run FILE\" starts one",
			store_path(store));
	else if (nearest != NULL)
		tuner_fail(err, TUNER_USAGE,
			"there is no job \"%s\" in \"%s\"; did you mean \"%s\"? It has: %.600s",
			argument, store_path(store), nearest, names.bytes);
	else
		tuner_fail(err, TUNER_USAGE, "there is no job \"%s\" in \"%s\"; it has: %.600s",
			argument, store_path(store), names.bytes);
	free(words);
	text_finish(&names);
	job_list_finish(&list);
	return false;
}

/* The newest job; a confirmation only until it has ended: after that its search is meant, of which
 * its result is a part. */
static size_t newest_of(const struct job_list *list, bool *ret_passed)
{
	size_t i = list->n;

	*ret_passed = false;
	while (i-- > 0) {
		if (list->items[i].state == JOB_OPEN ||
			confirmation_search(list, &list->items[i]) == NULL)
			return i;
		*ret_passed = true;
	}
	return list->n - 1; /* a confirmation implies a search */
}

static bool newest_job(struct store *store, struct job *ret, struct tuner_error *err)
{
	struct job_list list;
	bool passed = false;

	if (!job_list(store, &list, err))
		return false;
	if (list.n == 0) {
		job_list_finish(&list);
		return no_such_job(store, "", err);
	}
	const size_t i = newest_of(&list, &passed);
	if (list.n > 1)
		fprintf(stderr, "job %s (the newest of %zu%s)\n", list.items[i].name, list.n,
			passed ? ", but for what confirms another" : "");
	*ret = list.items[i];
	list.items[i] = (struct job){ 0 };
	job_list_finish(&list);
	return true;
}

bool command_job(
	struct store *store, const char *argument, struct job *ret, struct tuner_error *err)
{
	bool found = false;

	if (argument == NULL)
		return newest_job(store, ret, err);
	if (!job_find(store, argument, ret, &found, err))
		return false;
	if (!found) {
		char *path = realpath(argument, NULL);
		const bool ok = path == NULL || job_find_by_path(store, path, ret, &found, err);
		free(path);
		if (!ok)
			return false;
	}
	return found || no_such_job(store, argument, err);
}

bool command_job_or_file(
	struct store *store, const char *argument, struct job *ret, struct tuner_error *err)
{
	if (command_job(store, argument, ret, err))
		return true;
	return err->code == TUNER_USAGE ? tuner_fail_in(err, "there is no file \"%s\": ", argument)
					: false;
}
