/* Recomputes a job's decisions from the database alone, and compares them.
 *
 * A decision row has the inputs of a suggestion (architecture, rule 3), or refers to them: results
 * up to an event, pending trials, the decision whose hyperparameters the fit started from. The
 * result must match the row bit for bit. Rounding differs between processors and libraries, so a
 * decision that was made with others is held to REPLAY_TOLERANCE instead. The search for a maximum
 * may then end in another place, where the function is flat, has two maxima of equal height, or a
 * climb diverged by a rounding: the tolerance then applies to what the model says of the recorded
 * place. The same holds for the search for hyperparameters. */
#ifndef TUNER_REPLAY_H
#define TUNER_REPLAY_H

#include "tuner/trial_report.h"

/* For hyperparameters that were fitted elsewhere: by how much their log posterior, in nats, may be
 * below that of the fit repeated here. A fit ends at a slope of 1e-3, or when its evaluations are
 * used up. */
#define REPLAY_FIT_TOLERANCE 1e-3

/* For a parameter: relative to its range in its scale; for a logarithm: absolute; otherwise
 * relative to the number. */
#define REPLAY_TOLERANCE 1e-6

/* The first field of a decision that differs. */
struct replay_difference {
	int64_t trial; /* number */
	char field[80]; /* "branch", "parameter lr", "hyperparameter 3", "mean" ... */
	char recorded[160], recomputed[160]; /* exact numbers */
	/* For a model's choice that was made elsewhere: the maximised function at the recorded and
	 * at the recomputed place, both computed here; for other fits the log posterior likewise.
	 * NaN if unknown. */
	double maximised_recorded, maximised_recomputed;
};

struct replay_differences {
	size_t n, capacity;
	struct replay_difference *items; /* by trial */
};

struct replay {
	size_t recomputed;
	size_t same_bits; /* of these */
	size_t given; /* not decided by a strategy: enqueued, added or listed in "first" with all
			 parameters */
	size_t elsewhere; /* of the recomputed ones, made with another processor, library or
			     version */
	char their_cpu[64], their_libraries[192], their_program[32]; /* of the first of these */
	char cpu[64], libraries[192], program[32]; /* here */
	struct replay_differences differences;
	/* Made elsewhere, and not counted as different: at the recorded place everything agrees to
	 * REPLAY_TOLERANCE, but the search here ends in another place, where the function is as
	 * high, or the climbs diverged. */
	struct replay_differences other_maxima;
	/* The same for hyperparameters: with the recorded ones, which are as likely to
	 * REPLAY_FIT_TOLERANCE, the model says the same of the recorded place. */
	struct replay_differences other_fits;
};

/* Recomputes the decision of trial `number`, or all decisions (0). TUNER_USAGE if there is no such
 * trial. A failure leaves nothing to finish. */
TUNER_MUST_CHECK
bool replay_job(
	const struct report *report, int64_t number, struct replay *ret, struct tuner_error *err);
void replay_finish(struct replay *replay);

#endif
