/* The data that the model is fitted to: the request's trials, encoded, with transformed objectives,
 * and with trials of the same configuration merged (replicates.h). TRANSFORM_AUTO means HALF_RANK,
 * or WINSOR where the request's hyperparameters have a noise variance above MODEL_DATA_NOISY.
 *
 * Trials with nothing to learn from (stopped before their first value) and trials without
 * coordinates after an edit of the space are left out. Beyond MODEL_ROWS_MAX rows a subset is
 * chosen (subset.h); the transform still uses all trials. */
#ifndef SURROGATE_MODEL_DATA_H
#define SURROGATE_MODEL_DATA_H

#include "surrogate/columns.h"
#include "surrogate/gp.h"
#include "surrogate/replicates.h"
#include "surrogate/suggest.h"
#include "surrogate/transform.h"

enum { MODEL_ROWS_MAX = 1024 };

/* In the model's unit; docs/surrogate.md says how it was chosen. */
#define MODEL_DATA_NOISY 0.003

struct model_data {
	size_t n, d;
	double *X; /* n x d, in commit order of the newest trial of each row */
	double *y, *noise_scales, *counts, *scatters; /* n: outcomes of the transform, as gp_data */
	bool *valued; /* n: not failed */
	bool *within; /* n: valued, and a trial of the row has kept the limits (limits.h): it may be
			 the incumbent */
	size_t n_trials, n_failed; /* trials with something to learn from, before merging and
				      choosing */
	size_t n_pending;
	double *X_pending; /* n_pending x d */
	struct transform *transform;
	struct replicates_rows all; /* rows before the choice */
};

/* The strategy's transform for d columns, never AUTO. */
enum transform_kind model_data_transform(const struct suggest_request *request, size_t d);

/* lengthscales (columns->d): the unit of distances for the choice. On failure (TUNER_FATAL without
 * memory) there is nothing to finish. */
TUNER_MUST_CHECK
bool model_data_init(struct model_data *data, const struct columns *columns,
	const struct suggest_request *request, const double *lengthscales, struct tuner_error *err);

/* Drops the failed rows but those marked in foretold (n), which get the worst outcome of any row
 * with a value: since another model (feasibility.h) warns of failures, their effect on this model
 * matters more, and made-up outcomes for failures by chance would spoil it. Of `all`, the rows
 * before the choice, every failed row is dropped. */
void model_data_keep_failures(struct model_data *data, const bool *foretold);

/* Makes all outcomes this many times as large (> 0), those of the transform included. */
void model_data_scale(struct model_data *data, double factor);

/* Frees what init allocated. A zeroed struct is allowed. */
void model_data_finish(struct model_data *data);

/* Views for gp_fit, of the model's rows and of those before the choice; they live as long as the data. */
struct gp_data model_data_view(const struct model_data *data);
struct gp_data model_data_view_all(const struct model_data *data);

#endif
