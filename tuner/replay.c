#include "tuner/replay.h"

#include "base/array.h"
#include "trials/rescore.h"
#include "tuner/decision_notes.h"
#include "tuner/replay_comparison.h"
#include "tuner/version.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An end of a trial, with the trial as it was then. Its pointers are owned by the list. */
struct past_end {
	struct trial trial;
	int64_t taken_back; /* event; 0: it stands */
};

/* The state for recomputing one decision after another; each needs little more than the one before
 * it. */
struct player {
	const struct report *report;
	struct replay *replay;
	struct trial_list trials; /* all, by number */
	struct past_end *ends; /* in their order, including those taken back */
	size_t n_ends, next_end; /* those before next_end have been handled */
	int64_t as_of; /* event up to which the history goes */
	struct reopening *reopenings;
	size_t n_reopenings;
	struct rescoring *rescorings;
	size_t n_rescorings;

	/* Of the last decision: the job file in force, and results by that file. */
	struct job_file *file; /* NULL: none yet, or this version cannot read it */
	int64_t space_version, objective_version;
	const char *arm; /* the trials' */
	int64_t repeat;
	char *settings;
	struct history history;
	struct proposer proposer;
};

/* ---- the job file in force ---- */

static void forget_file(struct player *player)
{
	proposer_finish(&player->proposer);
	history_finish(&player->history);
	job_file_destroy(player->file);
	free(player->settings);
	player->file = NULL;
	player->settings = NULL;
	player->next_end = 0;
	player->as_of = 0;
}

/* Each search has a history of its own. */
static bool is_of_search(const struct player *player, const struct trial *trial)
{
	return player->repeat == trial->repeat && strcmp(player->arm, trial->arm) == 0;
}

static bool is_in_force(
	const struct player *player, const struct trial *trial, const struct decision *decision)
{
	const size_t length = decision_settings_length(decision->settings);
	return player->file != NULL && is_of_search(player, trial) &&
	       player->space_version == trial->space_version &&
	       player->objective_version == decision->objective_version &&
	       decision_settings_length(player->settings) == length &&
	       strncmp(player->settings, decision->settings, length) == 0;
}

static bool read_file(struct player *player, const struct trial *trial,
	const struct decision *decision, struct tuner_error *err)
{
	struct store *store = player->report->store;
	char *definition = NULL, *metric = NULL, *objective = NULL;
	struct parameter_list parameters = { 0 };
	bool maximize = false;
	bool ok = job_space_version(store, trial->space_version, &definition, &parameters, err) &&
		  job_objective(store, decision->objective_version, &metric, &maximize, &objective,
			  err) &&
		  job_file_restore(definition, decision->settings, &player->file, err);
	if (ok && player->file != NULL) {
		player->file->maximize = maximize;
		player->file->seed = (uint64_t)player->report->job.seed;
		ok = job_file_restore_also(player->file, objective, err);
	}
	parameter_list_finish(&parameters);
	free(definition);
	free(metric);
	free(objective);
	return ok;
}

/* player->file is NULL afterwards if this version cannot read it. */
static bool take_file(struct player *player, const struct trial *trial,
	const struct decision *decision, struct tuner_error *err)
{
	if (is_in_force(player, trial, decision))
		return true;
	forget_file(player);
	if (!read_file(player, trial, decision, err))
		return false;
	if (player->file == NULL)
		return true;
	player->arm = trial->arm;
	player->repeat = trial->repeat;
	player->space_version = trial->space_version;
	player->objective_version = decision->objective_version;
	player->settings = strdup(decision->settings);
	player->history.file = player->file;
	if (player->settings == NULL)
		return tuner_fail_memory(err);
	const struct report *report = player->report;
	if (!proposer_create(&player->proposer, player->file, err) ||
		!proposer_learn(&player->proposer, report->store, report->job.id, err))
		return false;
	player->proposer.repeat = trial->repeat;
	return true;
}

/* ---- what was known ---- */

/* The history can be added to, but nothing taken out. */
static bool can_go_on(const struct player *player, int64_t event)
{
	if (event < player->as_of)
		return false;
	for (size_t i = 0; i < player->n_reopenings; i++)
		if (player->reopenings[i].event > player->as_of &&
			player->reopenings[i].event <= event)
			return false;
	return true;
}

/* Results up to the last event that the decision saw, without those taken back by then. */
static bool take_history(struct player *player, const struct trial *trial,
	const struct decision *decision, struct tuner_error *err)
{
	struct history *history = &player->history;
	if (!can_go_on(player, decision->seen)) {
		history_finish(history);
		history->file = player->file;
		player->next_end = 0;
	}
	for (; player->next_end < player->n_ends; player->next_end++) {
		const struct past_end *end = &player->ends[player->next_end];
		if (end->trial.ended_event > decision->seen)
			break;
		if (!is_of_search(player, &end->trial) ||
			(end->taken_back > 0 && end->taken_back <= decision->seen))
			continue;
		struct trial then = end->trial;
		rescorings_undo(player->rescorings, player->n_rescorings,
			decision->objective_version, end->taken_back, &then);
		if (!history_add_stored(history, player->report->store, &then, err))
			return false;
	}
	player->as_of = decision->seen;
	history->created = trial->arm_number - 1;
	history->added = 0; /* they are in the decision's budget */
	return true;
}

static int by_number(const void *number, const void *trial)
{
	const int64_t a = *(const int64_t *)number, b = ((const struct trial *)trial)->number;
	return (a > b) - (a < b);
}

/* A trial's values as the loop has them while it runs: none that an edited space does not
 * accept. */
static bool pending_values(
	const struct player *player, int64_t number, const double **ret, struct tuner_error *err)
{
	const size_t d = player->file->space.d;
	const struct trial *trial =
		bsearch(&number, player->trials.items, player->trials.n, sizeof(*trial), by_number);
	double *values = NULL;
	if (trial == NULL)
		return tuner_fail(err, TUNER_USAGE, "it knew of a trial %lld, which is not there",
			(long long)number);
	if (!trial_present_values(player->file, trial, &values, err))
		return false;
	if (values == NULL) {
		values = calloc(d + 1, sizeof(*values));
		if (values == NULL)
			return tuner_fail_memory(err);
		for (size_t i = 0; i < d; i++)
			values[i] = NAN;
	}
	*ret = values;
	return true;
}

static void pending_finish(struct pending *pending, size_t n)
{
	for (size_t i = 0; pending != NULL && i < n; i++)
		free((double *)pending[i].values);
	free(pending);
}

static bool take_pending(const struct player *player, const struct decision *decision,
	struct pending **ret, struct tuner_error *err)
{
	struct pending *pending = calloc(decision->n_pending + 1, sizeof(*pending));
	if (pending == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < decision->n_pending; i++) {
		pending[i].number = decision->pending[i];
		if (!pending_values(player, decision->pending[i], &pending[i].values, err)) {
			pending_finish(pending, decision->n_pending);
			return false;
		}
	}
	*ret = pending;
	return true;
}

static bool take_start(
	struct player *player, const struct decision *decision, struct tuner_error *err)
{
	struct decision start;
	char *memory = NULL;
	if (decision->start == 0)
		return proposer_restore(&player->proposer, decision->sequence, NULL, err);
	const bool ok =
		decision_load(player->report->store, decision->start, &start, &memory, err) &&
		proposer_restore(&player->proposer, decision->sequence, &start, err);
	free(memory);
	return ok;
}

/* ---- the decision once more ---- */

/* Proposes by a search, or evaluates the model at `judged`, with hyperparameters fitted again or,
 * if `recorded`, those of the decision. */
static bool propose_again(struct player *player, const struct trial *trial,
	const struct decision *decision, const double *judged, bool recorded, struct proposal *ret,
	struct tuner_error *err)
{
	const struct proposal_terms terms = { .parallel = (size_t)decision->parallel,
		.work_limit = decision->work_limit,
		.judged = judged,
		.judged_at = recorded ? decision->hyperparameters : NULL,
		.n_judged_at = recorded ? decision->n_hyperparameters : 0 };
	struct pending *pending = NULL;
	struct queued queued = { 0 };
	bool is_queued = false;
	player->file->budget.trials = decision->budget_trials;
	const bool ok = take_history(player, trial, decision, err) &&
			take_start(player, decision, err) &&
			queue_taken(player->report->store, trial->id, &queued, &is_queued, err) &&
			take_pending(player, decision, &pending, err) &&
			proposal_make_under(&player->proposer, &player->history, pending,
				decision->n_pending, is_queued ? &queued : NULL, &terms, ret, err);
	pending_finish(pending, decision->n_pending);
	queued_finish(&queued);
	return ok;
}

/* ---- one decision ---- */

static bool is_from_here(const struct replay *replay, const struct decision *decision)
{
	return strcmp(replay->cpu, decision->cpu) == 0 &&
	       strcmp(replay->libraries, decision->libraries) == 0 &&
	       strcmp(replay->program, decision->program) == 0;
}

static void note_elsewhere(struct replay *replay, const struct decision *decision)
{
	if (replay->elsewhere++ > 0)
		return;
	snprintf(replay->their_cpu, sizeof(replay->their_cpu), "%.63s", decision->cpu);
	snprintf(replay->their_libraries, sizeof(replay->their_libraries), "%.191s",
		decision->libraries);
	snprintf(replay->their_program, sizeof(replay->their_program), "%.31s", decision->program);
}

static bool list_difference(struct replay_differences *list,
	const struct replay_difference *difference, struct tuner_error *err)
{
	if (!array_reserve(&list->items, list->n, &list->capacity, sizeof(*list->items)))
		return tuner_fail_memory(err);
	list->items[list->n++] = *difference;
	return true;
}

/* For a recorded choice that differs from the one computed here, but may be as good. */
struct second_look {
	bool same_place,
		same_fit; /* the model says the same of the recorded place, as fitted here, or at the
				      recorded hyperparameters, which are as likely */
	double maximised; /* at the recorded place */
	double log_posterior, log_posterior_recorded;
};

static bool says_the_same(const struct player *player, const struct trial *trial,
	const struct decision *decision, const struct proposal *judged)
{
	struct comparison comparison = { .exact = false };
	decision_compare(&comparison, player->file, trial, decision, judged);
	return !comparison.differs;
}

static bool judge_fit(struct player *player, const struct trial *trial,
	const struct decision *decision, const double *values, struct second_look *judgement,
	struct tuner_error *err)
{
	struct proposal judged;
	if (!propose_again(player, trial, decision, values, true, &judged, err))
		return false;
	judgement->log_posterior_recorded = judged.suggestion.log_posterior;
	judgement->same_fit = says_the_same(player, trial, decision, &judged) &&
			      judgement->log_posterior_recorded >=
				      judgement->log_posterior - REPLAY_FIT_TOLERANCE;
	proposal_finish(&judged);
	return true;
}

static bool judge_place(struct player *player, const struct trial *trial,
	const struct decision *decision, const double *values, struct second_look *judgement,
	struct tuner_error *err)
{
	struct proposal judged;
	if (!propose_again(player, trial, decision, values, false, &judged, err))
		return false;
	judgement->same_place = says_the_same(player, trial, decision, &judged);
	judgement->maximised = judged.suggestion.maximised;
	judgement->log_posterior = judged.suggestion.log_posterior;
	proposal_finish(&judged);
	return true;
}

/* Evaluates the model at the recorded choice. */
static bool judge(struct player *player, const struct trial *trial, const struct decision *decision,
	const struct proposal *found, struct second_look *ret, struct tuner_error *err)
{
	double *values = NULL;
	*ret = (struct second_look){ .same_place = false };
	if (strcmp(decision->branch, branch_name(BRANCH_MODEL)) != 0 ||
		found->suggestion.branch != BRANCH_MODEL)
		return true;
	if (!trial_present_values(player->file, trial, &values, err))
		return false;
	const bool ok =
		values == NULL ||
		(judge_place(player, trial, decision, values, ret, err) &&
			(ret->same_place || judge_fit(player, trial, decision, values, ret, err)));
	free(values);
	return ok;
}

/* Puts a difference of a decision made elsewhere into the right list. */
static bool list_judged(struct player *player, const struct trial *trial,
	const struct decision *decision, const struct proposal *found,
	struct replay_difference *difference, struct tuner_error *err)
{
	struct replay *replay = player->replay;
	struct second_look judgement;
	if (!judge(player, trial, decision, found, &judgement, err))
		return false;
	if (judgement.same_place) {
		difference->maximised_recorded = judgement.maximised;
		difference->maximised_recomputed = found->suggestion.maximised;
		return list_difference(&replay->other_maxima, difference, err);
	}
	if (judgement.same_fit) {
		difference->maximised_recorded = judgement.log_posterior_recorded;
		difference->maximised_recomputed = judgement.log_posterior;
		return list_difference(&replay->other_fits, difference, err);
	}
	return list_difference(&replay->differences, difference, err);
}

static bool compare(struct player *player, const struct trial *trial,
	const struct decision *decision, const struct proposal *found, struct tuner_error *err)
{
	struct replay *replay = player->replay;
	const bool is_elsewhere = !is_from_here(replay, decision);
	struct comparison comparison = { .exact = true };
	decision_compare(&comparison, player->file, trial, decision, found);
	replay->same_bits += !comparison.differs;
	if (comparison.differs && is_elsewhere) {
		comparison = (struct comparison){ .exact = false };
		decision_compare(&comparison, player->file, trial, decision, found);
	}
	if (!comparison.differs)
		return true;
	if (is_elsewhere)
		return list_judged(player, trial, decision, found, &comparison.difference, err);
	return list_difference(&replay->differences, &comparison.difference, err);
}

static bool differs(struct player *player, const struct trial *trial, const char *field,
	const char *recorded, const char *recomputed, struct tuner_error *err)
{
	const struct replay_difference difference =
		replay_difference_of(trial->number, field, recorded, recomputed);
	return list_difference(&player->replay->differences, &difference, err);
}

/* A fault of this decision counts as a difference, so that the others can still be compared. */
static bool recompute(struct player *player, const struct trial *trial,
	const struct decision *decision, struct tuner_error *err)
{
	struct tuner_error fault = { TUNER_OK, "" };
	struct proposal proposal;
	if (!take_file(player, trial, decision, err))
		return false;
	if (player->file == NULL || player->file->space.d != trial->d)
		return differs(player, trial, "settings", decision->settings,
			"not known to this version", err);
	if (!propose_again(player, trial, decision, NULL, false, &proposal, &fault)) {
		if (fault.code == TUNER_USAGE)
			return differs(
				player, trial, "branch", decision->branch, fault.message, err);
		*err = fault;
		return false;
	}
	const bool ok = proposal.exhausted ? differs(player, trial, "branch", decision->branch,
						     "nothing left to try", err)
					   : compare(player, trial, decision, &proposal, err);
	proposal_finish(&proposal);
	return ok;
}

static bool play_decision(struct player *player, const struct trial *trial,
	const struct decision *decision, struct tuner_error *err)
{
	struct replay *replay = player->replay;
	if (strcmp(decision->branch, branch_name(BRANCH_USER)) == 0) {
		replay->given++;
		return true;
	}
	if (!recompute(player, trial, decision, err))
		return tuner_fail_in(err, "trial %lld: ", (long long)trial->number);
	replay->recomputed++;
	if (!is_from_here(replay, decision))
		note_elsewhere(replay, decision);
	return true;
}

static bool play(struct player *player, const struct trial *trial, struct tuner_error *err)
{
	struct decision decision;
	char *memory = NULL;
	if (!decision_load(player->report->store, trial->id, &decision, &memory, err))
		return false;
	const bool ok = play_decision(player, trial, &decision, err);
	free(memory);
	return ok;
}

/* ---- all of them ---- */

/* Of the same end, the one taken back comes first. */
static int by_end(const void *a, const void *b)
{
	const struct past_end *x = a, *y = b;
	if (x->trial.ended_event != y->trial.ended_event)
		return x->trial.ended_event > y->trial.ended_event ? 1 : -1;
	return (x->taken_back < y->taken_back) - (x->taken_back > y->taken_back);
}

static int by_id(const void *id, const void *trial)
{
	const int64_t a = *(const int64_t *)id, b = ((const struct trial *)trial)->id;
	return (a > b) - (a < b);
}

/* Ids rise with numbers. Trials created after the list was read are not recomputed. */
static void add_taken_back(struct player *player, const struct reopening *reopening)
{
	const struct trial *trial = bsearch(&reopening->trial_id, player->trials.items,
		player->trials.n, sizeof(*trial), by_id);
	if (trial == NULL)
		return;
	struct past_end *end = &player->ends[player->n_ends++];
	*end = (struct past_end){ .trial = *trial, .taken_back = reopening->event };
	reopening_undo(reopening, &end->trial);
}

/* An end that was taken back after the trials were read occurs twice. */
static void drop_doubles(struct player *player)
{
	size_t n = 0;
	for (size_t i = 0; i < player->n_ends; i++)
		if (n == 0 ||
			player->ends[n - 1].trial.ended_event != player->ends[i].trial.ended_event)
			player->ends[n++] = player->ends[i];
	player->n_ends = n;
}

static bool collect_ends(struct player *player, struct tuner_error *err)
{
	player->ends = calloc(player->trials.n + player->n_reopenings + 1, sizeof(*player->ends));
	if (player->ends == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < player->n_reopenings; i++)
		add_taken_back(player, &player->reopenings[i]);
	for (size_t i = 0; i < player->trials.n; i++)
		if (player->trials.items[i].ended_event > 0)
			player->ends[player->n_ends++] =
				(struct past_end){ .trial = player->trials.items[i] };
	qsort(player->ends, player->n_ends, sizeof(*player->ends), by_end);
	drop_doubles(player);
	return true;
}

/* Reads the trials in one statement, so that a running job is seen at one moment. */
static bool load_trials(struct player *player, struct tuner_error *err)
{
	const struct report *report = player->report;
	const struct trial_filter all = { .job_id = report->job.id, .repeat = -1 };
	return trial_select(report->store, &all, &player->trials, err) &&
	       trial_reopenings(report->store, report->job.id, &player->reopenings,
		       &player->n_reopenings, err) &&
	       trial_rescorings(report->store, report->job.id, &player->rescorings,
		       &player->n_rescorings, err) &&
	       collect_ends(player, err);
}

/* A proposer knows this program's CPU and libraries. */
static bool name_here(struct replay *replay, struct tuner_error *err)
{
	struct job_file file = { .strategy = { .name = STRATEGY_RANDOM } };
	struct proposer proposer;
	if (!proposer_create(&proposer, &file, err))
		return false;
	memcpy(replay->cpu, proposer.cpu, sizeof(replay->cpu));
	memcpy(replay->libraries, proposer.libraries, sizeof(replay->libraries));
	snprintf(replay->program, sizeof(replay->program), "%s", TUNER_VERSION);
	proposer_finish(&proposer);
	return true;
}

static int by_search(const void *a, const void *b)
{
	const struct trial *x = *(const struct trial *const *)a;
	const struct trial *y = *(const struct trial *const *)b;
	const int arms = strcmp(x->arm, y->arm);
	if (arms != 0)
		return arms;
	if (x->repeat != y->repeat)
		return x->repeat > y->repeat ? 1 : -1;
	return (x->number > y->number) - (x->number < y->number);
}

/* One search after the other, so that each decision's history is the one before it and little more. */
static const struct trial **in_order(const struct trial_list *trials)
{
	const struct trial **order = calloc(trials->n + 1, sizeof(*order));
	for (size_t i = 0; order != NULL && i < trials->n; i++)
		order[i] = &trials->items[i];
	if (order != NULL)
		qsort(order, trials->n, sizeof(*order), by_search);
	return order;
}

static bool play_all(struct player *player, int64_t number, struct tuner_error *err)
{
	bool found = number == 0, ok = true;
	if (!name_here(player->replay, err) || !load_trials(player, err))
		return false;
	const struct trial **order = in_order(&player->trials);
	if (order == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; ok && i < player->trials.n; i++) {
		if (number != 0 && order[i]->number != number)
			continue;
		found = true;
		ok = play(player, order[i], err);
	}
	free(order);
	if (!ok)
		return false;
	return found ||
	       tuner_fail(err, TUNER_USAGE,
		       "job %.100s has no trial %lld: \"tuner trials %s\" lists them",
		       player->report->job.name, (long long)number, player->report->reference);
}

bool replay_job(
	const struct report *report, int64_t number, struct replay *ret, struct tuner_error *err)
{
	*ret = (struct replay){ 0 };
	struct player player = { .report = report, .replay = ret };
	const bool ok = play_all(&player, number, err);
	forget_file(&player);
	free(player.ends);
	free(player.reopenings);
	free(player.rescorings);
	trial_list_finish(&player.trials);
	if (!ok)
		replay_finish(ret);
	return ok;
}

void replay_finish(struct replay *replay)
{
	free(replay->differences.items);
	free(replay->other_maxima.items);
	free(replay->other_fits.items);
	*replay = (struct replay){ 0 };
}
