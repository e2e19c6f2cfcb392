#include "tuner/proposal.h"

#include "surrogate/convergence.h"
#include "surrogate/prior_term.h"

#include "base/clock.h"
#include "tuner/decision_notes.h"
#include "tuner/version.h"

#include <gnu/libc-version.h>
#include <gsl/gsl_version.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORK_MIN = 100 }; /* evaluations: the most promising candidates, and a climb */

/* All libraries whose rounding affects a decision's bits; the C library has exp and log. */
static void name_libraries(char ret_name[LIBRARIES_TEXT])
{
	snprintf(ret_name, LIBRARIES_TEXT, "GSL %s, glibc %s", gsl_version, gnu_get_libc_version());
}

static bool keep_hyperparameters(
	struct proposer *proposer, int64_t decision_id, const double *values, size_t n)
{
	double *copy = malloc((n + 1) * sizeof(*copy));
	if (copy == NULL)
		return false;
	memcpy(copy, values, n * sizeof(*copy));
	free(proposer->hyperparameters);
	proposer->hyperparameters = copy;
	proposer->n_hyperparameters = n;
	proposer->start = decision_id;
	return true;
}

bool proposer_create(
	struct proposer *proposer, const struct job_file *file, struct tuner_error *err)
{
	*proposer = (struct proposer){ .file = file };
	machine_cpu_name(proposer->cpu);
	name_libraries(proposer->libraries);
	proposer->settings = job_file_strategy(file);
	return proposer->settings != NULL || tuner_fail_memory(err);
}

bool proposer_learn(
	struct proposer *proposer, struct store *store, int64_t job_id, struct tuner_error *err)
{
	return related_jobs_load(proposer->file, store, job_id, &proposer->related, err);
}

bool proposer_load(struct proposer *proposer, const struct job_file *file, struct store *store,
	int64_t job_id, const char *arm, int64_t repeat, struct tuner_error *err)
{
	if (!proposer_create(proposer, file, err))
		return false;
	proposer->repeat = repeat;
	struct decision latest;
	char *memory = NULL;
	bool found = false;
	bool ok = proposer_learn(proposer, store, job_id, err) &&
		  decision_sequence(store, job_id, arm, repeat, &proposer->sequence, err) &&
		  decision_prognoses(store, job_id, arm, repeat, proposer->prognoses,
			  PROGNOSES_KEPT, &proposer->n_prognoses, err) &&
		  decision_latest(store, job_id, arm, repeat, &latest, &memory, &found, err);
	/* After an edit of the space the old hyperparameters belong to other dimensions. */
	if (ok && found &&
		!keep_hyperparameters(
			proposer, latest.id, latest.hyperparameters, latest.n_hyperparameters))
		ok = tuner_fail_memory(err);
	free(memory);
	if (!ok)
		proposer_finish(proposer);
	return ok;
}

bool proposer_restore(struct proposer *proposer, int64_t sequence, const struct decision *start,
	struct tuner_error *err)
{
	proposer->sequence = sequence;
	proposer->start = 0;
	proposer->n_hyperparameters = 0;
	return start == NULL ||
	       keep_hyperparameters(
		       proposer, start->id, start->hyperparameters, start->n_hyperparameters) ||
	       tuner_fail_memory(err);
}

void proposer_finish(struct proposer *proposer)
{
	related_jobs_destroy(proposer->related);
	free(proposer->settings);
	free(proposer->hyperparameters);
	*proposer = (struct proposer){ 0 };
}

/* A GPU hardly waits for us: 1 % of the median trial, at least 50 ms, at most 1 s (architecture,
 * rule 4). The last decision's time shows how much work fits; 0 (no limit) while it is well below.
 * Measured in CPU time: a machine that is busy with other work is no reason to compute less. With
 * very many trials merely reading them takes longer than the bound; the least work (WORK_MIN) is
 * done even then. */
static int64_t work_limit(const struct proposer *proposer, const struct history *history)
{
	int64_t bound_us = history_median_us(history) / 100;
	bound_us = bound_us < 50000 ? 50000 : bound_us > 1000000 ? 1000000 : bound_us;
	if (proposer->last_cpu_us < bound_us / 2 || proposer->last_work == 0)
		return 0;
	const double rate = (double)proposer->last_work / (double)proposer->last_cpu_us;
	const double limit = rate * (double)bound_us;
	return limit < WORK_MIN ? WORK_MIN : (int64_t)limit;
}

static bool is_complete(const double *values, size_t d)
{
	for (size_t i = 0; i < d; i++)
		if (isnan(values[i]))
			return false;
	return true;
}

static void decide_by_user(
	struct suggestion *suggestion, const double *values, size_t d, int64_t sequence)
{
	*suggestion = (struct suggestion){
		.branch = BRANCH_USER,
		.mean = NAN,
		.sd = NAN,
		.acquisition = NAN,
		.maximised = NAN,
		.gain_mean = NAN,
		.gain_sd = NAN,
		.value_probability = NAN,
		.limits_probability = NAN,
		.incumbent = NAN,
		.sequence = (uint64_t)sequence,
	};
	for (size_t i = 0; i < SUGGEST_OTHERS_MAX; i++)
		suggestion->other_means[i] = suggestion->other_sds[i] = NAN;
	memcpy(suggestion->values, values, d * sizeof(*values));
}

/* Trials observed elsewhere are numbered, too, so the budget is passed on as if it counted them. */
static int64_t budget_trials(const struct proposer *proposer, const struct history *history)
{
	return proposer->file->budget.trials + history->added;
}

static bool decide_by_strategy(const struct proposer *proposer, const struct history *history,
	const struct pending *pending, size_t n_pending, const double *partial,
	const struct proposal_terms *terms, struct suggestion *ret, struct tuner_error *err)
{
	const struct job_file *file = proposer->file;
	struct observation *observations = NULL;
	const double **configurations = calloc(n_pending + 1, sizeof(*configurations));
	struct suggest_request request = {
		.space = &file->space,
		.strategy = &file->strategy,
		.seed = file->seed,
		.repeat = (uint32_t)proposer->repeat,
		.number = (uint32_t)(history->created + 1),
		.budget_trials = (size_t)budget_trials(proposer, history),
		.parallel = terms->parallel,
		.pending = configurations,
		.n_pending = n_pending,
		.sequence = (uint64_t)proposer->sequence,
		.partial = partial,
		.start = proposer->hyperparameters,
		.n_start = proposer->n_hyperparameters,
		.related = related_jobs_models(proposer->related),
		.work_limit = (uint64_t)terms->work_limit,
		.judged = terms->judged,
		.judged_at = terms->judged_at,
		.n_judged_at = terms->n_judged_at,
	};
	bool ok = false;
	if (configurations == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	for (size_t i = 0; i < n_pending; i++)
		configurations[i] = pending[i].values;
	if (!history_observations(history, &observations, &request.n_observations, err))
		goto out;
	request.observations = observations;
	request.n_limits = history_limits(history);
	request.n_others = file->objective.n_also;
	ok = suggest(&request, ret, err);
out:
	free(observations);
	free(configurations);
	return ok;
}

static bool note_pending(struct proposal *proposal, const struct pending *pending, size_t n_pending,
	struct tuner_error *err)
{
	proposal->pending_numbers = calloc(n_pending + 1, sizeof(*proposal->pending_numbers));
	if (proposal->pending_numbers == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n_pending; i++)
		proposal->pending_numbers[i] = pending[i].number;
	return true;
}

/* The strategy's; with them, where there is a model, the prediction as gains see it, and where it has one, the
 * probability that the trial gives a value. */
static bool note_settings(
	struct proposal *proposal, const struct proposer *proposer, struct tuner_error *err)
{
	const struct decision_notes notes =
		decision_notes_of(&proposal->suggestion, proposer->file);
	struct text text = TEXT_EMPTY;
	text_print(&text, "%.*s", (int)strlen(proposer->settings) - 1, proposer->settings);
	decision_notes_add(&notes, &text);
	text_add(&text, "}");
	proposal->settings = text_take(&text);
	return proposal->settings != NULL || tuner_fail_memory(err);
}

/* A model that failed also began from them, as did one that found that a design is still needed. */
static bool asked_model(const struct suggestion *suggestion)
{
	return suggestion->asked || suggestion->branch == BRANCH_MODEL ||
	       suggestion->branch == BRANCH_FALLBACK;
}

/* Fills the row from which the decision can be recomputed. Its numbers are in the user's unit and
 * sign. */
static void fill_decision(struct proposal *proposal, const struct proposer *proposer,
	const struct history *history, size_t n_pending, const struct proposal_terms *terms,
	int64_t took_us)
{
	const struct suggestion *s = &proposal->suggestion;
	const double sign = proposer->file->maximize ? -1 : 1;
	proposal->decision = (struct decision){
		.strategy = strategy_name(proposer->file->strategy.name),
		.branch = branch_name(s->branch),
		.reason = s->reason,
		.settings = proposal->settings,
		.seen = history->last_event,
		.pending = proposal->pending_numbers,
		.n_pending = n_pending,
		.start = asked_model(s) ? proposer->start : 0,
		.sequence = proposer->sequence,
		.next_sequence = (int64_t)s->sequence,
		.budget_trials = budget_trials(proposer, history),
		.parallel = (int64_t)terms->parallel,
		.work_limit = terms->work_limit,
		.work = (int64_t)s->work,
		.hyperparameters = s->hyperparameters,
		.n_hyperparameters = s->n_hyperparameters,
		.mean = sign * s->mean,
		.sd = s->sd,
		.acquisition = s->acquisition,
		.incumbent = sign * s->incumbent,
		.took_us = took_us,
		.libraries = proposer->libraries,
		.cpu = proposer->cpu,
		.program = TUNER_VERSION,
	};
}

bool proposal_make(const struct proposer *proposer, const struct history *history,
	const struct pending *pending, size_t n_pending, const struct queued *queued,
	size_t parallel, struct proposal *ret, struct tuner_error *err)
{
	const struct proposal_terms terms = { .parallel = parallel,
		.work_limit = work_limit(proposer, history) };
	return proposal_make_under(proposer, history, pending, n_pending, queued, &terms, ret, err);
}

bool proposal_make_under(const struct proposer *proposer, const struct history *history,
	const struct pending *pending, size_t n_pending, const struct queued *queued,
	const struct proposal_terms *terms, struct proposal *ret, struct tuner_error *err)
{
	const struct job_file *file = proposer->file;
	const size_t d = file->space.d;
	const int64_t began_us = clock_monotonic_us(), cpu_us = clock_thread_us();
	double given[SPACE_PARAMETERS_MAX];

	*ret = (struct proposal){ .parameters = TEXT_EMPTY };
	if (queued != NULL) {
		ret->queued = queued->id;
		if (!configuration_parse(file, queued->parameters, false, given, err)) {
			tuner_fail_in(err, "queued configuration %s: ", queued->parameters);
			goto fail;
		}
	}
	if (!note_pending(ret, pending, n_pending, err))
		goto fail;
	if (queued != NULL && is_complete(given, d))
		decide_by_user(&ret->suggestion, given, d, proposer->sequence);
	else if (!decide_by_strategy(proposer, history, pending, n_pending, queued ? given : NULL,
			 terms, &ret->suggestion, err))
		goto fail;
	ret->exhausted = ret->suggestion.exhausted;
	if (ret->exhausted)
		return true;
	memcpy(ret->values, ret->suggestion.values, d * sizeof(*ret->values));
	if (!note_settings(ret, proposer, err))
		goto fail;
	configuration_json(file, ret->values, &ret->parameters);
	if (text_failed(&ret->parameters)) {
		tuner_fail_memory(err);
		goto fail;
	}
	ret->cpu_us = clock_thread_us() - cpu_us;
	fill_decision(ret, proposer, history, n_pending, terms, clock_monotonic_us() - began_us);
	return true;
fail:
	proposal_finish(ret);
	return false;
}

static void keep_prognosis(struct proposer *proposer, const struct proposal *proposal)
{
	const struct decision_notes notes =
		decision_notes_of(&proposal->suggestion, proposer->file);
	struct prognosis *kept = proposer->prognoses;
	if (proposer->n_prognoses == PROGNOSES_KEPT)
		memmove(kept, kept + 1, --proposer->n_prognoses * sizeof(*kept));
	kept[proposer->n_prognoses++] =
		(struct prognosis){ notes.gain_mean, notes.gain_sd, proposal->decision.incumbent,
			isnan(notes.limits_probability) ? 0 : 1 - notes.limits_probability };
}

/* As the oldest of the proposals that are kept was made, about. */
static bool priors_lead(const struct proposer *proposer, const struct history *history)
{
	const struct suggest_request request = {
		.space = &proposer->file->space,
		.budget_trials = (size_t)budget_trials(proposer, history),
		.n_observations = history->n > PROGNOSES_KEPT ? history->n - PROGNOSES_KEPT : 0,
	};
	return prior_term_leads(&request);
}

bool proposer_has_converged(const struct proposer *proposer, const struct history *history)
{
	const double chance = 0.05;
	const double sign = proposer->file->maximize ? -1 : 1;
	struct forecast forecasts[PROGNOSES_KEPT];
	for (size_t i = 0; i < proposer->n_prognoses; i++)
		forecasts[i] = (struct forecast){ sign * proposer->prognoses[i].mean,
			proposer->prognoses[i].sd, sign * proposer->prognoses[i].incumbent,
			proposer->prognoses[i].over };
	return has_converged(forecasts, proposer->n_prognoses, PROGNOSES_KEPT, CONVERGENCE_GAIN,
		       chance) &&
	       !priors_lead(proposer, history);
}

void proposal_committed(
	struct proposer *proposer, const struct proposal *proposal, int64_t decision_id)
{
	const struct suggestion *s = &proposal->suggestion;
	proposer->sequence = (int64_t)s->sequence;
	if (strcmp(proposal->decision.branch, branch_name(BRANCH_USER)) != 0)
		keep_prognosis(proposer, proposal);
	if (s->branch != BRANCH_MODEL)
		return;
	proposer->last_cpu_us = proposal->cpu_us;
	proposer->last_work = (int64_t)s->work;
	/* Without memory the next fit starts from older hyperparameters, and its row says which. */
	if (s->n_hyperparameters > 0)
		(void)!keep_hyperparameters(
			proposer, decision_id, s->hyperparameters, s->n_hyperparameters);
}

void proposal_finish(struct proposal *proposal)
{
	text_finish(&proposal->parameters);
	free(proposal->pending_numbers);
	proposal->pending_numbers = NULL;
	free(proposal->settings);
	proposal->settings = NULL;
}
