/* What the model is fitted to: the request's trials, encoded, their objectives transformed, those of the
 * same configuration merged (replicates.h). TRANSFORM_AUTO is HALF_RANK, and WINSOR where the request's
 * hyperparameters have a noise variance above MODEL_DATA_NOISY.
 *
 * Left out are trials without anything to learn from (stopped before their first value) and those
 * that have no coordinates after an edit of the space. Beyond MODEL_ROWS_MAX a choice of the rest
 * (subset.h) stands for all; the transform has seen all. */
#ifndef SURROGATE_MODEL_DATA_H
#define SURROGATE_MODEL_DATA_H

#include "surrogate/columns.h"
#include "surrogate/gp.h"
#include "surrogate/replicates.h"
#include "surrogate/suggest.h"
#include "surrogate/transform.h"

enum { MODEL_ROWS_MAX = 1024 };

/* In the model's unit; docs/surrogate.md has how it was chosen. */
#define MODEL_DATA_NOISY 0.003

struct model_data {
	size_t n, d;
	double *X; /* n x d, in commit order of the newest trial of each row */
	double *y, *noise_scales, *counts, *scatters; /* n: outcomes of the transform, as gp_data */
	bool *valued; /* n: not failed */
	size_t n_trials, n_failed; /* that teach anything, before they are merged and chosen from */
	size_t n_pending;
	double *X_pending; /* n_pending x d */
	struct transform *transform;
	struct replicates_rows all; /* rows before the choice */
};

/* What the strategy's transform is for d columns, never AUTO. */
enum transform_kind model_data_transform(const struct suggest_request *request, size_t d);

/* lengthscales (columns->d): the unit of distances for the choice. On failure (TUNER_FATAL without
 * memory) there is nothing to finish. */
TUNER_MUST_CHECK
bool model_data_init(struct model_data *data, const struct columns *columns,
	const struct suggest_request *request, const double *lengthscales, struct tuner_error *err);

/* Of the failed rows only the foretold (n) stay, with the worst outcome of any row that has a value: where another
 * model (feasibility.h) warns of failures, what they do to this one matters more, and outcomes that are made up
 * for failures by chance would spoil it. Of the rows before the choice no failed one stays. */
void model_data_keep_failures(struct model_data *data, const bool *foretold);

/* Frees what init allocated; of a zeroed struct nothing. */
void model_data_finish(struct model_data *data);

/* Views for gp_fit, of the model's rows and of those before the choice; they live as long as the data. */
struct gp_data model_data_view(const struct model_data *data);
struct gp_data model_data_view_all(const struct model_data *data);

#endif
