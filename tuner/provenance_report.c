#include "tuner/provenance_report.h"

#include "tuner/report_json.h"
#include "tuner/text_width.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT = 12 }; /* digits of a fingerprint or commit shown to people */

bool states_read(const struct report *report, struct states *ret, struct tuner_error *err)
{
	*ret = (struct states){ 0 };
	if (state_select(report->store, report->job.id, STATE_OF_CODE, &ret->code, err) &&
		state_select(report->store, report->job.id, STATE_OF_DATA, &ret->data, err))
		return true;
	states_finish(ret);
	return false;
}

void states_finish(struct states *states)
{
	state_list_finish(&states->code);
	state_list_finish(&states->data);
}

static const struct found_state *find_state(const struct state_list *list, int64_t id)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].id == id)
			return &list->items[i];
	return NULL;
}

static const cJSON *member_of(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *string_in(const cJSON *object, const char *name)
{
	const cJSON *item = member_of(object, name);

	return cJSON_IsString(item) ? item->valuestring : "";
}

static long long integer_in(const cJSON *object, const char *name)
{
	const cJSON *item = member_of(object, name);

	return cJSON_IsNumber(item) ? (long long)item->valuedouble : 0;
}

/* "train.py, model.py and 3 more": what changed when this state came about. */
static void add_changed(const cJSON *facts, struct text *ret)
{
	enum { SHOWN_MAX = 3 };
	const long long all = integer_in(facts, "n_changed");
	const cJSON *item;
	long long shown = 0;

	cJSON_ArrayForEach(item, member_of(facts, "changed"))
	{
		if (!cJSON_IsString(item) || shown == SHOWN_MAX)
			continue;
		text_add(ret, shown++ > 0 ? ", " : "");
		text_add_visible(ret, item->valuestring);
	}
	if (all > shown && shown > 0)
		text_print(ret, " and %lld more", all - shown);
}

/* ---- warnings ---- */

/* How many states trials found, and the last of them. */
static bool count_found(const struct report *report, const struct state_list *list, size_t *ret_n,
	const struct found_state **ret_last, int64_t *ret_trial, struct tuner_error *err)
{
	*ret_n = 0;
	for (size_t i = 0; list->n > 1 && i < list->n; i++) {
		int64_t trial;
		if (!state_first(report->store, list->items[i].of, list->items[i].id, &trial, err))
			return false;
		if (trial == 0)
			continue;
		++*ret_n;
		*ret_last = &list->items[i];
		*ret_trial = trial;
	}
	return true;
}

static bool warn_of(const struct report *report, const struct state_list *list, const char *what,
	struct text *ret, struct tuner_error *err)
{
	const struct found_state *last = NULL;
	struct text changed = TEXT_EMPTY;
	int64_t trial = 0;
	size_t n = 0;

	if (!count_found(report, list, &n, &last, &trial, err))
		return false;
	if (n < 2)
		return true;
	cJSON *facts = cJSON_Parse(last->facts);
	add_changed(facts, &changed);
	text_print(ret, "warning: trials %s in %zu states, the last from trial %lld on%s%s%s\n",
		what, n, (long long)trial, changed.length ? " (" : "", changed.bytes,
		changed.length ? ")" : "");
	text_finish(&changed);
	cJSON_Delete(facts);
	return true;
}

bool states_warn(const struct report *report, const struct states *states, struct text *ret,
	struct tuner_error *err)
{
	return warn_of(report, &states->code, "ran the code", ret, err) &&
	       warn_of(report, &states->data, "found the data", ret, err);
}

/* ---- which trial ran what ---- */

bool ran_read(const struct report *report, const struct states *states, int64_t trial_id,
	struct ran *ret, struct tuner_error *err)
{
	if (!state_of_trial(report->store, trial_id, ret->numbers, &ret->n, err))
		return false;
	for (size_t i = 0; i < ret->n; i++) {
		const struct found_state *state = find_state(&states->code, ret->numbers[i]);
		ret->numbers[i] = state ? state->number : 0;
	}
	return true;
}

/* ---- an attempt's, for people ---- */

static void add_code(const struct found_state *state, size_t n_states, struct text *ret)
{
	cJSON *facts = cJSON_Parse(state->facts);
	const char *commit = string_in(facts, "commit"), *git = string_in(facts, "git");

	text_print(ret, "  code    %.*s, %s", SHORT, state->fingerprint, state->source);
	if (n_states > 1)
		text_print(ret, ", state %lld of %zu", (long long)state->number, n_states);
	if (commit[0] != '\0')
		text_print(ret, ": commit %.*s", SHORT, commit);
	if (git[0] != '\0') {
		text_add(ret, " of ");
		text_add_visible(ret, git);
	}
	if (state->patch != 0)
		text_add(ret, " and what differs from it (--patch)");
	if (commit[0] == '\0' && string_in(facts, "no_git")[0] != '\0') {
		text_add(ret, ": without git (");
		text_add_visible(ret, string_in(facts, "no_git"));
		text_add(ret, ")");
	}
	const long long files = integer_in(facts, "files");
	text_print(ret, "; %lld file%s", files, files == 1 ? "" : "s");
	if (cJSON_IsFalse(member_of(facts, "complete")))
		text_add(ret, ", and more that were not examined");
	text_add(ret, "\n");
	cJSON_Delete(facts);
}

static void add_data(const struct found_state *state, size_t n_states, struct text *ret)
{
	cJSON *facts = cJSON_Parse(state->facts);
	const cJSON *channel;

	text_print(ret, "  data    %.*s", SHORT, state->fingerprint);
	if (n_states > 1)
		text_print(ret, ", state %lld of %zu", (long long)state->number, n_states);
	cJSON_ArrayForEach(channel, member_of(facts, "channels"))
	{
		text_add(ret, "; ");
		text_add_visible(ret, channel->string);
		const long long files = integer_in(channel, "files");
		text_print(ret, ": %lld file%s, %lld bytes%s", files, files == 1 ? "" : "s",
			integer_in(channel, "bytes"),
			cJSON_IsFalse(member_of(channel, "complete")) ? " and more" : "");
	}
	text_add(ret, "\n");
	cJSON_Delete(facts);
}

static void add_versions(const char *versions, struct text *ret)
{
	cJSON *object = cJSON_Parse(versions);
	const cJSON *python = member_of(object, "python");

	text_add(ret, "  on      ");
	text_add_visible(ret, string_in(object, "system"));
	text_print(ret, ", Linux %s, %s", string_in(object, "kernel"), string_in(object, "cpu"));
	if (string_in(object, "nvidia_driver")[0] != '\0')
		text_print(ret, ", NVIDIA driver %s", string_in(object, "nvidia_driver"));
	if (string_in(object, "cuda_toolkit")[0] != '\0')
		text_print(ret, ", CUDA %s", string_in(object, "cuda_toolkit"));
	text_add(ret, "\n");
	if (cJSON_IsObject(python)) {
		text_add(ret, "  python  ");
		text_print(ret, "%s (", string_in(python, "version"));
		text_add_visible(ret, string_in(python, "program"));
		text_print(
			ret, "), %d packages\n", cJSON_GetArraySize(member_of(python, "packages")));
	}
	cJSON_Delete(object);
}

void provenance_text(
	const struct provenance *provenance, const struct states *states, struct text *ret)
{
	const struct found_state *code = find_state(&states->code, provenance->code);
	const struct found_state *data = find_state(&states->data, provenance->data);

	if (provenance->run == 0)
		return;
	text_add(ret, "\nmade of\n");
	if (code != NULL)
		add_code(code, states->code.n, ret);
	if (data != NULL)
		add_data(data, states->data.n, ret);
	if (provenance->versions != NULL)
		add_versions(provenance->versions, ret);
	text_print(ret, "  seed    %llu\n", (unsigned long long)provenance->seed);
}

/* ---- as JSON ---- */

/* The stored text as a tree; null if there is none. */
static cJSON *parsed(const char *text)
{
	cJSON *tree = text != NULL ? cJSON_Parse(text) : NULL;

	return tree != NULL ? tree : cJSON_CreateNull();
}

static cJSON *state_json(const struct found_state *state, int64_t first_trial)
{
	if (state == NULL)
		return cJSON_CreateNull();
	cJSON *object = cJSON_Parse(state->facts);

	if (object == NULL)
		object = cJSON_CreateObject();
	if (json_add_integer(object, "state", state->number) &&
		json_add_string(object, "sha256", state->fingerprint) &&
		json_add_string(object, "source", state->source) &&
		cJSON_AddBoolToObject(object, "patch", state->patch != 0) != NULL &&
		json_add_time(object, "found", state->found_us) &&
		(first_trial < 0 || json_add_integer(object, "first_trial", first_trial)))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static bool fill_states(cJSON *array, const struct report *report, const struct state_list *list,
	struct tuner_error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		int64_t trial;
		if (!state_first(report->store, list->items[i].of, list->items[i].id, &trial, err))
			return false;
		if (trial > 0 && !json_append(array, state_json(&list->items[i], trial)))
			return tuner_fail_memory(err);
	}
	return true;
}

cJSON *states_json(
	const struct report *report, const struct states *states, struct tuner_error *err)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *code = cJSON_AddArrayToObject(object, "code");
	cJSON *data = cJSON_AddArrayToObject(object, "data");

	if (code == NULL || data == NULL) {
		tuner_fail_memory(err);
	} else if (fill_states(code, report, &states->code, err) &&
		   fill_states(data, report, &states->data, err)) {
		return object;
	}
	cJSON_Delete(object);
	return NULL;
}

cJSON *provenance_json(const struct provenance *provenance, const struct states *states)
{
	if (provenance->run == 0)
		return cJSON_CreateNull();
	cJSON *object = cJSON_CreateObject();

	if (json_add_integer(object, "run", provenance->run) &&
		json_add_integer(object, "seed", (int64_t)provenance->seed) &&
		json_add_item(object, "arguments", parsed(provenance->arguments)) &&
		json_add_string(object, "directory", provenance->directory) &&
		json_add_item(object, "environment", parsed(provenance->environment)) &&
		json_add_item(object, "code",
			state_json(find_state(&states->code, provenance->code), -1)) &&
		json_add_item(object, "data",
			state_json(find_state(&states->data, provenance->data), -1)) &&
		json_add_item(object, "versions", parsed(provenance->versions)))
		return object;
	cJSON_Delete(object);
	return NULL;
}
