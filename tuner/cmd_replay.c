#include "tuner/command.h"

#include "tuner/replay.h"
#include "tuner/report_json.h"

#include <string.h>

enum { SHOWN = 10 };

/* ---- JSON ---- */

static cJSON *machine_json(const char *cpu, const char *blas, const char *program)
{
	cJSON *machine = cJSON_CreateObject();
	if (json_add_string(machine, "cpu", cpu) && json_add_string(machine, "libraries", blas) &&
		json_add_string(machine, "tuner", program))
		return machine;
	cJSON_Delete(machine);
	return NULL;
}

static bool add_differences(cJSON *object, const struct replay *replay)
{
	cJSON *differences = cJSON_AddArrayToObject(object, "differences");
	bool ok = differences != NULL;
	for (size_t i = 0; ok && i < replay->n_differences; i++) {
		const struct replay_difference *difference = &replay->differences[i];
		cJSON *item = cJSON_CreateObject();
		ok = json_append(differences, item) &&
		     json_add_integer(item, "trial", difference->trial) &&
		     json_add_string(item, "field", difference->field) &&
		     json_add_string(item, "recorded", difference->recorded) &&
		     json_add_string(item, "recomputed", difference->recomputed);
	}
	return ok;
}

static bool fill(cJSON *object, const struct report *report, const struct replay *replay)
{
	return json_add_string(object, "job", report->job.name) &&
	       json_add_integer(object, "recomputed", (int64_t)replay->recomputed) &&
	       json_add_integer(object, "given", (int64_t)replay->given) &&
	       json_add_integer(object, "elsewhere", (int64_t)replay->elsewhere) &&
	       json_add_item(
		       object, "here", machine_json(replay->cpu, replay->blas, replay->program)) &&
	       json_add_item(object, "there",
		       replay->elsewhere > 0 ? machine_json(replay->their_cpu, replay->their_blas,
						       replay->their_program)
					     : cJSON_CreateNull()) &&
	       add_differences(object, replay);
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
		{ "libraries", replay->their_blas, replay->blas },
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

static void print_differences(const struct replay *replay)
{
	for (size_t i = 0; i < replay->n_differences && i < SHOWN; i++) {
		const struct replay_difference *difference = &replay->differences[i];
		printf("trial %lld: %s was %s, is %s\n", (long long)difference->trial,
			difference->field, difference->recorded, difference->recomputed);
	}
	if (replay->n_differences > SHOWN)
		printf("and %zu more: --json has them all\n", replay->n_differences - SHOWN);
	if (replay->n_differences > 0 && replay->elsewhere > 0)
		printf("Where a maximum is flat, or two are equally high, other roundings may "
		       "choose "
		       "another point:\nin a long search elsewhere that is to be expected of a few "
		       "decisions, and of no more.\n");
}

static void print(const struct report *report, const struct replay *replay)
{
	printf("job %s: %zu decisions recomputed, %zu configurations were given\n",
		report->job.name, replay->recomputed, replay->given);
	if (replay->elsewhere > 0)
		print_elsewhere(replay);
	if (replay->n_differences > 0)
		printf("%zu differ\n", replay->n_differences);
	else if (replay->recomputed > 0)
		printf(replay->elsewhere > 0 ? "all are the same\n"
					     : "all are the same to the bit\n");
	print_differences(replay);
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
	const int status = replay.n_differences > 0 ? EXIT_GATE : EXIT_DONE;
	replay_finish(&replay);
	report_close(&report);
	return ok ? status : -1;
}
