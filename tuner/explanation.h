/* Why a trial has its configuration: its decision, in the light of what was known at the time.
 *
 * Everything is read from the database; the model's predictions are those stored then, and nothing
 * is fitted or predicted again. */
#ifndef TUNER_EXPLANATION_H
#define TUNER_EXPLANATION_H

#include "surrogate/columns.h"
#include "tuner/jobfile.h"
#include "tuner/trial_report.h"

enum { NEIGHBOURS_MAX = 5 };

struct neighbour {
	const struct trial *trial;
	double distance;
	bool under_way; /* its result was not yet known */
};

struct explanation {
	struct trial trial;
	bool is_best; /* or on the Pareto front of several objectives */
	struct decision decision;
	char *memory; /* of the decision */
	char *metric; /* the decision's objective, which may have been changed since (tuner
			 rescore): */
	bool maximize; /* all objectives here are by the one named by `metric` */
	bool is_rescored;
	struct goals
		goals; /* all of the decision's objectives; metric and maximize are the first's */
	/* From its decision's settings: what the model maximised. */
	enum strategy_acquisition acquisition;
	enum strategy_incumbent incumbent;
	bool cost_aware;
	bool is_augmented; /* augmented EI: the gain is reduced by noise where a trial would tell
			      little */

	struct trial_list trials; /* the job's, by number */
	size_t n_seen[TRIAL_STATES]; /* results known to the decision (trials with all its
					parameters), by the trial's state */
	size_t n_over; /* of them, those over a limit */
	const struct trial *best_seen; /* NULL: none was done */
	const struct trial *start; /* the trial from whose hyperparameters its fit began; NULL:
				      none */

	/* The space from which it was chosen, which may have been edited since. */
	struct job_file *file; /* NULL: this version cannot read them */
	bool is_edited;
	double given[SPACE_PARAMETERS_MAX]; /* all NaN: for the columns */
	struct columns columns;
	size_t n_models; /* 1, with several objectives mostly one for each; 0: none, or unknown to
			    this version */
	/* Of the only model, or the one that was turned to: */
	size_t n_lengthscales; /* columns.d, or 0 */
	double lengthscales[COLUMNS_MAX]; /* by column, in the unit cube */
	double noise_sd; /* with outcomes scaled to sd 1; NaN without lengthscales */

	/* The nearest of the earlier trials that have all its parameters, nearest first. Distances
	 * are in lengthscales or, without these, in the unit cube. */
	struct neighbour neighbours[NEIGHBOURS_MAX];
	size_t n_neighbours;

	double prior_density; /* of the configuration (prior.h); NaN without priors, and where all
				 of it was given */

	/* NaN without a model (z, z_with_noise and improvement also without an objective). */
	double z; /* the objective minus the predicted mean, in predicted sd */
	double z_with_noise; /* the same in sd of a result, which includes the noise estimated
				then */
	double value_probability; /* that it would not fail; NaN also if hardly any trial had
				     failed */
	double weights[GOALS_MAX]; /* of several objectives in what the model was to improve */
	double other_means[TRIAL_ALSO_MAX],
		other_sds[TRIAL_ALSO_MAX]; /* predictions of the further objectives */
	double related[SUGGEST_RELATED_MAX]; /* that this earlier job is the related one; NaN: 0, or
						without a model */
	char *related_names
		[SUGGEST_RELATED_MAX]; /* "job resnet in /a/old.db"; NULL: there is none */
	double limits_probability; /* that it would keep the job's limits; NaN also without any */
	double expected_improvement; /* over the incumbent, in the objective's unit; a failure
					improves nothing, and neither does a trial over a limit */
	double probability; /* that it improves on the incumbent at all */
	double improvement; /* by how much it did improve on it; negative: it is worse */
};

/* `trial`: as report_trial's argument. A failure leaves nothing to finish. */
TUNER_MUST_CHECK
bool explanation_load(const struct report *report, const char *trial, struct explanation *ret,
	struct tuner_error *err);
void explanation_finish(struct explanation *explanation); /* zeroed: does nothing */

/* Shows another of its models (less than n_models), that of an objective: lengthscales, noise_sd. */
void explanation_turn_to(struct explanation *explanation, size_t model);

/* What its branch means: "the model chose it: ...". Never NULL. */
const char *explanation_branch(const struct explanation *explanation);

/* What the trial gave, also over a limit; NaN: nothing. */
double explanation_objective(const struct explanation *e);

/* What the incumbent is: "the best by the model". Never NULL. */
const char *explanation_incumbent(const struct explanation *explanation);

/* The typical difference of the objective, by the model, between the two ends of a column's range
 * (or two values of a category), with outcomes scaled to sd 1: 0 to 1.41. */
double explanation_change(const struct explanation *explanation, size_t column);

/* The same in words: "matters", "matters a little", "hardly matters", "irrelevant". */
const char *explanation_matters(double change);

/* Appends a column's lengthscale in the parameter's own unit: "0.13", "a factor of 12", "2.1
 * values", "beyond its range". */
void explanation_length(const struct explanation *explanation, size_t column, struct text *ret);

#endif
