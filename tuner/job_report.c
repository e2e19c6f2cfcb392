#include "tuner/job_report_inside.h"

#include "base/json.h"
#include "scheduler/surroundings.h"
#include "surrogate/expression.h"
#include "tuner/best_command.h"
#include "tuner/job_open.h"
#include "tuner/provenance_report.h"
#include "tuner/warm_start.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- queries ---- */

bool report_query(struct job_report *report, struct text *ret_query, struct view *ret,
	struct tuner_error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_print_v(ret_query, format, args);
	va_end(args);
	return (!text_failed(ret_query) || tuner_fail_memory(err)) &&
	       view_read(report->report->store, ret_query->bytes, ret, err);
}

const char *report_order(const struct job_report *report)
{
	return report->report->maximize ? "DESC" : "ASC";
}

int64_t report_every(int64_t n, int64_t most)
{
	return n > most ? (n + most - 1) / most : 1;
}

void report_add_quoted(const char *text, char quote, struct text *ret)
{
	text_add_char(ret, quote);
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == quote)
			text_add_char(ret, quote);
		text_add_char(ret, *at);
	}
	text_add_char(ret, quote);
}

/* Names that a path of SQLite's JSON takes between double quotes as they are. */
static bool is_plain(const char *name)
{
	for (const char *at = name; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && strchr("_-. ", *at) == NULL)
			return false;
	return true;
}

void report_parameter(const char *name, struct text *ret)
{
	if (is_plain(name)) {
		text_print(ret, "json_extract(parameters, '$.\"%s\"')", name);
	} else {
		text_add(ret, "(SELECT value FROM json_each(parameters) WHERE key = ");
		report_add_quoted(name, '\'', ret);
		text_add_char(ret, ')');
	}
	text_add(ret, " AS ");
	report_add_quoted(name, '"', ret);
}

void report_parameters(const struct job_report *report, struct text *ret)
{
	const size_t d = report->file != NULL ? report->file->space.d : 0;

	for (size_t i = 0; i < d && d <= COLUMNS_SHOWN; i++) {
		text_add(ret, ", ");
		report_parameter(report->file->space.parameters[i].name, ret);
	}
	if (d == 0 || d > COLUMNS_SHOWN)
		text_add(ret, ", parameters");
}

bool report_show_query(struct job_report *report, const char *id, const char *none,
	struct tuner_error *err, const char *format, ...)
{
	struct text wanted = TEXT_EMPTY, query = TEXT_EMPTY;
	struct view view = { 0 };
	va_list args;

	va_start(args, format);
	text_print_v(&wanted, format, args);
	va_end(args);
	const bool ok = report_query(report, &query, &view, err, "%s", wanted.bytes);
	if (ok && view.rows == 0)
		page_say(report->page, "%s", none);
	else if (ok)
		page_view(report->page, id, &view, query.bytes);
	view_finish(&view);
	text_finish(&query);
	text_finish(&wanted);
	return ok;
}

/* ---- summary ---- */

/* " within the limits a <= 1, b >= 2" */
static void add_limits(const struct job_objective *objective, struct text *ret)
{
	for (size_t i = 0; i < objective->n_limits; i++) {
		text_add(ret, i > 0                     ? ", "
			      : objective->n_limits > 1 ? " within the limits "
							: " within the limit ");
		text_add(ret, expression_text(objective->limits[i]));
	}
}

static void say_job(const struct job_report *report)
{
	const struct report *job = report->report;
	struct text searches = TEXT_EMPTY, limits = TEXT_EMPTY, objectives = TEXT_EMPTY;

	if (report->file != NULL) {
		job_file_searches_text(report->file, &searches);
		add_limits(&report->file->objective, &limits);
	}
	goals_text(&job->goals, &objectives);
	page_say(report->page, "Job %s is to %s%s. %s%s%s", job->job.name, objectives.bytes,
		limits.length > 0 ? limits.bytes : "", report->file != NULL ? "It has " : "",
		searches.bytes, report->file != NULL ? "." : "");
	if (job->job.state == JOB_OPEN)
		page_say(report->page, "It has not ended: this is how it stands.");
	else
		page_say(report->page, "It is %s: %s.", job_state_name(job->job.state),
			job->job.reason);
	text_finish(&searches);
	text_finish(&limits);
	text_finish(&objectives);
}

/* What earlier jobs gave to it, a sentence each. */
static bool say_warm_start(const struct job_report *report, struct tuner_error *err)
{
	struct text lines = TEXT_EMPTY;
	char *json = NULL;

	if (report->file == NULL || report->file->warm_start.n == 0)
		return true;
	if (!warm_start_load(report->report->store, report->report->job.id, &json, err))
		return false;
	warm_start_text(json != NULL ? json : "{}", &lines);
	if (lines.length > 0)
		page_say(report->page, "%s", lines.bytes);
	text_finish(&lines);
	free(json);
	return true;
}

static bool one_objective(struct job_report *report, struct tuner_error *err)
{
	return report_show_query(report, "result", "", err,
		"SELECT count(objective) AS results, %s(objective) AS best, avg(objective) AS "
		"mean, min(started) AS first_start, max(ended) AS last_end FROM v_trial WHERE job "
		"= %s",
		report->report->maximize ? "max" : "min", report->job);
}

/* A row each. */
static bool several_objectives(struct job_report *report, struct tuner_error *err)
{
	const struct goals *goals = &report->report->goals;
	struct text query = TEXT_EMPTY;

	for (size_t i = 0; i < goals->n; i++) {
		const bool maximize = goals->items[i].maximize;
		char value[40] = "objective";
		if (i > 0)
			snprintf(value, sizeof(value), "also ->> %zu", i - 1);
		text_add(&query, i > 0 ? " UNION ALL SELECT " : "SELECT ");
		report_add_quoted(goals->items[i].name, '\'', &query);
		text_print(&query,
			" AS objective, '%s' AS goal, %s(%s) AS best, %s(%s) AS worst, avg(%s) AS "
			"mean FROM v_trial WHERE job = %s AND state = 'done'",
			maximize ? "maximize" : "minimize", maximize ? "max" : "min", value,
			maximize ? "min" : "max", value, value, report->job);
	}
	const bool ok = (!text_failed(&query) || tuner_fail_memory(err)) &&
			report_show_query(report, "result", "", err,
				"SELECT count(objective) AS results, min(started) AS first_start, "
				"max(ended) AS last_end FROM v_trial WHERE job = %s",
				report->job) &&
			report_show_query(report, "objectives", "", err, "%s", query.bytes);
	text_finish(&query);
	return ok;
}

static bool summary(struct job_report *report, struct tuner_error *err)
{
	page_section(report->page, "summary", "Summary");
	say_job(report);
	return say_warm_start(report, err) &&
	       report_show_query(report, "trials-by-state", "No trial was proposed yet.", err,
		       "SELECT state, count(*) AS trials FROM v_trial WHERE job = %s AND source <> "
		       "'added' GROUP BY state",
		       report->job) &&
	       (report->several ? several_objectives(report, err) : one_objective(report, err));
}

/* ---- the best ---- */

static bool best_table(struct job_report *report, struct tuner_error *err)
{
	struct text parameters = TEXT_EMPTY;

	report_parameters(report, &parameters);
	/* By the places of number and objective: parameters may have these names, too. */
	const bool ok = report_show_query(report, "best-ten", "", err,
		"SELECT number, objective, branch, duration_s%s FROM v_trial WHERE job = %s AND "
		"state = 'done' ORDER BY 2 %s, 1 LIMIT 10",
		parameters.bytes, report->job, report_order(report));
	text_finish(&parameters);
	return ok;
}

/* The first of the job's variables that speaks of a secret: a report is handed around. */
static const char *find_secret(const struct job_file *file)
{
	for (size_t i = 0; file->environment != NULL && file->environment[i] != NULL; i++)
		if (variable_is_secret(file->environment[i]))
			return file->environment[i];
	return NULL;
}

static void say_command(const struct job_report *report)
{
	struct tuner_error why = { TUNER_OK, "" };
	struct text command = TEXT_EMPTY, doubt = TEXT_EMPTY;
	const char *secret = report->file != NULL ? find_secret(report->file) : NULL;

	if (secret != NULL) {
		page_say(report->page,
			"\"tuner best --command %s\" prints what repeats the best trial; it is not "
			"shown here, since the variable %.*s looks like a secret.",
			report->reference, (int)strcspn(secret, "="), secret);
	} else if (best_command(report->report, &report->best, &command, &why)) {
		page_say(report->page, "What repeats the best trial (tuner best --command %s):",
			report->reference);
		page_verbatim(report->page, command.bytes);
		if (best_command_doubt(report->report, &report->best, &doubt, &why) &&
			doubt.length > 0)
			page_say(report->page, "But %s.", doubt.bytes);
	} else {
		page_say(report->page, "There is no command to repeat it: %s.", why.message);
	}
	text_finish(&doubt);
	text_finish(&command);
}

static bool best(struct job_report *report, struct tuner_error *err)
{
	struct text line = TEXT_EMPTY;

	page_section(report->page, "best", "The best");
	if (!report->has_best) {
		page_say(report->page, "No trial has a result.");
		return true;
	}
	trial_text(&report->best, &line);
	page_say(report->page, "Trial %lld, with %s = %.8g: %s", (long long)report->best.number,
		report->report->metric, report->best.objective, line.bytes);
	text_finish(&line);
	say_command(report);
	return best_table(report, err);
}

/* ---- failures, cost, hosts ---- */

/* What was observed elsewhere took no time here. */
#define NOT_ADDED "NOT (backend = 'caller' AND busy_s = 0)"

static bool failures(struct job_report *report, struct tuner_error *err)
{
	page_section(report->page, "failures", "Failures by cause");
	return report_show_query(report, "failures-table", "No trial failed, and none was stopped.",
		err,
		"SELECT state, outcome, count(*) AS trials, min(number) AS first, message FROM "
		"v_trial "
		"WHERE job = %s AND source <> 'added' AND state IN ('failed', 'stopped') GROUP BY "
		"state, outcome ORDER "
		"BY "
		"trials DESC, first LIMIT %d",
		report->job, (int)ROWS_MAX);
}

static bool has_number(
	struct job_report *report, const char *what, bool *ret, struct tuner_error *err)
{
	struct text query = TEXT_EMPTY;
	double number = 0;

	text_print(&query, "SELECT EXISTS (SELECT 1 FROM v_host_use WHERE job = %s AND %s)",
		report->job, what);
	const bool ok = (!text_failed(&query) || tuner_fail_memory(err)) &&
			view_number(report->report->store, query.bytes, &number, err);
	*ret = number > 0;
	text_finish(&query);
	return ok;
}

static bool cost(struct job_report *report, struct tuner_error *err)
{
	bool gpus = false, shared = false, priced = false;

	page_section(report->page, "cost", "Cost");
	if (!has_number(report, "gpus <> '[]'", &gpus, err) ||
		!has_number(report, "gpu_together > 1", &shared, err) ||
		!has_number(report, "cost IS NOT NULL", &priced, err))
		return false;
	if (!gpus)
		page_say(report->page, "No attempt was given a GPU.");
	if (shared)
		page_say(report->page,
			"Trials shared GPUs: a second of a GPU counts for each that was on it.");
	if (!priced)
		page_say(report->page, "Nothing is priced: there is no cost in money.");
	return report_show_query(report, "cost-table", "Nothing was launched.", err,
		"SELECT count(*) AS attempts, sum(busy_s) AS slot_seconds, sum(cpu_s) AS "
		"processor_seconds%s%s FROM v_host_use WHERE job = %s AND started IS NOT NULL "
		"AND " NOT_ADDED,
		gpus ? ", sum(busy_s * json_array_length(gpus)) AS gpu_seconds" : "",
		priced ? ", sum(cost) AS cost" : "", report->job);
}

static bool hosts(struct job_report *report, struct tuner_error *err)
{
	page_section(report->page, "hosts", "Hosts");
	return report_show_query(report, "hosts-table", "Nothing was launched.", err,
		"SELECT backend, host, slot, count(*) AS attempts, sum(outcome = 'ok') AS ok, "
		"sum(busy_s) AS busy_s, sum(busy_s) / (max(ended_unix) - min(started_unix)) AS "
		"busy_share FROM v_host_use WHERE job = %s AND started IS NOT NULL AND " NOT_ADDED
		" GROUP BY backend, "
		"host, slot ORDER BY backend, host, slot LIMIT %d",
		report->job, (int)ROWS_MAX);
}

/* ---- provenance ---- */

static bool say_made_of(
	struct job_report *report, const struct states *states, struct tuner_error *err)
{
	struct attempt_list attempts = { 0 };
	struct provenance made_of = { 0 };
	struct text text = TEXT_EMPTY;

	if (!attempt_select(
		    report->report->store, report->report->job.id, report->best.id, &attempts, err))
		return false;
	const bool ok =
		attempts.n == 0 || provenance_load(report->report->store,
					   attempts.items[attempts.n - 1].id, &made_of, err);
	if (ok && attempts.n > 0) {
		provenance_text(&made_of, states, &text);
		page_say(report->page, "The best trial%s was made of (tuner show %s %lld):",
			report->several ? " by the first objective" : "", report->reference,
			(long long)report->best.number);
		page_verbatim(report->page, text.bytes);
	}
	text_finish(&text);
	provenance_finish(&made_of);
	attempt_list_finish(&attempts);
	return ok;
}

static bool code(struct job_report *report, struct tuner_error *err)
{
	struct states states = { 0 };
	struct text warnings = TEXT_EMPTY;

	page_section(report->page, "provenance", "Code, data and provenance");
	if (!states_read(report->report, &states, err))
		return false;
	bool ok = states_warn(report->report, &states, &warnings, err);
	if (ok && warnings.length > 0)
		page_say(report->page, "%s", warnings.bytes);
	ok = ok && (!report->has_best || say_made_of(report, &states, err)) &&
	     report_show_query(report, "states", "Neither code nor data were looked at.", err,
		     "SELECT kind, substr(sha256, 1, 12) AS fingerprint, source, "
		     "json_extract(facts, "
		     "'$.commit') AS git_commit, datetime(found_us / 1000000, 'unixepoch') AS "
		     "found, "
		     "(SELECT count(*) FROM provenance p WHERE p.code = f.id OR p.data = f.id) AS "
		     "attempts FROM fingerprint f WHERE job = (SELECT id FROM job WHERE name = %s) "
		     "ORDER BY id LIMIT %d",
		     report->job, (int)ROWS_MAX);
	text_finish(&warnings);
	states_finish(&states);
	return ok;
}

static bool changes(struct job_report *report, struct tuner_error *err)
{
	page_subsection(report->page, "What changed on the way");
	return report_show_query(report, "changes",
		"Nothing: neither the job file nor code, data or hosts.", err,
		"SELECT datetime(e.time_us / 1000000, 'unixepoch') AS utc, e.kind, e.data FROM "
		"event e JOIN job j ON j.id = e.job WHERE j.name = %s AND e.kind IN ('edited', "
		"'code', 'data', 'source', 'host', 'reopened') ORDER BY e.id DESC LIMIT %d",
		report->job, (int)ROWS_MAX);
}

static bool sittings(struct job_report *report, struct tuner_error *err)
{
	page_subsection(report->page, "Runs");
	return report_show_query(report, "runs", "Nobody ran it.", err,
		"SELECT datetime(r.began_us / 1000000, 'unixepoch') AS began, (r.ended_us - "
		"r.began_us) "
		"/ 1e6 AS seconds, r.host, r.program AS version, r.exit_status, r.reason FROM run "
		"r "
		"JOIN job j ON j.id = r.job WHERE j.name = %s ORDER BY r.id DESC LIMIT %d",
		report->job, (int)ROWS_MAX);
}

/* ---- settings ---- */

/* The job file; without the values of secret variables, if it has such, and then without its comments. */
static bool settings_text(
	const struct job_report *report, struct text *ret, struct tuner_error *err)
{
	const char *text = report->report->job.file;
	struct json_document *document = NULL;

	if (report->file == NULL || find_secret(report->file) == NULL) {
		text_add(ret, text);
		return true;
	}
	if (!json_parse(report->report->job.name, text, strlen(text), &document, err))
		return false;
	cJSON *root = cJSON_Duplicate(json_root(document), true);
	cJSON *env = cJSON_GetObjectItemCaseSensitive(root, "env");
	for (cJSON *item = env != NULL ? env->child : NULL; item != NULL; item = item->next)
		if (variable_is_secret(item->string))
			(void)cJSON_SetValuestring(item, "***");
	char *printed = root != NULL ? json_print(root, 2) : NULL;
	if (printed != NULL)
		text_add(ret, printed);
	const bool ok = printed != NULL || tuner_fail_memory(err);
	free(printed);
	cJSON_Delete(root);
	json_destroy(document);
	return ok;
}

static bool settings(struct job_report *report, struct tuner_error *err)
{
	struct text text = TEXT_EMPTY;

	page_section(report->page, "settings", "Settings");
	const bool ok = settings_text(report, &text, err);
	if (ok)
		page_folded(report->page, "The job file as last taken", text.bytes);
	text_finish(&text);
	return ok;
}

/* ---- the page ---- */

/* Several queries ask for the front, which takes the square of the trials each time. */
static bool read_front(struct job_report *job, struct tuner_error *err)
{
	if (!view_hold(job->report->store, "v_front", err) ||
		!front_read(job->report, &job->front, err))
		return false;
	job->has_best = job->front.trials.n > 0;
	if (job->has_best)
		job->best = job->front.trials.items[0];
	return true;
}

static bool read(struct job_report *job, struct tuner_error *err)
{
	const struct report *report = job->report;
	struct tuner_error why = { TUNER_OK, "" };
	struct text name = TEXT_EMPTY;
	int64_t counts[TRIAL_STATES];

	report_add_quoted(report->job.name, '\'', &name);
	job->job = text_take(&name);
	if (job->job == NULL)
		return tuner_fail_memory(err);
	if (!job_stored_file(&report->job, &job->file, &why))
		job->file = NULL;
	job->several = report->goals.n > 1;
	if (!trial_count(report->store, report->job.id, counts, err) ||
		!(job->several ? read_front(job, err)
			       : report_best(report, &job->best, &job->has_best, err)))
		return false;
	job->done = counts[TRIAL_DONE];
	job->has_importance = importance_read(report, 0, &job->importance, &job->no_importance);
	return true;
}

static bool write(struct job_report *report, struct tuner_error *err)
{
	return summary(report, err) &&
	       (report->several ? report_front(report, err) : best(report, err)) &&
	       report_comparison(report, err) && report_confirmation(report, err) &&
	       report_figures(report, err) && report_importance(report, err) &&
	       failures(report, err) && cost(report, err) && hosts(report, err) &&
	       code(report, err) && changes(report, err) && sittings(report, err) &&
	       settings(report, err);
}

bool job_report_write(const struct report *report, const char *reference, struct page *page,
	struct tuner_error *err)
{
	struct job_report job = { .report = report, .page = page, .reference = reference };
	struct text title = TEXT_EMPTY;

	text_print(&title, "Report of job %s", report->job.name);
	page_begin(page, title.bytes);
	bool ok = read(&job, err);
	if (ok)
		page_say(page,
			"Below each table and figure stands what recomputes it: a query for "
			"sqlite3 %s, "
			"or a command.",
			store_path(report->store));
	ok = ok && write(&job, err);
	page_end(page);
	ok = ok && ((!text_failed(page->out) && !text_failed(&title)) || tuner_fail_memory(err));
	text_finish(&title);
	if (job.has_best && !job.several)
		trial_finish(&job.best);
	front_finish(&job.front);
	if (job.has_importance)
		importance_report_finish(&job.importance);
	job_file_destroy(job.file);
	free(job.job);
	return ok;
}
