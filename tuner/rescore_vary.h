/* Which trial is the best as one of the costs varies. A cost is linear in each of its prices, so where the choice flips is
 * computed, not searched for. */
#ifndef TUNER_RESCORE_VARY_H
#define TUNER_RESCORE_VARY_H

#include "tuner/rescore.h"

/* A trial's cost, low at one end of the range and high at the other. */
struct vary_line {
	int64_t number; /* of the trial */
	double low, high;
};

/* From `from` on this line is the least; up to the next segment's. */
struct vary_segment {
	double from, to;
	size_t line;
};

/* The lower envelope of the lines over [low, high]; of equal lines the first is taken. The caller frees *ret; n 0 without a
 * line. */
TUNER_MUST_CHECK
bool vary_envelope(const struct vary_line *lines, size_t n, double low, double high,
	struct vary_segment **ret, size_t *ret_n, struct tuner_error *err);

/* "NAME=LOW..HIGH" of a cost: prints who wins where. Changes nothing. */
TUNER_MUST_CHECK
bool rescore_vary(struct store *store, const struct job *job, const struct job_file *file,
	const char *vary, bool json, struct tuner_error *err);

#endif
