/* From the history to the next configuration, with the decision row from which it can be
 * recomputed. */
#ifndef TUNER_PROPOSAL_H
#define TUNER_PROPOSAL_H

#include "tuner/history.h"
#include "tuner/related_jobs.h"

enum { LIBRARIES_TEXT = 192, PROGNOSES_KEPT = 5 };

/* What one arm's proposals build on, besides the history. */
struct proposer {
	const struct job_file *file;
	int64_t repeat; /* of the comparison; 0 otherwise */
	struct related_jobs *related; /* NULL: there are none */
	char *settings; /* the strategy's, as JSON for the decision row */
	int64_t sequence; /* points of the quasi-random sequence used so far */
	int64_t start; /* decision whose hyperparameters start the next fit; 0: none */
	double *hyperparameters;
	size_t n_hyperparameters;
	char cpu[64],
		libraries[LIBRARIES_TEXT]; /* CPU and libraries in use, as named in decision rows */
	int64_t last_cpu_us, last_work; /* of the last model decision: they bound the next one */
	struct prognosis prognoses[PROGNOSES_KEPT]; /* of the last decisions except given ones,
						       oldest first */
	size_t n_prognoses;
};

/* For an arm without trials, of a job without related ones. */
TUNER_MUST_CHECK
bool proposer_create(
	struct proposer *proposer, const struct job_file *file, struct tuner_error *err);

TUNER_MUST_CHECK
bool proposer_load(struct proposer *proposer, const struct job_file *file, struct store *store,
	int64_t job_id, const char *arm, int64_t repeat, struct tuner_error *err);
void proposer_finish(struct proposer *proposer);

/* Reads what related jobs have found, which never changes. For proposer_create; proposer_load does it. */
TUNER_MUST_CHECK
bool proposer_learn(
	struct proposer *proposer, struct store *store, int64_t job_id, struct tuner_error *err);

/* Restores the state before one of the arm's decisions: `start` (NULL: none) has the
 * hyperparameters from which the next fit begins, which are copied. */
TUNER_MUST_CHECK
bool proposer_restore(struct proposer *proposer, int64_t sequence, const struct decision *start,
	struct tuner_error *err);

struct pending {
	int64_t number;
	const double *values;
};

struct proposal {
	bool exhausted; /* nothing is left to try; the rest is not set */
	double values[SPACE_PARAMETERS_MAX];
	struct text parameters; /* JSON; proposal_finish */
	int64_t queued;
	struct decision decision; /* its pointers are valid as long as proposer and proposal */
	struct suggestion suggestion;
	int64_t cpu_us; /* CPU time used; decision.took_us is elapsed time */
	int64_t *pending_numbers;
	char *settings; /* JSON for the decision row */
};

/* Makes the next configuration: the queue entry if one is given (completed by the strategy if
 * partial), else the strategy's. The proposer is unchanged until proposal_committed, to be called
 * once the trial is in the database. */
TUNER_MUST_CHECK
bool proposal_make(const struct proposer *proposer, const struct history *history,
	const struct pending *pending, size_t n_pending, const struct queued *queued,
	size_t parallel, struct proposal *ret, struct tuner_error *err);

/* The terms of a decision, besides the history. */
struct proposal_terms {
	size_t parallel;
	int64_t work_limit; /* evaluations; 0: none */
	const double *judged; /* point to judge instead of a search by the model (suggest.h); NULL:
				 search */
	const double *judged_at; /* with `judged`: the model's hyperparameters; NULL: they are
				    fitted */
	size_t n_judged_at;
};

/* The same under given terms, and so independent of the time available. */
TUNER_MUST_CHECK
bool proposal_make_under(const struct proposer *proposer, const struct history *history,
	const struct pending *pending, size_t n_pending, const struct queued *queued,
	const struct proposal_terms *terms, struct proposal *ret, struct tuner_error *err);
void proposal_committed(
	struct proposer *proposer, const struct proposal *proposal, int64_t decision_id);
void proposal_finish(struct proposal *proposal);

/* Whether none of the last PROGNOSES_KEPT proposals had a chance of 5 % of a gain of 1 % (convergence.h). False while the
 * user's priors may have led them to where the model expects less than elsewhere. */
bool proposer_has_converged(const struct proposer *proposer, const struct history *history);

#endif
