/* Trials whose result an earlier database has: their rows, in one transaction, and their place in
 * the history. Nothing is launched. The decision is the strategy's like any other, and can be
 * recomputed. */
#include "tuner/loop_inside.h"

#include "base/clock.h"
#include "trials/provenance.h"
#include "tuner/objective.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool loop_proposal_limit(
	struct loop *loop, const struct search *search, int64_t *ret, struct tuner_error *err)
{
	*ret = -1;
	return loop->settings->reuse == NULL ||
	       reuse_work_limit(loop->settings->reuse, search->arm, search->repeat,
		       search->history.created + 1, ret, err);
}

void loop_find_donor(struct loop *loop, struct plan *plan)
{
	if (loop->settings->reuse == NULL || loop->reuse_ended)
		return;
	plan->donor = reuse_find(loop->settings->reuse, plan->live->values,
		training_seed(loop->file->seed, plan->live->repeat, plan->live->arm_number));
}

/* ---- rows ---- */

static bool put_state(struct loop *loop, enum state_of of, const struct present_state *present,
	int64_t *ret, struct tuner_error *err)
{
	struct found_state state = { .of = of,
		.fingerprint = present->fingerprint,
		.source = "live",
		.facts = present->facts.length > 0 ? present->facts.bytes : "{}" };
	bool is_new;

	*ret = 0;
	return present->fingerprint[0] == '\0' ||
	       (loop_put_document(loop, &present->patch, &state.patch, err) &&
		       state_put(loop->store, loop->settings->job_id, &state, clock_wall_us(), ret,
			       &is_new, err));
}

/* Stores the provenance of the donor's last attempt, as states of this database. */
static bool store_made_of(
	struct loop *loop, const struct donor *donor, int64_t attempt, struct tuner_error *err)
{
	const struct present *present = reuse_present(loop->settings->reuse);
	struct provenance made_of;
	int64_t code = loop->settings->code, data;

	if (!provenance_load(reuse_store(loop->settings->reuse), donor->attempt_id, &made_of, err))
		return false;
	bool ok = (code != 0 || put_state(loop, STATE_OF_CODE, &present->code, &code, err)) &&
		  put_state(loop, STATE_OF_DATA, &present->data, &data, err);
	if (ok) {
		const struct provenance_new row = { .attempt = attempt,
			.run = loop->run_id,
			.seed = made_of.seed,
			.arguments = made_of.arguments,
			.directory = made_of.directory,
			.code = code,
			.data = data };
		ok = provenance_add(loop->store, &row, err);
	}
	provenance_finish(&made_of);
	return ok;
}

static bool copy_curve(
	struct loop *loop, const struct curve *curve, int64_t attempt, struct tuner_error *err)
{
	struct metric_row *rows = calloc(curve->n + 1, sizeof(*rows));
	if (rows == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < curve->n; i++)
		rows[i] = (struct metric_row){ curve->name, curve->steps[i], curve->values[i],
			curve->time_us[i] };
	const bool ok = metric_add(loop->store, attempt, rows, curve->n, loop->file->metric,
		loop->file->maximize, 0, "{}", err);
	free(rows);
	return ok;
}

static bool copy_curves(
	struct loop *loop, const struct donor *donor, int64_t attempt, struct tuner_error *err)
{
	struct curve_list curves;
	bool ok = true;

	if (!curve_select(reuse_store(loop->settings->reuse), donor->trial_id, NULL, &curves, err))
		return false;
	for (size_t i = 0; ok && i < curves.n; i++)
		ok = copy_curve(loop, &curves.items[i], attempt, err);
	curve_list_finish(&curves);
	return ok;
}

static bool add_event(struct loop *loop, const struct donor *donor, const struct live *live,
	int64_t now_us, struct tuner_error *err)
{
	struct text data = TEXT_EMPTY;
	int64_t id;

	text_add(&data, "{\"database\":");
	text_add_json_string(&data, reuse_path(loop->settings->reuse));
	text_add(&data, ",\"job\":");
	text_add_json_string(&data, donor->job);
	text_print(&data, ",\"trial\":%lld,\"key\":\"%s\"}", (long long)donor->number, donor->key);
	const bool ok = (!text_failed(&data) || tuner_fail_memory(err)) &&
			event_add(loop->store, loop->settings->job_id, live->trial, live->attempt,
				"reused", data.bytes, now_us, &id, err);
	text_finish(&data);
	return ok;
}

static bool load_donor(struct loop *loop, const struct donor *donor, struct trial_list *ret,
	struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = donor->job_id,
		.repeat = -1,
		.number = donor->number,
		.without_values = true };
	if (!trial_select(reuse_store(loop->settings->reuse), &filter, ret, err))
		return false;
	if (ret->n == 1 && trial_is_measured(&ret->items[0]))
		return true;
	trial_list_finish(ret);
	return tuner_fail(err, TUNER_FATAL, "trial %lld of %s has changed in the meantime",
		(long long)donor->number, reuse_path(loop->settings->reuse));
}

static bool store_end(struct loop *loop, const struct plan *plan, const struct trial *trial,
	const struct attempt *attempt, int64_t now_us, int64_t *ret_event, struct tuner_error *err)
{
	char broken[LIMITS_MESSAGE_BYTES], message[LIMITS_MESSAGE_BYTES + 300];
	objective_limits_message(
		&loop->file->objective, loop->file->metric, &trial->judgement, broken);
	snprintf(message, sizeof(message), "%s%staken over from trial %lld of job %s in %.180s",
		broken, broken[0] != '\0' ? "; " : "", (long long)plan->donor->number,
		plan->donor->job, reuse_path(loop->settings->reuse));
	/* The times are those of the original measurement. */
	const struct attempt_end end = {
		.outcome = OUTCOME_OK,
		.counts_as = trial->outcome,
		.message = message,
		.judgement = trial->judgement,
		.exit_code = attempt->exit_code,
		.signal = -1,
		.started_us = trial->started_us,
		.ended_us = trial->ended_us,
		.user_us = attempt->user_us,
		.system_us = attempt->system_us,
		.max_rss_bytes = attempt->max_rss_bytes,
		.gpu_memory_peak_bytes = attempt->gpu_memory_peak_bytes,
		.trial = trial->state,
		.objective = trial->objective,
	};
	return attempt_end(loop->store, plan->live->attempt, &end, now_us, ret_event, err);
}

static bool store_attempt(struct loop *loop, struct plan *plan, const struct trial *trial,
	int64_t now_us, struct tuner_error *err)
{
	struct live *live = plan->live;
	const struct donor *donor = plan->donor;
	struct attempt_list attempts;

	if (!attempt_select(reuse_store(loop->settings->reuse), donor->job_id, donor->trial_id,
		    &attempts, err))
		return false;
	tuner_assert(attempts.n > 0);
	const struct attempt *last = &attempts.items[attempts.n - 1];
	const struct attempt_new attempt = { .trial_id = live->trial,
		.key = live->key,
		.backend = ATTEMPT_REUSED,
		.host = last->host,
		.gpus = last->gpus,
		.directory = "" };
	int64_t event;
	const bool ok = attempt_create(loop->store, &attempt, now_us, &live->attempt, err) &&
			store_made_of(loop, donor, live->attempt, err) &&
			copy_curves(loop, donor, live->attempt, err) &&
			add_event(loop, donor, live, now_us, err) &&
			store_end(loop, plan, trial, last, now_us, &event, err);
	if (ok)
		plan->search->history.last_event = event;
	attempt_list_finish(&attempts);
	return ok;
}

bool loop_store_reused(struct loop *loop, struct plan *plan, int64_t now_us, const struct job *job,
	struct tuner_error *err)
{
	struct trial_list found;
	if (!load_donor(loop, plan->donor, &found, err))
		return false;
	const struct trial *trial = &found.items[0];
	plan->reused = (struct finished_trial){ .objective = trial->objective,
		.state = trial->state,
		.outcome = trial->outcome,
		.judgement = trial->judgement,
		.took_us = trial_duration_us(trial->started_us, 0, trial->ended_us) };
	const bool ok = loop_store_trial(loop, plan, now_us, job, err) &&
			store_attempt(loop, plan, trial, now_us, err);
	trial_list_finish(&found);
	return ok;
}

/* ---- in memory ---- */

bool loop_take_reused(struct loop *loop, struct plan *plan, struct tuner_error *err)
{
	struct live *live = plan->live;
	struct history *history = &plan->search->history;
	struct finished_trial trial = plan->reused;
	char branch[64], broken[LIMITS_MESSAGE_BYTES];

	trial.number = live->number;
	trial.values = live->values;
	if (!objective_curves_load(&live->curves, &loop->file->objective, loop->file->metric,
		    reuse_store(loop->settings->reuse), plan->donor->trial_id, err))
		return false;
	trial.series = live->curves.whole;
	if (!history_add(history, &trial, err))
		return false;
	live->values = NULL; /* now owned by the history */
	live->curves.whole = (struct series){ 0 };
	plan->donor->taken = true;
	loop->reused++;
	loop->probe_passed = true; /* as the next run will find from the history */
	snprintf(branch, sizeof(branch), "%s, taken over from trial %lld", live->branch,
		(long long)plan->donor->number);
	objective_limits_message(
		&loop->file->objective, loop->file->metric, &trial.judgement, broken);
	progress_finished(loop->settings->progress, &history->items[history->n - 1], branch, broken,
		false, history->best != NULL && history->best->number == live->number);
	return true;
}

void loop_judge_reuse(struct loop *loop, bool code, const char *fingerprint)
{
	const struct present *present;
	if (loop->settings->reuse == NULL || loop->reuse_ended)
		return;
	present = reuse_present(loop->settings->reuse);
	if (strcmp(fingerprint, (code ? &present->code : &present->data)->fingerprint) == 0)
		return;
	loop->reuse_ended = true;
	progress_say(loop->settings->progress,
		"warning: the %s changed, so no more results are reused from %s",
		code ? "code" : "data", reuse_path(loop->settings->reuse));
}
