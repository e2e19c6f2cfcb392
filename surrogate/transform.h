/* Maps objectives to the outcomes that the model is fitted to, and back.
 *
 * Everything is minimised. Outcomes are standardised (mean 0, variance 1 over the trials that have
 * a value) after a monotone transform that keeps a few very bad trials from dominating the fit.
 * Outcomes are recomputed from the raw objectives for every fit; only raw objectives are stored. */
#ifndef SURROGATE_TRANSFORM_H
#define SURROGATE_TRANSFORM_H

#include "base/error.h"

#include <stddef.h>

enum transform_kind {
	TRANSFORM_AUTO, /* HALF_RANK, or WINSOR where there is noise; model_data.h decides */
	/* Values up to the median m stay; a worse one, of dense rank k among the K distinct worse
	 * values (1 is the worst), becomes m - s Phi^-1((k - 1/2) / (2K)), where s^2 is the mean
	 * of (y - m)^2 over the good half (Song et al., "The Vizier Gaussian Process Bandit
	 * Algorithm", 2024). */
	TRANSFORM_HALF_RANK,
	TRANSFORM_NONE, /* standardise only */
	TRANSFORM_WINSOR, /* values above the upper quartile + 1.5 interquartile ranges are set to
			     that limit */
};

const char *transform_name(enum transform_kind kind); /* "auto", "half-rank", "none", "winsor" */

/* Noise variance of a failed trial's made-up outcome, in units of the model's noise variance. */
#define TRANSFORM_FAILURE_NOISE 10.0

struct transform;

/* kind: any but AUTO. n >= 0 objectives in the user's unit, minimised. failed (n; NULL: none) marks
 * trials that failed because of their configuration; a NaN objective counts as failed too.
 *
 * - Infinite values are bounded: +inf ranks after every finite value (HALF_RANK) or becomes the
 *   worst finite value; -inf becomes the best finite value. Without any finite value all outcomes
 *   are 0.
 * - Failed trials take no part in median, mean or rank. Their outcome is the worst outcome + half
 *   the range of the outcomes (at least + 1), with noise scale TRANSFORM_FAILURE_NOISE.
 * - Equal objectives (or n = 1) give outcome 0, and one model unit is one unit of the user's.
 *
 * Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool transform_create(enum transform_kind kind, const double *objectives, const bool *failed,
	size_t n, struct transform **ret, struct tuner_error *err);
void transform_destroy(struct transform *transform);

/* From now on outcomes are this many times as large (> 0). */
void transform_scale(struct transform *transform, double factor);

/* n values each, in the order of the objectives; owned by the transform. */
const double *transform_outcomes(const struct transform *transform);
const double *transform_noise_scales(const struct transform *transform);

/* n flags: true for trials that did not fail, whose objective is a number (infinite included). */
const bool *transform_valued(const struct transform *transform);

/* Trials with a finite objective that have not failed. */
size_t transform_n_finite(const struct transform *transform);

/* The user's value at a model outcome: monotone, exact at the outcomes of finite trials, linear
 * between them and beyond. (Where several objectives share an outcome, as after winsorising, one of
 * them.) */
double transform_to_user(const struct transform *transform, double outcome);

/* The slope of transform_to_user over `reach` model units to either side: the user's units per
 * model unit. > 0. */
double transform_slope(const struct transform *transform, double outcome, double reach);

/* The slope below `incumbent`, where the gains of a prediction with that sd lie. > 0. */
double transform_gain_slope(const struct transform *transform, double incumbent, double sd);

/* A prediction in the user's unit: the mean mapped, the sd scaled by the slope over one sd. */
void transform_prediction(const struct transform *transform, double mean, double sd,
	double *ret_mean, double *ret_sd);

#endif
