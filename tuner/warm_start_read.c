/* Reads earlier jobs and selects the trials that fit (warm_start.h). */
#include "tuner/warm_start.h"

#include "base/number.h"
#include "trials/event.h"
#include "tuner/configuration.h"
#include "tuner/edits.h"
#include "tuner/history.h"
#include "tuner/job_open.h"
#include "tuner/jobfile_value.h"
#include "tuner/warm_start_front.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An earlier job being read. */
struct parent {
	struct warm_start *warm_start;
	const struct job_file *file; /* the new job's */
	const struct warm_parent *entry;
	struct warm_gift *gift;
	size_t index;
	struct store *store;
	bool owns_store;
	struct job job;
	struct job_file *theirs;
	double fillers[SPACE_PARAMETERS_MAX]; /* for what a trial lacks; NaN: nothing */
	struct event_list edits; /* of its file */
	struct event_list events; /* of trials that it took over itself; read only if it has any */
	bool has_events;
};

void warm_start_finish(struct warm_start *warm_start)
{
	for (size_t i = 0; i < warm_start->n; i++)
		free(warm_start->trials[i].values);
	for (size_t i = 0; warm_start->gifts != NULL && i < warm_start->file->warm_start.n; i++)
		free(warm_start->gifts[i].database);
	free(warm_start->trials);
	free(warm_start->gifts);
	*warm_start = (struct warm_start){ 0 };
}

/* ---- names ---- */

static bool is_listed(char *const *names, const char *name)
{
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static const struct argument *find_fixed(const struct job_file *file, const char *name)
{
	for (size_t i = 0; i < file->n_fixed; i++)
		if (strcmp(file->fixed[i].name, name) == 0)
			return &file->fixed[i];
	return NULL;
}

static bool has_parameter(const struct job_file *file, const char *name)
{
	return space_find(&file->space, name) < file->space.d;
}

/* ---- whether the jobs go together ---- */

/* With related jobs only shapes matter: each is turned by its own goal. */
static bool check_objective(const struct parent *parent, struct tuner_error *err)
{
	const struct job_file *ours = parent->file, *theirs = parent->theirs;
	const bool first = ours->warm_start.as == WARM_FIRST;
	const char *how = first ? "" : ", or take its configurations only (\"as\": \"first\")";

	if (ours->warm_start.as == WARM_RELATED)
		return true;
	if (ours->maximize != theirs->maximize)
		return tuner_fail(err, TUNER_USAGE,
			"it is to %s %s, and this job to %s %s: what was best there is not what is "
			"best here. Learn from it with reserve, \"as\": \"related\", or take it "
			"out of "
			"\"warm_start\"",
			theirs->maximize ? "maximize" : "minimize", theirs->metric,
			ours->maximize ? "maximize" : "minimize", ours->metric);
	char *our_objective = job_file_objective(ours);
	char *their_objective = job_file_objective(theirs);
	bool ok = (our_objective != NULL && their_objective != NULL) || tuner_fail_memory(err);
	/* For configurations only their order matters, so the same metric suffices. */
	if (ok && (first ? strcmp(ours->metric, theirs->metric) != 0
			 : strcmp(our_objective, their_objective) != 0))
		ok = tuner_fail(err, TUNER_USAGE,
			"its objective is %.200s, and this job's %.200s: score it by this one "
			"(\"tuner rescore\")%s",
			their_objective, our_objective,
			strcmp(ours->metric, theirs->metric) == 0 ? how : "");
	free(our_objective);
	free(their_objective);
	return ok;
}

/* Results with another fixed value may not be comparable; the best configurations may still be
 * good. */
static bool check_fixed(const struct parent *parent, struct tuner_error *err)
{
	const struct job_file *ours = parent->file;

	for (size_t i = 0; ours->warm_start.as == WARM_TRIALS && i < ours->n_fixed; i++) {
		const char *name = ours->fixed[i].name;
		const struct argument *theirs = find_fixed(parent->theirs, name);
		if (theirs == NULL || strcmp(theirs->text, ours->fixed[i].text) == 0 ||
			is_listed(parent->entry->ignore, name))
			continue;
		return tuner_fail(err, TUNER_USAGE,
			"\"%.100s\" is fixed at %.60s there and at %.60s here, so that results may "
			"not compare. If they do, say \"ignore\": [\"%.100s\"]; else learn from "
			"them "
			"with reserve, \"as\": \"related\", or take the configurations only, "
			"\"as\": \"first\"",
			name, theirs->json, ours->fixed[i].json, name);
	}
	return true;
}

/* Whether a parameter that only the parent varies may be ignored: declared so, or with a single
 * value. */
static bool is_of_no_matter(const struct parent *parent, const char *name)
{
	const struct space *space = &parent->theirs->space;
	const size_t i = space_find(space, name);

	return is_listed(parent->entry->ignore, name) ||
	       (i < space->d && parameter_cardinality(&space->parameters[i]) == 1);
}

static bool check_their_parameters(const struct parent *parent, struct tuner_error *err)
{
	for (size_t i = 0; i < parent->theirs->space.d; i++) {
		const char *name = parent->theirs->space.parameters[i].name;
		if (!has_parameter(parent->file, name) && find_fixed(parent->file, name) == NULL &&
			!is_of_no_matter(parent, name))
			return tuner_fail(err, TUNER_USAGE,
				"it varies \"%.100s\", which this job does not have: fix it here, "
				"or, if it does not matter, say \"ignore\": [\"%.100s\"]",
				name, name);
	}
	return true;
}

static bool check_ignored(const struct parent *parent, struct tuner_error *err)
{
	for (char **name = parent->entry->ignore; *name != NULL; name++)
		if (!has_parameter(parent->theirs, *name) &&
			find_fixed(parent->theirs, *name) == NULL)
			return tuner_fail(err, TUNER_USAGE,
				"\"ignore\" names \"%.100s\", which is neither a parameter nor a "
				"fixed value there",
				*name);
	return true;
}

static bool is_conditional(const struct space *space, size_t parameter)
{
	for (size_t c = 0; c < space->n_conditions; c++)
		if (space->conditions[c].parameter == parameter)
			return true;
	return false;
}

/* The parent's trials were run with its fixed values. */
static bool fill_from_fixed(
	struct parent *parent, size_t i, const struct argument *fixed, struct tuner_error *err)
{
	cJSON *value = cJSON_Parse(fixed->json);
	struct text problem = TEXT_EMPTY;
	const bool fits =
		configuration_value(parent->file, i, value, false, &parent->fillers[i], &problem);
	const bool ok = fits || tuner_fail(err, TUNER_USAGE,
					"\"%.100s\" is fixed there at a value that it cannot have "
					"here: %.300s. So none of its trials fits: take it out of "
					"\"warm_start\"",
					fixed->name, problem.bytes);
	text_finish(&problem);
	cJSON_Delete(value);
	return ok;
}

static bool find_fillers(struct parent *parent, struct tuner_error *err)
{
	const struct job_file *file = parent->file;

	for (size_t i = 0; i < file->space.d; i++) {
		const char *name = file->space.parameters[i].name;
		const struct argument *fixed = find_fixed(parent->theirs, name);
		parent->fillers[i] = parent->entry->missing[i];
		if (!isnan(parent->fillers[i]) || has_parameter(parent->theirs, name))
			continue;
		if (fixed != NULL && !fill_from_fixed(parent, i, fixed, err))
			return false;
		if (fixed == NULL && file->warm_start.as != WARM_FIRST &&
			!is_conditional(&file->space, i))
			return tuner_fail(err, TUNER_USAGE,
				"it has no \"%.100s\": say which value its trials were made with, "
				"\"missing\": {\"%.100s\": ...}",
				name, name);
	}
	return true;
}

/* ---- one trial ---- */

/* `name`: the parameter's; "" for the configuration as a whole. Returns false. */
static bool misfit(struct text *ret_why, const char *name, const char *problem)
{
	text_print(ret_why, name[0] != '\0' ? "%.60s: %.160s" : "%sit %.160s", name, problem);
	return false;
}

static bool take_value(
	const struct parent *parent, const cJSON *value, double *values, struct text *ret_why)
{
	const struct job_file *file = parent->file;
	const size_t i = space_find(&file->space, value->string);
	const struct argument *fixed = find_fixed(file, value->string);
	struct text text = TEXT_EMPTY;
	bool ok = true;

	if (i < file->space.d) {
		ok = configuration_value(file, i, value, false, &values[i], &text) ||
		     misfit(ret_why, value->string, text.bytes);
	} else if (fixed != NULL && !is_listed(parent->entry->ignore, value->string)) {
		value_text(value, &text);
		ok = strcmp(text.bytes, fixed->text) == 0 ||
		     misfit(ret_why, value->string, "is fixed at another value here");
	} else if (fixed == NULL && !is_of_no_matter(parent, value->string)) {
		ok = misfit(ret_why, value->string, "this job does not have it");
	}
	text_finish(&text);
	return ok;
}

static bool parents_are_given(const struct space *space, const double *values, size_t parameter)
{
	for (size_t c = 0; c < space->n_conditions; c++)
		if (space->conditions[c].parameter == parameter &&
			isnan(values[space->conditions[c].parent]))
			return false;
	return true;
}

/* Whether a dependent parameter is active follows from others' values, so those come first: d
 * rounds suffice. */
static void fill(const struct parent *parent, double *values)
{
	const struct space *space = &parent->file->space;
	bool active[SPACE_PARAMETERS_MAX];

	for (bool filled = true; filled;) {
		filled = false;
		space_activity(space, values, active);
		for (size_t i = 0; i < space->d; i++) {
			if (!isnan(values[i]) || isnan(parent->fillers[i]) || !active[i] ||
				!parents_are_given(space, values, i))
				continue;
			values[i] = parent->fillers[i];
			filled = true;
		}
	}
}

static bool settle(const struct parent *parent, double *values, struct text *ret_why)
{
	const struct job_file *file = parent->file;
	struct text problem = TEXT_EMPTY;
	size_t i;
	bool ok = true;

	fill(parent, values);
	if (!configuration_settle(file, values, &i, &problem))
		ok = misfit(ret_why, i < file->space.d ? file->space.parameters[i].name : "",
			problem.bytes);
	for (size_t p = 0; ok && file->warm_start.as != WARM_FIRST && p < file->space.d; p++)
		if (isnan(values[p]))
			ok = misfit(ret_why, file->space.parameters[p].name, "it has none");
	text_finish(&problem);
	return ok;
}

/* What the parent's file fixes, or does not, is what this trial was made with: of a name that is none of its parameters. */
static bool was_fixed_so(const struct parent *parent, const struct trial *trial,
	const cJSON *parameters, const char *name, struct text *ret_why)
{
	return cJSON_GetObjectItemCaseSensitive(parameters, name) != NULL ||
	       is_listed(parent->entry->ignore, name) ||
	       !edits_touch_fixed(&parent->edits, trial->number, name) ||
	       misfit(ret_why, name, "was fixed at another value then");
}

static bool check_edits(const struct parent *parent, const struct trial *trial,
	const cJSON *parameters, struct text *ret_why)
{
	const struct job_file *file = parent->file;
	bool ok = true;

	for (size_t i = 0; ok && i < file->space.d; i++)
		ok = !isnan(parent->entry->missing[i]) ||
		     was_fixed_so(
			     parent, trial, parameters, file->space.parameters[i].name, ret_why);
	for (size_t i = 0; ok && file->warm_start.as == WARM_TRIALS && i < file->n_fixed; i++)
		ok = was_fixed_so(parent, trial, parameters, file->fixed[i].name, ret_why);
	return ok;
}

/* Converts a trial's parameters to a configuration of the new job; false if they do not fit. */
static bool convert(const struct parent *parent, const struct trial *trial, double *values,
	struct text *ret_why)
{
	cJSON *parameters = cJSON_Parse(trial->parameters);
	bool ok = check_edits(parent, trial, parameters, ret_why);

	for (size_t i = 0; i < parent->file->space.d; i++)
		values[i] = NAN;
	for (const cJSON *value = parameters ? parameters->child : NULL; ok && value;
		value = value->next)
		ok = take_value(parent, value, values, ret_why);
	cJSON_Delete(parameters);
	return ok && settle(parent, values, ret_why);
}

/* Whether it is data; with "first", whether it may be the best. */
static bool is_data(const struct parent *parent, const struct trial *trial)
{
	if (trial->state == TRIAL_DONE)
		return true;
	if (parent->file->warm_start.as == WARM_FIRST)
		return false;
	if (trial->state == TRIAL_FAILED)
		return !outcome_is_infrastructure(trial->outcome);
	return !isnan(trial->objective) &&
	       (trial->outcome == OUTCOME_EARLY_STOPPED || trial->outcome == OUTCOME_TIMEOUT);
}

/* ---- by which attempt it was measured ---- */

static int by_trial(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return (x->trial_number > y->trial_number) - (x->trial_number < y->trial_number);
}

/* The events by which the parent's own trials were taken over, by trial: its log may be long, and
 * is read only once. */
static bool read_events(struct parent *parent, struct tuner_error *err)
{
	struct event_list *events = &parent->events;
	size_t n = 0;

	if (!event_select(parent->store, parent->job.id, 0, 0, events, err))
		return false;
	for (size_t i = 0; i < events->n; i++) {
		struct event *event = &events->items[i];
		if (event->trial_number > 0 && strcmp(event->kind, "warm-start") == 0) {
			events->items[n++] = *event;
			continue;
		}
		free(event->kind);
		free(event->data);
	}
	events->n = n;
	if (n > 0)
		qsort(events->items, n, sizeof(*events->items), by_trial);
	parent->has_events = true;
	return true;
}

/* A trial that was itself taken over has the key of its source. */
static bool earlier_key(
	struct parent *parent, int64_t number, char ret_key[40], struct tuner_error *err)
{
	const struct event wanted = { .trial_number = number };

	if (!parent->has_events && !read_events(parent, err))
		return false;
	const struct event *event = parent->events.n == 0
					    ? NULL
					    : bsearch(&wanted, parent->events.items,
						      parent->events.n, sizeof(wanted), by_trial);
	cJSON *data = event != NULL ? cJSON_Parse(event->data) : NULL;
	const cJSON *key = cJSON_GetObjectItemCaseSensitive(data, "key");
	if (cJSON_IsString(key))
		snprintf(ret_key, 40, "%s", key->valuestring);
	cJSON_Delete(data);
	return true;
}

static bool find_key(
	struct parent *parent, const struct trial *trial, char ret_key[40], struct tuner_error *err)
{
	struct attempt_list attempts;

	if (!attempt_select(parent->store, parent->job.id, trial->id, &attempts, err))
		return false;
	ret_key[0] = '\0';
	if (attempts.n > 0)
		snprintf(ret_key, 40, "%s", attempts.items[attempts.n - 1].key);
	attempt_list_finish(&attempts);
	return strcmp(trial->source, "added") != 0 ||
	       earlier_key(parent, trial->number, ret_key, err);
}

/* ---- the trials of a job ---- */

static bool make_room(struct warm_start *warm_start, struct tuner_error *err)
{
	if (warm_start->n < warm_start->capacity)
		return true;
	const size_t capacity = 2 * warm_start->capacity + 64;
	struct warm_trial *trials = reallocarray(warm_start->trials, capacity, sizeof(*trials));
	if (trials == NULL)
		return tuner_fail_memory(err);
	warm_start->trials = trials;
	warm_start->capacity = capacity;
	return true;
}

/* NaN where it failed. */
static double loss_of(const struct parent *parent, const struct trial *trial)
{
	const double value = trial->outcome == OUTCOME_OVER_LIMIT ? trial->judgement.objective
			     : trial->state == TRIAL_FAILED       ? NAN
								  : trial->objective;

	return parent->theirs->maximize ? -value : value;
}

static bool add(struct parent *parent, const struct trial *trial, const double *values,
	struct tuner_error *err)
{
	const size_t d = parent->file->space.d;
	struct warm_start *warm_start = parent->warm_start;
	struct warm_trial added = { .values = calloc(d + 1, sizeof(double)),
		.state = trial->state,
		.outcome = trial->outcome,
		.objective = trial->objective,
		.judgement = trial->judgement,
		.loss = loss_of(parent, trial),
		.parent = parent->index,
		.number = trial->number };

	if (added.values == NULL)
		return tuner_fail_memory(err);
	memcpy(added.values, values, d * sizeof(double));
	if (make_room(warm_start, err) && find_key(parent, trial, added.key, err)) {
		warm_start->trials[warm_start->n++] = added;
		return true;
	}
	free(added.values);
	return false;
}

static bool look_at_trial(struct parent *parent, const struct trial *trial, struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX];
	struct warm_gift *gift = parent->gift;
	struct text why = TEXT_EMPTY;
	bool ok = true;

	if (!is_data(parent, trial))
		return true;
	gift->trials++;
	if (convert(parent, trial, values, &why)) {
		ok = add(parent, trial, values, err);
	} else if (gift->misfits++ == 0) {
		snprintf(gift->why, sizeof(gift->why), "trial %lld: %.200s",
			(long long)trial->number, why.bytes);
	}
	text_finish(&why);
	return ok;
}

static bool look_at_trials(struct parent *parent, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = parent->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE | 1u << TRIAL_FAILED | 1u << TRIAL_STOPPED,
		.order = TRIAL_BY_END,
		.without_values = true };
	struct trial_list trials;
	bool ok = true;

	if (!trial_select(parent->store, &filter, &trials, err))
		return false;
	for (size_t i = 0; ok && i < trials.n; i++)
		ok = look_at_trial(parent, &trials.items[i], err);
	trial_list_finish(&trials);
	return ok;
}

/* ---- a job ---- */

static bool no_such_job(const struct parent *parent, struct tuner_error *err)
{
	enum { SHOWN = 8 };
	struct text names = TEXT_EMPTY;
	struct job_list jobs;

	if (!job_list(parent->store, &jobs, err))
		return false;
	for (size_t i = 0; i < jobs.n && i < SHOWN; i++)
		text_print(&names, "%s%.60s", i > 0 ? ", " : "; it has ", jobs.items[i].name);
	text_add(&names, jobs.n > SHOWN ? " and more" : "");
	job_list_finish(&jobs);
	tuner_fail(err, TUNER_USAGE, "there is no such job in %.300s%.400s",
		store_path(parent->store), names.bytes);
	text_finish(&names);
	return false;
}

static bool open_job(struct parent *parent, struct store *own, struct tuner_error *err)
{
	bool found = false;

	parent->store = own;
	if (parent->entry->db != NULL) {
		if (access(parent->entry->db, F_OK) != 0 && errno == ENOENT)
			return tuner_fail(err, TUNER_USAGE,
				"there is no database %s: \"db\" counts from the job's "
				"\"directory\", "
				"which is by default where its file is",
				parent->entry->db);
		if (!store_open_other(parent->entry->db, "\"db\"", &parent->store, err))
			return false;
		parent->owns_store = true;
	} else if (own == NULL) {
		return tuner_fail(err, TUNER_USAGE,
			"without \"db\" it is a job of this job's own database, and there is none "
			"yet: say in which \"db\" it is, or name the database (--db)");
	}
	parent->gift->database = strdup(store_file(parent->store));
	if (parent->gift->database == NULL)
		return tuner_fail_memory(err);
	return job_find(parent->store, parent->entry->job, &parent->job, &found, err) &&
	       (found || no_such_job(parent, err)) &&
	       event_edits(parent->store, parent->job.id, &parent->edits, err) &&
	       job_stored_file(&parent->job, &parent->theirs, err);
}

static void parent_finish(struct parent *parent)
{
	event_list_finish(&parent->events);
	event_list_finish(&parent->edits);
	job_file_destroy(parent->theirs);
	job_finish(&parent->job);
	if (parent->owns_store)
		store_close(parent->store);
}

static bool read_parent(
	struct warm_start *warm_start, size_t index, struct store *own, struct tuner_error *err)
{
	struct parent parent = { .warm_start = warm_start,
		.file = warm_start->file,
		.entry = &warm_start->file->warm_start.parents[index],
		.gift = &warm_start->gifts[index],
		.index = index };

	parent.gift->job = parent.entry->job;
	bool ok = open_job(&parent, own, err) && check_objective(&parent, err) &&
		  check_ignored(&parent, err) && check_their_parameters(&parent, err) &&
		  check_fixed(&parent, err) && find_fillers(&parent, err) &&
		  look_at_trials(&parent, err);
	if (ok && !warm_start_same_objectives(warm_start->file, parent.theirs))
		warm_start->by_first = true;
	parent_finish(&parent);
	return ok || tuner_fail_in(err, "warm_start, job %.100s: ", parent.entry->job);
}

/* ---- all of them ---- */

static int by_key(const void *a, const void *b)
{
	const struct warm_trial *x = *(struct warm_trial *const *)a;
	const struct warm_trial *y = *(struct warm_trial *const *)b;
	const int keys = strcmp(x->key, y->key);

	return keys != 0 ? keys : (x > y) - (x < y); /* the first one stays */
}

/* The same measurement in several parents counts once: later ones are dropped. */
static bool drop_doubles(struct warm_start *warm_start, struct tuner_error *err)
{
	struct warm_trial **sorted = calloc(warm_start->n + 1, sizeof(*sorted));
	size_t n = 0;

	if (sorted == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < warm_start->n; i++)
		sorted[i] = &warm_start->trials[i];
	qsort(sorted, warm_start->n, sizeof(*sorted), by_key);
	for (size_t i = 1; i < warm_start->n; i++) {
		if (sorted[i]->key[0] == '\0' || strcmp(sorted[i]->key, sorted[i - 1]->key) != 0)
			continue;
		free(sorted[i]->values);
		sorted[i]->values = NULL;
		warm_start->gifts[sorted[i]->parent].doubled++;
	}
	free(sorted);
	for (size_t i = 0; i < warm_start->n; i++)
		if (warm_start->trials[i].values != NULL)
			warm_start->trials[n++] = warm_start->trials[i];
	warm_start->n = n;
	return true;
}

static bool comes_before(
	const struct job_file *file, const struct warm_trial *a, const struct warm_trial *b)
{
	return objective_better(file, a->objective, b->objective);
}

static bool is_among(const struct warm_start *warm_start, size_t n, const double *values)
{
	for (size_t i = 0; i < n; i++)
		if (space_same(&warm_start->file->space, warm_start->trials[i].values, values))
			return true;
	return false;
}

/* By one objective: moves the best configurations to the front, of equal ones that which ended first, and
 * drops the others but for *ret_left. Returns their number. */
static size_t choose_best(struct warm_start *warm_start, size_t *ret_left)
{
	const size_t wanted = (size_t)warm_start->file->warm_start.best;
	struct warm_trial *trials = warm_start->trials;
	size_t chosen = 0, left = warm_start->n;

	while (chosen < wanted && chosen < left) {
		size_t best = chosen;
		for (size_t i = chosen + 1; i < left; i++)
			if (comes_before(warm_start->file, &trials[i], &trials[best]))
				best = i;
		const struct warm_trial taken = trials[best];
		memmove(&trials[chosen + 1], &trials[chosen], (best - chosen) * sizeof(*trials));
		trials[chosen] = taken;
		if (!is_among(warm_start, chosen, taken.values)) {
			chosen++;
			continue;
		}
		free(taken.values);
		memmove(&trials[chosen], &trials[chosen + 1],
			(left - chosen - 1) * sizeof(*trials));
		left--;
	}
	*ret_left = left;
	return chosen;
}

static bool keep_best(struct warm_start *warm_start, struct tuner_error *err)
{
	const struct job_file *file = warm_start->file;
	size_t chosen, left = warm_start->n;

	if (file->objective.n_also == 0 || warm_start->by_first)
		chosen = choose_best(warm_start, &left);
	else if (!warm_start_spread(file, warm_start->trials, left, (size_t)file->warm_start.best,
			 &chosen, err))
		return false;
	for (size_t i = chosen; i < left; i++)
		free(warm_start->trials[i].values);
	warm_start->n = chosen;
	return true;
}

/* ---- of related jobs not too many ---- */

static int by_loss(const void *a, const void *b)
{
	const struct warm_trial *x = *(struct warm_trial *const *)a;
	const struct warm_trial *y = *(struct warm_trial *const *)b;

	if (isnan(x->loss) != isnan(y->loss))
		return isnan(x->loss) ? 1 : -1;
	if (!isnan(x->loss) && x->loss != y->loss)
		return x->loss < y->loss ? -1 : 1;
	return (x > y) - (x < y);
}

static void spare_trial(struct warm_start *warm_start, struct warm_trial *trial)
{
	free(trial->values);
	trial->values = NULL;
	warm_start->gifts[trial->parent].spared++;
}

/* Of n trials of one parent the best stay, and of the others, by loss, evenly as many. */
static void spare(struct warm_start *warm_start, struct warm_trial **trials, size_t n)
{
	const size_t best = WARM_RELATED_MAX / 2, more = WARM_RELATED_MAX - best, left = n - best;

	qsort(trials, n, sizeof(*trials), by_loss);
	for (size_t i = 0; i < left; i++)
		if ((i + 1) * more / left == i * more / left)
			spare_trial(warm_start, trials[best + i]);
}

static bool spare_related(struct warm_start *warm_start, struct tuner_error *err)
{
	struct warm_trial **trials = calloc(warm_start->n + 1, sizeof(*trials));
	size_t kept = 0;

	if (trials == NULL)
		return tuner_fail_memory(err);
	for (size_t p = 0; p < warm_start->file->warm_start.n; p++) {
		size_t n = 0;
		for (size_t i = 0; i < warm_start->n; i++)
			if (warm_start->trials[i].parent == p)
				trials[n++] = &warm_start->trials[i];
		if (n > WARM_RELATED_MAX)
			spare(warm_start, trials, n);
	}
	free(trials);
	for (size_t i = 0; i < warm_start->n; i++)
		if (warm_start->trials[i].values != NULL)
			warm_start->trials[kept++] = warm_start->trials[i];
	warm_start->n = kept;
	return true;
}

bool warm_start_read(const struct job_file *file, struct store *own, struct warm_start *ret,
	struct tuner_error *err)
{
	bool ok = true;

	*ret = (struct warm_start){ .file = file };
	if (file->warm_start.n == 0)
		return true;
	ret->gifts = calloc(file->warm_start.n, sizeof(*ret->gifts));
	if (ret->gifts == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; ok && i < file->warm_start.n; i++)
		ok = read_parent(ret, i, own, err);
	ok = ok && drop_doubles(ret, err);
	if (ok && file->warm_start.as == WARM_RELATED)
		ok = spare_related(ret, err);
	if (ok && file->warm_start.as == WARM_FIRST)
		ok = keep_best(ret, err);
	if (!ok) {
		warm_start_finish(ret);
		return false;
	}
	for (size_t i = 0; i < ret->n; i++)
		ret->gifts[ret->trials[i].parent].taken++;
	return true;
}
