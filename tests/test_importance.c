/* surrogate/importance.h: what is said of parameters, and when nothing is. Linked with --wrap=calloc and
 * --wrap=aligned_alloc, the only allocators of the room but for GSL's own. */
#include "surrogate/importance.h"

#include "base/random.h"
#include "alloc_fail.h"
#include "fixture_suggest.h"
#include "surrogate/model_fit.h"

#include <gsl/gsl_linalg.h>

/* ---- fixtures ---- */

/* x matters, c a little, n does not, and one cannot. */
static void init(struct job *job)
{
	const struct parameter parameters[] = { a_log_float("x", 1e-4, 1), a_category("one", 1),
		a_category("c", 3), an_int("n", 1, 12) };

	job_init(job, STRATEGY_RANDOM, parameters, 4);
}

static double bowl(const double *values)
{
	return pow(log10(values[0]) + 2, 2) + .5 * (values[2] == 1);
}

static struct importance importance(const struct job *job)
{
	struct importance ret;
	struct tuner_error err;

	if (!importance_of(&job->request, &ret, &err))
		fail_msg("%s", err.message);
	return ret;
}

static void assert_refused(const struct job *job, const char *words)
{
	struct importance ret;
	struct tuner_error err = { 0 };

	assert_false(importance_of(&job->request, &ret, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	if (strstr(err.message, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

/* ---- what is said ---- */

static void parameters_are_told_apart(void **state)
{
	struct job job;

	init(&job);
	job_run(&job, bowl, 40);

	const struct importance i = importance(&job);

	assert_int_equal(i.n, 40);
	assert_int_equal(i.n_varied, 3);
	assert_true(i.total[0].value > .8 && i.first[0].value > .8);
	assert_true(i.total[1].value == 0 && i.total[1].low == 0 && i.total[1].high == 0);
	assert_true(i.total[2].value > .005 && i.total[2].value < .2);
	assert_true(i.total[3].value < .01 && i.total[3].value < i.total[2].value);
	assert_true(i.alone > .9 && i.alone < 1.05);
	assert_true(i.explained > .9 && i.noise < .1);
}

static double noise(const double *values)
{
	static struct random random;
	static bool begun;

	if (!begun)
		random_init(&random, (struct random_key){ .seed = 3, .purpose = RANDOM_TEST });
	begun = true;
	return random_normal(&random);
}

static void a_model_that_explains_nothing_says_so(void **state)
{
	struct job job;

	init(&job);
	job_run(&job, noise, 40);

	const struct importance i = importance(&job);

	assert_true(i.explained < .2);
	assert_true(i.noise > .5);
}

static double noisy(const double *values)
{
	return 2 * log10(values[0]) + 2.3 * noise(values);
}

/* Half of the variance is noise. */
static void noise_has_its_share(void **state)
{
	struct job job;

	init(&job);
	job_run(&job, noisy, 80);

	const struct importance i = importance(&job);

	assert_true(i.noise > .3 && i.noise < .7);
	assert_true(i.explained > .2 && i.explained < .7);
	assert_true(i.total[0].value > .6);
}

/* Where half the range of one parameter fails, that parameter matters, whatever the objectives are. */
static void failures_are_data(void **state)
{
	struct job job;
	double u[4];
	struct random random;

	init(&job);
	random_init(&random, (struct random_key){ .seed = 7, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < 40; i++) {
		double values[4];

		for (size_t k = 0; k < 4; k++)
			u[k] = random_uniform(&random);
		space_decode(&job.space, u, values);
		job_tell(&job, values, values[2],
			values[3] > 6 ? OBSERVATION_FAILED : OBSERVATION_DONE);
	}
	assert_true(importance(&job).total[3].value > .2);
}

static void the_same_request_gives_the_same_bits(void **state)
{
	struct job job;

	init(&job);
	job_run(&job, bowl, 12);

	const struct importance i = importance(&job), again = importance(&job);

	assert_memory_equal(i.total, again.total, sizeof i.total);
	assert_memory_equal(i.first, again.first, sizeof i.first);
	assert_true(i.explained == again.explained && i.noise == again.noise);
	job.request.seed++;
	assert_true(importance(&job).total[0].value != i.total[0].value);
}

/* ---- what is refused ---- */

static void too_few_objectives_are_refused(void **state)
{
	struct job job;

	init(&job);
	assert_refused(&job, "0 trials have an objective");
	job_run(&job, bowl, 4);
	job_tell(&job, (double[]){ .1, 0, 1, 1 }, NAN, OBSERVATION_FAILED);
	job_tell(&job, (double[]){ .2, 0, 1, 1 }, NAN, OBSERVATION_STOPPED);
	assert_refused(&job, "4 trials have an objective");
	job_tell(&job, (double[]){ .3, 0, 1, 1 }, 2, OBSERVATION_STOPPED);
	assert_int_equal(importance(&job).n, 6);
	job_tell(&job, (double[]){ .3, 0, 1, 1 }, 3, OBSERVATION_DONE);
	assert_int_equal(importance(&job).n, 7);
}

static double same(const double *values)
{
	return 3;
}

static void an_objective_that_is_always_the_same_is_refused(void **state)
{
	struct job job;

	init(&job);
	job_run(&job, same, 10);
	assert_refused(&job, "same objective");
}

/* Its objectives differ, by noise. */
static void trials_of_one_configuration_are_refused(void **state)
{
	struct job job;

	init(&job);
	for (int i = 0; i < 8; i++)
		job_tell(&job, (double[]){ .3, 0, 1, 1 }, i, OBSERVATION_DONE);
	assert_refused(&job, "all 8 trials have one configuration");
}

static void a_space_that_cannot_vary_is_refused(void **state)
{
	const struct parameter parameters[] = { a_category("one", 1) };
	struct job job;

	job_init(&job, STRATEGY_RANDOM, parameters, 1);
	assert_refused(&job, "nothing to vary");
}

/* The request's last hyperparameters are from before an edit of the space, or no numbers: a start all
 * the same. */
static void hyperparameters_of_another_space_are_left_out(void **state)
{
	struct job job;
	struct gp *gp = NULL;
	struct tuner_error err;

	init(&job);
	assert_true(gp_create(3, NULL, false, &gp, &err));
	assert_null(model_fit_start(gp, &job.request));
	job.request.start = job.start;
	job.request.n_start = 3;
	assert_null(model_fit_start(gp, &job.request));
	job.request.n_start = 4;
	assert_ptr_equal(model_fit_start(gp, &job.request), job.start);
	job.start[2] = NAN;
	assert_null(model_fit_start(gp, &job.request));
	gp_destroy(gp);
}

/* ---- leaving one out ---- */

/* The mean at row `left` by a model of the others, solved in full. */
static double without(const struct gp *gp, size_t left)
{
	const size_t n = gp_n(gp), stride = gp_stride(gp);
	double *cross = calloc(n * stride, sizeof *cross);
	gsl_matrix *K = gsl_matrix_alloc(n - 1, n - 1);
	gsl_vector *alpha = gsl_vector_alloc(n - 1);
	double mean = gp_constant(gp);

	assert_non_null(cross);
	gp_cross(gp, gp_row(gp, 0), n, cross, NULL);
	for (size_t i = 0, a = 0; i < n; i++) {
		if (i == left)
			continue;
		for (size_t j = 0, b = 0; j < n; j++)
			if (j != left)
				gsl_matrix_set(K, a, b++,
					cross[i * stride + j] + (i == j ? gp_noise(gp, i) : 0));
		gsl_vector_set(alpha, a++, gp_outcomes(gp)[i] - gp_constant(gp));
	}
	assert_int_equal(gsl_linalg_cholesky_decomp1(K), 0);
	gsl_linalg_cholesky_svx(K, alpha);
	for (size_t i = 0, a = 0; i < n; i++)
		if (i != left)
			mean += cross[left * stride + i] * gsl_vector_get(alpha, a++);
	gsl_matrix_free(K);
	gsl_vector_free(alpha);
	free(cross);
	return mean;
}

static void leaving_one_out_is_a_model_of_the_others(void **state)
{
	enum { N = 70 };
	const double theta[] = { log(.3), log(.7), log(.01) };
	double X[N * 2], y[N], scales[N], means[N];
	const struct gp_data data = { N, X, y, scales };
	struct gp *gp = NULL;
	struct random random;
	struct tuner_error err;

	random_init(&random, (struct random_key){ .seed = 4, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < N; i++) {
		X[2 * i] = random_uniform(&random);
		X[2 * i + 1] = random_uniform(&random);
		y[i] = sin(6 * X[2 * i]) + X[2 * i + 1] + .1 * random_normal(&random);
		scales[i] = i % 9 == 0 ? 10 : 1;
	}
	if (!gp_create(2, NULL, false, &gp, &err) || !gp_condition(gp, &data, theta, &err) ||
		!leave_one_out(gp, means, &err))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < N; i += 23)
		assert_near(means[i], without(gp, i), 1e-9);
	gp_destroy(gp);
}

/* ---- failing allocations ---- */

static void without_memory_it_fails_whole(void **state)
{
	struct job job;
	struct importance before, ret;
	struct tuner_error err;
	unsigned n = 0;
	bool ok = false;

	init(&job);
	job_run(&job, bowl, 8);
	before = importance(&job);
	while (!ok) {
		err = (struct tuner_error){ TUNER_OK, "" };
		allocate_fail = ++n;
		ok = importance_of(&job.request, &ret, &err);
		allocate_fail = 0;
		assert_int_equal(err.code, ok ? TUNER_OK : TUNER_FATAL);
	}
	assert_true(n > 20);
	assert_memory_equal(before.total, ret.total, sizeof ret.total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_told_apart),
		cmocka_unit_test(a_model_that_explains_nothing_says_so),
		cmocka_unit_test(noise_has_its_share),
		cmocka_unit_test(failures_are_data),
		cmocka_unit_test(the_same_request_gives_the_same_bits),
		cmocka_unit_test(too_few_objectives_are_refused),
		cmocka_unit_test(an_objective_that_is_always_the_same_is_refused),
		cmocka_unit_test(trials_of_one_configuration_are_refused),
		cmocka_unit_test(a_space_that_cannot_vary_is_refused),
		cmocka_unit_test(hyperparameters_of_another_space_are_left_out),
		cmocka_unit_test(leaving_one_out_is_a_model_of_the_others),
		cmocka_unit_test(without_memory_it_fails_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
