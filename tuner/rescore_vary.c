#include "tuner/rescore_vary.h"

#include "base/number.h"
#include "tuner/report_json.h"
#include "tuner/trial_report.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the envelope ---- */

/* Costs are made of counts, so that several lines often cross at one price. A line that is the
 * least over less than this part of the range only touches there, by rounding of the crossings. */
static const double ROUNDING = 1e-12;

static double at(const struct vary_line *line, double t)
{
	return (1 - t) * line->low + t * line->high;
}

static double slope(const struct vary_line *line)
{
	return line->high - line->low;
}

/* The least at the beginning; of equal ones the steepest descending. */
static size_t first_line(const struct vary_line *lines, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (lines[i].low < lines[best].low ||
			(lines[i].low == lines[best].low && slope(&lines[i]) < slope(&lines[best])))
			best = i;
	return best;
}

/* Where a more steeply descending line first undercuts `line`, beyond `t`; *ret_t 1 or more:
 * nowhere in the range. */
static size_t next_line(
	const struct vary_line *lines, size_t n, size_t line, double t, double *ret_t)
{
	size_t best = line;

	*ret_t = 1;
	for (size_t i = 0; i < n; i++) {
		const double faster = slope(&lines[line]) - slope(&lines[i]);
		if (!(faster > 0))
			continue;
		const double crossing = fmax((lines[i].low - lines[line].low) / faster, t);
		if (crossing < *ret_t || (crossing == *ret_t && best != line &&
						 slope(&lines[i]) < slope(&lines[best]))) {
			*ret_t = crossing;
			best = i;
		}
	}
	return best;
}

bool vary_envelope(const struct vary_line *lines, size_t n, double low, double high,
	struct vary_segment **ret, size_t *ret_n, struct tuner_error *err)
{
	struct vary_segment *segments =
		calloc(n + 1, sizeof(*segments)); /* slopes fall: each once */
	double t = 0;

	*ret_n = 0;
	if (segments == NULL)
		return tuner_fail_memory(err);
	for (size_t line = n > 0 ? first_line(lines, n) : 0; n > 0;) {
		double until;
		const size_t next = next_line(lines, n, line, t, &until);
		const bool is_last = next == line || until > 1 - ROUNDING;

		if (is_last)
			until = 1;
		if (is_last || until - t > ROUNDING) {
			segments[(*ret_n)++] = (struct vary_segment){ low + t * (high - low),
				low + until * (high - low), line };
			t = until;
		}
		if (is_last)
			break;
		line = next;
	}
	*ret = segments;
	return true;
}

/* ---- what is varied ---- */

struct variation {
	char name[256];
	double low, high;
};

static bool parse(const char *text, struct variation *ret, struct tuner_error *err)
{
	const char *equals = strrchr(text, '='), *dots = equals ? strstr(equals, "..") : NULL;
	char low[64];

	if (dots != NULL && equals > text && (size_t)(equals - text) < sizeof(ret->name)) {
		snprintf(ret->name, sizeof(ret->name), "%.*s", (int)(equals - text), text);
		snprintf(low, sizeof(low), "%.*s", (int)(dots - equals - 1), equals + 1);
		if (number_to_double(low, &ret->low) && number_to_double(dots + 2, &ret->high) &&
			isfinite(ret->low) && isfinite(ret->high) && ret->low < ret->high)
			return true;
	}
	return tuner_fail(err, TUNER_USAGE,
		"--vary: expected NAME=LOW..HIGH, such as false_negative=1..20, found \"%.100s\"",
		text);
}

static bool check_cost(
	const struct job_file *file, const struct variation *variation, struct tuner_error *err)
{
	cJSON *cost = file->objective.cost != NULL ? cJSON_Parse(file->objective.cost) : NULL;
	const char *names[OBJECTIVE_METRICS_MAX];
	size_t n = 0;
	bool ok = cost != NULL && cJSON_GetObjectItemCaseSensitive(cost, variation->name) != NULL;

	if (cost == NULL)
		tuner_fail(err, TUNER_USAGE,
			"--vary varies a cost, but the objective is %.100s: try it with --set "
			"'objective.cost={\"false_negative\": 5, \"false_positive\": 1}', which "
			"changes "
			"nothing either",
			file->metric);
	for (const cJSON *c = cost ? cost->child : NULL; c && n < OBJECTIVE_METRICS_MAX;
		c = c->next)
		names[n++] = c->string;
	if (cost != NULL && !ok) {
		const char *nearest = nearest_word(variation->name, names, n);
		tuner_fail(err, TUNER_USAGE,
			"--vary: the cost names no \"%.100s\"; did you mean \"%s\"?",
			variation->name, nearest ? nearest : names[0]);
	}
	cJSON_Delete(cost);
	return ok;
}

/* ---- the lines ---- */

static bool score_at(struct store *store, const struct job *job, const struct job_file *file,
	const struct variation *variation, double price, struct rescored_list *ret,
	struct tuner_error *err)
{
	cJSON *cost = cJSON_Parse(file->objective.cost);
	struct text set = TEXT_EMPTY;
	struct job_file *varied = NULL;

	cJSON_SetNumberValue(cJSON_GetObjectItemCaseSensitive(cost, variation->name), price);
	text_add(&set, "objective.cost=");
	text_add(&set, "{");
	for (const cJSON *item = cost ? cost->child : NULL; item; item = item->next) {
		text_add(&set, item == cost->child ? "" : ", ");
		text_add_json_string(&set, item->string);
		text_add(&set, ": ");
		text_add_json_double(&set, item->valuedouble);
	}
	text_add(&set, "}");
	const char *const sets[] = { set.bytes };
	const bool ok = (!text_failed(&set) || tuner_fail_memory(err)) &&
			rescore_file(job, sets, 1, file, &varied, err) &&
			rescore_trials(store, job, varied, ret, err);
	cJSON_Delete(cost);
	text_finish(&set);
	job_file_destroy(varied);
	return ok;
}

static size_t make_lines(
	const struct rescored_list *low, const struct rescored_list *high, struct vary_line *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < low->n && i < high->n; i++)
		if (low->items[i].score.state == TRIAL_DONE &&
			high->items[i].score.state == TRIAL_DONE &&
			isfinite(low->items[i].score.objective) &&
			isfinite(high->items[i].score.objective))
			ret[n++] = (struct vary_line){ (int64_t)i, low->items[i].score.objective,
				high->items[i].score.objective };
	return n;
}

/* ---- telling ---- */

struct table_of_winners {
	const struct job *job;
	const struct job_file *file;
	const struct variation *variation;
	const struct rescored_list *trials;
	const struct vary_line *lines; /* their numbers are places in `trials` */
	const struct vary_segment *segments;
	size_t n, n_lines;
};

static double cost_at(const struct table_of_winners *table, size_t line, double price)
{
	const struct variation *v = table->variation;

	return at(&table->lines[line], (price - v->low) / (v->high - v->low));
}

static const struct trial *winner(const struct table_of_winners *table, size_t i)
{
	return &table->trials->items[table->lines[table->segments[i].line].number].trial;
}

static bool print_words(const struct table_of_winners *table, struct tuner_error *err)
{
	struct text out = TEXT_EMPTY;

	text_print(&out, "job %s: minimize %s, %s from %g to %g, %zu trials\n", table->job->name,
		table->file->metric, table->variation->name, table->variation->low,
		table->variation->high, table->n_lines);
	for (size_t i = 0; i < table->n; i++) {
		const struct vary_segment *s = &table->segments[i];
		text_print(&out, "  %s %.6g to %.6g: trial %lld, cost %.6g to %.6g  ",
			table->variation->name, s->from, s->to, (long long)winner(table, i)->number,
			cost_at(table, s->line, s->from), cost_at(table, s->line, s->to));
		trial_text(winner(table, i), &out);
		text_add(&out, "\n");
	}
	if (table->n == 1)
		text_add(&out, "the choice is the same everywhere\n");
	else
		for (size_t i = 1; i < table->n; i++)
			text_print(&out, "%s%.6g%s", i == 1 ? "the choice flips at " : ", ",
				table->segments[i].from, i + 1 == table->n ? "\n" : "");
	return text_out(&out, err);
}

static bool add_segment(cJSON *array, const struct table_of_winners *table, size_t i)
{
	const struct vary_segment *s = &table->segments[i];
	cJSON *object = cJSON_CreateObject();

	return object != NULL && cJSON_AddItemToArray(array, object) &&
	       json_add_number(object, "from", s->from) && json_add_number(object, "to", s->to) &&
	       json_add_integer(object, "trial", winner(table, i)->number) &&
	       json_add_number(object, "cost_from", cost_at(table, s->line, s->from)) &&
	       json_add_number(object, "cost_to", cost_at(table, s->line, s->to));
}

static bool print_json(const struct table_of_winners *table, struct tuner_error *err)
{
	cJSON *root = cJSON_CreateObject();
	bool ok = json_add_string(root, "job", table->job->name) &&
		  json_add_string(root, "vary", table->variation->name);
	cJSON *array = cJSON_AddArrayToObject(root, "winners");

	for (size_t i = 0; ok && i < table->n; i++)
		ok = add_segment(array, table, i);
	if (ok && array != NULL)
		return json_out(root, err);
	cJSON_Delete(root);
	return tuner_fail_memory(err);
}

static bool print_winners(const struct job *job, const struct job_file *file,
	const struct variation *variation, const struct rescored_list *low,
	const struct rescored_list *high, bool json, struct tuner_error *err)
{
	struct vary_line *lines = calloc(low->n + 1, sizeof(*lines));
	struct vary_segment *segments = NULL;
	size_t n = 0;
	bool ok = lines != NULL || tuner_fail_memory(err);
	const size_t n_lines = ok ? make_lines(low, high, lines) : 0;

	if (ok && n_lines == 0)
		ok = tuner_fail(err, TUNER_USAGE,
			"no trial of job \"%s\" has reported all that %s is made of%s%s", job->name,
			file->metric, low->missing > 0 ? ": without " : "", low->missing_metrics);
	ok = ok &&
	     vary_envelope(lines, n_lines, variation->low, variation->high, &segments, &n, err);
	const struct table_of_winners table = { job, file, variation, low, lines, segments, n,
		n_lines };
	ok = ok && (json ? print_json(&table, err) : print_words(&table, err));
	free(segments);
	free(lines);
	return ok;
}

bool rescore_vary(struct store *store, const struct job *job, const struct job_file *file,
	const char *vary, bool json, struct tuner_error *err)
{
	struct rescored_list low = { 0 }, high = { 0 };
	struct variation variation;
	const bool ok = parse(vary, &variation, err) && check_cost(file, &variation, err) &&
			score_at(store, job, file, &variation, variation.low, &low, err) &&
			score_at(store, job, file, &variation, variation.high, &high, err) &&
			print_winners(job, file, &variation, &low, &high, json, err);

	rescored_list_finish(&low);
	rescored_list_finish(&high);
	return ok;
}
