#include "tuner/command.h"

#include "tuner/replay.h"
#include "tuner/report_json.h"

#include <string.h>

enum { SHOWN = 10 };

/* ---- JSON ---- */

static cJSON *machine_json(const char *cpu, const char *libraries, const char *program)
{
	cJSON *machine = cJSON_CreateObject();
	if (json_add_string(machine, "cpu", cpu) &&
		json_add_string(machine, "libraries", libraries) &&
		json_add_string(machine, "tuner", program))
		return machine;
	cJSON_Delete(machine);
	return NULL;
}

/* "maximised_recorded", "maximised_recomputed". */
static bool add_heights(cJSON *item, const char *height, const struct replay_difference *difference)
{
	char recorded[64], recomputed[64];
	snprintf(recorded, sizeof(recorded), "%.40s_recorded", height);
	snprintf(recomputed, sizeof(recomputed), "%.40s_recomputed", height);
	return json_add_number(item, recorded, difference->maximised_recorded) &&
	       json_add_number(item, recomputed, difference->maximised_recomputed);
}

/* height: name of what was compared; NULL: not shown. */
static bool add_differences(cJSON *object, const char *name,
	const struct replay_differences *differences, const char *height)
{
	cJSON *array = cJSON_AddArrayToObject(object, name);
	bool ok = array != NULL;
	for (size_t i = 0; ok && i < differences->n; i++) {
		const struct replay_difference *difference = &differences->items[i];
		cJSON *item = cJSON_CreateObject();
		ok = json_append(array, item) &&
		     json_add_integer(item, "trial", difference->trial) &&
		     json_add_string(item, "field", difference->field) &&
		     json_add_string(item, "recorded", difference->recorded) &&
		     json_add_string(item, "recomputed", difference->recomputed) &&
		     (height == NULL || add_heights(item, height, difference));
	}
	return ok;
}

static bool fill(cJSON *object, const struct report *report, const struct replay *replay)
{
	return json_add_string(object, "job", report->job.name) &&
	       json_add_integer(object, "recomputed", (int64_t)replay->recomputed) &&
	       json_add_integer(object, "same_bits", (int64_t)replay->same_bits) &&
	       json_add_integer(object, "given", (int64_t)replay->given) &&
	       json_add_integer(object, "elsewhere", (int64_t)replay->elsewhere) &&
	       json_add_item(object, "here",
		       machine_json(replay->cpu, replay->libraries, replay->program)) &&
	       json_add_item(object, "there",
		       replay->elsewhere > 0
			       ? machine_json(replay->their_cpu, replay->their_libraries,
					 replay->their_program)
			       : cJSON_CreateNull()) &&
	       add_differences(object, "differences", &replay->differences, NULL) &&
	       add_differences(object, "other_maxima", &replay->other_maxima, "maximised") &&
	       add_differences(object, "other_fits", &replay->other_fits, "log_posterior");
}

static bool print_json(
	const struct report *report, const struct replay *replay, struct tuner_error *err)
{
	cJSON *object = cJSON_CreateObject();
	if (fill(object, report, replay))
		return json_out(object, err);
	cJSON_Delete(object);
	return tuner_fail_memory(err);
}

/* ---- text ---- */

static void print_elsewhere(const struct replay *replay)
{
	const struct {
		const char *name, *there, *here;
	} parts[] = {
		{ "processor", replay->their_cpu, replay->cpu },
		{ "libraries", replay->their_libraries, replay->libraries },
		{ "tuner", replay->their_program, replay->program },
	};
	printf("%zu of them were made with another processor, other libraries or another version, "
	       "so\nthey are held to 1e-6, not to the bit:\n",
		replay->elsewhere);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strcmp(parts[i].there, parts[i].here) != 0)
			printf("  %s then: %s\n  %*s now:  %s\n", parts[i].name, parts[i].there,
				(int)strlen(parts[i].name), "", parts[i].here);
}

static void print_more(const struct replay_differences *differences)
{
	if (differences->n > SHOWN)
		printf("and %zu more: --json has them all\n", differences->n - SHOWN);
}

static void print_differences(const struct replay_differences *differences)
{
	for (size_t i = 0; i < differences->n && i < SHOWN; i++) {
		const struct replay_difference *difference = &differences->items[i];
		printf("trial %lld: %s was %s, is %s\n", (long long)difference->trial,
			difference->field, difference->recorded, difference->recomputed);
	}
	print_more(differences);
}

/* Prints decisions made elsewhere, with the values of both places. */
static void print_others(const struct replay_differences *others, const char *told)
{
	if (others->n == 0)
		return;
	printf("Of %zu %s\n", others->n, told);
	for (size_t i = 0; i < others->n && i < SHOWN; i++) {
		const struct replay_difference *other = &others->items[i];
		printf("trial %lld: %.10g and %.10g (%s was %s, is %s)\n", (long long)other->trial,
			other->maximised_recorded, other->maximised_recomputed, other->field,
			other->recorded, other->recomputed);
	}
	print_more(others);
}

static void print_same(const struct replay *replay)
{
	if (replay->same_bits == replay->recomputed)
		printf("all are the same to the bit\n");
	else
		printf("all are the same: %zu to the bit, %zu to 1e-6\n", replay->same_bits,
			replay->recomputed - replay->same_bits);
}

static void print(const struct report *report, const struct replay *replay)
{
	printf("job %s: %zu decision%s recomputed, %zu configuration%s given\n", report->job.name,
		replay->recomputed, replay->recomputed == 1 ? "" : "s", replay->given,
		replay->given == 1 ? " was" : "s were");
	if (replay->elsewhere > 0)
		print_elsewhere(replay);
	if (replay->differences.n > 0)
		printf("%zu differ\n", replay->differences.n);
	else if (replay->recomputed > 0)
		print_same(replay);
	print_differences(&replay->differences);
	print_others(&replay->other_maxima,
		"the model says the same where they were made, but a search from here ends in "
		"another place,\nas roundings may have it: the function there, and here");
	print_others(&replay->other_fits,
		"the model says the same at its hyperparameters then, but a fit from here ends "
		"beside them,\nas roundings may have it: the log posterior there, and here");
}

int cmd_replay(const struct invocation *call, struct tuner_error *err)
{
	const char *job = call->n_arguments > 0 ? call->arguments[0] : NULL;
	struct report report = { 0 };
	struct replay replay = { 0 };
	int64_t number;
	bool ok = invocation_integer(call, "trial", 1, INT64_MAX, 0, &number, err) &&
		  report_open(call, job, &report, err) && replay_job(&report, number, &replay, err);
	if (ok && call->json)
		ok = print_json(&report, &replay, err);
	else if (ok)
		print(&report, &replay);
	const int status = replay.differences.n > 0 ? EXIT_GATE : EXIT_DONE;
	replay_finish(&replay);
	report_close(&report);
	return ok ? status : -1;
}
