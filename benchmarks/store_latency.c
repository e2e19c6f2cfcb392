/* What the database adds to a suggestion:
 *
 *     store_latency [--n 50,200,500,1000,2000] [--d 3,10,20] [--repeats 20] [--directory /dev/shm]
 *
 * A job of n told trials; then it is asked and told, with the strategy `random`, whose own part is subtracted. The directory is
 * better one in memory: there an fsync costs nothing. Milliseconds by the clock, medians of the repeats:
 *
 *     read    the history as a strategy gets it, from what a run keeps in memory
 *     store   the trial, its parameters, its decision and its attempt, committed
 *     tell    its outcome, committed
 *     all     of these, and "goal" what that should be
 *     open    all that is read at a start, as each `tuner ask` does: the job's history from the database */
#include "base/clock.h"
#include "base/file.h"
#include "benchmarks/number_list.h"
#include "tuner/ask_tell.h"
#include "tuner/history.h"
#include "tuner/job_open.h"

#include <getopt.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_statistics_double.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS_MAX = 999 };

static const double GOAL_MS = 1;

enum part { READ, STORE, TELL, OPEN, PARTS };

struct bench {
	char path[512];
	size_t repeats;
	struct store *store;
	struct job_file *file;
	struct ask_tell_settings settings;
	struct ask_tell *ask_tell;
	int64_t spent_us[PARTS];
};

/* A float each, in [0, 1]. */
static bool make_file(size_t d, struct job_file **ret, struct tuner_error *err)
{
	struct text keys = TEXT_EMPTY;
	struct diagnostics list = { .n = 0 };

	text_add(&keys,
		"{\"name\": \"store\", \"strategy\": \"random\", \"budget\": {\"trials\": 3}, "
		"\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"}, "
		"\"parameters\": {");
	for (size_t k = 0; k < d; k++)
		text_print(&keys, "%s\"x%zu\": {\"type\": \"float\", \"min\": 0, \"max\": 1}",
			k > 0 ? ", " : "", k + 1);
	text_add(&keys, "}}");
	const bool ok = !text_failed(&keys) && job_file_parse("store", "/", keys.bytes, keys.length,
						       NULL, COMMAND_IGNORED, ret, &list, err);
	text_finish(&keys);
	return ok &&
	       (list.errors == 0 || tuner_fail(err, TUNER_FATAL, "%s", list.items[0].message));
}

static int64_t suggestion_us(const struct bench *bench, struct tuner_error *err)
{
	struct decision decision;
	char *memory = NULL;
	const struct trial_filter newest = {
		.job_id = bench->settings.job_id, .repeat = -1, .newest = true, .limit = 1
	};
	struct trial_list list = { 0 };
	int64_t us = -1;

	if (trial_select(bench->store, &newest, &list, err) &&
		decision_load(bench->store, list.items[0].id, &decision, &memory, err))
		us = decision.took_us;
	trial_list_finish(&list);
	free(memory);
	return us;
}

/* One trial, from the question to the answer. */
static bool run_trial(struct bench *bench, struct tuner_error *err)
{
	struct asked asked;
	struct told_answer answer;
	bool exhausted;
	const int64_t began_us = clock_monotonic_us();

	if (!ask_tell_ask(bench->ask_tell, &asked, &exhausted, err))
		return false;
	const int64_t asked_us = clock_monotonic_us();
	const struct told told = { .kind = TOLD_VALUE, .value = asked.values[0] };

	if (!ask_tell_tell(bench->ask_tell, asked.number, &told, &answer, err))
		return false;
	const int64_t told_us = clock_monotonic_us(), suggestion = suggestion_us(bench, err);

	bench->spent_us[STORE] = asked_us - began_us - suggestion;
	bench->spent_us[TELL] = told_us - asked_us;
	return suggestion >= 0;
}

static bool reopen(struct bench *bench, struct tuner_error *err)
{
	ask_tell_close(bench->ask_tell);
	bench->ask_tell = NULL;
	const int64_t began_us = clock_monotonic_us();
	const bool ok = ask_tell_open(&bench->settings, &bench->ask_tell, err);

	bench->spent_us[OPEN] = clock_monotonic_us() - began_us;
	return ok;
}

static bool read_history(struct bench *bench, struct tuner_error *err)
{
	struct history history;
	struct observation *observations = NULL;
	size_t n;

	if (!history_load(&history, bench->file, bench->store, bench->settings.job_id, "", 0, err))
		return false;
	const int64_t began_us = clock_monotonic_us();
	const bool ok = history_observations(&history, &observations, &n, err);

	bench->spent_us[READ] = clock_monotonic_us() - began_us;
	free(observations);
	history_finish(&history);
	return ok;
}

static bool measure(struct bench *bench, size_t n, double ret_ms[PARTS], double *ret_all_ms,
	struct tuner_error *err)
{
	double spent[PARTS][REPEATS_MAX], all[REPEATS_MAX];

	for (size_t i = 0; i < n; i++)
		if (!run_trial(bench, err))
			return false;
	for (size_t i = 0; i < bench->repeats; i++) {
		if (!reopen(bench, err) || !read_history(bench, err) || !run_trial(bench, err))
			return false;
		for (int part = 0; part < PARTS; part++)
			spent[part][i] = 1e-3 * (double)bench->spent_us[part];
		all[i] = spent[READ][i] + spent[STORE][i] + spent[TELL][i];
	}
	for (int part = 0; part < PARTS; part++)
		ret_ms[part] = gsl_stats_median(spent[part], 1, bench->repeats);
	*ret_all_ms = gsl_stats_median(all, 1, bench->repeats);
	return true;
}

static bool bench_open(struct bench *bench, size_t d, struct tuner_error *err)
{
	struct job_opening opening = { .changes = TEXT_EMPTY };

	if (!make_file(d, &bench->file, err) ||
		!store_open(bench->path, STORE_WRITE, &bench->store, err) ||
		!job_open(bench->store, bench->file, false, NULL, &opening, err))
		return false;
	text_finish(&opening.changes);
	bench->settings = (struct ask_tell_settings){ .file = bench->file,
		.store = bench->store,
		.job_id = opening.job_id,
		.host = "localhost" };
	return ask_tell_open(&bench->settings, &bench->ask_tell, err);
}

static void bench_close(struct bench *bench)
{
	ask_tell_close(bench->ask_tell);
	job_file_destroy(bench->file);
	store_close(bench->store);
}

static bool report(
	const char *directory, size_t n, size_t d, size_t repeats, struct tuner_error *err)
{
	struct bench bench = { .repeats = repeats };
	struct tuner_error ignored;
	char place[400];
	double ms[PARTS], all_ms;

	snprintf(place, sizeof place, "%.380s/store-XXXXXX", directory);
	if (mkdtemp(place) == NULL)
		return tuner_fail(err, TUNER_USAGE, "cannot make a directory in %s", directory);
	snprintf(bench.path, sizeof bench.path, "%s/tuner.db", place);
	const bool ok = bench_open(&bench, d, err) && measure(&bench, n, ms, &all_ms, err);

	bench_close(&bench);
	(void)!directory_remove(place, &ignored);
	if (!ok)
		return false;
	printf("%6zu %4zu %9.3f %9.3f %9.3f %9.3f %5g %9.3f\n", n, d, ms[READ], ms[STORE], ms[TELL],
		all_ms, GOAL_MS, ms[OPEN]);
	fflush(stdout);
	return true;
}

struct options {
	size_t n[NUMBER_LIST_MAX], d[NUMBER_LIST_MAX], n_ns, n_ds, repeats;
	const char *directory;
};

static bool read_options(int argc, char **argv, struct options *ret)
{
	static const struct option options[] = { { "n", required_argument, NULL, 'n' },
		{ "d", required_argument, NULL, 'd' }, { "repeats", required_argument, NULL, 'r' },
		{ "directory", required_argument, NULL, 'p' }, { 0 } };
	int option;

	*ret = (struct options){ .repeats = 20, .directory = "/dev/shm" };
	ret->n_ns = number_list_read("50,200,500,1000,2000", ret->n);
	ret->n_ds = number_list_read("3,10,20", ret->d);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'n':
			ret->n_ns = number_list_read(optarg, ret->n);
			break;
		case 'd':
			ret->n_ds = number_list_read(optarg, ret->d);
			break;
		case 'r':
			ret->repeats = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			ret->directory = optarg;
			break;
		default:
			return false;
		}
	for (size_t i = 0; i < ret->n_ds; i++)
		if (ret->d[i] > SPACE_PARAMETERS_MAX)
			return false;
	return optind == argc && ret->n_ns > 0 && ret->n_ds > 0 && ret->repeats >= 1 &&
	       ret->repeats <= REPEATS_MAX;
}

int main(int argc, char **argv)
{
	struct options options;

	gsl_set_error_handler_off();
	if (!read_options(argc, argv, &options)) {
		fputs("usage: store_latency [--n LIST] [--d LIST] [--repeats N] [--directory "
		      "DIR]\n",
			stderr);
		return 2;
	}
	printf("%6s %4s %9s %9s %9s %9s %5s %9s\n", "n", "d", "read ms", "store", "tell", "all",
		"goal", "open");
	for (size_t i = 0; i < options.n_ns; i++)
		for (size_t j = 0; j < options.n_ds; j++) {
			struct tuner_error err;

			if (!report(options.directory, options.n[i], options.d[j], options.repeats,
				    &err)) {
				fprintf(stderr, "store_latency: %s\n", err.message);
				return 1;
			}
		}
	return 0;
}
