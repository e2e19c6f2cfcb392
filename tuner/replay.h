/* A job's decisions once more, from the database alone, and whether they come out the same.
 *
 * A decision row says what went into a suggestion (architecture, rule 3), or names where it stands: results up to
 * an event, trials that were pending, the decision whose hyperparameters come first. What comes out must have the
 * bits that the row has. Roundings differ between processors and libraries, so a decision that was made with others
 * than these is held to REPLAY_TOLERANCE instead. A search of a maximum may then end in another place, where the
 * function is flat, has two maxima of one height, or a climb turned off at a rounding: what is held to the tolerance is
 * then what the model says of the recorded place; and a search for hyperparameters likewise. */
#ifndef TUNER_REPLAY_H
#define TUNER_REPLAY_H

#include "tuner/trial_report.h"

/* Of hyperparameters that were fitted elsewhere: log posterior, in nats, that they may be behind those that a fit from
 * here ends with. A fit ends at a slope of 1e-3, or when it has had its evaluations. */
#define REPLAY_FIT_TOLERANCE 1e-3

/* Of a parameter: of its range in its scale. Of a logarithm: absolute. Else of the number itself. */
#define REPLAY_TOLERANCE 1e-6

/* The first field of a decision that did not come out the same. */
struct replay_difference {
	int64_t trial; /* number */
	char field[80]; /* "branch", "parameter lr", "hyperparameter 3", "mean" ... */
	char recorded[160], recomputed[160]; /* numbers to the bit */
	/* Of a model's choice that was made elsewhere: what it is a maximum of, at the recorded and at the recomputed
	 * place, both as computed here; of other fits likewise the log posterior. NaN where that is not known. */
	double maximised_recorded, maximised_recomputed;
};

struct replay_differences {
	size_t n, capacity;
	struct replay_difference *items; /* by trial */
};

struct replay {
	size_t recomputed;
	size_t same_bits; /* of them */
	size_t given; /* nobody decided: enqueued, added or listed in "first" with all parameters */
	size_t elsewhere; /* of the recomputed ones, made with another machine, library or version */
	char their_cpu[64], their_libraries[192], their_program[32]; /* of the first of those */
	char cpu[64], libraries[192], program[32]; /* here */
	struct replay_differences differences;
	/* Made elsewhere, and not different: at the recorded place all is the same to REPLAY_TOLERANCE, but a search
	 * from here ends in another place, where the function is as high, or the climbs went apart. */
	struct replay_differences other_maxima;
	/* The same of the hyperparameters: at the recorded ones, which are as likely to REPLAY_FIT_TOLERANCE, the model
	 * says the same of the recorded place. */
	struct replay_differences other_fits;
};

/* Recomputes the decision of trial `number`, or all (0). TUNER_USAGE if there is no such trial. A failure leaves
 * nothing to finish. */
TUNER_MUST_CHECK
bool replay_job(
	const struct report *report, int64_t number, struct replay *ret, struct tuner_error *err);
void replay_finish(struct replay *replay);

#endif
