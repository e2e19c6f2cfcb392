/* A decision as the database has it, and as it came out once more, field by field. */
#ifndef TUNER_REPLAY_COMPARISON_H
#define TUNER_REPLAY_COMPARISON_H

#include "tuner/proposal.h"
#include "tuner/replay.h"

struct comparison {
	bool exact; /* to the bit; else to REPLAY_TOLERANCE, and the work does not count */
	int64_t trial; /* number */
	bool differs;
	struct replay_difference difference; /* the first */
};

/* Into a comparison that is zero but for `exact`. */
void decision_compare(struct comparison *comparison, const struct job_file *file,
	const struct trial *trial, const struct decision *recorded,
	const struct proposal *proposal);

/* Texts are copied, and cut where they are too long. */
struct replay_difference replay_difference_of(
	int64_t trial, const char *field, const char *recorded, const char *recomputed);

#endif
