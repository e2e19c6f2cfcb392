/* What the model is fitted to: the request's trials, encoded, their objectives transformed.
 *
 * Left out are trials without anything to learn from (stopped before their first value) and those
 * that have no coordinates after an edit of the space. Beyond MODEL_ROWS_MAX a choice of the rest
 * (subset.h) stands for all; the transform has seen all. */
#ifndef SURROGATE_MODEL_DATA_H
#define SURROGATE_MODEL_DATA_H

#include "surrogate/columns.h"
#include "surrogate/gp.h"
#include "surrogate/suggest.h"
#include "surrogate/transform.h"

enum { MODEL_ROWS_MAX = 1024 };

struct model_data {
	size_t n;
	double *X; /* n x d, in commit order */
	double *y, *noise_scales; /* n: outcomes of the transform */
	bool *valued; /* n: not failed */
	size_t n_pending;
	double *X_pending; /* n_pending x d */
	struct transform *transform;
	size_t n_all; /* rows before the choice; their outcomes are the transform's */
	double *X_all; /* n_all x d */
};

/* lengthscales (columns->d): the unit of distances for the choice. On failure (TUNER_FATAL without
 * memory) there is nothing to finish. */
TUNER_MUST_CHECK
bool model_data_init(struct model_data *data, const struct columns *columns,
	const struct suggest_request *request, const double *lengthscales, struct tuner_error *err);

/* Frees what init allocated; of a zeroed struct nothing. */
void model_data_finish(struct model_data *data);

/* A view for gp_fit; lives as long as the data. */
struct gp_data model_data_view(const struct model_data *data);

#endif
