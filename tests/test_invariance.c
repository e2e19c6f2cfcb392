/* What a model says of a history does not depend on how the history is written down: the order of the trials and of the
 * parameters, the unit and zero of the objective, the categories' numbers. Asked in the user's terms of the
 * whole way from the request to the acquisition, at given hyperparameters. */
#include "surrogate/acquisition.h"
#include "surrogate/model_data.h"

#include "base/random.h"
#include "fixture_suggest.h"

enum { N = 40, M = 25, D = 4, CATEGORY = 2 };

static const double TOLERANCE = 1e-9;
static const double UNIT[COLUMNS_MAX] = { 1, 1, 1, 1 };
static const double FREE[] = { NAN, NAN, NAN, NAN };
static const double THETA[] = { -0.9, 0.1, 0.4, -0.3, -5 };

/* A history, a running trial, and points to ask about. */
struct history {
	struct parameter parameters[D];
	double theta[D + 1];
	double values[N][D], objectives[N], running[D], stars[M][D];
	bool failed[N];
	enum transform_kind transform;
};

/* What the model says of it. */
struct answer {
	double likelihood, mean[M], sd[M], acquisition[M];
};

static void draw(struct random *random, double ret[D])
{
	ret[0] = pow(10, -4 + 4 * random_uniform(random));
	ret[1] = (double)random_below(random, 12);
	ret[CATEGORY] = (double)random_below(random, 3);
	ret[3] = random_uniform(random);
}

static struct history make_history(enum transform_kind transform)
{
	struct history h = { .parameters = { a_log_float("rate", 1e-4, 1), an_int("n", 0, 11),
				     a_category("kind", 3), a_float("x", 0, 1) },
		.transform = transform };
	struct random random;

	random_init(&random, (struct random_key){ .seed = 3, .purpose = RANDOM_TEST });
	memcpy(h.theta, THETA, sizeof h.theta);
	for (size_t i = 0; i < N; i++) {
		const double *x = h.values[i];

		draw(&random, h.values[i]);
		h.objectives[i] = sin(3 * x[3]) + 0.1 * x[1] + 0.5 * x[CATEGORY] * x[3] +
				  0.3 * fabs(log10(x[0]) + 2) + 0.1 * random_normal(&random);
		h.failed[i] = i % 9 == 4;
	}
	draw(&random, h.running);
	for (size_t i = 0; i < M; i++)
		draw(&random, h.stars[i]);
	return h;
}

static void fill_job(const struct history *h, struct job *job)
{
	job_init(job, STRATEGY_BAYESIAN, h->parameters, D);
	job->strategy.transform = h->transform;
	for (size_t i = 0; i < N; i++)
		job_tell(job, h->values[i], h->objectives[i],
			h->failed[i] ? OBSERVATION_FAILED : OBSERVATION_DONE);
	job->pending[0] = h->running;
	job->request.n_pending = 1;
}

static void assert_ok(bool ok, const struct tuner_error *err)
{
	if (!ok)
		fail_msg("%s", err->message);
}

static void encode_stars(const struct history *h, const struct columns *columns, double ret[M * D])
{
	assert_int_equal(columns->d, D);
	for (size_t i = 0; i < M; i++)
		assert_true(columns_encode(columns, h->stars[i], &ret[i * D]));
}

static struct answer ask(const struct history *h)
{
	static struct job job;
	struct columns columns;
	struct model_data data;
	struct acquisition *acquisition = NULL;
	struct gp *gp = NULL;
	struct random random;
	struct tuner_error err;
	struct answer answer;
	double stars[M * D], mean[M], sd[M];

	fill_job(h, &job);
	columns_init(&columns, &job.space, FREE);
	encode_stars(h, &columns, stars);
	assert_ok(model_data_init(&data, &columns, &job.request, UNIT, &err), &err);
	const struct gp_data view = model_data_view(&data);

	assert_ok(gp_create(D, columns.kinds, false, &gp, &err), &err);
	assert_ok(gp_likelihood(gp, &view, h->theta, true, &answer.likelihood, NULL, &err), &err);
	assert_ok(gp_condition(gp, &view, h->theta, &err), &err);
	assert_ok(gp_append(gp, data.X_pending, NULL, data.n_pending, &err), &err);
	assert_ok(gp_predict(gp, stars, M, mean, sd, &err), &err);
	for (size_t i = 0; i < M; i++)
		transform_prediction(
			data.transform, mean[i], sd[i], &answer.mean[i], &answer.sd[i]);
	const struct acquisition_options options = { .eligible = data.valued, .n_fantasies = 8 };

	random_init(&random, (struct random_key){ .seed = 4, .purpose = RANDOM_FANTASY });
	assert_ok(acquisition_create(gp, &options, &random, &acquisition, &err), &err);
	assert_ok(acquisition_values(acquisition, stars, M, 0, answer.acquisition, &err), &err);
	acquisition_destroy(acquisition);
	gp_destroy(gp);
	model_data_finish(&data);
	return answer;
}

static void assert_relative(double value, double wanted, double unit)
{
	assert_near(value, wanted, TOLERANCE * fmax(unit, fabs(wanted)));
}

/* The same answers, where objectives are a times the others' plus b. */
static void assert_same(const struct history *one, const struct history *other, double a, double b)
{
	const struct answer wanted = ask(one), found = ask(other);

	assert_relative(found.likelihood, wanted.likelihood, 1);
	for (size_t i = 0; i < M; i++) {
		assert_relative(found.mean[i], a * wanted.mean[i] + b, a);
		assert_relative(found.sd[i], a * wanted.sd[i], a);
		assert_relative(found.acquisition[i], wanted.acquisition[i], 1);
	}
}

static void exchange(double *a, double *b)
{
	const double other = *a;

	*a = *b;
	*b = other;
}

/* ---- the ways to write it down */

static void the_order_of_the_trials_does_not_matter(void **state)
{
	for (int transform = TRANSFORM_HALF_RANK; transform <= TRANSFORM_WINSOR; transform++) {
		const struct history h = make_history((enum transform_kind)transform);
		struct history other = h;

		for (size_t i = 0; i < N; i++) {
			const size_t from = (7 * i + 3) % N;

			memcpy(other.values[i], h.values[from], sizeof h.values[i]);
			other.objectives[i] = h.objectives[from];
			other.failed[i] = h.failed[from];
		}
		assert_same(&h, &other, 1, 0);
	}
}

static void the_order_of_the_parameters_does_not_matter(void **state)
{
	const struct history h = make_history(TRANSFORM_HALF_RANK);
	struct history other = h;

	other.parameters[0] = h.parameters[3];
	other.parameters[3] = h.parameters[0];
	exchange(&other.theta[0], &other.theta[3]);
	exchange(&other.running[0], &other.running[3]);
	for (size_t i = 0; i < N; i++)
		exchange(&other.values[i][0], &other.values[i][3]);
	for (size_t i = 0; i < M; i++)
		exchange(&other.stars[i][0], &other.stars[i][3]);
	assert_same(&h, &other, 1, 0);
}

static void unit_and_zero_of_the_objective_do_not_matter(void **state)
{
	static const double lines[][2] = { { 3.7, 11 }, { 1e-6, 0 }, { 2e5, -1e5 } };

	for (int transform = TRANSFORM_HALF_RANK; transform <= TRANSFORM_WINSOR; transform++)
		for (size_t line = 0; line < 3; line++) {
			const double a = lines[line][0], b = lines[line][1];
			const struct history h = make_history((enum transform_kind)transform);
			struct history other = h;

			for (size_t i = 0; i < N; i++)
				other.objectives[i] = a * h.objectives[i] + b;
			assert_same(&h, &other, a, b);
		}
}

static void relabel(double values[D])
{
	static const double label[] = { 2, 0, 1 };

	values[CATEGORY] = label[(size_t)values[CATEGORY]];
}

static void the_categories_numbers_do_not_matter(void **state)
{
	const struct history h = make_history(TRANSFORM_HALF_RANK);
	struct history other = h;

	relabel(other.running);
	for (size_t i = 0; i < N; i++)
		relabel(other.values[i]);
	for (size_t i = 0; i < M; i++)
		relabel(other.stars[i]);
	assert_same(&h, &other, 1, 0);
}

/* That the comparison would notice. */
static void one_other_objective_does_matter(void **state)
{
	struct history h = make_history(TRANSFORM_NONE);
	const struct answer before = ask(&h);

	h.objectives[0] -= 1e-3;
	const struct answer after = ask(&h);

	assert_true(fabs(after.likelihood - before.likelihood) > 1e-6);
	assert_true(fabs(after.mean[0] - before.mean[0]) > 1e-8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_the_trials_does_not_matter),
		cmocka_unit_test(the_order_of_the_parameters_does_not_matter),
		cmocka_unit_test(unit_and_zero_of_the_objective_do_not_matter),
		cmocka_unit_test(the_categories_numbers_do_not_matter),
		cmocka_unit_test(one_other_objective_does_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
