#include "surrogate/trial_model.h"

#include "surrogate/gp_fit.h"

#include <math.h>

bool trial_model_init(struct trial_model *model, const struct suggest_request *request, bool warped,
	struct tuner_error *err)
{
	double lengthscales[COLUMNS_MAX];

	*model = (struct trial_model){ .gp = NULL };
	for (size_t i = 0; i < request->space->d; i++)
		model->given[i] = NAN;
	columns_init(&model->columns, request->space, model->given);
	if (model->columns.d == 0)
		return true;
	if (!gp_create(model->columns.d, model->columns.kinds, warped, &model->gp, err))
		return false;
	model->start = model_fit_start(model->gp, request);
	model_fit_lengthscales(&model->columns, model->start, lengthscales);
	return model_data_init(&model->data, &model->columns, request, lengthscales, err);
}

bool trial_model_fit(
	struct trial_model *model, const struct suggest_request *request, struct tuner_error *err)
{
	struct gp_fit_report report;

	return model_fit(model->gp, &model->data, request, model->start, false, 0, &report, err);
}

void trial_model_finish(struct trial_model *model)
{
	gp_destroy(model->gp);
	model_data_finish(&model->data);
	*model = (struct trial_model){ .gp = NULL };
}
