#include "surrogate/ensemble.h"

#include <math.h>

void ensemble_finish(struct ensemble *ensemble)
{
	for (size_t i = 0; i < ensemble->n; i++)
		gp_destroy(ensemble->gps[i]);
	*ensemble = (struct ensemble){ 0 };
}

bool ensemble_condition(struct ensemble *ensemble, const struct gp *like,
	const struct gp_data *data, const double *thetas, size_t n, struct tuner_error *err)
{
	const size_t d = gp_d(like), n_hyperparameters = gp_n_hyperparameters(like);

	tuner_assert(n >= 1 && n <= ENSEMBLE_MAX);
	*ensemble = (struct ensemble){ 0 };
	for (size_t i = 0; i < n; i++) {
		struct gp **gp = &ensemble->gps[i];
		bool ok = gp_create(d, gp_kinds(like), n_hyperparameters > d + 1, gp, err);

		ensemble->n += ok;
		if (ok)
			gp_set_trend(*gp, gp_trend_of(like));
		ok = ok && gp_condition(*gp, data, &thetas[i * n_hyperparameters], err);
		if (!ok) {
			ensemble_finish(ensemble);
			return false;
		}
	}
	return true;
}

bool ensemble_append(struct ensemble *ensemble, const double *X, size_t m, struct tuner_error *err)
{
	for (size_t i = 0; i < ensemble->n; i++)
		if (!gp_append(ensemble->gps[i], X, NULL, m, err))
			return false;
	return true;
}

bool ensemble_predict(const struct ensemble *ensemble, const double *x, double *ret_mean,
	double *ret_sd, struct tuner_error *err)
{
	const double n = (double)ensemble->n;
	double means[ENSEMBLE_MAX], mean = 0, variance = 0;

	for (size_t i = 0; i < ensemble->n; i++) {
		double sd;

		if (!gp_predict(ensemble->gps[i], x, 1, &means[i], &sd, err))
			return false;
		mean += means[i] / n;
		variance += sd * sd / n;
	}
	for (size_t i = 0; i < ensemble->n; i++)
		variance += (means[i] - mean) * (means[i] - mean) / n;
	*ret_mean = mean;
	*ret_sd = sqrt(variance);
	return true;
}

void ensemble_lengthscales(const struct ensemble *ensemble, double *ret_lengthscales)
{
	for (size_t k = 0; k < gp_d(ensemble->gps[0]); k++) {
		double sum = 0;

		for (size_t i = 0; i < ensemble->n; i++) {
			const struct gp *gp = ensemble->gps[i];

			sum += gp_hyperparameters(gp)[kernel_length_of(gp_kinds(gp), k)];
		}
		ret_lengthscales[k] = exp(sum / (double)ensemble->n);
	}
}

/* Neighbours in a chain are similar, but the first few models, which are used alone at first
 * (acquisition.h), should not be: every second state comes first, then those between. */
static size_t spread(size_t i, size_t n)
{
	const size_t half = (n + 1) / 2;

	return i < half ? 2 * i : 2 * (i - half) + 1;
}

bool ensemble_acquisition(const struct ensemble *ensemble,
	const struct acquisition_options *options, struct random *random, struct acquisition **ret,
	struct tuner_error *err)
{
	const size_t n = ensemble->n;
	struct acquisition_options share = *options;
	struct acquisition *all = NULL, *next;

	share.n_fantasies = (options->n_fantasies + n - 1) / n;
	for (size_t i = 0; i < n; i++) {
		if (!acquisition_create(ensemble->gps[spread(i, n)], &share, random, &next, err) ||
			(all != NULL && !acquisition_join(all, next, err))) {
			acquisition_destroy(all);
			return false;
		}
		all = all != NULL ? all : next;
	}
	*ret = all;
	return true;
}
