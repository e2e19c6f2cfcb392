/* Which trial is the best as one of the prices varies. A cost is linear in each of its prices, so
 * the points where the choice changes are computed, not searched for. */
#ifndef TUNER_RESCORE_VARY_H
#define TUNER_RESCORE_VARY_H

#include "tuner/rescore.h"

/* A trial's cost at the low and at the high end of the range. */
struct vary_line {
	int64_t number; /* of the trial */
	double low, high;
};

/* From `from` to `to` this line has the least cost. */
struct vary_segment {
	double from, to;
	size_t line;
};

/* The lower envelope of the lines over [low, high]; of equal lines the first is used. The caller
 * frees *ret; *ret_n is 0 without lines. */
TUNER_MUST_CHECK
bool vary_envelope(const struct vary_line *lines, size_t n, double low, double high,
	struct vary_segment **ret, size_t *ret_n, struct tuner_error *err);

/* `vary` is "NAME=LOW..HIGH" for a price: prints which trial is best where. Changes nothing. */
TUNER_MUST_CHECK
bool rescore_vary(struct store *store, const struct job *job, const struct job_file *file,
	const char *vary, bool json, struct tuner_error *err);

#endif
