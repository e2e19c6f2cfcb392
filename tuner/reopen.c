#include "tuner/reopen.h"

#include "base/json.h"
#include "base/number.h"
#include "tuner/configuration.h"
#include "tuner/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- classes ---- */

/* A trial that ended as intended is not run again. */
static bool may_be_asked_for(enum outcome outcome)
{
	return outcome > OUTCOME_OK && outcome < OUTCOMES;
}

static bool add_class(struct reopen_wish *wish, const char *name, struct tuner_error *err)
{
	const char *names[OUTCOMES];
	size_t n = 0;

	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++) {
		if (may_be_asked_for(o))
			names[n++] = outcome_name(o);
		if (strcmp(outcome_name(o), name) != 0)
			continue;
		if (!may_be_asked_for(o))
			return tuner_fail(err, TUNER_USAGE,
				"trials of class \"%s\" have their objective: there is nothing to "
				"run again",
				name);
		wish->classes |= 1u << o;
		return true;
	}
	const char *nearest = nearest_word(name, names, n);
	if (nearest != NULL)
		return tuner_fail(err, TUNER_USAGE,
			"there is no class \"%s\"; did you mean \"%s\"?", name, nearest);
	return tuner_fail(err, TUNER_USAGE,
		"there is no class \"%s\": \"tuner status\" names those of the job's failures",
		name);
}

bool reopen_add_classes(struct reopen_wish *wish, const char *list, struct tuner_error *err)
{
	for (;;) {
		const size_t length = strcspn(list, ",");
		char name[64];
		snprintf(name, sizeof(name), "%.*s", (int)(length < 60 ? length : 60), list);
		if (!add_class(wish, name, err))
			return false;
		if (list[length] == '\0')
			return true;
		list += length + 1;
	}
}

/* "lost or oom-gpu" */
static void classes_text(unsigned classes, struct text *ret)
{
	unsigned left = classes;

	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++) {
		if ((classes & 1u << o) == 0)
			continue;
		left &= ~(1u << o);
		text_add(ret, outcome_name(o));
		if (left != 0)
			text_add(ret, (left & (left - 1)) != 0 ? ", " : " or ");
	}
}

/* ---- as a request ---- */

void reopen_wish_write(const struct reopen_wish *wish, struct text *ret)
{
	const char *between = "";

	text_add(ret, "{\"classes\": [");
	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++)
		if ((wish->classes & 1u << o) != 0) {
			text_print(ret, "%s\"%s\"", between, outcome_name(o));
			between = ", ";
		}
	text_add(ret, "], \"trials\": [");
	for (size_t i = 0; i < wish->n; i++)
		text_print(ret, "%s%lld", i ? ", " : "", (long long)wish->numbers[i]);
	text_add(ret, "]}");
}

bool reopen_wish_read(const cJSON *argument, struct reopen_wish *ret, struct tuner_error *err)
{
	const cJSON *classes = cJSON_GetObjectItemCaseSensitive(argument, "classes");
	const cJSON *trials = cJSON_GetObjectItemCaseSensitive(argument, "trials");
	const cJSON *item;

	*ret = (struct reopen_wish){ 0 };
	cJSON_ArrayForEach(item, classes)
	{
		if (!cJSON_IsString(item))
			return tuner_fail(err, TUNER_USAGE, "a class is a string");
		if (!add_class(ret, item->valuestring, err))
			return false;
	}
	cJSON_ArrayForEach(item, trials)
	{
		int64_t number;
		if (!json_whole(item, 1, JSON_WHOLE_MAX, &number))
			return tuner_fail(
				err, TUNER_USAGE, "a trial's number is a whole one from 1");
		if (ret->n == REOPEN_NUMBERS_MAX)
			return tuner_fail(err, TUNER_USAGE, "at most %d numbers of trials",
				REOPEN_NUMBERS_MAX);
		ret->numbers[ret->n++] = number;
	}
	return ret->classes != 0 || ret->n > 0 ||
	       tuner_fail(err, TUNER_USAGE, "neither a class nor a trial is named");
}

/* ---- choosing ---- */

enum choice {
	CHOICE_OTHER, /* not among those wanted */
	CHOICE_ASKED, /* the caller that asked for it has evaluated it */
	CHOICE_MISFIT, /* the space was edited since */
	CHOICE_AGAIN,
	CHOICES
};

struct candidates {
	struct trial_list trials; /* of the job, without values */
	enum choice *choices;
	size_t n[CHOICES];
};

/* The last attempt's outcome, also if the trial's own is the one it counts as. */
static bool attempt_outcome(struct store *store, const struct trial *trial, enum outcome *ret,
	bool *ret_asked, struct tuner_error *err)
{
	struct attempt_list attempts;

	if (!attempt_select(store, trial->job_id, trial->id, &attempts, err))
		return false;
	const struct attempt *last = attempts.n > 0 ? &attempts.items[attempts.n - 1] : NULL;
	*ret = last ? last->outcome : OUTCOME_NONE;
	*ret_asked = strcmp(trial->source, "added") == 0 ||
		     (last && strcmp(last->backend, ATTEMPT_CALLER) == 0);
	attempt_list_finish(&attempts);
	return true;
}

static bool is_named(const struct reopen_wish *wish, int64_t number)
{
	for (size_t i = 0; i < wish->n; i++)
		if (wish->numbers[i] == number)
			return true;
	return wish->n == 0;
}

static bool fits(
	const struct job_file *file, const struct trial *trial, bool *ret, struct tuner_error *err)
{
	char *left_out = NULL;
	double *values;

	if (!trial_present_values(file, trial, &values, err))
		return false;
	const bool ok = values == NULL ||
			configuration_left_out(file, trial->parameters, values, &left_out, err);
	*ret = values != NULL && left_out == NULL;
	free(left_out);
	free(values);
	return ok;
}

#define TRY_ANEW "\"tuner enqueue\" of %s parameters has them tried as a new trial"

/* Whether it can be run again; a trial that was named says why it cannot. */
static bool choose(struct store *store, const struct job_file *file, const struct reopen_wish *wish,
	const struct trial *trial, enum choice *ret, struct tuner_error *err)
{
	const bool ended = trial->state == TRIAL_FAILED || trial->state == TRIAL_STOPPED;
	const long long number = trial->number;
	enum outcome outcome;
	bool asked, fitting;

	*ret = CHOICE_OTHER;
	if (!is_named(wish, trial->number))
		return true;
	if (!ended)
		return wish->n == 0 ||
		       tuner_fail(err, TUNER_USAGE,
			       "trial %lld is %s: only a failed or a stopped one can be run again",
			       number, trial_state_name(trial->state));
	if (!attempt_outcome(store, trial, &outcome, &asked, err))
		return false;
	if (wish->classes != 0 && (wish->classes & (1u << outcome | 1u << trial->outcome)) == 0)
		return true;
	*ret = CHOICE_ASKED;
	if (asked)
		return wish->n == 0 || tuner_fail(err, TUNER_USAGE,
					       "trial %lld was asked for and told (\"tuner ask\", "
					       "\"tuner tell\"), and "
					       "is not launched here: " TRY_ANEW,
					       number, "its");
	if (!fits(file, trial, &fitting, err))
		return false;
	if (!fitting && wish->n > 0)
		return tuner_fail(
			err, TUNER_USAGE, "trial %lld does not fit the edited space", number);
	*ret = fitting ? CHOICE_AGAIN : CHOICE_MISFIT;
	return true;
}

static bool check_numbers(
	const struct reopen_wish *wish, const struct trial_list *trials, struct tuner_error *err)
{
	for (size_t i = 0; i < wish->n; i++) {
		bool found = false;
		for (size_t k = 0; k < trials->n && !found; k++)
			found = trials->items[k].number == wish->numbers[i];
		if (!found)
			return tuner_fail(err, TUNER_USAGE,
				"there is no trial %lld in this job: \"tuner trials\" lists them",
				(long long)wish->numbers[i]);
	}
	return true;
}

/* There are such trials, but none of them can be launched. */
static bool fail_left_out(
	const struct reopen_wish *wish, const struct candidates *c, struct tuner_error *err)
{
	const size_t asked = c->n[CHOICE_ASKED], misfits = c->n[CHOICE_MISFIT];
	struct text why = TEXT_EMPTY, wished = TEXT_EMPTY;

	classes_text(wish->classes, &wished);
	if (misfits > 0)
		text_print(&why, "%zu %s not fit the edited space%s", misfits,
			misfits == 1 ? "does" : "do", asked > 0 ? ", " : "");
	if (asked > 0)
		text_print(&why,
			"%zu %s asked for and told (\"tuner ask\", \"tuner tell\"): " TRY_ANEW,
			asked, asked == 1 ? "was" : "were", asked == 1 ? "its" : "their");
	tuner_fail(err, TUNER_USAGE, "no trial that ended as %s can be launched again: %s",
		wished.bytes, why.bytes);
	text_finish(&wished);
	text_finish(&why);
	return false;
}

/* The ended trials that could be launched again, by outcome. */
static bool count_launched(struct store *store, const struct trial_list *trials,
	size_t ret_counts[OUTCOMES], struct tuner_error *err)
{
	for (size_t i = 0; i < trials->n; i++) {
		const struct trial *trial = &trials->items[i];
		enum outcome outcome;
		bool asked;
		if (trial->state != TRIAL_FAILED && trial->state != TRIAL_STOPPED)
			continue;
		if (!attempt_outcome(store, trial, &outcome, &asked, err))
			return false;
		ret_counts[trial->outcome] += !asked;
	}
	return true;
}

/* Says what could have been named. */
static bool fail_none(struct store *store, const struct reopen_wish *wish,
	const struct trial_list *trials, struct tuner_error *err)
{
	struct text wished = TEXT_EMPTY, there = TEXT_EMPTY;
	size_t counts[OUTCOMES] = { 0 };

	if (!count_launched(store, trials, counts, err))
		return false;
	classes_text(wish->classes, &wished);
	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++)
		if (counts[o] > 0)
			text_print(&there, "%s%s (%zu)", there.length ? ", " : "", outcome_name(o),
				counts[o]);
	tuner_fail(err, TUNER_USAGE, "no trial %sthat can be run again ended as %s; there are: %s",
		wish->n > 0 ? "of these numbers " : "", wished.length ? wished.bytes : "",
		there.length ? there.bytes : "none that was launched and failed or stopped");
	text_finish(&wished);
	text_finish(&there);
	return false;
}

static bool reopen_chosen(struct store *store, struct candidates *candidates, int64_t now_us,
	int64_t **ret_numbers, size_t *ret_n, struct tuner_error *err)
{
	int64_t *numbers = calloc(candidates->n[CHOICE_AGAIN], sizeof(*numbers));
	size_t n = 0;

	if (numbers == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < candidates->trials.n; i++) {
		const struct trial *trial = &candidates->trials.items[i];
		if (candidates->choices[i] != CHOICE_AGAIN)
			continue;
		if (!trial_reopen(store, trial->id, now_us, err)) {
			free(numbers);
			return false;
		}
		numbers[n++] = trial->number;
	}
	*ret_numbers = numbers;
	*ret_n = n;
	return true;
}

bool reopen_trials(struct store *store, int64_t job_id, const struct job_file *file,
	const struct reopen_wish *wish, int64_t now_us, int64_t **ret_numbers, size_t *ret_n,
	struct tuner_error *err)
{
	const struct trial_filter all = { .job_id = job_id, .repeat = -1, .without_values = true };
	struct candidates c = { 0 };
	bool ok = false;

	if (!trial_select(store, &all, &c.trials, err))
		return false;
	c.choices = calloc(c.trials.n + 1, sizeof(*c.choices));
	if (c.choices == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	if (!check_numbers(wish, &c.trials, err))
		goto out;
	for (size_t i = 0; i < c.trials.n; i++) {
		if (!choose(store, file, wish, &c.trials.items[i], &c.choices[i], err))
			goto out;
		c.n[c.choices[i]]++;
	}
	if (c.n[CHOICE_AGAIN] > 0)
		ok = reopen_chosen(store, &c, now_us, ret_numbers, ret_n, err);
	else if (c.n[CHOICE_ASKED] + c.n[CHOICE_MISFIT] > 0)
		ok = fail_left_out(wish, &c, err);
	else
		ok = fail_none(store, wish, &c.trials, err);
out:
	free(c.choices);
	trial_list_finish(&c.trials);
	return ok;
}

void reopen_numbers_text(const int64_t *numbers, size_t n, struct text *ret)
{
	enum { NAMED_MAX = 10 };
	const size_t named = n > NAMED_MAX ? NAMED_MAX : n;

	text_add(ret, n == 1 ? "trial " : "trials ");
	for (size_t i = 0; i < named; i++)
		text_print(ret, "%s%lld",
			i == 0       ? ""
			: i + 1 == n ? " and "
				     : ", ",
			(long long)numbers[i]);
	if (named < n)
		text_print(ret, " and %zu more", n - named);
}
