#include "tuner/reuse.h"

#include "base/array.h"
#include "base/file.h"
#include "trials/event.h"
#include "trials/provenance.h"
#include "tuner/configuration.h"
#include "tuner/edits.h"
#include "tuner/history.h"
#include "tuner/job_open.h"
#include "tuner/jobfile_facts.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_US = 600 * 1000000 };

/* A trial's place in the earlier search. */
struct earlier {
	char arm[ARM_NAME_BYTES];
	int64_t repeat, arm_number, trial_id;
};

struct reuse {
	char *path;
	struct store *store;
	const struct job_file *file;
	const struct present *present;
	struct donor *donors; /* by values, then by age */
	size_t n, capacity;
	struct earlier *earlier; /* sorted; of the job with the most donors, the newest of equal
				    ones */
	size_t n_earlier, n_given;
};

/* ---- how things look now ---- */

static void take_sighting(struct sighting *sighting, struct present_state *ret)
{
	memcpy(ret->fingerprint, sighting->fingerprint, SHA256_TEXT);
	ret->facts = sighting->facts;
	ret->patch = sighting->patch;
	sighting->facts = sighting->patch = TEXT_EMPTY;
}

/* Files that were not read completely may differ unnoticed. */
static bool check_complete(
	const char *what, const struct present_state *state, struct tuner_error *err)
{
	return strstr(state->facts.bytes, "\"complete\":false") == NULL ||
	       tuner_fail(err, TUNER_RETRY, "there is more %s than can be examined", what);
}

bool reuse_look(const struct witness_request *request, struct present *ret, struct tuner_error *err)
{
	struct witness_request alone = *request;
	struct witness *witness = NULL;
	struct sighting sighting;
	char trouble[160] = "";

	*ret = (struct present){ .code = { .facts = TEXT_EMPTY, .patch = TEXT_EMPTY },
		.data = { .facts = TEXT_EMPTY, .patch = TEXT_EMPTY } };
	if (!request->looks_at_code && request->n_channels == 0)
		return true;
	alone.skips_versions = true;
	if (!witness_create(&alone, &witness, err))
		return false;
	(void)witness_ask(witness);
	witness_settle(witness, LOOK_US);
	while (witness_next(witness, &sighting)) {
		if (sighting.what == SEEN_CODE)
			take_sighting(&sighting, &ret->code);
		else if (sighting.what == SEEN_DATA)
			take_sighting(&sighting, &ret->data);
		else if (sighting.what == SEEN_TROUBLE)
			snprintf(trouble, sizeof(trouble), "%s", sighting.facts.bytes);
		sighting_finish(&sighting);
	}
	witness_destroy(witness);
	const bool seen = (!request->looks_at_code || ret->code.fingerprint[0] != '\0') &&
			  (request->n_channels == 0 || ret->data.fingerprint[0] != '\0');
	if (seen && check_complete("code", &ret->code, err) &&
		check_complete("data", &ret->data, err))
		return true;
	if (!seen)
		tuner_fail(err, TUNER_RETRY, "%s",
			trouble[0] ? trouble
				   : "code and data could not be examined within 10 minutes");
	present_finish(ret);
	return false;
}

void present_finish(struct present *present)
{
	text_finish(&present->code.facts);
	text_finish(&present->code.patch);
	text_finish(&present->data.facts);
	text_finish(&present->data.patch);
}

/* ---- jobs whose trials are made alike ---- */

/* Whether the fact affects a trial's result. Code and data are compared by fingerprints; where they
 * are does not matter. */
static bool shapes_results(const struct fact *fact)
{
	return (fact->kind & (CHANGE_COMMAND | CHANGE_OBJECTIVE)) != 0 &&
	       strcmp(fact->path, "directory") != 0 && strcmp(fact->path, "source") != 0 &&
	       strncmp(fact->path, "arms.", 5) != 0;
}

static bool has_fact(const struct facts *facts, const struct fact *wanted)
{
	for (size_t i = 0; i < facts->n; i++)
		if (strcmp(facts->items[i].path, wanted->path) == 0)
			return strcmp(facts->items[i].value, wanted->value) == 0;
	return false;
}

static bool contains(const struct facts *facts, const struct facts *others)
{
	for (size_t i = 0; i < others->n; i++)
		if (shapes_results(&others->items[i]) && !has_fact(facts, &others->items[i]))
			return false;
	return true;
}

/* False without memory. */
static bool made_alike(const struct job_file *a, const struct job_file *b)
{
	struct facts of_a = { 0 }, of_b = { 0 };
	const bool alike = facts_create(a, &of_a) && facts_create(b, &of_b) &&
			   contains(&of_a, &of_b) && contains(&of_b, &of_a);
	facts_finish(&of_a);
	facts_finish(&of_b);
	return alike;
}

/* The ids of states with this fingerprint; a job may have one for each source. */
struct state_ids {
	int64_t ids[4];
	size_t n;
};

static bool find_states(struct store *store, int64_t job_id, enum state_of of,
	const char *fingerprint, struct state_ids *ret, struct tuner_error *err)
{
	struct state_list list;

	ret->n = 0;
	if (!state_select(store, job_id, of, &list, err))
		return false;
	for (size_t i = 0; i < list.n && ret->n < 4; i++)
		if (strcmp(list.items[i].fingerprint, fingerprint) == 0)
			ret->ids[ret->n++] = list.items[i].id;
	state_list_finish(&list);
	return true;
}

static bool is_among(const struct state_ids *states, int64_t id)
{
	for (size_t i = 0; i < states->n; i++)
		if (states->ids[i] == id)
			return true;
	return false;
}

/* ---- their trials ---- */

static bool add_donor(struct reuse *reuse, const struct donor *donor, struct tuner_error *err)
{
	if (!array_reserve(&reuse->donors, reuse->n, &reuse->capacity, sizeof(*reuse->donors)))
		return tuner_fail_memory(err);
	reuse->donors[reuse->n++] = *donor;
	return true;
}

struct alike {
	const struct job *job;
	struct edits edits; /* trials proposed before were run differently */
	struct state_ids code, data;
};

/* Every attempt counts, since a later one resumes from an earlier one's checkpoint. */
static bool found_the_same(const struct reuse *reuse, const struct alike *alike,
	const struct attempt_list *attempts, struct provenance *ret_last, bool *ret,
	struct tuner_error *err)
{
	*ret = attempts->n > 0 && attempts->items[attempts->n - 1].outcome == OUTCOME_OK;
	for (size_t i = 0; *ret && i < attempts->n; i++) {
		provenance_finish(ret_last);
		if (!provenance_load(reuse->store, attempts->items[i].id, ret_last, err))
			return false;
		*ret = ret_last->run != 0 && is_among(&alike->code, ret_last->code) &&
		       (reuse->file->n_channels == 0 || is_among(&alike->data, ret_last->data));
	}
	return true;
}

/* *ret_values: the trial's values, if it has exactly the present parameters; else NULL. */
static bool same_parameters(const struct reuse *reuse, const struct trial *trial,
	double **ret_values, struct tuner_error *err)
{
	char *left_out = NULL;

	if (!trial_present_values(reuse->file, trial, ret_values, err))
		return false;
	if (*ret_values == NULL)
		return true;
	const bool ok =
		configuration_left_out(reuse->file, trial->parameters, *ret_values, &left_out, err);
	if (!ok || left_out != NULL) {
		free(*ret_values);
		*ret_values = NULL;
	}
	free(left_out);
	return ok;
}

static bool look_at_trial(struct reuse *reuse, const struct alike *alike, const struct trial *trial,
	struct tuner_error *err)
{
	struct attempt_list attempts;
	struct provenance made_of = { 0 };
	struct donor donor = {
		.job_id = alike->job->id, .trial_id = trial->id, .number = trial->number
	};
	bool same = false;

	if (!same_parameters(reuse, trial, &donor.values, err))
		return false;
	if (donor.values == NULL)
		return true;
	if (!attempt_select(reuse->store, alike->job->id, trial->id, &attempts, err)) {
		free(donor.values);
		return false;
	}
	bool ok = found_the_same(reuse, alike, &attempts, &made_of, &same, err);
	if (ok && same) {
		const struct attempt *last = &attempts.items[attempts.n - 1];
		donor.attempt_id = last->id;
		donor.seed = made_of.seed;
		memcpy(donor.key, last->key, sizeof(donor.key));
		snprintf(donor.job, sizeof(donor.job), "%s", alike->job->name);
		ok = add_donor(reuse, &donor, err);
		if (ok)
			donor.values = NULL;
	}
	free(donor.values);
	provenance_finish(&made_of);
	attempt_list_finish(&attempts);
	return ok;
}

static int compare_earlier(const void *a, const void *b)
{
	const struct earlier *x = a, *y = b;
	const int by_arm = strcmp(x->arm, y->arm);
	if (by_arm != 0)
		return by_arm;
	if (x->repeat != y->repeat)
		return x->repeat < y->repeat ? -1 : 1;
	return (x->arm_number > y->arm_number) - (x->arm_number < y->arm_number);
}

static bool note_earlier(
	struct reuse *reuse, const struct trial_list *trials, struct tuner_error *err)
{
	struct earlier *earlier = calloc(trials->n + 1, sizeof(*earlier));
	if (earlier == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < trials->n; i++) {
		const struct trial *trial = &trials->items[i];
		earlier[i].repeat = trial->repeat;
		earlier[i].arm_number = trial->arm_number;
		earlier[i].trial_id = trial->id;
		memcpy(earlier[i].arm, trial->arm, sizeof(earlier[i].arm));
	}
	qsort(earlier, trials->n, sizeof(*earlier), compare_earlier);
	free(reuse->earlier);
	reuse->earlier = earlier;
	reuse->n_earlier = trials->n;
	return true;
}

static bool look_at_trials(struct reuse *reuse, const struct alike *alike, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = alike->job->id,
		.repeat = -1,
		.order = TRIAL_BY_NUMBER,
		.without_values = true };
	const size_t before = reuse->n;
	struct trial_list trials;
	bool ok = true;

	if (!trial_select(reuse->store, &filter, &trials, err))
		return false;
	for (size_t i = 0; ok && i < trials.n; i++)
		if (trial_is_measured(&trials.items[i]) &&
			trials.items[i].number > alike->edits.until)
			ok = look_at_trial(reuse, alike, &trials.items[i], err);
	const size_t given = reuse->n - before;
	if (ok && given > 0 && given >= reuse->n_given) {
		reuse->n_given = given;
		ok = note_earlier(reuse, &trials, err);
	}
	trial_list_finish(&trials);
	return ok;
}

/* A job that this version cannot read is skipped. */
static bool look_at_job(struct reuse *reuse, const struct job *job, struct tuner_error *err)
{
	struct tuner_error unread = { TUNER_OK, "" };
	struct alike alike = { .job = job };
	struct job_file *file = NULL;

	if (!job_stored_file(job, &file, &unread))
		return true;
	const bool same = made_alike(reuse->file, file);
	job_file_destroy(file);
	return !same || (edits_read(reuse->store, job->id, EDITS_OF_RESULTS, &alike.edits, err) &&
				find_states(reuse->store, job->id, STATE_OF_CODE,
					reuse->present->code.fingerprint, &alike.code, err) &&
				find_states(reuse->store, job->id, STATE_OF_DATA,
					reuse->present->data.fingerprint, &alike.data, err) &&
				look_at_trials(reuse, &alike, err));
}

static int compare_values(const struct job_file *file, const double *a, const double *b)
{
	for (size_t i = 0; i < file->space.d; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static int compare_donors(const void *a, const void *b, void *context)
{
	const struct donor *x = a, *y = b;
	const int by_values = compare_values(context, x->values, y->values);
	return by_values != 0 ? by_values
			      : (x->trial_id > y->trial_id) - (x->trial_id < y->trial_id);
}

/* Marks what earlier runs of this job have taken: the events "reused" have the keys. */
static bool mark_taken(
	struct reuse *reuse, struct store *store, int64_t job_id, struct tuner_error *err)
{
	struct event_list events;
	if (!event_select(store, job_id, 0, 0, &events, err))
		return false;
	for (size_t i = 0; i < events.n; i++) {
		if (strcmp(events.items[i].kind, "reused") != 0)
			continue;
		cJSON *data = cJSON_Parse(events.items[i].data);
		const cJSON *key = cJSON_GetObjectItemCaseSensitive(data, "key");
		for (size_t k = 0; cJSON_IsString(key) && k < reuse->n; k++)
			if (strcmp(reuse->donors[k].key, key->valuestring) == 0)
				reuse->donors[k].taken = true;
		cJSON_Delete(data);
	}
	event_list_finish(&events);
	return true;
}

bool reuse_open(const char *path, struct store *store, int64_t job_id, const struct job_file *file,
	const struct present *present, struct reuse **ret, struct tuner_error *err)
{
	struct reuse *reuse = calloc(1, sizeof(*reuse));
	struct job_list jobs = { 0 };

	if (reuse == NULL)
		return tuner_fail_memory(err);
	*reuse = (struct reuse){ .file = file, .present = present, .path = strdup(path) };
	bool ok = (reuse->path != NULL || tuner_fail_memory(err)) &&
		  store_open_other(path, "--reuse", &reuse->store, err) &&
		  job_list(reuse->store, &jobs, err);
	const bool own = ok && strcmp(store_file(reuse->store), store_file(store)) == 0;
	for (size_t i = 0; ok && i < jobs.n; i++)
		if (!own || jobs.items[i].id != job_id)
			ok = look_at_job(reuse, &jobs.items[i], err);
	job_list_finish(&jobs);
	ok = ok && mark_taken(reuse, store, job_id, err);
	if (ok && reuse->n > 0)
		qsort_r(reuse->donors, reuse->n, sizeof(*reuse->donors), compare_donors,
			(void *)file);
	if (ok)
		*ret = reuse;
	else
		reuse_close(reuse);
	return ok;
}

void reuse_close(struct reuse *reuse)
{
	if (reuse == NULL)
		return;
	for (size_t i = 0; i < reuse->n; i++)
		free(reuse->donors[i].values);
	free(reuse->donors);
	free(reuse->earlier);
	free(reuse->path);
	store_close(reuse->store);
	free(reuse);
}

const struct present *reuse_present(const struct reuse *reuse)
{
	return reuse->present;
}

struct store *reuse_store(const struct reuse *reuse)
{
	return reuse->store;
}

const char *reuse_path(const struct reuse *reuse)
{
	return reuse->path;
}

size_t reuse_count(const struct reuse *reuse)
{
	size_t n = 0;
	for (size_t i = 0; i < reuse->n; i++)
		n += !reuse->donors[i].taken;
	return n;
}

/* The first donor whose values are not before these. */
static size_t lower_bound(const struct reuse *reuse, const double *values)
{
	size_t low = 0, high = reuse->n;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (compare_values(reuse->file, reuse->donors[middle].values, values) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct donor *reuse_find(struct reuse *reuse, const double *values, uint64_t seed)
{
	struct donor *any = NULL;

	for (size_t i = lower_bound(reuse, values);
		i < reuse->n && compare_values(reuse->file, reuse->donors[i].values, values) == 0;
		i++) {
		struct donor *donor = &reuse->donors[i];
		if (donor->taken)
			continue;
		if (donor->seed == seed)
			return donor;
		if (any == NULL)
			any = donor;
	}
	return reuse->file->n_arms == 0 ? any : NULL;
}

bool reuse_work_limit(struct reuse *reuse, const char *arm, int64_t repeat, int64_t arm_number,
	int64_t *ret, struct tuner_error *err)
{
	struct earlier wanted = { .repeat = repeat, .arm_number = arm_number };
	struct decision decision;
	char *memory = NULL;

	*ret = -1;
	snprintf(wanted.arm, sizeof(wanted.arm), "%s", arm);
	const struct earlier *found = reuse->n_earlier == 0
					      ? NULL
					      : bsearch(&wanted, reuse->earlier, reuse->n_earlier,
							sizeof(wanted), compare_earlier);
	if (found == NULL)
		return true;
	if (!decision_load(reuse->store, found->trial_id, &decision, &memory, err))
		return false;
	*ret = decision.work_limit;
	free(memory);
	return true;
}
