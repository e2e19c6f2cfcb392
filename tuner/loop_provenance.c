/* The provenance of attempts: arguments and variables are stored with the intent, code and data as
 * soon as the witness has seen them. A launch waits for none of it. */
#include "tuner/loop_inside.h"

#include "base/array.h"
#include "base/clock.h"
#include "trials/provenance.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { SETTLE_US = 2000000, HURRY_US = 200000 };

extern char **environ;

bool loop_put_document(
	struct loop *loop, const struct text *content, int64_t *ret, struct tuner_error *err)
{
	struct sha256 sum;
	char name[SHA256_TEXT];

	*ret = 0;
	if (text_failed(content))
		return tuner_fail_memory(err);
	if (content->length == 0)
		return true;
	sha256_begin(&sum);
	sha256_add(&sum, content->bytes, content->length);
	sha256_end(&sum, name);
	return document_put(loop->store, name, content->bytes, content->length,
		(int64_t)content->length, ret, err);
}

bool loop_begin_provenance(struct loop *loop, struct tuner_error *err)
{
	const struct surroundings_request request = { .inherited = environ,
		.variables = loop->file->environment };
	struct text environment = TEXT_EMPTY;

	surroundings_environment(&request, &environment);
	const bool ok = loop_put_document(loop, &environment, &loop->notes.environment, err) &&
			state_last(loop->store, loop->settings->job_id, STATE_OF_CODE,
				&loop->notes.code, err) &&
			state_last(loop->store, loop->settings->job_id, STATE_OF_DATA,
				&loop->notes.data, err);
	text_finish(&environment);
	return ok;
}

bool loop_store_provenance(struct loop *loop, const struct live *live, struct tuner_error *err)
{
	struct backend_site remote;
	bool ready;
	const struct launch_site site = loop_site(loop, live, &remote, &ready);
	const char *directory =
		site.working_directory ? site.working_directory : loop->file->directory;
	struct text arguments = TEXT_EMPTY;
	struct tuner_error failed = { TUNER_OK, "" };

	/* Arguments that cannot be built make the launch fail later. */
	if (!launch_arguments(&site, live, &arguments, &failed)) {
		text_clear(&arguments);
		text_add(&arguments, "[]");
	}
	const struct provenance_new row = { .attempt = live->attempt,
		.run = loop->run_id,
		.seed = training_seed(loop->file->seed, live->repeat, live->arm_number),
		.arguments = arguments.bytes,
		.directory = directory,
		.environment = loop->notes.environment,
		.code = loop->settings->code };
	const bool ok = (!text_failed(&arguments) || tuner_fail_memory(err)) &&
			provenance_add(loop->store, &row, err);
	text_finish(&arguments);
	return ok;
}

bool loop_ask_witness(struct loop *loop, const struct live *live, struct tuner_error *err)
{
	struct provenance_notes *notes = &loop->notes;
	const bool code = loop->settings->code == 0, data = loop->file->n_channels > 0;

	if (loop->settings->witness == NULL || (!code && !data))
		return true;
	if (!array_reserve(
		    &notes->unseen, notes->n_unseen, &notes->capacity, sizeof(*notes->unseen)))
		return tuner_fail_memory(err);
	notes->unseen[notes->n_unseen++] = (struct unseen){ .attempt = live->attempt,
		.trial = live->trial,
		.number = live->number,
		.launched_us = clock_wall_us(),
		.asked = witness_ask(loop->settings->witness),
		.code = code,
		.data = data };
	return true;
}

/* ---- what was seen ---- */

/* Appends "train.py, model.py and 3 more" from the member "changed". */
static void add_changed(const cJSON *facts, struct text *ret)
{
	const cJSON *changed = cJSON_GetObjectItemCaseSensitive(facts, "changed"), *item;
	const cJSON *all = cJSON_GetObjectItemCaseSensitive(facts, "n_changed");
	enum { SHOWN_MAX = 3 };
	int shown = 0;

	cJSON_ArrayForEach(item, changed)
	{
		if (!cJSON_IsString(item) || shown == SHOWN_MAX)
			continue;
		text_add(ret, shown++ > 0 ? ", " : ": ");
		text_add(ret, item->valuestring);
	}
	if (cJSON_IsNumber(all) && all->valueint > shown && shown > 0)
		text_print(ret, " and %d more", all->valueint - shown);
}

static void warn(struct loop *loop, enum state_of of, const struct unseen *first, const char *facts)
{
	cJSON *object = cJSON_Parse(facts);
	struct text changed = TEXT_EMPTY;

	add_changed(object, &changed);
	progress_say(loop->settings->progress,
		of == STATE_OF_CODE
			? "warning: trial %lld runs different code from the one before it%s "
			  "(\"source\": \"snapshot\" would freeze it)"
			: "warning: trial %lld finds different data from the one before it%s",
		(long long)first->number, changed.bytes);
	text_finish(&changed);
	cJSON_Delete(object);
}

static bool add_event(struct loop *loop, enum state_of of, int64_t before, int64_t state,
	const struct unseen *first, struct tuner_error *err)
{
	char data[96];
	int64_t id;

	snprintf(data, sizeof(data), "{\"state\":%lld,\"before\":%lld}", (long long)state,
		(long long)before);
	return event_add(loop->store, loop->settings->job_id, first->trial, first->attempt,
		of == STATE_OF_CODE ? "code" : "data", data, clock_wall_us(), &id, err);
}

/* Gives attempts that the sighting answers their state: the new one, or `before` if they were
 * launched before the change. *ret_first: the first that got the new state. */
static bool answer(struct loop *loop, const struct sighting *sighting, enum state_of of,
	int64_t before, int64_t state, const struct unseen **ret_first, struct tuner_error *err)
{
	struct provenance_notes *notes = &loop->notes;

	*ret_first = NULL;
	for (size_t i = 0; i < notes->n_unseen && notes->unseen[i].asked <= sighting->asked; i++) {
		struct unseen *unseen = &notes->unseen[i];
		bool *open = of == STATE_OF_CODE ? &unseen->code : &unseen->data;
		const bool old = before != 0 && unseen->launched_us < sighting->since_us;
		if (!*open)
			continue;
		*open = false;
		if (!old && *ret_first == NULL)
			*ret_first = unseen;
		if (!provenance_found(loop->store, unseen->attempt, of, old ? before : state, err))
			return false;
	}
	return true;
}

static void drop_answered(struct provenance_notes *notes)
{
	size_t n = 0;

	while (n < notes->n_unseen && !notes->unseen[n].code && !notes->unseen[n].data)
		n++;
	if (n == 0)
		return;
	notes->n_unseen -= n;
	memmove(notes->unseen, notes->unseen + n, notes->n_unseen * sizeof(*notes->unseen));
}

static bool take_state(struct loop *loop, const struct sighting *sighting, struct tuner_error *err)
{
	const enum state_of of = sighting->what == SEEN_CODE ? STATE_OF_CODE : STATE_OF_DATA;
	struct provenance_notes *notes = &loop->notes;
	int64_t *last = of == STATE_OF_CODE ? &notes->code : &notes->data;
	int64_t *seen = of == STATE_OF_CODE ? &notes->seen_code : &notes->seen_data;
	struct found_state state = { .of = of,
		.fingerprint = sighting->fingerprint,
		.source = "live",
		.facts = sighting->facts.length > 0 ? sighting->facts.bytes : "{}" };
	const struct unseen *first;
	int64_t id;
	bool is_new;

	if (text_failed(&sighting->facts) ||
		!loop_put_document(loop, &sighting->patch, &state.patch, err) ||
		!state_put(loop->store, loop->settings->job_id, &state, clock_wall_us(), &id,
			&is_new, err) ||
		!answer(loop, sighting, of, *seen, id, &first, err))
		return false;
	*seen = id;
	loop_judge_reuse(loop, of == STATE_OF_CODE, sighting->fingerprint);
	if (first == NULL)
		return true;
	if (*last != 0 && *last != id) {
		if (!add_event(loop, of, *last, id, first, err))
			return false;
		warn(loop, of, first, state.facts);
	}
	*last = id;
	return true;
}

/* Versions that are not JSON come from an interpreter that prints more than was asked. */
static bool take_versions(
	struct loop *loop, const struct sighting *sighting, struct tuner_error *err)
{
	cJSON *object = text_failed(&sighting->facts) ? NULL : cJSON_Parse(sighting->facts.bytes);
	int64_t document;
	const bool ok = object == NULL ||
			(loop_put_document(loop, &sighting->facts, &document, err) &&
				run_set_versions(loop->store, loop->run_id, document, err));

	cJSON_Delete(object);
	return ok;
}

static bool take_sighting(
	struct loop *loop, const struct sighting *sighting, struct tuner_error *err)
{
	if (sighting->what == SEEN_TROUBLE) {
		progress_say(loop->settings->progress, "warning: %s", sighting->facts.bytes);
		return true;
	}
	if (!store_begin(loop->store, STORE_LAZY, err))
		return false;
	if ((sighting->what == SEEN_VERSIONS ? take_versions : take_state)(loop, sighting, err))
		return store_commit(loop->store, err);
	store_rollback(loop->store);
	return false;
}

bool loop_hear_witness(struct loop *loop, struct tuner_error *err)
{
	struct sighting sighting;
	bool ok = true;

	while (ok && loop->settings->witness != NULL &&
		witness_next(loop->settings->witness, &sighting)) {
		ok = take_sighting(loop, &sighting, err);
		sighting_finish(&sighting);
	}
	drop_answered(&loop->notes);
	return ok;
}

bool loop_end_provenance(struct loop *loop, struct tuner_error *err)
{
	if (loop->settings->witness == NULL)
		return true;
	/* After a signal somebody waits for the end. */
	witness_settle(loop->settings->witness, loop->hurried ? HURRY_US : SETTLE_US);
	return loop_hear_witness(loop, err);
}
