#include "tuner/live.h"

#include "base/array.h"
#include "base/clock.h"
#include "tuner/keep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes per read, and reads before other events are checked again. */
enum { CHUNK = 64 * 1024, CHUNKS_A_TICK = 64, TAIL_LINES = 200 };

void live_destroy(struct live *live)
{
	if (live == NULL)
		return;
	scraper_destroy(live->scraper);
	objective_curves_finish(&live->curves);
	free(live->rows);
	free(live->values);
	free(live->directory);
	free(live);
}

struct found_context {
	struct live *live;
	const struct job_objective *objective;
	int64_t now_us;
};

static bool keep_row(struct live *live, const struct scraped *scraped, int64_t now_us)
{
	if (!array_reserve(&live->rows, live->n_rows, &live->rows_capacity, sizeof(*live->rows)))
		return false;
	live->rows[live->n_rows++] = (struct metric_row){
		.name = scraped->name,
		.step = scraped->step,
		.value = scraped->value,
		.time_us = now_us,
	};
	return true;
}

static void found(void *context, const struct scraped *scraped)
{
	const struct found_context *found = context;
	struct live *live = found->live;
	if (!keep_row(live, scraped, found->now_us))
		live->out_of_memory = true;
	else if (!objective_curves_put(&live->curves, found->objective, scraped->name,
			 (double)scraped->step, scraped->value))
		live->out_of_memory = true;
}

bool live_collect(struct live *live, struct backend *backend, const struct job_objective *objective,
	bool complete, struct tuner_error *err)
{
	char *bytes = malloc(CHUNK);
	struct found_context context = { live, objective, clock_wall_us() };
	bool ok = false;
	if (bytes == NULL)
		return tuner_fail_memory(err);
	/* The scraper keeps an unfinished line, so reading continues after it. */
	for (size_t i = 0; complete || i < CHUNKS_A_TICK; i++) {
		int64_t offset;
		size_t size;
		if (!backend->ops->read_output(backend, live->attempt, live->read_offset, bytes,
			    CHUNK, &offset, &size, err))
			goto out;
		if (size == 0)
			break;
		if (!scraper_feed(live->scraper, offset, bytes, size, found, &context, err))
			goto out;
		live->read_offset = offset + (int64_t)size;
	}
	if (complete && !scraper_end(live->scraper, found, &context, err))
		goto out;
	ok = !live->out_of_memory || tuner_fail_memory(err);
out:
	free(bytes);
	return ok || tuner_fail_in(err, "trial %lld: ", (long long)live->number);
}

bool live_store(struct live *live, struct store *store, const struct job_file *file,
	struct tuner_error *err)
{
	if (live->started && !live->started_committed &&
		!attempt_move(store, live->attempt, ATTEMPT_RUNNING, live->started_us, err))
		return false;
	const int64_t offset = scraper_offset(live->scraper);
	if (live->n_rows == 0 && offset == live->stored_offset)
		return true;
	char *state = scraper_state(live->scraper);
	if (state == NULL)
		return tuner_fail_memory(err);
	const bool ok = metric_add(store, live->attempt, live->rows, live->n_rows, file->metric,
		file->maximize, offset, state, err);
	free(state);
	return ok;
}

void live_committed(struct live *live)
{
	live->n_rows = 0;
	live->stored_offset = scraper_offset(live->scraper);
	live->started_committed = live->started;
}

static void fate_without_exit(const struct live *live, struct fate *ret)
{
	ret->outcome = live->end.kind == BACKEND_LOST ? OUTCOME_LOST : OUTCOME_LAUNCH_FAILED;
	snprintf(ret->message, sizeof(ret->message), "%s", live->end.message);
	/* An attempt that we were ending anyway is neither lost nor failed. */
	if (live->stopping != NULL)
		ret->outcome = outcome_from_name(live->stopping);
}

/* Names which of several metrics are missing. */
static void name_missing(
	const struct live *live, const struct job_objective *objective, struct fate *ret)
{
	struct text names = TEXT_EMPTY;
	char what[300];

	if (ret->outcome != OUTCOME_NO_METRIC || objective->n == 1)
		return;
	objective_missing(&live->curves, objective, &names);
	snprintf(what, sizeof(what), "exit status 0, but not reported: %.200s", names.bytes);
	memcpy(ret->message, what, sizeof(what));
	text_finish(&names);
}

/* Names which of several objectives are NaN. Where a rule of the job file says so, its words stay. */
static void name_undefined(const struct live *live, const struct job_file *file, struct fate *ret)
{
	static const char by_value[] = "exit status 0, but";
	struct text names = TEXT_EMPTY;

	if (ret->outcome != OUTCOME_NAN || file->objective.n_also == 0 ||
		strncmp(ret->message, by_value, sizeof(by_value) - 1) != 0)
		return;
	objective_undefined(&live->curves, file, &names);
	if (names.length > 0)
		snprintf(ret->message, sizeof(ret->message), "%s NaN: %.200s", by_value,
			names.bytes);
	text_finish(&names);
}

/* Output that was not read completely may have held it. */
static void name_dropped(const struct live *live, struct fate *ret)
{
	const int64_t missed = scraper_missed(live->scraper);
	char size[BYTES_TEXT];

	if (ret->outcome == OUTCOME_NO_METRIC && missed > 0)
		snprintf(ret->message, sizeof(ret->message),
			"exit status 0, and no objective in what could be read of the output: %s "
			"came faster than they were read, and \"log_max\" did not keep them",
			bytes_text(missed, size));
}

/* The output was removed, by somebody or a power failure: it may have held a metric, like output
 * lost to a full disk. An attempt that we ended keeps our reason. */
static void name_removed(const struct live *live, struct fate *ret)
{
	const struct exit_record *exit = &live->end.exit;
	const int64_t gone = exit->output_bytes - exit->output_lost - live->read_offset;
	const bool counts = ret->outcome == OUTCOME_OK || ret->outcome == OUTCOME_NAN ||
			    ret->outcome == OUTCOME_NO_METRIC || ret->outcome == OUTCOME_TIMEOUT ||
			    ret->outcome == OUTCOME_CRASHED;
	char size[BYTES_TEXT];

	if (!counts || gone <= 0 || exit->kind == EXIT_MEMORY)
		return;
	ret->outcome = OUTCOME_LOST;
	snprintf(ret->message, sizeof(ret->message),
		"the last %s of its output were removed before they were read",
		bytes_text(gone, size));
}

static void fate_by_exit(const struct live *live, const struct job_file *file,
	const struct failure_rules *rules, double objective, struct ended_attempt *ended,
	struct fate *ret)
{
	struct tuner_error ignored;
	struct text tail = TEXT_EMPTY;
	struct verdict verdict;
	const enum objective_seen seen = !ended->reported   ? OBJECTIVE_MISSING
					 : isnan(objective) ? OBJECTIVE_NAN
							    : OBJECTIVE_FINITE;
	/* Without the end of its output a failure is classified by the exit status alone. */
	(void)!output_tail(live->directory, TAIL_LINES, &tail, &ignored);
	classify(rules, &live->end.exit, seen, live->stopping, tail.bytes, tail.length, &verdict);
	text_finish(&tail);
	ret->outcome = outcome_from_name(verdict.outcome);
	snprintf(ret->message, sizeof(ret->message), "%s", verdict.message);
	name_missing(live, &file->objective, ret);
	name_undefined(live, file, ret);
	name_dropped(live, ret);
	name_removed(live, ret);
	ended->retry = verdict.retry;
	ended->end = verdict.end;
}

/* The command did what it should, so the attempt's outcome stays OK. */
static void judge(const struct live *live, const struct job_file *file, struct fate *ret)
{
	ret->judgement =
		objective_judge(&live->curves, &file->objective, ret->objective, file->maximize);
	if (!judgement_is_over(&ret->judgement))
		return;
	ret->trial = TRIAL_FAILED;
	ret->counts_as = OUTCOME_OVER_LIMIT;
	objective_limits_message(&file->objective, file->metric, &ret->judgement, ret->message);
}

static bool has_begun(const struct live *live)
{
	const struct exit_record *exit = &live->end.exit;

	return live->started || (live->end.kind == BACKEND_ENDED && exit->kind != EXIT_NO_START &&
					exit->ended_us > exit->started_us);
}

/* The end of a search says nothing about a configuration whose command had not begun: it waited in a
 * cluster's queue, or for its host. */
static void spare_the_waiting(const struct live *live, struct fate *ret)
{
	const bool is_ours =
		ret->outcome == OUTCOME_TIMEOUT || ret->outcome == OUTCOME_EARLY_STOPPED;

	if (!is_ours || live->stopping == NULL || has_begun(live))
		return;
	ret->outcome = OUTCOME_INTERRUPTED;
	snprintf(ret->message, sizeof(ret->message), "not begun yet: %s", live->stop_reason);
}

void live_fate(const struct live *live, const struct job_file *file,
	const struct failure_rules *rules, struct fate *ret)
{
	*ret = (struct fate){ .objective = objective_value(
				      &live->curves, &file->objective, file->maximize) };
	struct ended_attempt ended = {
		.before = live->before,
		.reported = objective_complete(&live->curves, &file->objective),
		.shared_gpu = live->gpus.together > 1,
	};
	if (live->end.kind == BACKEND_ENDED)
		fate_by_exit(live, file, rules, ret->objective, &ended, ret);
	else
		fate_without_exit(live, ret);
	if (live->stop_reason[0] != '\0' && live->stopping != NULL &&
		outcome_from_name(live->stopping) == ret->outcome)
		snprintf(ret->message, sizeof(ret->message), "%s", live->stop_reason);
	spare_the_waiting(live, ret);
	ended.outcome = ret->outcome;
	const struct consequence follows =
		outcome_consequence(file->outcomes, file->retries, &ended);
	ret->trial = follows.trial;
	ret->counts_as = follows.counts_as;
	ret->end_job = follows.end_job;
	if (ret->trial == TRIAL_DONE)
		judge(live, file, ret);
	if (ret->trial == TRIAL_PROPOSED || ret->trial == TRIAL_FAILED)
		ret->objective = NAN;
}
