/* surrogate/related.h: what other searches tell. Linked with --wrap=calloc and --wrap=aligned_alloc. */
#include "surrogate/related.h"

#include "base/random.h"
#include "surrogate/gp_fit.h"

#include <gsl/gsl_linalg.h>

#include "alloc_fail.h"
#include "fixture_suggest.h"

enum { D = 2, EARLIER = 30, P = D + 1 };

/* ---- searches ---- */

static double hill(const double *x)
{
	return pow(x[0] - 0.3, 2) + pow(x[1] - 0.6, 2) + 0.2 * sin(6 * x[0] + x[1]);
}

static double reversed_hill(const double *x)
{
	return -hill(x);
}

/* The same hill elsewhere, in another unit. */
static double moved_hill(const double *x)
{
	const double moved[D] = { x[0] - 0.08, x[1] + 0.05 };

	return 1000 * hill(moved) - 50;
}

/* It has nothing to do with the hill. */
static double ripples(const double *x)
{
	return sin(17 * x[0]) * cos(14 * x[1]);
}

static const struct parameter parameters[] = {
	{ .name = "x", .type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .max = 1 },
	{ .name = "y", .type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .max = 1 }
};

/* A search that has ended. */
struct earlier {
	double values[EARLIER][D];
	struct observation observations[EARLIER];
};

static void look(objective_function *f, uint64_t seed, struct earlier *ret)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < EARLIER; i++) {
		for (size_t k = 0; k < D; k++)
			ret->values[i][k] = random_uniform(&random);
		ret->observations[i] = (struct observation){ .values = ret->values[i],
			.objective = f(ret->values[i]) };
	}
}

/* A search with what others tell. */
struct fixture {
	struct earlier earlier[SUGGEST_RELATED_MAX];
	struct related_source sources[SUGGEST_RELATED_MAX];
	size_t n;
	struct related *related;
	struct job job;
};

static void learn(struct fixture *f)
{
	struct tuner_error err;

	related_destroy(f->related);
	if (!related_create(&f->job.space, &f->job.strategy, f->sources, f->n, &f->related, &err))
		fail_msg("%s", err.message);
	f->job.request.related = f->related;
}

static void begin_with(struct fixture *f, objective_function *const *functions, size_t n)
{
	job_init(&f->job, STRATEGY_BAYESIAN, parameters, D);
	f->n = n;
	for (size_t s = 0; s < n; s++) {
		look(functions[s], 100 + s, &f->earlier[s]);
		f->sources[s] = (struct related_source){ f->earlier[s].observations, EARLIER };
	}
	learn(f);
}

static void begin_with_one(struct fixture *f, objective_function *function)
{
	begin_with(f, &function, 1);
}

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .n = 0 };
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	related_destroy(((struct fixture *)*state)->related);
	return 0;
}

/* ---- weights ---- */

static const double theta[P] = { -1, -0.7, -5 };

/* A model of n random points of a function, standardised. */
static struct gp *model_of(objective_function *f, size_t n, uint64_t seed)
{
	struct earlier points;
	double y[EARLIER], sum = 0, squares = 0;
	struct tuner_error err;
	struct gp *gp = NULL;

	look(f, seed, &points);
	for (size_t i = 0; i < n; i++)
		sum += points.observations[i].objective;
	for (size_t i = 0; i < n; i++)
		squares += pow(points.observations[i].objective - sum / (double)n, 2);
	for (size_t i = 0; i < n; i++)
		y[i] = (points.observations[i].objective - sum / (double)n) /
		       sqrt(squares / (double)n);
	if (!gp_create(D, NULL, false, &gp, &err) ||
		!gp_condition(gp, &(struct gp_data){ n, points.values[0], y }, theta, &err))
		fail_msg("%s", err.message);
	return gp;
}

static struct related_blend weigh(const struct fixture *f, const struct gp *gp)
{
	struct related_blend blend;
	struct tuner_error err;

	if (!related_weigh(f->related, gp, &blend, &err))
		fail_msg("%s", err.message);
	return blend;
}

static struct related_blend weigh_function(
	const struct fixture *f, objective_function *function, size_t n)
{
	struct gp *gp = model_of(function, n, 7);
	const struct related_blend blend = weigh(f, gp);

	gp_destroy(gp);
	return blend;
}

static void a_source_that_is_this_search_is_believed(void **state)
{
	struct fixture *f = *state;

	begin_with_one(f, hill);
	const struct related_blend blend = weigh_function(f, hill, 12);

	assert_true(blend.weights[0] > 0.95);
	assert_true(related_is_used(&blend) && blend.coefficients[0] > 1);
}

static void a_reversed_source_is_not(void **state)
{
	struct fixture *f = *state;

	begin_with_one(f, reversed_hill);
	const struct related_blend blend = weigh_function(f, hill, 12);

	assert_true(blend.weights[0] < 0.05);
	assert_false(related_is_used(&blend));
	assert_true(blend.scale == 1 && blend.coefficients[0] == 0);
}

static void one_that_has_nothing_to_do_with_it_is_not(void **state)
{
	struct fixture *f = *state;

	begin_with_one(f, ripples);
	assert_false(related_is_used(&(struct related_blend){ .related = f->related }));
	const struct related_blend blend = weigh_function(f, hill, 25);
	assert_true(blend.coefficients[0] < 0.3);
}

static void of_two_the_misleading_one_gets_nothing(void **state)
{
	objective_function *const functions[] = { reversed_hill, moved_hill };
	struct fixture *f = *state;

	begin_with(f, functions, 2);
	const struct related_blend blend = weigh_function(f, hill, 12);

	assert_true(blend.weights[0] < 0.01 && blend.weights[1] > 0.8);
	assert_true(blend.coefficients[0] < 0.01 * blend.coefficients[1]);
}

/* Neither the unit of the results nor of a source's matters, only their shapes. */
static void units_do_not_matter(void **state)
{
	struct fixture *f = *state;

	begin_with_one(f, moved_hill);
	const struct related_blend one = weigh_function(f, hill, 10);

	for (size_t i = 0; i < EARLIER; i++)
		f->earlier[0].observations[i].objective *= 1e-3;
	learn(f);
	const struct related_blend other = weigh_function(f, hill, 10);

	assert_near(other.weights[0], one.weights[0], 1e-6);
	assert_near(other.scale, one.scale, 1e-4 * one.scale);
}

/* With one result, or equal ones, all sources are as likely as before. */
static void what_tells_nothing_changes_nothing(void **state)
{
	static const double X[2 * D] = { 0.1, 0.2, 0.6, 0.7 }, y[2] = { 0, 0 };
	objective_function *const functions[] = { hill, reversed_hill };
	struct fixture *f = *state;
	struct tuner_error err;
	struct gp *gp = NULL;

	begin_with(f, functions, 2);
	assert_true(gp_create(D, NULL, false, &gp, &err));
	for (size_t n = 1; n <= 2; n++) {
		assert_true(gp_condition(gp, &(struct gp_data){ n, X, y }, theta, &err));
		const struct related_blend blend = weigh(f, gp);

		assert_near(blend.weights[0], 0.4, 1e-12);
		assert_near(blend.weights[1], 0.4, 1e-12);
		assert_true(related_is_used(&blend) && isfinite(blend.scale));
	}
	gp_destroy(gp);
}

/* ---- the weights, by other means: plain matrices, and sums for the integrals ---- */

static double matern(const double *x, const double *z)
{
	double squares = 0;

	for (size_t k = 0; k < D; k++)
		squares += pow((x[k] - z[k]) / exp(theta[k]), 2);
	const double rho = sqrt(5 * squares);

	return exp(-rho) * (1 + rho + rho * rho / 3);
}

/* K^-1 without what a constant explains: P of related.c. */
static gsl_matrix *projection_of(const struct gp *gp)
{
	const size_t n = gp_n(gp);
	gsl_matrix *K = gsl_matrix_alloc(n, n), *projection = gsl_matrix_alloc(n, n);
	gsl_vector *sums = gsl_vector_calloc(n);
	double total = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			gsl_matrix_set(K, i, j,
				matern(gp_row(gp, i), gp_row(gp, j)) +
					(i == j ? exp(theta[D]) : 0));
	gsl_linalg_cholesky_decomp1(K);
	gsl_linalg_cholesky_invert(K);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			*gsl_vector_ptr(sums, i) += gsl_matrix_get(K, i, j);
			total += gsl_matrix_get(K, i, j);
		}
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			gsl_matrix_set(projection, i, j,
				gsl_matrix_get(K, i, j) -
					gsl_vector_get(sums, i) * gsl_vector_get(sums, j) / total);
	gsl_vector_free(sums);
	gsl_matrix_free(K);
	return projection;
}

static double product(const gsl_matrix *P_, const double *a, const double *b)
{
	double sum = 0;

	for (size_t i = 0; i < P_->size1; i++)
		for (size_t j = 0; j < P_->size1; j++)
			sum += a[i] * gsl_matrix_get(P_, i, j) * b[j];
	return sum;
}

/* The density of y, apart from a factor, for residuals y - a m of sd `sd`, summed over ln sd, with a = sd / rho. */
static double evidence(double A, double B, double C, double n1, double rho)
{
	double sum = 0;

	for (double log_sd = -8; log_sd < 8; log_sd += 0.001) {
		const double sd = exp(log_sd), a = isinf(rho) ? 0 : sd / rho;

		sum += 0.001 * exp(-n1 * log_sd - (A - 2 * a * B + a * a * C) / (2 * sd * sd)) /
		       sqrt(2 * M_PI);
	}
	return sum;
}

/* Of any source, with ln rho normal around ln 2 with sd 0.8, cut at 0.05 and 4, and 0.8 for any. */
static double chance_of(double A, double B, double C, double n1)
{
	double sum = 0, weights = 0;

	for (int i = 0; i < 24; i++) {
		const double at = log(0.05) + (log(4) - log(0.05)) * i / 23;
		const double weight = exp(-pow((at - log(2)) / 0.8, 2) / 2);

		weights += weight;
		sum += weight * evidence(A, B, C, n1, exp(at));
	}
	sum /= weights;
	return 0.8 * sum / (0.8 * sum + 0.2 * evidence(A, 0, 0, n1, INFINITY));
}

static void weights_are_those_of_the_evidence(void **state)
{
	objective_function *const functions[] = { hill, reversed_hill, ripples, moved_hill };
	struct fixture *f = *state;
	struct tuner_error err;

	for (size_t i = 0; i < 4; i++)
		for (size_t n = 4; n <= 16; n += 4) {
			begin_with_one(f, functions[i]);

			/* The source's means are the trend of a blend of one. */
			const struct related_blend alone = { .related = f->related,
				.coefficients = { 1 } };
			const struct gp_trend trend = related_trend(&alone);
			struct gp *gp = model_of(hill, n, 20 + i);
			double m[EARLIER];

			assert_true(trend.evaluate(&alone, gp_row(gp, 0), n, m, NULL, &err));
			gsl_matrix *projection = projection_of(gp);
			const double *y = gp_outcomes(gp);
			const double wanted =
				chance_of(product(projection, y, y), product(projection, y, m),
					product(projection, m, m), (double)(n - 1));

			/* Laplace's approximation is not exact. */
			assert_near(weigh(f, gp).weights[0], wanted, 0.03);
			gsl_matrix_free(projection);
			gp_destroy(gp);
		}
}

/* ---- the trend ---- */

static void slopes_of_the_trend_agree_with_differences(void **state)
{
	objective_function *const functions[] = { hill, ripples };
	const double h = 1e-5;
	struct fixture *f = *state;
	struct tuner_error err;

	begin_with(f, functions, 2);
	const struct related_blend blend = { .related = f->related, .coefficients = { 0.7, 2.5 } };
	const struct gp_trend trend = related_trend(&blend);

	for (size_t i = 0; i < 10; i++) {
		double x[D] = { 0.05 + 0.09 * (double)i, 0.95 - 0.08 * (double)i };
		double value, slopes[D], above, below;

		assert_true(trend.evaluate(trend.context, x, 1, &value, slopes, &err));
		for (size_t k = 0; k < D; k++) {
			const double at = x[k];

			x[k] = at + h;
			assert_true(trend.evaluate(trend.context, x, 1, &above, NULL, &err));
			x[k] = at - h;
			assert_true(trend.evaluate(trend.context, x, 1, &below, NULL, &err));
			x[k] = at;
			assert_near(slopes[k], (above - below) / (2 * h), 1e-5);
		}
	}
}

static void the_same_sources_give_the_same_bits(void **state)
{
	objective_function *const functions[] = { moved_hill, ripples };
	struct fixture *f = *state;

	begin_with(f, functions, 2);
	const struct related_blend first = weigh_function(f, hill, 9);

	learn(f);
	const struct related_blend second = weigh_function(f, hill, 9);

	assert_memory_equal(first.weights, second.weights, sizeof first.weights);
	assert_memory_equal(first.coefficients, second.coefficients, sizeof first.coefficients);
	assert_true(first.scale == second.scale);
}

static void too_few_results_tell_nothing(void **state)
{
	struct fixture *f = *state;

	assert_false(related_tells(NULL));
	begin_with_one(f, hill);
	assert_true(related_tells(f->related));
	f->sources[0].n = 2;
	learn(f);
	assert_false(related_tells(f->related));
	assert_int_equal(job_ask(&f->job).branch, BRANCH_DESIGN);
}

/* Five equal results have a model, which says the same everywhere. */
static void equal_results_do_no_harm(void **state)
{
	struct fixture *f = *state;

	begin_with_one(f, hill);
	for (size_t i = 0; i < EARLIER; i++)
		f->earlier[0].observations[i].objective = 3;
	learn(f);
	assert_int_equal(job_run(&f->job, hill, 15), 15);
	assert_no_duplicates(&f->job);
}

/* ---- suggestions ---- */

static const double *best_of(const struct earlier *earlier)
{
	size_t best = 0;

	for (size_t i = 1; i < EARLIER; i++)
		if (earlier->observations[i].objective < earlier->observations[best].objective)
			best = i;
	return earlier->values[best];
}

static void a_search_begins_where_others_were_good(void **state)
{
	struct fixture *f = *state;

	begin_with_one(f, hill);
	const struct suggestion s = job_ask(&f->job);

	assert_int_equal(s.branch, BRANCH_DESIGN);
	assert_memory_equal(s.values, best_of(&f->earlier[0]), sizeof(double[D]));
	assert_true(s.sequence == 0);
}

static double distance(const double *x, const double *y)
{
	return hypot(x[0] - y[0], x[1] - y[1]);
}

/* Without results: the best, two that are spread out, then another of the sources' that is good but not
 * near those, and so on. */
static void workers_at_the_start_get_different_ones(void **state)
{
	double started[8][D];
	struct fixture *f = *state;

	begin_with_one(f, hill);
	for (size_t i = 0; i < 8; i++) {
		const struct suggestion s = job_ask(&f->job);

		memcpy(started[i], s.values, sizeof started[i]);
		f->job.pending[f->job.request.n_pending++] = started[i];
		f->job.request.sequence = s.sequence;
		assert_int_equal(s.branch, BRANCH_DESIGN);
		assert_true(s.sequence == i - i / 3);
		for (size_t j = 0; j < i; j++)
			assert_true(distance(started[i], started[j]) > 0.05);
	}
}

static void given_values_are_kept_from_the_start(void **state)
{
	const double partial[D] = { 0.875, NAN };
	struct fixture *f = *state;

	begin_with_one(f, hill);
	f->job.request.partial = partial;
	const struct suggestion s = job_ask(&f->job);

	assert_true(s.values[0] == 0.875 && s.branch == BRANCH_DESIGN && s.sequence == 0);
}

static size_t trials_to(struct job *job, objective_function *function, double target)
{
	for (size_t n = 1; n <= 40; n++) {
		job_run(job, function, 1);
		if (job_best(job) <= target)
			return n;
	}
	return 41;
}

enum { SEEDS = 12 };

static void begin_seed(struct fixture *f, objective_function *source, uint64_t seed)
{
	begin_with_one(f, source);
	look(source, 100 + seed, &f->earlier[0]);
	learn(f);
	f->job.request.seed = seed;
}

/* Trials until the hill's least value, -0.08675, is nearly found, in all seeds together. */
static size_t trials_with(struct fixture *f, objective_function *source, bool use)
{
	size_t sum = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		begin_seed(f, source, seed);
		if (!use)
			f->job.request.related = NULL;
		sum += trials_to(&f->job, hill, -0.086);
	}
	return sum;
}

static void a_related_search_saves_trials(void **state)
{
	struct fixture *f = *state;
	const size_t alone = trials_with(f, hill, false);

	assert_in_range(alone, 5 * SEEDS, 15 * SEEDS);
	assert_true(trials_with(f, hill, true) < alone - 2 * SEEDS);
	assert_true(trials_with(f, moved_hill, true) < alone - SEEDS);
}

static void a_misleading_one_costs_little(void **state)
{
	struct fixture *f = *state;
	const size_t alone = trials_with(f, hill, false);

	assert_true(trials_with(f, reversed_hill, true) <= alone + 2 * SEEDS);
	assert_true(trials_with(f, ripples, true) <= alone + 2 * SEEDS);
}

/* Their trials were in few places, where a search without them would have had a design (of 6). */
static void where_none_is_borne_out_the_design_is_made_up_for(void **state)
{
	struct fixture *f = *state;
	size_t made_up = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		begin_seed(f, reversed_hill, seed);
		for (size_t i = 0; i < 12; i++) {
			const struct suggestion s = job_ask(&f->job);

			if (s.branch == BRANCH_DESIGN && i >= 3) {
				assert_true(s.asked && s.related[0] < 0.3 && s.related[0] > 0);
				assert_true(i <= 6 && s.n_hyperparameters == 0);
				made_up++;
			}
			job_commit(&f->job, &s);
			job_tell(&f->job, s.values, hill(s.values), OBSERVATION_DONE);
		}
	}
	assert_true(made_up > 0);
}

static void a_suggestion_says_how_much_each_counts(void **state)
{
	objective_function *const functions[] = { reversed_hill, hill };
	struct fixture *f = *state;

	begin_with(f, functions, 2);
	assert_int_equal(job_run(&f->job, hill, 10), 10);
	const struct suggestion s = job_ask(&f->job);

	assert_int_equal(s.branch, BRANCH_MODEL);
	assert_true(s.related[1] > 0.9 && s.related[0] < 0.05);
	assert_true(s.related[2] == 0);
	f->job.request.related = NULL;
	assert_true(job_ask(&f->job).related[1] == 0);
}

/* The next fit starts from them whether it has a trend or not. */
static void noise_is_reported_in_the_unit_of_standardised_outcomes(void **state)
{
	struct fixture *f = *state;

	begin_with_one(f, hill);
	f->job.strategy.deterministic = true;
	learn(f);
	assert_int_equal(job_run(&f->job, hill, 8), 8);
	const struct suggestion s = job_ask(&f->job);

	/* Fixed at 1e-6 in the model's unit, which is another one. */
	assert_true(s.related[0] > 0.3 && s.n_hyperparameters == P);
	assert_true(fabs(s.hyperparameters[D] - log(1e-6)) > 0.1);
	f->job.request.related = NULL;
	assert_near(job_ask(&f->job).hyperparameters[D], log(1e-6), 1e-12);
}

static void the_prediction_is_in_the_users_unit(void **state)
{
	struct fixture *f = *state;

	begin_with_one(f, hill);
	job_run(&f->job, moved_hill, 12);
	const double best[D] = { 0.672, 0.598 };

	f->job.request.judged = best;
	const struct suggestion s = job_ask(&f->job);

	assert_int_equal(s.branch, BRANCH_MODEL);
	assert_near(s.mean, moved_hill(best), 3 * s.sd + 5);
	assert_true(s.sd > 0 && s.sd < 100);
}

/* Every way to choose. */
static void all_acquisitions_use_them(void **state)
{
	static const struct strategy ways[] = {
		{ STRATEGY_BAYESIAN },
		{ STRATEGY_BAYESIAN, .incumbent = STRATEGY_INCUMBENT_BEST },
		{ STRATEGY_BAYESIAN, .incumbent = STRATEGY_INCUMBENT_NOISY },
		{ STRATEGY_BAYESIAN, .incumbent = STRATEGY_INCUMBENT_AUGMENTED },
		{ STRATEGY_BAYESIAN, .hyperparameters = STRATEGY_MARGINAL },
		{ STRATEGY_BAYESIAN, .acquisition = STRATEGY_UCB },
		{ STRATEGY_BAYESIAN, .acquisition = STRATEGY_THOMPSON },
		{ STRATEGY_BAYESIAN, .warp = STRATEGY_WARP_AXES },
		{ STRATEGY_BAYESIAN, .trust_region = STRATEGY_TRUST_REGION_ALWAYS },
	};
	struct fixture *f = *state;

	for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
		begin_with_one(f, hill);
		f->job.strategy = ways[way];
		learn(f);
		assert_int_equal(job_run(&f->job, hill, 12), 12);
		const struct suggestion s = job_ask(&f->job);

		assert_int_equal(s.branch, BRANCH_MODEL);
		assert_true(s.related[0] > 0.3);
		assert_true(job_best(&f->job) < -0.08);
		assert_no_duplicates(&f->job);
	}
}

/* With failures, partial curves and running trials among them, and in both searches. */
static void whatever_has_happened_the_search_goes_on(void **state)
{
	struct fixture *f = *state;
	struct random random;

	begin_with_one(f, hill);
	for (size_t i = 0; i < EARLIER; i += 4)
		f->earlier[0].observations[i].kind = OBSERVATION_FAILED;
	for (size_t i = 1; i < EARLIER; i += 7)
		f->earlier[0].observations[i].kind = OBSERVATION_STOPPED;
	f->earlier[0].observations[2].objective = INFINITY;
	learn(f);
	random_init(&random, (struct random_key){ .seed = 3, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < 40; i++) {
		const struct suggestion s = job_ask(&f->job);
		const double fate = random_uniform(&random);

		job_commit(&f->job, &s);
		job_tell(&f->job, s.values, fate < 0.1 ? NAN : hill(s.values),
			fate < 0.2   ? OBSERVATION_FAILED
			: fate < 0.3 ? OBSERVATION_STOPPED
				     : OBSERVATION_DONE);
	}
	assert_no_duplicates(&f->job);
	assert_true(job_best(&f->job) < -0.08);
}

/* Numbers, whole numbers and categories, with one that is not always there. */
static void any_space_will_do(void **state)
{
	const struct parameter mixed[] = { a_category("kind", 3), an_int("n", 1, 9),
		a_log_float("x", 1e-4, 1), an_ordinal("size", 4) };
	static const double one = 1;
	static struct condition conditions[] = { { 2, 0, 1, (double *)&one } };
	struct fixture *f = *state;
	struct job earlier;

	job_init(&earlier, STRATEGY_BAYESIAN, mixed, 4);
	earlier.space.conditions = conditions;
	earlier.space.n_conditions = 1;
	for (size_t i = 0; i < 25; i++) {
		const struct suggestion s = job_ask(&earlier);

		job_commit(&earlier, &s);
		job_tell(&earlier, s.values,
			fabs(s.values[1] - 6) + (s.values[0] == 1 ? log10(s.values[2]) : 3) +
				s.values[3],
			OBSERVATION_DONE);
	}
	job_init(&f->job, STRATEGY_BAYESIAN, mixed, 4);
	f->job.space.conditions = conditions;
	f->job.space.n_conditions = 1;
	f->sources[0] = (struct related_source){ earlier.observations, 25 };
	f->n = 1;
	learn(f);
	for (size_t i = 0; i < 25; i++) {
		const struct suggestion s = job_ask(&f->job);

		job_commit(&f->job, &s);
		job_tell(&f->job, s.values,
			fabs(s.values[1] - 7) + (s.values[0] == 1 ? log10(s.values[2]) : 3) +
				s.values[3],
			OBSERVATION_DONE);
	}
	assert_no_duplicates(&f->job);
	assert_true(job_best(&f->job) < -3.5);
}

/* ---- without memory ---- */

static void a_failed_allocation_is_an_error(void **state)
{
	objective_function *const functions[] = { hill, ripples };
	struct fixture *f = *state;
	struct related *related = NULL;
	struct suggestion suggestion;
	struct tuner_error err;
	bool ok = false;

	begin_with(f, functions, 2);
	for (unsigned n = 1; !ok; n++) {
		allocate_fail = n;
		ok = related_create(
			&f->job.space, &f->job.strategy, f->sources, f->n, &related, &err);
		allocate_fail = 0;
		assert_true(ok || err.code == TUNER_FATAL);
	}
	related_destroy(related);
	for (size_t trials = 0; trials <= 5; trials += 5) {
		job_run(&f->job, hill, trials);
		ok = false;
		for (unsigned n = 1; !ok; n += 1 + n / 16) {
			allocate_fail = n;
			ok = suggest(&f->job.request, &suggestion, &err);
			ok = ok && allocate_fail > 0;
			allocate_fail = 0;
			assert_true(ok || err.code == TUNER_FATAL);
		}
	}
}

#define RELATED_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RELATED_TEST(a_source_that_is_this_search_is_believed),
		RELATED_TEST(a_reversed_source_is_not),
		RELATED_TEST(one_that_has_nothing_to_do_with_it_is_not),
		RELATED_TEST(of_two_the_misleading_one_gets_nothing),
		RELATED_TEST(units_do_not_matter),
		RELATED_TEST(what_tells_nothing_changes_nothing),
		RELATED_TEST(weights_are_those_of_the_evidence),
		RELATED_TEST(slopes_of_the_trend_agree_with_differences),
		RELATED_TEST(the_same_sources_give_the_same_bits),
		RELATED_TEST(too_few_results_tell_nothing),
		RELATED_TEST(equal_results_do_no_harm),
		RELATED_TEST(a_search_begins_where_others_were_good),
		RELATED_TEST(workers_at_the_start_get_different_ones),
		RELATED_TEST(given_values_are_kept_from_the_start),
		RELATED_TEST(a_related_search_saves_trials),
		RELATED_TEST(a_misleading_one_costs_little),
		RELATED_TEST(where_none_is_borne_out_the_design_is_made_up_for),
		RELATED_TEST(a_suggestion_says_how_much_each_counts),
		RELATED_TEST(noise_is_reported_in_the_unit_of_standardised_outcomes),
		RELATED_TEST(the_prediction_is_in_the_users_unit),
		RELATED_TEST(all_acquisitions_use_them),
		RELATED_TEST(whatever_has_happened_the_search_goes_on),
		RELATED_TEST(any_space_will_do),
		RELATED_TEST(a_failed_allocation_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
