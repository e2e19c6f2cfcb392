/* Compares a decision from the database with the recomputed one, field by field. */
#ifndef TUNER_REPLAY_COMPARISON_H
#define TUNER_REPLAY_COMPARISON_H

#include "tuner/proposal.h"
#include "tuner/replay.h"

struct comparison {
	bool exact; /* bit for bit; else to REPLAY_TOLERANCE, and the work is not compared */
	int64_t trial; /* number */
	bool differs;
	struct replay_difference difference; /* the first */
};

/* Fills a comparison that is zero except for `exact`. */
void decision_compare(struct comparison *comparison, const struct job_file *file,
	const struct trial *trial, const struct decision *recorded,
	const struct proposal *proposal);

/* Copies the texts, cutting those that are too long. */
struct replay_difference replay_difference_of(
	int64_t trial, const char *field, const char *recorded, const char *recomputed);

#endif
