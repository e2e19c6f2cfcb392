#include "tuner/ci_report.h"

#include "scheduler/attempt.h"
#include "tuner/command.h"
#include "tuner/outcome_rules.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	TAIL_LINES = 20,
	TAILS_MAX =
		200, /* of so many failures the output is quoted: a report of 100,000 is read by nobody */
};

static void add_attribute(struct text *ret, const char *name, const char *value)
{
	text_print(ret, " %s=\"", name);
	text_add_markup(ret, value);
	text_add_char(ret, '"');
}

static void add_seconds(struct text *ret, int64_t us)
{
	text_print(ret, " time=\"%.3f\"", 1e-6 * (double)us);
}

/* The end of a trial's output. A trial without a directory (told, or reused) has none, and
 * unreadable output is left out: the report is about the run. */
static bool add_tail(const struct ci_report *report, const struct trial *trial, struct text *ret,
	struct tuner_error *err)
{
	struct tuner_error ignored = { TUNER_OK, "" };
	struct attempt_list attempts;
	struct text tail = TEXT_EMPTY;

	if (!attempt_select(report->job.store, report->job.job.id, trial->id, &attempts, err))
		return false;
	if (attempts.n > 0 && attempts.items[attempts.n - 1].directory[0] != '\0') {
		char *directory = attempt_path_of(&report->job, &attempts.items[attempts.n - 1]);
		if (directory != NULL && output_tail(directory, TAIL_LINES, &tail, &ignored))
			text_add_markup_bytes(ret, tail.bytes, tail.length);
		free(directory);
	}
	text_finish(&tail);
	attempt_list_finish(&attempts);
	return true;
}

static bool add_failure(const struct ci_report *report, const struct trial *trial, size_t *n_tails,
	struct text *ret, struct tuner_error *err)
{
	const char *element = outcome_is_infrastructure(trial->outcome) ? "error" : "failure";
	bool ok = true;

	text_print(ret, "<%s", element);
	add_attribute(ret, "type", outcome_name(trial->outcome));
	add_attribute(ret, "message", trial->message);
	text_add_char(ret, '>');
	if ((*n_tails)++ < TAILS_MAX)
		ok = add_tail(report, trial, ret, err);
	text_print(ret, "</%s>", element);
	return ok;
}

static void add_skipped(const struct trial *trial, struct text *ret)
{
	struct text why = TEXT_EMPTY;

	if (trial->state != TRIAL_STOPPED && trial->state != TRIAL_FAILED)
		text_print(&why, "it has not ended: %s", trial_state_name(trial->state));
	else
		text_print(&why, "%s%s%s", outcome_name(trial->outcome),
			trial->outcome != OUTCOME_NONE && trial->message[0] != '\0' ? ": " : "",
			trial->message);
	text_add(ret, "<skipped");
	add_attribute(ret, "message", why.bytes);
	text_add(ret, "/>");
	text_finish(&why);
}

/* "trial 7: x=0.3", with its arm if the job has several. */
static void add_name(const struct trial *trial, struct text *ret)
{
	struct text name = TEXT_EMPTY;

	text_print(&name, "trial %lld", (long long)trial->number);
	if (trial->arm[0] != '\0')
		text_print(&name, " of %s/%lld", trial->arm, (long long)trial->repeat + 1);
	text_add(&name, ": ");
	trial_text(trial, &name);
	add_attribute(ret, "name", name.bytes);
	text_finish(&name);
}

static void begin_case(const struct ci_report *report, struct text *ret)
{
	text_add(ret, "    <testcase");
	add_attribute(ret, "classname", report->job.job.name);
}

/* A search tries what is over a limit to learn where that is: nothing is broken. */
static bool is_failure(const struct trial *trial)
{
	return trial->state == TRIAL_FAILED && trial->outcome != OUTCOME_OVER_LIMIT;
}

static void add_objectives(
	const struct ci_report *report, const struct trial *trial, struct text *ret)
{
	for (size_t i = 0; i < report->job.goals.n; i++) {
		text_add(ret, i > 0 ? ", " : "");
		text_add_markup(ret, report->job.goals.items[i].name);
		text_add(ret, " = ");
		text_add_double(ret, goals_value(trial, i));
	}
}

static bool add_trial(const struct ci_report *report, const struct trial *trial, size_t *n_tails,
	struct text *ret, struct tuner_error *err)
{
	bool ok = true;

	begin_case(report, ret);
	add_name(trial, ret);
	add_seconds(ret, trial->ended_us > 0 ? trial_took_us(trial) : 0);
	text_add_char(ret, '>');
	if (is_failure(trial)) {
		ok = add_failure(report, trial, n_tails, ret, err);
	} else if (trial->state != TRIAL_DONE) {
		add_skipped(trial, ret);
	} else {
		text_print(ret, "<system-out>");
		add_objectives(report, trial, ret);
		if (trial->message[0] != '\0') {
			text_add(ret, "; ");
			text_add_markup(ret, trial->message);
		}
		text_add(ret, "</system-out>");
	}
	text_add(ret, "</testcase>\n");
	return ok;
}

static void add_gate(const struct ci_report *report, const struct gate *gate, struct text *ret)
{
	struct text name = TEXT_EMPTY;

	text_print(&name, "gate: %s", gate->text);
	begin_case(report, ret);
	add_attribute(ret, "name", name.bytes);
	text_finish(&name);
	text_add(ret, " time=\"0\">");
	if (!gate->held) {
		text_add(ret, "<failure type=\"gate\"");
		add_attribute(ret, "message", gate->said.bytes);
		text_add(ret, "/>");
	} else {
		text_add(ret, "<system-out>");
		text_add_markup(ret, gate->said.bytes);
		text_add(ret, "</system-out>");
	}
	text_add(ret, "</testcase>\n");
}

/* Gates have their own test cases. */
static bool run_failed(const struct ci_report *report)
{
	return report->status != EXIT_DONE && report->status != EXIT_GATE;
}

static void add_run(const struct ci_report *report, struct text *ret)
{
	char type[32];

	snprintf(type, sizeof(type), "status-%d", report->status);
	begin_case(report, ret);
	text_add(ret, " name=\"the run\" time=\"0\"><error");
	add_attribute(ret, "type", type);
	add_attribute(ret, "message", report->reason);
	text_add(ret, "/></testcase>\n");
}

struct tally {
	size_t tests, failures, errors, skipped;
	int64_t took_us;
};

static struct tally count(const struct ci_report *report)
{
	struct tally tally = { .tests = report->trials.n + report->n_gates };

	for (size_t i = 0; i < report->trials.n; i++) {
		const struct trial *trial = &report->trials.items[i];
		if (trial->ended_us > 0)
			tally.took_us += trial_took_us(trial);
		if (is_failure(trial) && outcome_is_infrastructure(trial->outcome))
			tally.errors++;
		else if (is_failure(trial))
			tally.failures++;
		else if (trial->state != TRIAL_DONE)
			tally.skipped++;
	}
	for (size_t i = 0; i < report->n_gates; i++)
		tally.failures += !report->gates[i].held;
	if (run_failed(report)) {
		tally.tests++;
		tally.errors++;
	}
	return tally;
}

static void add_tally(const struct tally *tally, struct text *ret)
{
	text_print(ret, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"",
		tally->tests, tally->failures, tally->errors, tally->skipped);
	add_seconds(ret, tally->took_us);
}

bool ci_junit(const struct ci_report *report, struct text *ret, struct tuner_error *err)
{
	const struct tally tally = count(report);
	size_t n_tails = 0;
	bool ok = true;

	text_add(ret, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	add_tally(&tally, ret);
	text_add(ret, ">\n  <testsuite");
	add_attribute(ret, "name", report->job.job.name);
	add_tally(&tally, ret);
	text_add(ret, ">\n");
	for (size_t i = 0; ok && i < report->trials.n; i++)
		ok = add_trial(report, &report->trials.items[i], &n_tails, ret, err);
	for (size_t i = 0; i < report->n_gates; i++)
		add_gate(report, &report->gates[i], ret);
	if (run_failed(report))
		add_run(report, ret);
	text_add(ret, "  </testsuite>\n</testsuites>\n");
	return ok && (!text_failed(ret) || tuner_fail_memory(err));
}
