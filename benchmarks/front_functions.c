#include "benchmarks/front_functions.h"

#include "benchmarks/limited_functions.h"
#include "benchmarks/networks.h"

#include <gsl/gsl_pow_int.h>
#include <math.h>

/* Where the parameters that must be right are right. */
static double right(size_t i)
{
	static const double places[] = { 0.44, 0.35, 0.62, 0.27, 0.71 };

	return places[i % (sizeof places / sizeof *places)];
}

/* Mean from x[first] on of the squared distance from there, at most 1. */
static double wrong(size_t d, const double *x, size_t first)
{
	double sum = 0;

	for (size_t i = first; i < d; i++)
		sum += gsl_pow_2((x[i] - right(i)) / fmax(right(i), 1 - right(i)));
	return sum / (double)(d - first);
}

void zdt1(size_t d, const double *x, double *ret)
{
	const double g = 1 + 9 * wrong(d, x, 1);

	ret[0] = x[0];
	ret[1] = g * (1 - sqrt(x[0] / g));
}

void zdt3(size_t d, const double *x, double *ret)
{
	const double g = 1 + 9 * wrong(d, x, 1);

	ret[0] = x[0];
	ret[1] = g * (1 - sqrt(x[0] / g) - x[0] / g * sin(10 * M_PI * x[0]));
}

static double dtlz2_distance(size_t d, const double *x, size_t first)
{
	double sum = 0;

	for (size_t i = first; i < d; i++)
		sum += gsl_pow_2(x[i] - right(i));
	return 1 + sum;
}

void dtlz2_2(size_t d, const double *x, double *ret)
{
	const double radius = dtlz2_distance(d, x, 1);

	ret[0] = radius * cos(M_PI_2 * x[0]);
	ret[1] = radius * sin(M_PI_2 * x[0]);
}

void dtlz2_3(size_t d, const double *x, double *ret)
{
	const double radius = dtlz2_distance(d, x, 2);

	ret[0] = radius * cos(M_PI_2 * x[0]) * cos(M_PI_2 * x[1]);
	ret[1] = radius * cos(M_PI_2 * x[0]) * sin(M_PI_2 * x[1]);
	ret[2] = radius * sin(M_PI_2 * x[0]);
}

void dtlz7_3(size_t d, const double *x, double *ret)
{
	const double g = 1 + 9 * wrong(d, x, 2);

	ret[0] = x[0];
	ret[1] = x[1];
	ret[2] = 3 * (1 + g);
	for (size_t i = 0; i < 2; i++)
		ret[2] -= x[i] * (1 + sin(3 * M_PI * x[i]));
}

void fonseca(size_t d, const double *x, double *ret)
{
	const double place = 1 / sqrt((double)d);
	double less = 0, more = 0;

	for (size_t i = 0; i < d; i++) {
		less += gsl_pow_2(x[i] - place);
		more += gsl_pow_2(x[i] + place);
	}
	ret[0] = 1 - exp(-less);
	ret[1] = 1 - exp(-more);
}

void kursawe(size_t d, const double *x, double *ret)
{
	ret[0] = ret[1] = 0;
	for (size_t i = 0; i + 1 < d; i++)
		ret[0] -= 10 * exp(-0.2 * hypot(x[i], x[i + 1]));
	for (size_t i = 0; i < d; i++)
		ret[1] += pow(fabs(x[i]), 0.8) + 5 * sin(gsl_pow_3(x[i]));
}

static void poloni_waves(double x, double y, double *ret)
{
	ret[0] = 0.5 * sin(x) - 2 * cos(x) + sin(y) - 1.5 * cos(y);
	ret[1] = 1.5 * sin(x) - cos(x) + 2 * sin(y) - 0.5 * cos(y);
}

void poloni(size_t d, const double *x, double *ret)
{
	double a[2], b[2];

	poloni_waves(1, 2, a);
	poloni_waves(x[0], x[1], b);
	ret[0] = 1 + gsl_pow_2(a[0] - b[0]) + gsl_pow_2(a[1] - b[1]);
	ret[1] = gsl_pow_2(x[0] + 3) + gsl_pow_2(x[1] + 1);
}

void four_bar_truss(size_t d, const double *x, double *ret)
{
	static const double force = 10, elasticity = 2e5, length = 200;

	ret[0] = length * (2 * x[0] + M_SQRT2 * x[1] + sqrt(x[2]) + x[3]);
	ret[1] = force * length / elasticity *
		 (2 / x[0] + 2 * M_SQRT2 / x[1] - 2 * M_SQRT2 / x[2] + 2 / x[3]);
}

void disc_brake(size_t d, const double *x, double *ret)
{
	const double squares = gsl_pow_2(x[1]) - gsl_pow_2(x[0]),
		     cubes = gsl_pow_3(x[1]) - gsl_pow_3(x[0]);

	ret[0] = 4.9e-5 * squares * (x[3] - 1);
	ret[1] = 9.82e6 * squares / (x[2] * x[3] * cubes);
}

void disc_brake_excess(size_t d, const double *x, double *ret)
{
	const double squares = gsl_pow_2(x[1]) - gsl_pow_2(x[0]),
		     cubes = gsl_pow_3(x[1]) - gsl_pow_3(x[0]);

	ret[0] = 20 - (x[1] - x[0]);
	ret[1] = x[2] / (3.14 * squares) - 0.4;
	ret[2] = 2.22e-3 * x[2] * cubes / gsl_pow_2(squares) - 1;
	ret[3] = 900 - 2.66e-2 * x[2] * x[3] * cubes / squares;
}

void srn(size_t d, const double *x, double *ret)
{
	ret[0] = 2 + gsl_pow_2(x[0] - 2) + gsl_pow_2(x[1] - 1);
	ret[1] = 9 * x[0] - gsl_pow_2(x[1] - 1);
}

void srn_excess(size_t d, const double *x, double *ret)
{
	ret[0] = gsl_pow_2(x[0]) + gsl_pow_2(x[1]) - 225;
	ret[1] = x[0] - 3 * x[1] + 10;
}

/* A cubic's terms: a coefficient and the exponents of the four arguments. */
struct term {
	double coefficient;
	int exponents[4];
};

static const struct term face_temperature[] = { { 0.692, { 0 } }, { 0.477, { 1 } },
	{ -0.687, { 0, 1 } }, { -0.080, { 0, 0, 1 } }, { -0.0650, { 0, 0, 0, 1 } },
	{ -0.167, { 2 } }, { -0.0129, { 1, 1 } }, { 0.0796, { 0, 2 } }, { -0.0634, { 1, 0, 1 } },
	{ -0.0257, { 0, 1, 1 } }, { 0.0877, { 0, 0, 2 } }, { -0.0521, { 1, 0, 0, 1 } },
	{ 0.00156, { 0, 1, 0, 1 } }, { 0.00198, { 0, 0, 1, 1 } }, { 0.0184, { 0, 0, 0, 2 } } };
static const struct term combustion_length[] = { { 0.153, { 0 } }, { -0.322, { 1 } },
	{ 0.396, { 0, 1 } }, { 0.424, { 0, 0, 1 } }, { 0.0226, { 0, 0, 0, 1 } }, { 0.175, { 2 } },
	{ 0.0185, { 1, 1 } }, { -0.0701, { 0, 2 } }, { -0.251, { 1, 0, 1 } },
	{ 0.179, { 0, 1, 1 } }, { 0.0150, { 0, 0, 2 } }, { 0.0134, { 1, 0, 0, 1 } },
	{ 0.0296, { 0, 1, 0, 1 } }, { 0.0752, { 0, 0, 1, 1 } }, { 0.0192, { 0, 0, 0, 2 } } };
static const struct term tip_temperature[] = { { 0.370, { 0 } }, { -0.205, { 1 } },
	{ 0.0307, { 0, 1 } }, { 0.108, { 0, 0, 1 } }, { 1.019, { 0, 0, 0, 1 } }, { -0.135, { 2 } },
	{ 0.0141, { 1, 1 } }, { 0.0998, { 0, 2 } }, { 0.208, { 1, 0, 1 } },
	{ -0.0301, { 0, 1, 1 } }, { -0.226, { 0, 0, 2 } }, { 0.353, { 1, 0, 0, 1 } },
	{ -0.0497, { 0, 0, 1, 1 } }, { -0.423, { 0, 0, 0, 2 } }, { 0.202, { 2, 1 } },
	{ -0.281, { 2, 0, 1 } }, { -0.342, { 1, 2 } }, { -0.245, { 0, 2, 1 } },
	{ 0.281, { 0, 1, 2 } }, { -0.184, { 1, 0, 0, 2 } }, { -0.281, { 1, 1, 1 } } };

static double polynomial(const struct term *terms, size_t n, const double *x)
{
	double sum = 0;

	for (size_t k = 0; k < n; k++) {
		double product = terms[k].coefficient;

		for (size_t i = 0; i < 4; i++)
			product *= gsl_pow_int(x[i], terms[k].exponents[i]);
		sum += product;
	}
	return sum;
}

void rocket_injector_3(size_t d, const double *x, double *ret)
{
#define POLYNOMIAL(terms) polynomial(terms, sizeof(terms) / sizeof *(terms), x)
	ret[0] = POLYNOMIAL(face_temperature);
	ret[1] = POLYNOMIAL(combustion_length);
	ret[2] = POLYNOMIAL(tip_temperature);
}

void branches(size_t d, const double *x, double *ret)
{
	static const double corners[3][2] = { { 0, 0.3 }, { 0.12, 0.12 }, { 0.3, 0 } };
	const size_t branch = (size_t)x[0];
	const double off =
		gsl_pow_2(x[2] - right(2)) + gsl_pow_2(x[3 + branch] - right(3 + branch));

	ret[0] = corners[branch][0] + gsl_pow_2(x[1]) + off;
	ret[1] = corners[branch][1] + gsl_pow_2(1 - x[1]) + off;
}

void mlp_digits_size(size_t d, const double *x, double *ret)
{
	double excess;

	mlp_weights_excess(d, x, &excess);
	ret[0] = mlp_digits(d, x);
	ret[1] = log10(excess + MLP_WEIGHTS);
}
