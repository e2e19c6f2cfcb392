#include "tuner/trial_csv.h"

#include "tuner/jobfile_value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* In quotes where it must be, and where it would be taken for nothing. */
static void add_string(const char *string, struct text *line)
{
	if (string[0] != '\0' && strpbrk(string, ",\"\r\n") == NULL) {
		text_add(line, string);
		return;
	}
	text_add(line, "\"");
	for (const char *c = string; *c; c++)
		text_print(line, *c == '"' ? "\"%c" : "%c", *c);
	text_add(line, "\"");
}

/* A field without a value, or with one: "" is not written for what there never was. */
static void add_word(const char *word, struct text *line)
{
	text_add(line, ",");
	if (word[0] != '\0')
		add_string(word, line);
}

static void add_number(double number, struct text *line)
{
	text_add(line, ",");
	if (!isnan(number))
		text_add_double(line, number);
}

static void add_integer(int64_t number, struct text *line)
{
	text_print(line, ",%lld", (long long)number);
}

static void add_time(int64_t us, struct text *line)
{
	add_number(us == 0 ? NAN : (double)us / 1e6, line);
}

static void add_value(const cJSON *value, struct text *line)
{
	struct text text = TEXT_EMPTY;

	text_add(line, ",");
	if (value == NULL)
		return;
	value_text(value, &text);
	line->failed |= text_failed(&text);
	add_string(text.bytes, line);
	text_finish(&text);
}

static void add_header(
	const struct report *report, const struct parameter_names *names, struct text *line)
{
	text_add(line, "trial,arm,repeat,state,outcome,objective,best,source,proposed_by,attempts,"
		       "created,started,ended,duration_s");
	for (size_t i = 1; i < report->goals.n; i++) {
		struct text name = TEXT_EMPTY;

		text_print(&name, "also.%s", report->goals.items[i].name);
		add_word(name.bytes, line);
		text_finish(&name);
	}
	for (size_t i = 0; i < names->n; i++) {
		struct text name = TEXT_EMPTY;

		text_print(&name, "parameters.%s", names->items[i]);
		add_word(name.bytes, line);
		text_finish(&name);
	}
	text_add(line, ",message\n");
}

static void add_trial(
	const struct report *report, const struct trial *trial, bool is_best, struct text *line)
{
	text_print(line, "%lld", (long long)trial->number);
	add_word(report->has_arms ? trial->arm : "", line);
	add_number(report->has_arms ? (double)trial->repeat + 1 : NAN, line);
	add_word(trial_state_name(trial->state), line);
	add_word(outcome_name(trial->outcome), line);
	add_number(trial->objective, line);
	add_word(is_best ? "true" : "false", line);
	add_word(trial->source, line);
	add_word(trial->branch, line);
	add_integer(trial->attempts, line);
	add_time(trial->created_us, line);
	add_time(trial->started_us, line);
	add_time(trial->ended_us, line);
	add_number(trial->started_us > 0 ? (double)trial_took_us(trial) / 1e6 : NAN, line);
	for (size_t i = 1; i < report->goals.n; i++)
		add_number(goals_value(trial, i), line);
}

/* Empties the line. */
static bool put(struct text *line, struct tuner_error *err)
{
	const bool ok = !text_failed(line) || tuner_fail_memory(err);

	if (ok)
		fputs(line->bytes, stdout);
	text_finish(line);
	return ok;
}

bool trials_csv(const struct report *report, const struct trial_list *list,
	const struct parameter_names *names, const struct front *best, struct tuner_error *err)
{
	struct text line = TEXT_EMPTY;
	bool ok;

	add_header(report, names, &line);
	ok = put(&line, err);
	for (size_t i = 0; ok && i < list->n; i++) {
		const struct trial *trial = &list->items[i];

		add_trial(report, trial, front_trial(best, trial->number) != NULL, &line);
		for (size_t k = 0; k < names->n; k++)
			add_value(cJSON_GetObjectItemCaseSensitive(
					  names->parameters[i], names->items[k]),
				&line);
		add_word(trial->message, &line);
		text_add(&line, "\n");
		ok = put(&line, err);
	}
	return ok;
}
