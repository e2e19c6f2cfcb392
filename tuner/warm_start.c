/* Turns what was read of earlier jobs into rows of the new job, and reports it (warm_start.h). */
#include "tuner/warm_start.h"

#include "base/json.h"
#include "trials/event.h"
#include "trials/related_trial.h"
#include "tuner/configuration.h"
#include "tuner/launch.h"
#include "tuner/objective.h"
#include "tuner/proposal.h"
#include "tuner/text_width.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENT "warm-start"

/* One search of the new job, while its trials are stored. */
struct beginning {
	const struct warm_start *warm_start;
	struct store *store;
	struct job job;
	struct job_file file; /* with the arm's strategy; its pointers are the job file's */
	const char *arm;
	int64_t repeat, now_us;
	char host[256];
	struct proposer proposer;
	struct history history; /* only what the decisions of given configurations need */
};

/* ---- a trial of source "added" ---- */

enum { MESSAGE_BYTES = LIMITS_MESSAGE_BYTES + 300 };

/* Where it comes from, behind the limits that it breaks. */
static const char *message_of(const struct beginning *beginning, const struct warm_trial *trial,
	char ret_text[MESSAGE_BYTES])
{
	const struct warm_gift *gift = &beginning->warm_start->gifts[trial->parent];
	char broken[LIMITS_MESSAGE_BYTES];

	objective_limits_message(
		&beginning->file.objective, beginning->file.metric, &trial->judgement, broken);
	snprintf(ret_text, MESSAGE_BYTES, "%s%staken over from trial %lld of job %.100s in %.150s",
		broken, broken[0] != '\0' ? "; " : "", (long long)trial->number, gift->job,
		gift->database);
	return ret_text;
}

static bool store_trial_row(struct beginning *beginning, const struct proposal *proposal,
	int64_t *ret_id, struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX];
	int64_t number, arm_number;
	bool capped;

	configuration_stored_values(&beginning->file, proposal->values, values);
	const struct trial_new row = {
		.job_id = beginning->job.id,
		.arm = beginning->arm,
		.repeat = beginning->repeat,
		.space_version = beginning->job.space_version,
		.objective_version = beginning->job.objective_version,
		.values = values,
		.d = beginning->file.space.d,
		.parameters = proposal->parameters.bytes,
		.added = true,
		.uncapped = true,
	};
	return trial_create(beginning->store, &row, &proposal->decision, beginning->now_us, ret_id,
		&number, &arm_number, &capped, err);
}

static bool store_origin(struct beginning *beginning, const struct warm_trial *trial, int64_t id,
	int64_t attempt, struct tuner_error *err)
{
	const struct warm_gift *gift = &beginning->warm_start->gifts[trial->parent];
	struct text data = TEXT_EMPTY;
	int64_t event;

	text_add(&data, "{\"database\": ");
	text_add_json_string(&data, gift->database);
	text_add(&data, ", \"job\": ");
	text_add_json_string(&data, gift->job);
	text_print(&data, ", \"trial\": %lld, \"key\": ", (long long)trial->number);
	text_add_json_string(&data, trial->key);
	text_add(&data, "}");
	const bool ok = (!text_failed(&data) || tuner_fail_memory(err)) &&
			event_add(beginning->store, beginning->job.id, id, attempt, EVENT,
				data.bytes, beginning->now_us, &event, err);
	text_finish(&data);
	return ok;
}

/* Its times are those of this transaction: it had no slot here, and how long it took there belongs
 * to the earlier job. */
static bool store_result(struct beginning *beginning, const struct warm_trial *trial, int64_t id,
	struct tuner_error *err)
{
	char key[40], message[MESSAGE_BYTES];
	int64_t attempt;

	if (!attempt_new_key(key, err))
		return false;
	const struct attempt_new row = { .trial_id = id,
		.key = key,
		.backend = ATTEMPT_CALLER,
		.host = beginning->host,
		.gpus = "[]",
		.directory = "" };
	const bool is_over = trial->outcome == OUTCOME_OVER_LIMIT;
	const struct attempt_end end = {
		.outcome = is_over ? OUTCOME_OK : trial->outcome,
		.counts_as = trial->outcome,
		.judgement = trial->judgement,
		.message = message_of(beginning, trial, message),
		.exit_code = -1,
		.signal = -1,
		.started_us = beginning->now_us,
		.ended_us = beginning->now_us,
		.trial = trial->state,
		.objective = trial->objective,
	};
	return attempt_create(beginning->store, &row, beginning->now_us, &attempt, err) &&
	       store_origin(beginning, trial, id, attempt, err) &&
	       attempt_end(beginning->store, attempt, &end, beginning->now_us,
		       &beginning->history.last_event, err);
}

/* With all parameters given, it is the user's decision, like one from the queue. */
static bool store_trial(
	struct beginning *beginning, const struct warm_trial *trial, struct tuner_error *err)
{
	const int64_t asked = beginning->file.budget.parallel;
	const size_t parallel = asked > 0 ? (size_t)asked : 1;
	struct text parameters = TEXT_EMPTY;
	struct proposal proposal;
	int64_t id;

	configuration_json(&beginning->file, trial->values, &parameters);
	const struct queued given = { .parameters = (char *)parameters.bytes };
	bool ok = (!text_failed(&parameters) || tuner_fail_memory(err)) &&
		  proposal_make(&beginning->proposer, &beginning->history, NULL, 0, &given,
			  parallel, &proposal, err);
	if (ok) {
		ok = store_trial_row(beginning, &proposal, &id, err) &&
		     store_result(beginning, trial, id, err);
		beginning->history.created++;
		beginning->history.added++;
		proposal_finish(&proposal);
	}
	text_finish(&parameters);
	return ok;
}

static bool store_trials(struct beginning *beginning, struct tuner_error *err)
{
	const struct warm_start *warm_start = beginning->warm_start;

	beginning->history = (struct history){ .file = &beginning->file };
	if (!proposer_create(&beginning->proposer, &beginning->file, err))
		return false;
	beginning->proposer.repeat = beginning->repeat;
	bool ok = true;
	for (size_t i = 0; ok && i < warm_start->n; i++)
		ok = store_trial(beginning, &warm_start->trials[i], err);
	proposer_finish(&beginning->proposer);
	return ok;
}

/* ---- a place in the queue ---- */

static bool queue_trials(struct beginning *beginning, struct text *queued, struct tuner_error *err)
{
	const struct warm_start *warm_start = beginning->warm_start;
	struct text entry = TEXT_EMPTY;
	bool ok = true;
	int64_t id;

	for (size_t i = 0; ok && i < warm_start->n; i++) {
		const struct warm_trial *trial = &warm_start->trials[i];
		text_clear(&entry);
		configuration_json(&beginning->file, trial->values, &entry);
		/* Not marked as from "first": entries that "first" no longer lists are dropped when
		 * the file is edited. */
		ok = (!text_failed(&entry) || tuner_fail_memory(err)) &&
		     queue_add(beginning->store, beginning->job.id, beginning->arm,
			     beginning->repeat, "enqueue", entry.bytes, beginning->now_us, &id,
			     err);
		text_print(queued, "%s{\"queue\": %lld, \"parent\": %zu, \"trial\": %lld}",
			queued->length > 0 ? ", " : "", (long long)id, trial->parent,
			(long long)trial->number);
	}
	text_finish(&entry);
	return ok;
}

/* ---- results of related jobs ---- */

static bool store_related(struct beginning *beginning, struct tuner_error *err)
{
	const struct warm_start *warm_start = beginning->warm_start;
	struct text parameters = TEXT_EMPTY;
	bool ok = true;

	for (size_t i = 0; ok && i < warm_start->n; i++) {
		const struct warm_trial *trial = &warm_start->trials[i];
		text_clear(&parameters);
		configuration_json(warm_start->file, trial->values, &parameters);
		const struct related_trial row = { .parent = (int64_t)trial->parent,
			.number = trial->number,
			.state = isnan(trial->loss)             ? TRIAL_FAILED
				 : trial->state == TRIAL_FAILED ? TRIAL_DONE /* over a limit */
								: trial->state,
			.loss = trial->loss,
			.parameters = (char *)parameters.bytes };
		ok = (!text_failed(&parameters) || tuner_fail_memory(err)) &&
		     related_trial_add(beginning->store, beginning->job.id, &row, err);
	}
	text_finish(&parameters);
	return ok;
}

/* ---- the event of the job ---- */

static void add_gift(const struct warm_gift *gift, bool related, struct text *ret)
{
	text_add(ret, "{\"database\": ");
	text_add_json_string(ret, gift->database);
	text_add(ret, ", \"job\": ");
	text_add_json_string(ret, gift->job);
	text_print(ret, ", \"trials\": %lld, \"taken\": %lld, \"misfits\": %lld, \"doubled\": %lld",
		(long long)gift->trials, (long long)gift->taken, (long long)gift->misfits,
		(long long)gift->doubled);
	if (related)
		text_print(ret, ", \"spared\": %lld", (long long)gift->spared);
	text_add(ret, ", \"why\": ");
	text_add_json_string(ret, gift->why);
	text_add(ret, "}");
}

static void add_json(
	const struct warm_start *warm_start, const struct text *queued, struct text *ret)
{
	const struct job_warm_start *wish = &warm_start->file->warm_start;

	text_print(ret, "{\"as\": \"%s\", \"parents\": [", warm_as_name(wish->as));
	for (size_t i = 0; i < wish->n; i++) {
		text_add(ret, i > 0 ? ", " : "");
		add_gift(&warm_start->gifts[i], wish->as == WARM_RELATED, ret);
	}
	text_add(ret, "]");
	if (wish->as == WARM_FIRST)
		text_print(ret, ", \"queued\": [%s]", queued->bytes);
	text_add(ret, "}");
}

void warm_start_json(const struct warm_start *warm_start, struct text *ret)
{
	static const struct text none = TEXT_EMPTY;

	add_json(warm_start, &none, ret);
}

static bool store_event(
	struct beginning *beginning, const struct text *queued, struct tuner_error *err)
{
	struct text data = TEXT_EMPTY;
	int64_t id;

	add_json(beginning->warm_start, queued, &data);
	const bool ok = ((!text_failed(&data) && !text_failed(queued)) || tuner_fail_memory(err)) &&
			event_add(beginning->store, beginning->job.id, 0, 0, EVENT, data.bytes,
				beginning->now_us, &id, err);
	text_finish(&data);
	return ok;
}

/* ---- all of it ---- */

/* Related results are the same for all searches. */
static bool begin_searches(
	struct beginning *beginning, struct text *queued, struct tuner_error *err)
{
	const struct job_file *file = beginning->warm_start->file;
	const size_t n_arms = file->n_arms > 0 ? file->n_arms : 1;

	if (file->warm_start.as == WARM_RELATED)
		return store_related(beginning, err);

	for (int64_t repeat = 0; repeat < file->repeats; repeat++)
		for (size_t a = 0; a < n_arms; a++) {
			beginning->file = *file;
			beginning->arm = file->n_arms > 0 ? file->arms[a].name : "";
			beginning->repeat = repeat;
			if (file->n_arms > 0)
				beginning->file.strategy = file->arms[a].strategy;
			if (!(file->warm_start.as == WARM_FIRST
					    ? queue_trials(beginning, queued, err)
					    : store_trials(beginning, err)))
				return false;
		}
	return true;
}

bool warm_start_store(const struct warm_start *warm_start, struct store *store, int64_t job_id,
	int64_t now_us, struct tuner_error *err)
{
	struct beginning beginning = { .warm_start = warm_start, .store = store, .now_us = now_us };
	struct text queued = TEXT_EMPTY;

	if (warm_start->file->warm_start.n == 0)
		return true;
	if (gethostname(beginning.host, sizeof(beginning.host) - 1) != 0)
		strcpy(beginning.host, "localhost");
	/* For trials the event comes first, so that it is found without a search. */
	const bool first = warm_start->file->warm_start.as == WARM_FIRST;
	const bool ok = job_load(store, job_id, &beginning.job, err) &&
			(first || store_event(&beginning, &queued, err)) &&
			begin_searches(&beginning, &queued, err) &&
			(!first || store_event(&beginning, &queued, err));
	job_finish(&beginning.job);
	text_finish(&queued);
	return ok;
}

/* ---- in words ---- */

static const cJSON *member_of(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static long long number_in(const cJSON *object, const char *name)
{
	const cJSON *item = member_of(object, name);

	return cJSON_IsNumber(item) ? (long long)item->valuedouble : 0;
}

static const char *string_in(const cJSON *object, const char *name)
{
	const cJSON *item = member_of(object, name);

	return cJSON_IsString(item) ? item->valuestring : "";
}

static void add_place(const cJSON *parent, struct text *ret)
{
	text_add(ret, "job ");
	text_add_visible(ret, string_in(parent, "job"));
	text_add(ret, " in ");
	text_add_visible(ret, string_in(parent, "database"));
}

/* "is known from the start", of these or of one. */
static const char *what_becomes(enum warm_as as, bool one)
{
	static const char *const words[][2] = {
		[WARM_TRIALS] = { " are known from the start", " is known from the start" },
		[WARM_FIRST] = { " are tried first", " is tried first" },
		[WARM_RELATED] = { " count as far as this job's results bear them out",
			" counts as far as this job's results bear it out" },
	};

	return words[as][one];
}

static void add_line(const cJSON *parent, enum warm_as as, struct text *ret)
{
	const long long trials = number_in(parent, "trials"), taken = number_in(parent, "taken");
	const long long misfits = number_in(parent, "misfits");
	const long long doubled = number_in(parent, "doubled");

	text_print(ret, "warm start: %lld of the %lld %s of ", taken, trials,
		as == WARM_FIRST ? "results" : "ended trials");
	add_place(parent, ret);
	text_add(ret, what_becomes(as, taken == 1));
	if (doubled > 0)
		text_print(ret, "; %lld were already taken", doubled);
	if (number_in(parent, "spared") > 0)
		text_add(ret, "; they are its best and, evenly, some of the others");
	if (misfits > 0) {
		text_print(ret, "; %lld %s not fit, as ", misfits, misfits == 1 ? "does" : "do");
		text_add_visible(ret, string_in(parent, "why"));
	}
	text_add(ret, "\n");
}

void warm_start_text(const char *json, struct text *ret)
{
	cJSON *data = cJSON_Parse(json);
	const char *as = string_in(data, "as");
	const enum warm_as how = strcmp(as, "first") == 0     ? WARM_FIRST
				 : strcmp(as, "related") == 0 ? WARM_RELATED
							      : WARM_TRIALS;
	const cJSON *parent;

	cJSON_ArrayForEach(parent, member_of(data, "parents"))
	{
		add_line(parent, how, ret);
	}
	cJSON_Delete(data);
}

bool warm_start_load(struct store *store, int64_t job_id, char **ret, struct tuner_error *err)
{
	return event_of_job(store, job_id, EVENT, ret, err);
}

static bool name_related(const cJSON *data, char **ret, size_t n, struct tuner_error *err)
{
	const cJSON *parent;
	size_t i = 0;

	if (strcmp(string_in(data, "as"), warm_as_name(WARM_RELATED)) != 0)
		return true;
	cJSON_ArrayForEach(parent, member_of(data, "parents"))
	{
		struct text name = TEXT_EMPTY;
		if (i == n)
			break;
		add_place(parent, &name);
		ret[i] = text_take(&name);
		if (ret[i++] == NULL)
			return tuner_fail_memory(err);
	}
	return true;
}

bool warm_start_related(
	struct store *store, int64_t job_id, char **ret, size_t n, struct tuner_error *err)
{
	char *json = NULL;

	if (!warm_start_load(store, job_id, &json, err))
		return false;
	cJSON *data = json != NULL ? cJSON_Parse(json) : NULL;
	const bool ok = name_related(data, ret, n, err);
	cJSON_Delete(data);
	free(json);
	return ok;
}

bool warm_start_origin(
	struct store *store, const struct trial *trial, struct text *ret, struct tuner_error *err)
{
	struct queued queued = { 0 };
	bool found = false;
	char *json = NULL;

	if (strcmp(trial->source, "enqueue") != 0)
		return true;
	if (!queue_taken(store, trial->id, &queued, &found, err) ||
		!warm_start_load(store, trial->job_id, &json, err)) {
		queued_finish(&queued);
		return false;
	}
	cJSON *data = json != NULL ? cJSON_Parse(json) : NULL;
	const cJSON *item;
	cJSON_ArrayForEach(item, member_of(data, "queued"))
	{
		if (!found || number_in(item, "queue") != queued.id)
			continue;
		text_print(ret, "trial %lld of ", number_in(item, "trial"));
		add_place(cJSON_GetArrayItem(
				  member_of(data, "parents"), (int)number_in(item, "parent")),
			ret);
	}
	cJSON_Delete(data);
	free(json);
	queued_finish(&queued);
	return true;
}
