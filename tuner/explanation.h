/* Why a trial has the configuration that it has: its decision, in the light of what had been seen by then.
 *
 * All of it is read from the database; what the model thought is what was stored then, and nothing is
 * fitted or predicted anew. */
#ifndef TUNER_EXPLANATION_H
#define TUNER_EXPLANATION_H

#include "surrogate/columns.h"
#include "tuner/jobfile.h"
#include "tuner/trial_report.h"

enum { NEIGHBOURS_MAX = 5 };

struct neighbour {
	const struct trial *trial;
	double distance;
	bool under_way; /* its result was not known yet */
};

struct explanation {
	struct trial trial;
	bool is_best;
	struct decision decision;
	char *memory; /* of the decision */
	char *metric; /* its objective, which may have been changed since (tuner rescore): all */
	bool maximize; /* objectives here are by this one */
	bool is_rescored;
	/* The settings of its decision: what the model maximised. */
	enum strategy_acquisition acquisition;
	enum strategy_incumbent incumbent;
	bool cost_aware;
	bool is_augmented; /* EI: where a trial would tell little, noise took from the gain */

	struct trial_list trials; /* of the job, by number */
	size_t n_seen[TRIAL_STATES]; /* results that it knew (of trials with all its parameters), by
					what became of the trial */
	const struct trial *best_seen; /* NULL: none was done */
	const struct trial *start; /* whose hyperparameters its fit began from; NULL: none */

	/* The parameters that it was chosen from, which may have been edited since. */
	struct job_file *file; /* NULL: this version cannot read them */
	bool is_edited;
	double given[SPACE_PARAMETERS_MAX]; /* nothing is: for the columns */
	struct columns columns;
	size_t n_lengthscales; /* columns->d, or 0: no model, or not one that this version knows */
	double lengthscales[COLUMNS_MAX]; /* by column, in the unit cube */
	double noise_sd; /* where outcomes have sd 1; NaN without lengthscales */

	/* The nearest of the trials before it that have all its parameters, the nearest first. The
	 * distance is in lengthscales, or without them in the unit cube. */
	struct neighbour neighbours[NEIGHBOURS_MAX];
	size_t n_neighbours;

	/* NaN without a model (or, the first and the last, without an objective). */
	double z; /* how many predicted sd above the predicted mean the objective is */
	double z_with_noise; /* the same, of what a result scatters by: noise, as it was seen then, included */
	double value_probability; /* that it would not fail; NaN also: hardly any had failed */
	double expected_improvement; /* of the incumbent, in the objective's unit; failing is none */
	double probability; /* that it improves the incumbent at all */
	double improvement; /* what it did improve it by; negative: it is worse */
};

/* `trial`: the argument (report_trial). A failure leaves nothing to finish. */
TUNER_MUST_CHECK
bool explanation_load(const struct report *report, const char *trial, struct explanation *ret,
	struct tuner_error *err);
void explanation_finish(struct explanation *explanation); /* of a zeroed one nothing */

/* "the model chose it: ...": what its branch means. Never NULL. */
const char *explanation_branch(const struct explanation *explanation);

/* "the best by the model": what the incumbent is. Never NULL. */
const char *explanation_incumbent(const struct explanation *explanation);

/* By how much the model thinks the objective typically differs between one end of a column's range and the
 * other (or two values of a category), where all outcomes have sd 1: 0 to 1.41. */
double explanation_change(const struct explanation *explanation, size_t column);

/* The same in a word: "matters", "matters a little", "hardly matters", "irrelevant". */
const char *explanation_matters(double change);

/* A column's lengthscale in the parameter's own unit: "0.13", "a factor of 12", "2.1 values", "beyond
 * its range". Appended. */
void explanation_length(const struct explanation *explanation, size_t column, struct text *ret);

#endif
