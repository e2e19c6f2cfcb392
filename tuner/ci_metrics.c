/* OpenMetrics 1.0: https://prometheus.io/docs/specs/om/open_metrics_spec/. All are gauges: a file
 * shows the present state, and values may decrease when a job is started anew under its name. */
#include "tuner/ci_report.h"

#include <math.h>
#include <string.h>

void openmetrics_escape(const char *value, struct text *ret)
{
	for (size_t left = strlen(value); left > 0;) {
		const size_t length = text_utf8_character(value, left);
		const size_t taken = length > 0 ? length : 1;
		if (length == 0)
			text_add(ret, "\xEF\xBF\xBD");
		else if (*value == '\n')
			text_add(ret, "\\n");
		else if (*value == '\\' || *value == '"')
			text_print(ret, "\\%c", *value);
		else
			text_add_bytes(ret, value, length);
		value += taken;
		left -= taken;
	}
}

/* "seconds" or another unit that the name ends with; "" without. */
static void begin_family(const char *name, const char *unit, const char *help, struct text *ret)
{
	text_print(ret, "# TYPE %s gauge\n", name);
	if (unit[0] != '\0')
		text_print(ret, "# UNIT %s %s\n", name, unit);
	text_print(ret, "# HELP %s ", name);
	openmetrics_escape(help, ret);
	text_add_char(ret, '\n');
}

struct label {
	const char *name, *value;
};

static void add_sample(const struct ci_report *report, const char *name, struct label label,
	double value, struct text *ret)
{
	text_print(ret, "%s{job=\"", name);
	openmetrics_escape(report->job.job.name, ret);
	if (label.name != NULL) {
		text_print(ret, "\",%s=\"", label.name);
		openmetrics_escape(label.value, ret);
	}
	text_add(ret, "\"} ");
	if (isinf(value))
		text_add(ret, value > 0 ? "+Inf" : "-Inf");
	else if (isnan(value))
		text_add(ret, "NaN");
	else
		text_add_double(ret, value);
	text_add_char(ret, '\n');
}

static const struct label none = { NULL, NULL };

static void add_best(const struct ci_report *report, struct text *ret)
{
	const struct label metric = { "metric", report->job.metric };

	if (report->best == NULL)
		return;
	begin_family("tuner_best_objective", "",
		"Objective of the best trial, in the metric's own unit.", ret);
	add_sample(report, "tuner_best_objective", metric, report->best->objective, ret);
	begin_family("tuner_best_trial", "", "Number of the best trial.", ret);
	add_sample(report, "tuner_best_trial", none, (double)report->best->number, ret);
}

static void add_counts(const struct ci_report *report, struct text *ret)
{
	begin_family("tuner_trials", "", "Trials of the job by state.", ret);
	for (enum trial_state s = 0; s < TRIAL_STATES; s++)
		add_sample(report, "tuner_trials", (struct label){ "state", trial_state_name(s) },
			(double)report->counts[s], ret);
	begin_family("tuner_trials_reused", "",
		"Trials of this run whose result was taken over from an earlier one.", ret);
	add_sample(report, "tuner_trials_reused", none, (double)report->reused, ret);
	begin_family("tuner_failed_trials", "", "Failed trials by class of failure.", ret);
	for (enum outcome o = OUTCOME_EARLY_STOPPED; o < OUTCOMES; o++)
		if (report->failures[o] > 0)
			add_sample(report, "tuner_failed_trials",
				(struct label){ "class", outcome_name(o) },
				(double)report->failures[o], ret);
}

static void add_times(const struct ci_report *report, struct text *ret)
{
	int64_t took_us = 0, n = 0;

	for (size_t i = 0; i < report->trials.n; i++) {
		if (report->trials.items[i].state != TRIAL_DONE)
			continue;
		took_us += trial_took_us(&report->trials.items[i]);
		n++;
	}
	begin_family("tuner_runtime_seconds", "seconds", "Time spent in tuner run.", ret);
	add_sample(report, "tuner_runtime_seconds", none, 1e-6 * (double)report->job.job.runtime_us,
		ret);
	if (n == 0)
		return;
	begin_family("tuner_trial_duration_seconds", "seconds",
		"Mean duration of the trials that gave an objective.", ret);
	add_sample(report, "tuner_trial_duration_seconds", none, 1e-6 * (double)took_us / (double)n,
		ret);
}

static void add_gates(const struct ci_report *report, struct text *ret)
{
	if (report->n_gates == 0)
		return;
	begin_family("tuner_gate_held", "", "1: the gate held; 0: it was missed.", ret);
	for (size_t i = 0; i < report->n_gates; i++) {
		bool again = false;
		for (size_t k = 0; k < i && !again; k++)
			again = strcmp(report->gates[k].text, report->gates[i].text) == 0;
		if (!again) /* each series appears once */
			add_sample(report, "tuner_gate_held",
				(struct label){ "gate", report->gates[i].text },
				report->gates[i].held, ret);
	}
}

bool ci_metrics(const struct ci_report *report, struct text *ret, struct tuner_error *err)
{
	add_best(report, ret);
	add_counts(report, ret);
	add_times(report, ret);
	add_gates(report, ret);
	begin_family("tuner_exit_status", "", "Exit status of tuner run.", ret);
	add_sample(report, "tuner_exit_status", none, report->status, ret);
	text_add(ret, "# EOF\n");
	return !text_failed(ret) || tuner_fail_memory(err);
}
