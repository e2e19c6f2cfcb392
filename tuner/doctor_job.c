#include "tuner/doctor.h"

#include "base/file.h"
#include "base/number.h"
#include "scheduler/ssh_pending.h"
#include "surrogate/prior.h"
#include "trials/host.h"
#include "tuner/configuration.h"
#include "tuner/history.h"
#include "tuner/job_hosts.h"
#include "tuner/jobfile_facts.h"
#include "tuner/launch.h"
#include "tuner/job_open.h"
#include "tuner/objective.h"
#include "tuner/recommended.h"
#include "tuner/reported.h"
#include "tuner/slots.h"
#include "tuner/store_wait.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	DONE_MIN = 10, /* before that the best says nothing about bounds */
	BEST_OF = 5,
	PREDICTIONS_MIN = 10,
	FAILURES_MIN = 3,
};

/* The model's sd is that of the mean: noise comes on top of it. So errors may well exceed the sd,
 * and only large deviations are a finding; with a noisy model none are, since its sd of the mean
 * shrinks with the number of trials. */
static const double MEDIAN_SURE = 2.5, MEDIAN_UNSURE = 0.1;
static const double SHARE_OF_FAILURES = 0.1;
static const double EDGE = 0.01, NEAR_EDGE = 0.05; /* in the unit cube */

/* ---- calibration ---- */

static int compare_double(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct calibration calibration_of(const struct prediction *predictions, size_t n)
{
	struct calibration ret = { .median = NAN, .beyond_two = NAN };
	double errors[PREDICTIONS_MAX];
	size_t beyond = 0;

	for (size_t i = 0; i < n && ret.n < PREDICTIONS_MAX; i++) {
		const double z =
			(predictions[i].objective - predictions[i].mean) / predictions[i].sd;
		if (!isfinite(z))
			continue;
		errors[ret.n++] = fabs(z);
		beyond += fabs(z) > 2;
	}
	if (ret.n == 0)
		return ret;
	qsort(errors, ret.n, sizeof(*errors), compare_double);
	ret.median =
		ret.n % 2 ? errors[ret.n / 2] : 0.5 * (errors[ret.n / 2 - 1] + errors[ret.n / 2]);
	ret.beyond_two = (double)beyond / (double)ret.n;
	return ret;
}

void doctor_calibration(struct findings *findings, const struct calibration *calibration)
{
	if (calibration->n < PREDICTIONS_MIN)
		return;
	if (calibration->median > MEDIAN_SURE && !calibration->noisy)
		finding_add(findings, "job", "model-too-sure",
			"look for noise (\"deterministic\": true would be wrong) or for jumps, and "
			"try strategy.warp \"axes\" or hyperparameters \"marginal\"",
			"the model is too sure: of %zu predictions half are off by more than %.1f "
			"of their standard deviations",
			calibration->n, calibration->median);
	if (calibration->median < MEDIAN_UNSURE)
		finding_add(findings, "job", "model-too-unsure",
			"the objective may hardly vary: look at \"tuner importance\", and widen or "
			"drop what does not matter",
			"the model is too unsure: of %zu predictions half are met to %.2f of their "
			"standard deviations",
			calibration->n, calibration->median);
}

/* ---- bounds ---- */

/* -1: at min, 1: at max, 0: at neither, within a part of the range. The end values of an int lie inside the
 * unit interval, in the middle of their cells. */
static int edge_of(const struct parameter *parameter, double value, double within)
{
	const double low = parameter_encode(parameter, parameter->min),
		     high = parameter_encode(parameter, parameter->max),
		     u = (parameter_encode(parameter, value) - low) / (high - low);

	return u <= within ? -1 : u >= 1 - within ? 1 : 0;
}

static bool has_bounds(const struct parameter *parameter)
{
	const uint64_t n = parameter_cardinality(parameter);

	return (parameter->type == PARAMETER_FLOAT || parameter->type == PARAMETER_INT) &&
	       (n == 0 || n > 3);
}

static void check_bound(struct findings *findings, const struct parameter *parameter, size_t p,
	const double *const *trials, size_t n)
{
	const int edge = edge_of(parameter, trials[0][p], EDGE);
	size_t there = 0;
	char value[NUMBER_TEXT], advice[300];

	for (size_t i = 0; i < n; i++)
		there += edge != 0 && edge_of(parameter, trials[i][p], NEAR_EDGE) == edge;
	if (2 * there <= n)
		return;
	number_from_double(trials[0][p], value);
	snprintf(advice, sizeof(advice),
		"widen it, if possible: parameters.%.100s.%s of the job file; old trials remain "
		"data",
		parameter->name, edge < 0 ? "min" : "max");
	finding_add(findings, "job", "best-at-bound", advice,
		"the best trial has %.100s = %s, at its %s, and so have %zu of the best %zu",
		parameter->name, value, edge < 0 ? "min" : "max", there, n);
}

void doctor_bounds(struct findings *findings, const struct job_file *file,
	const double *const *trials, size_t n, size_t done)
{
	const size_t best = n < BEST_OF ? n : BEST_OF;

	if (done < DONE_MIN || best == 0)
		return;
	for (size_t p = 0; p < file->space.d; p++) {
		bool active[SPACE_PARAMETERS_MAX];
		space_activity(&file->space, trials[0], active);
		if (active[p] && has_bounds(&file->space.parameters[p]))
			check_bound(findings, &file->space.parameters[p], p, trials, best);
	}
}

/* ---- priors ---- */

/* Less than half as dense as an even draw. */
static bool is_unexpected(const struct space *space, size_t p, const double *values)
{
	const struct parameter *parameter = &space->parameters[p];
	struct prior_density density;

	prior_density_init(parameter, &space->priors[p], &density);
	return prior_log_density(&density, parameter_encode(parameter, values[p]), NULL) < log(0.5);
}

static void check_prior(struct findings *findings, const struct job_file *file, size_t p,
	const double *const *trials, size_t n)
{
	const char *name = file->space.parameters[p].name;
	struct text value = TEXT_EMPTY, prior = TEXT_EMPTY;
	char advice[300];
	size_t there = 0;

	for (size_t i = 0; i < n; i++) {
		bool active[SPACE_PARAMETERS_MAX];
		space_activity(&file->space, trials[i], active);
		there += active[p] && is_unexpected(&file->space, p, trials[i]);
	}
	if (2 * there <= n || !is_unexpected(&file->space, p, trials[0]))
		return;
	configuration_value_json(file, p, trials[0][p], &value);
	prior_json(file, p, &prior);
	snprintf(advice, sizeof(advice),
		"correct or remove parameters.%.100s.prior of the job file, which keeps the search "
		"away from there; old trials remain data",
		name);
	finding_add(findings, "job", "prior-contradicted", advice,
		"the best trial has %.100s = %.60s, and it is one of %zu of the best %zu that are "
		"where its prior, %.100s, expects hardly any good value",
		name, value.bytes, there, n, prior.bytes);
	text_finish(&value);
	text_finish(&prior);
}

void doctor_priors(struct findings *findings, const struct job_file *file,
	const double *const *trials, size_t n, size_t done)
{
	const size_t best = n < BEST_OF ? n : BEST_OF;
	bool active[SPACE_PARAMETERS_MAX];

	if (done < DONE_MIN || best == 0)
		return;
	space_activity(&file->space, trials[0], active);
	for (size_t p = 0; p < file->space.d; p++)
		if (active[p] && has_prior(file, p))
			check_prior(findings, file, p, trials, best);
}

/* ---- failures ---- */

static const char *failure_advice(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_TIMEOUT:
		return "raise \"timeout\", or let early_stopping end hopeless trials";
	case OUTCOME_PREEMPTED:
		return "let the command write checkpoints, or take a machine that stays";
	case OUTCOME_LOST:
		return "look at the machine (dmesg, nvidia-smi -q); \"tuner retry --class lost\" "
		       "runs the trials again";
	case OUTCOME_LAUNCH_FAILED:
		return "\"tuner try\" launches the command once and shows everything";
	case OUTCOME_OOM_HOST:
		return "lower budget.parallel or what loads data; if the configuration is at "
		       "fault: "
		       "\"outcomes\": {\"oom-host\": \"fail\"}";
	case OUTCOME_DISK_FULL:
		return "make room; \"tuner retry --class disk-full\" runs the trials again";
	case OUTCOME_NAN:
	case OUTCOME_DIVERGED:
		return "narrow what makes it diverge, or give it a constraint: the model avoids it "
		       "at a price";
	case OUTCOME_OOM_GPU:
		return "bound what takes memory by a constraint, such as \"batch_size * width <= "
		       "N\"";
	case OUTCOME_NO_METRIC:
		return "\"tuner check FILE --log OUTPUT\" shows what the patterns find";
	default:
		return "\"tuner logs JOB TRIAL\" shows the output, \"tuner status\" the last one";
	}
}

static bool counts_as_failure(enum outcome outcome)
{
	return outcome != OUTCOME_NONE && outcome != OUTCOME_OK &&
	       outcome != OUTCOME_EARLY_STOPPED && outcome != OUTCOME_USER_STOPPED &&
	       outcome != OUTCOME_INTERRUPTED;
}

void doctor_failures(struct findings *findings, const int64_t *attempts)
{
	int64_t all = 0;

	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++)
		all += attempts[o];
	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++)
		if (counts_as_failure(o) && attempts[o] >= FAILURES_MIN &&
			(double)attempts[o] >= SHARE_OF_FAILURES * (double)all)
			finding_add(findings, "job", "failures", failure_advice(o),
				"%lld of %lld attempts ended as %s", (long long)attempts[o],
				(long long)all, outcome_name(o));
}

void doctor_objective_limits(struct findings *findings, int64_t over, int64_t measured)
{
	if (over < FAILURES_MIN || over < measured)
		return;
	finding_add(findings, "job", "limits",
		"\"tuner trials\" shows by how much; \"tuner rescore JOB --set "
		"'objective.limits=[...]'\" changes them without training again",
		"none of the %lld trials with a value has kept the limits", (long long)measured);
}

/* ---- times ---- */

void doctor_times(struct findings *findings, const struct job_file *file, int64_t longest_us,
	int64_t median_us, int64_t timeouts)
{
	char longest[NUMBER_TEXT], median[NUMBER_TEXT], limit[NUMBER_TEXT];

	if (file->timeout_us == 0 || longest_us == 0)
		return;
	number_from_duration_us(longest_us, longest);
	number_from_duration_us(median_us, median);
	number_from_duration_us(file->timeout_us, limit);
	if (10 * longest_us > 9 * file->timeout_us)
		finding_add(findings, "job", "timeout-near",
			"raise it, unless the slow ones are the bad ones",
			"\"timeout\" is %s, and a done trial took %s of it (%lld were ended by it)",
			limit, longest, (long long)timeouts);
	else if (file->timeout_us > 100 * median_us && file->timeout_us > 100 * longest_us)
		finding_add(findings, "job", "timeout-far",
			"lower it: a command that hangs keeps its slot for so long",
			"\"timeout\" is %s, while trials take %s and never more than %s", limit,
			median, longest);
}

/* ---- from the database ---- */

/* The objective's i-th metric came in none of so many attempts. */
static bool add_missing(struct findings *findings, const struct report *report,
	const struct job_objective *objective, size_t i, int64_t attempts, struct tuner_error *err)
{
	const char *metric = objective->metrics[i].name;
	struct metric_names names;
	struct text guess = TEXT_EMPTY;

	if (!metric_names_select(report->store, report->job.id, &names, err))
		return false;
	if (names.n > 0) {
		text_add(&guess, " (");
		reported_guess(&names, metric, &guess);
		text_add(&guess, ")");
	}
	finding_add(findings, "job", "metric-never-came",
		"let the command print it: @tuner {\"NAME\": VALUE}, or give \"metrics\" a pattern",
		"the %s metric \"%.100s\" never came in %lld attempts%.200s",
		objective_whose(objective, i), metric, (long long)attempts, guess.bytes);
	text_finish(&guess);
	metric_names_finish(&names);
	return true;
}

/* For launched trials only: a caller may tell a trial's value without a curve. */
static bool check_metrics(struct findings *findings, const struct report *report,
	const struct job_file *file, struct tuner_error *err)
{
	int64_t attempts[OUTCOMES], ran = 0;

	if (!attempt_count_outcomes(report->store, report->job.id, true, attempts, err))
		return false;
	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++)
		ran += o != OUTCOME_LAUNCH_FAILED ? attempts[o] : 0;
	if (ran == 0)
		return true;
	for (size_t i = 0; i < file->n_metrics; i++) {
		bool seen;
		if (!metric_was_reported(
			    report->store, report->job.id, file->metrics[i].name, &seen, err))
			return false;
		if (!seen)
			finding_add(findings, "job", "pattern-never-matched",
				"\"tuner check FILE --log OUTPUT\" shows what it finds in an "
				"output",
				"the metric \"%.100s\" never came in %lld attempts: its pattern "
				"never "
				"matched",
				file->metrics[i].name, (long long)ran);
	}
	for (size_t i = 0; file->n_metrics == 0 && i < file->objective.n; i++) {
		bool seen;
		if (!metric_was_reported(report->store, report->job.id,
			    file->objective.metrics[i].name, &seen, err))
			return false;
		if (!seen && !add_missing(findings, report, &file->objective, i, ran, err))
			return false;
	}
	return true;
}

/* The done trials that fit into the present space, the best first. */
static bool check_done(struct findings *findings, const struct report *report,
	const struct job_file *file, const int64_t *attempts, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.order = TRIAL_BY_OBJECTIVE,
		.without_values = true };
	double *best[BEST_OF] = { NULL };
	struct trial_list list;
	size_t n = 0;
	bool ok = true;

	if (!trial_select(report->store, &filter, &list, err))
		return false;
	double *times = calloc(list.n + 1, sizeof(*times));
	if (times == NULL)
		ok = tuner_fail_memory(err);
	for (size_t i = 0; ok && i < list.n && n < BEST_OF; i++) {
		ok = trial_present_values(file, &list.items[i], &best[n], err);
		n += ok && best[n] != NULL;
	}
	for (size_t i = 0; ok && i < list.n; i++)
		times[i] = (double)trial_took_us(&list.items[i]);
	if (ok) {
		qsort(times, list.n, sizeof(*times), compare_double);
		doctor_bounds(findings, file, (const double *const *)best, n, list.n);
		doctor_priors(findings, file, (const double *const *)best, n, list.n);
		if (list.n > 0)
			doctor_times(findings, file, (int64_t)times[list.n - 1],
				(int64_t)times[list.n / 2], attempts[OUTCOME_TIMEOUT]);
	}
	for (size_t i = 0; i < n; i++)
		free(best[i]);
	free(times);
	trial_list_finish(&list);
	return ok;
}

static bool check_predictions(struct findings *findings, const struct report *report,
	struct calibration *ret, struct tuner_error *err)
{
	struct prediction predictions[PREDICTIONS_MAX];
	size_t n;

	if (!prediction_select(
		    report->store, report->job.id, predictions, PREDICTIONS_MAX, &n, err))
		return false;
	*ret = calibration_of(predictions, n);
	if (!recommended_matters(report, &ret->noisy, err))
		return false;
	doctor_calibration(findings, ret);
	return true;
}

/* Compares what the hosts' entries ask for with what exists. */
static void check_slots(struct findings *findings, const struct job_file *file)
{
	struct slot_list *slots = calloc(1, sizeof(*slots));
	struct tuner_error missing = { TUNER_OK, "" };

	if (slots == NULL || file->command == NULL)
		; /* nothing runs here */
	else if (!slots_find(file, slots, &missing))
		finding_add(findings, "job", "no-slot", "change \"hosts\", or repair the machine",
			"%s", missing.message);
	else if (slots->note[0] != '\0')
		finding_add(findings, "job", "fewer-slots",
			"change \"hosts\" or budget.parallel, or repair the machine", "%s",
			slots->note);
	free(slots);
}

/* Attempts that are alive, or died, without a tuner that watches over them. */
static bool check_abandoned(
	struct findings *findings, const struct report *report, struct tuner_error *err)
{
	struct attempt_list open;
	int64_t holder = 0;
	size_t n = 0;

	if (!store_job_holder(report->store, report->job.id, &holder, err) ||
		!attempt_select(report->store, report->job.id, 0, &open, err))
		return false;
	for (size_t i = 0; i < open.n; i++)
		n += strcmp(open.items[i].backend, ATTEMPT_CALLER) != 0;
	attempt_list_finish(&open);
	if (n > 0 && holder == 0)
		finding_add(findings, "job", "abandoned",
			"\"tuner run\" takes over what lives and collects what has ended, \"tuner "
			"stop\" ends it",
			"%zu attempt%s under way when %s \"tuner run\" ended", n,
			n == 1 ? " was" : "s were", n == 1 ? "its" : "their");
	return true;
}

/* DATABASE.d/JOB/.hosts/HOST, where the backend notes what is to be fetched. NULL without memory. */
static char *notes_of_host(const struct report *report, const struct job_host *host)
{
	char *attempt = attempt_relative_directory(report->job.name, 1, 1);
	char *trial = attempt != NULL ? path_directory(attempt) : NULL;
	char *job = trial != NULL ? path_directory(trial) : NULL;
	struct text path = TEXT_EMPTY;

	if (job != NULL)
		text_print(&path, "%s/%s/.hosts/%s", store_directory(report->store), job,
			job_host_label(host, ""));
	free(job);
	free(trial);
	free(attempt);
	return job != NULL ? text_take(&path) : NULL;
}

/* A living run still fetches. What cannot be read is reported by the next run. */
static bool check_results(struct findings *findings, const struct report *report,
	const struct job_file *file, struct tuner_error *err)
{
	struct tuner_error ignored;
	int64_t holder = 0;

	if (!store_holder(store_path(report->store), &holder, err))
		return false;
	for (size_t h = 0; h < file->n_hosts && holder == 0; h++) {
		char *notes =
			file->hosts[h].ssh != NULL ? notes_of_host(report, &file->hosts[h]) : NULL;
		struct pending *items = NULL;
		size_t n = 0, fetches = 0, lost = 0;
		if (notes != NULL && pending_list(notes, &items, &n, &ignored))
			for (size_t i = 0; i < n; i++) {
				fetches += items[i].kind == PENDING_FETCH;
				lost += items[i].kind == PENDING_FENCE;
			}
		if (lost > 0)
			finding_add(findings, "job", "may-run",
				"\"tuner stop\" ends them once the host answers",
				"%zu lost attempt%s may still be running on %s", lost,
				lost == 1 ? "" : "s", file->hosts[h].name);
		if (fetches > 0)
			finding_add(findings, "job", "not-fetched",
				"\"tuner run FILE\" fetches them once the host can deliver them",
				"the files that %zu attempt%s saved on %s are not here", fetches,
				fetches == 1 ? "" : "s", file->hosts[h].name);
		free(items);
		free(notes);
	}
	return true;
}

/* By what the last run knew: hosts are not asked. Hosts no longer in the file are ignored. */
static bool check_hosts(struct findings *findings, const struct report *report,
	const struct job_file *file, struct tuner_error *err)
{
	struct host_event_list list;
	char machine[256] = "localhost";

	gethostname(machine, sizeof(machine) - 1);
	if (!host_events_select(report->store, report->job.id, false, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++) {
		const struct host_event *event = &list.items[i];
		bool named = false;
		for (size_t h = 0; h < file->n_hosts && !named; h++)
			named = strcmp(job_host_label(&file->hosts[h], machine), event->name) == 0;
		if (named && strcmp(event->state, "down") == 0)
			finding_add(findings, "job", "host-down",
				"repair it: it is used as soon as it answers; \"tuner hosts\" "
				"lists all",
				"host %s was unusable when last tried: %s", event->name,
				event->message);
	}
	host_event_list_finish(&list);
	return true;
}

static bool check_limits(
	struct findings *findings, const struct report *report, struct tuner_error *err)
{
	int64_t counts[TRIAL_STATES], outcomes[OUTCOMES], last_failed;

	if (!trial_count_own(report->store, report->job.id, counts, err) ||
		!trial_count_outcomes(report->store, report->job.id, outcomes, &last_failed, err))
		return false;
	const int64_t over = outcomes[OUTCOME_OVER_LIMIT];
	doctor_objective_limits(findings, over, over + counts[TRIAL_DONE]);
	return true;
}

bool doctor_job(struct findings *findings, const struct report *report,
	struct calibration *ret_calibration, struct tuner_error *err)
{
	struct tuner_error unreadable = { TUNER_OK, "" };
	struct job_file *file = NULL;
	int64_t attempts[OUTCOMES];

	*ret_calibration = calibration_of(NULL, 0);
	if (!attempt_count_outcomes(report->store, report->job.id, false, attempts, err))
		return false;
	doctor_failures(findings, attempts);
	bool ok = check_abandoned(findings, report, err) && check_limits(findings, report, err) &&
		  check_predictions(findings, report, ret_calibration, err);
	if (ok && !job_stored_file(&report->job, &file, &unreadable))
		finding_add(findings, "job", "file", "use the tuner that wrote it", "%s",
			unreadable.message);
	if (ok && file != NULL) {
		check_slots(findings, file);
		ok = check_hosts(findings, report, file, err) &&
		     check_results(findings, report, file, err) &&
		     check_metrics(findings, report, file, err) &&
		     check_done(findings, report, file, attempts, err);
	}
	job_file_destroy(file);
	return ok;
}
