/* tuner tell: the result of a configuration that was asked for, or was tried elsewhere. */
#include "tuner/command.h"

#include "base/number.h"
#include "tuner/ask_job.h"
#include "tuner/ask_tell_line.h"
#include "tuner/enqueue.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_MAX = 1 << 30, TRIAL_MAX = 100000000 };

static bool read_value(const char *name, const char *text, double *ret, struct tuner_error *err)
{
	if (!number_to_double(text, ret))
		return tuner_fail(err, TUNER_USAGE, "%.100s is a number, not \"%s\"", name, text);
	/* A number too large for a double is a mistake, not an objective; infinity must be written
	 * as such. */
	return !number_is_beyond(text, *ret) ||
	       tuner_fail(err, TUNER_USAGE,
		       "%.100s is a number below 1.8e308 in size, or inf or nan, not \"%s\"", name,
		       text);
}

/* Of the metrics that a call tells: their names are kept here. */
struct metric_options {
	char *names[OBJECTIVE_METRICS_MAX];
	size_t n;
};

static void metric_options_finish(struct metric_options *options)
{
	for (size_t i = 0; i < options->n; i++)
		free(options->names[i]);
}

/* --metric NAME=VALUE, any number of times. A name may have a '=': the last one counts. */
static bool read_metrics(const struct invocation *call, struct told_metrics *ret,
	struct metric_options *names, struct tuner_error *err)
{
	const char *texts[OBJECTIVE_METRICS_MAX + 1];
	const size_t n = invocation_options(call, "metric", texts, OBJECTIVE_METRICS_MAX + 1);
	double value;

	if (n > OBJECTIVE_METRICS_MAX)
		return tuner_fail(err, TUNER_USAGE, "more than %d metrics", OBJECTIVE_METRICS_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *equals = strrchr(texts[i], '=');
		if (equals == NULL || equals == texts[i])
			return tuner_fail(err, TUNER_USAGE,
				"--metric is NAME=VALUE, such as latency_ms=11, not \"%.100s\"",
				texts[i]);
		char *name = strndup(texts[i], (size_t)(equals - texts[i]));
		if (name == NULL)
			return tuner_fail_memory(err);
		names->names[names->n++] = name;
		if (!read_value(name, equals + 1, &value, err) ||
			!told_metrics_add(ret, name, value, err))
			return false;
	}
	return true;
}

/* value: the argument in VALUE's place; NULL if there is none. */
static bool read_told(const struct invocation *call, const char *value, struct told *ret,
	struct metric_options *names, struct tuner_error *err)
{
	const char *failed = invocation_option(call, "failed");
	const bool has_step = invocation_option(call, "step") != NULL;
	if ((value != NULL) == (failed != NULL))
		return tuner_fail(err, TUNER_USAGE, "expected either VALUE or --failed REASON");
	if (failed != NULL && has_step)
		return tuner_fail(
			err, TUNER_USAGE, "a failure ends the trial: --failed takes no --step");
	*ret = (struct told){ .kind = failed ? TOLD_FAILED : has_step ? TOLD_STEP : TOLD_VALUE };
	if ((failed != NULL || has_step) && invocation_option(call, "metric") != NULL)
		return tuner_fail(
			err, TUNER_USAGE, "--metric is told with the trial's VALUE at its end");
	if (failed != NULL)
		return told_outcome(failed, &ret->outcome, err);
	return invocation_integer(call, "step", 0, STEP_MAX, 0, &ret->step, err) &&
	       read_value("VALUE", value, &ret->value, err) &&
	       read_metrics(call, &ret->metrics, names, err);
}

static bool read_number(const char *text, int64_t *ret, struct tuner_error *err)
{
	if (number_to_int64(text, ret) && *ret >= 1 && *ret <= TRIAL_MAX)
		return true;
	return tuner_fail(
		err, TUNER_USAGE, "TRIAL is the number that \"tuner ask\" gave, not \"%s\"", text);
}

/* A line for people, or the answer of ask-tell. */
static bool print(const struct invocation *call, const struct job_file *file, int64_t number,
	const struct told_answer *answer, struct tuner_error *err)
{
	struct text out = TEXT_EMPTY;
	if (call->json) {
		ask_tell_answer_told(answer, invocation_option(call, "add") ? number : 0, &out);
	} else if (answer->outcome == OUTCOME_NONE) {
		text_print(&out, "%s", answer->stop ? "stop" : "go on");
		text_print(&out, "%s%s", answer->reason[0] ? ": " : "", answer->reason);
	} else {
		text_print(
			&out, "trial %lld: %s", (long long)number, trial_state_name(answer->state));
		if (answer->state == TRIAL_DONE)
			text_print(&out, ", %s = %.8g%s", file->metric, answer->objective,
				answer->best && file->objective.n_also == 0 ? ", the best so far"
									    : "");
		else
			text_print(&out, ", %s%s%s", outcome_name(answer->outcome),
				answer->broken[0] ? ": " : "", answer->broken);
	}
	const bool ok = !text_failed(&out) || tuner_fail_memory(err);
	if (ok)
		puts(out.bytes);
	text_finish(&out);
	return ok;
}

static bool tell(const struct invocation *call, struct ask_job *job, struct tuner_error *err)
{
	struct metric_options names = { .n = 0 };
	struct told_answer answer;
	struct told told;
	int64_t number;
	const char *value = call->n_arguments > 2 ? call->arguments[2] : NULL;
	const bool ok = read_number(call->arguments[1], &number, err) &&
			read_told(call, value, &told, &names, err) &&
			ask_job_open_stored(call, job, err) &&
			ask_tell_tell(job->ask_tell, number, &told, &answer, err) &&
			print(call, job->file, number, &answer, err);
	metric_options_finish(&names);
	return ok;
}

/* --add: no trial is named, so VALUE is the second argument. */
static bool add(const struct invocation *call, const char *typed, struct ask_job *job,
	struct tuner_error *err)
{
	struct metric_options names = { .n = 0 };
	struct text parameters = TEXT_EMPTY;
	struct told_answer answer;
	struct told told;
	int64_t number;
	bool ok = false;
	if (call->n_arguments > 2 || invocation_option(call, "step") != NULL)
		return tuner_fail(err, TUNER_USAGE,
			"usage: tuner tell JOB --add PARAMETERS VALUE; it names no trial and no "
			"step");
	if (read_told(
		    call, call->n_arguments > 1 ? call->arguments[1] : NULL, &told, &names, err) &&
		ask_job_open_stored(call, job, err) &&
		configuration_typed(job->file, typed, &parameters, err) &&
		ask_tell_add(job->ask_tell, parameters.bytes, &told, &number, &answer, err))
		ok = print(call, job->file, number, &answer, err);
	metric_options_finish(&names);
	text_finish(&parameters);
	return ok;
}

int cmd_tell(const struct invocation *call, struct tuner_error *err)
{
	struct ask_job job = { 0 };
	const char *typed = invocation_option(call, "add");
	bool ok;
	if (typed != NULL)
		ok = add(call, typed, &job, err);
	else if (call->n_arguments < 2)
		ok = tuner_fail(err, TUNER_USAGE, "usage: tuner tell %s", call->command->synopsis);
	else
		ok = tell(call, &job, err);
	ask_job_close(&job);
	return ok ? EXIT_DONE : -1;
}
