#include "tuner/ci_report.h"

#include "base/number.h"
#include "tuner/command.h"
#include "tuner/comparison.h"
#include "tuner/front.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 10 };

static void add_cell(const char *string, struct text *ret)
{
	text_add(ret, "| ");
	text_add_markdown(ret, string);
	text_add_char(ret, ' ');
}

static void add_best(const struct ci_report *report, struct text *ret)
{
	text_add(ret, "## ");
	text_add_markdown(ret, report->job.job.name);
	if (report->best == NULL) {
		text_add(ret, ": no result\n\n");
	} else if (report->job.goals.n > 1) {
		struct text goals = TEXT_EMPTY;

		goals_text(&report->job.goals, &goals);
		text_add(ret, ": ");
		text_add_markdown(ret, goals.bytes);
		text_add(ret, "\n\n");
		text_finish(&goals);
	} else {
		text_add(ret, ": ");
		text_add_markdown(ret, report->job.metric);
		text_print(ret, " %.6g\n\n", report->best->objective);
	}
	text_add_markdown(ret, report->reason);
	text_print(ret, ". Trials: %lld done, %lld stopped, %lld failed",
		(long long)report->counts[TRIAL_DONE], (long long)report->counts[TRIAL_STOPPED],
		(long long)report->counts[TRIAL_FAILED]);
	const int64_t unfinished = report->counts[TRIAL_PROPOSED] + report->counts[TRIAL_RUNNING];
	if (unfinished > 0)
		text_print(ret, ", %lld unfinished", (long long)unfinished);
	if (report->reused > 0)
		text_print(ret, "; %lld reused", (long long)report->reused);
	text_print(ret, ". Exit status %d.\n", report->status);
}

static void add_gates(const struct ci_report *report, struct text *ret)
{
	if (report->n_gates == 0)
		return;
	text_add(ret, "\n| gate | | |\n|---|---|---|\n");
	for (size_t i = 0; i < report->n_gates; i++) {
		add_cell(report->gates[i].text, ret);
		text_print(ret, "| %s ", report->gates[i].held ? "held" : "**missed**");
		add_cell(report->gates[i].said.bytes, ret);
		text_add(ret, "|\n");
	}
}

static void add_trial_row(
	const struct ci_report *report, const struct trial *trial, struct text *ret)
{
	char took[NUMBER_TEXT];
	struct text values = TEXT_EMPTY;

	trial_text(trial, &values);
	text_print(ret, "| %lld ", (long long)trial->number);
	if (report->job.has_arms)
		text_print(ret, "| %s/%lld ", trial->arm, (long long)trial->repeat + 1);
	for (size_t i = 0; i < report->job.goals.n; i++)
		text_print(ret, "| %.6g ", goals_value(trial, i));
	text_print(ret, "| %s ", number_from_duration_us(trial_took_us(trial), took));
	add_cell(values.bytes, ret);
	text_add(ret, "|\n");
	text_finish(&values);
}

static void add_trial_head(const struct ci_report *report, struct text *ret)
{
	const struct goals *goals = &report->job.goals;

	text_print(ret, "\n| trial %s", report->job.has_arms ? "| arm " : "");
	for (size_t i = 0; i < goals->n; i++) {
		text_add(ret, "| ");
		text_add_markdown(ret, goals->items[i].name);
		text_add_char(ret, ' ');
	}
	text_print(ret, "| time | parameters |\n|--:%s", report->job.has_arms ? "|---" : "");
	for (size_t i = 0; i < goals->n; i++)
		text_add(ret, "|--:");
	text_add(ret, "|--:|---|\n");
}

/* The best SHOWN_MAX of the list. */
static void add_list(
	const struct ci_report *report, const struct trial_list *list, struct text *ret)
{
	if (list->n > 0)
		add_trial_head(report, ret);
	for (size_t i = 0; i < list->n && i < SHOWN_MAX; i++)
		add_trial_row(report, &list->items[i], ret);
}

static bool add_front(const struct ci_report *report, struct text *ret, struct tuner_error *err)
{
	struct front front;

	if (!front_read(&report->job, &front, err))
		return false;
	add_list(report, &front.trials, ret);
	text_print(ret, "\n%zu of %zu results are on the Pareto front%s.\n", front.trials.n,
		front.among, front.trials.n > SHOWN_MAX ? ", of which these are the first" : "");
	front_finish(&front);
	return true;
}

static bool add_trials(const struct ci_report *report, struct text *ret, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = report->job.job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.order = TRIAL_BY_OBJECTIVE,
		.limit = SHOWN_MAX,
		.without_values = true,
		.own = true };
	struct trial_list best;

	if (report->job.goals.n > 1 && report->best != NULL)
		return add_front(report, ret, err);
	if (!trial_select(report->job.store, &filter, &best, err))
		return false;
	add_list(report, &best, ret);
	if (report->counts[TRIAL_DONE] > SHOWN_MAX)
		text_print(ret, "\nThe best %d of %lld.\n", SHOWN_MAX,
			(long long)report->counts[TRIAL_DONE]);
	trial_list_finish(&best);
	return true;
}

static void add_failures(const struct ci_report *report, struct text *ret)
{
	bool any = false;

	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++) {
		if (report->failures[o] == 0)
			continue;
		text_print(ret, "%s%s %lld", any ? ", " : "\nFailed trials: ", outcome_name(o),
			(long long)report->failures[o]);
		any = true;
	}
	if (any)
		text_add(ret, ".\n");
}

/* If there is too little for a comparison, says why. */
static void add_comparison(const struct ci_report *report, struct text *ret)
{
	struct tuner_error why = { TUNER_OK, "" };
	struct comparison comparison;

	if (!report->job.has_arms)
		return;
	if (!comparison_of_job(&report->job, 0, &comparison, &why)) {
		text_print(ret, "\nNot compared: ");
		text_add_markdown(ret, why.message);
		text_add(ret, ".\n");
		return;
	}
	for (size_t i = 1; i < comparison.n_arms; i++) {
		struct contrast contrast;
		if (!comparison_contrast(&comparison, 0, i, &contrast, &why))
			continue;
		struct text words = TEXT_EMPTY;
		text_print(ret, "\n### %s against %s\n\n", contrast.a->name, contrast.b->name);
		contrast_words(&comparison, &contrast, &words);
		text_add_markdown(ret, words.bytes);
		text_add(ret, "\n");
		for (enum axis axis = OVER_TIME; axis < AXES; axis++) {
			text_clear(&words);
			spending_words(&comparison, &contrast, axis, &words);
			if (words.length > 0)
				text_add(ret, "\n");
			text_add_markdown(ret, words.bytes);
			if (words.length > 0)
				text_add(ret, "\n");
		}
		text_finish(&words);
	}
	comparison_finish(&comparison);
}

bool ci_summary(const struct ci_report *report, struct text *ret, struct tuner_error *err)
{
	add_best(report, ret);
	add_gates(report, ret);
	if (!add_trials(report, ret, err))
		return false;
	add_failures(report, ret);
	add_comparison(report, ret);
	return !text_failed(ret) || tuner_fail_memory(err);
}
