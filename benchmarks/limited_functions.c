#include "benchmarks/limited_functions.h"

#include <gsl/gsl_pow_int.h>
#include <math.h>

double gardner1(size_t d, const double *x)
{
	return cos(2 * x[0]) * cos(x[1]) + sin(x[0]);
}

void gardner1_excess(size_t d, const double *x, double *ret)
{
	ret[0] = cos(x[0]) * cos(x[1]) - sin(x[0]) * sin(x[1]) - 0.5;
}

double gardner2(size_t d, const double *x)
{
	return sin(x[0]) + x[1];
}

void gardner2_excess(size_t d, const double *x, double *ret)
{
	ret[0] = sin(x[0]) * sin(x[1]) + 0.95;
}

double gramacy(size_t d, const double *x)
{
	return x[0] + x[1];
}

void gramacy_excess(size_t d, const double *x, double *ret)
{
	const double square = gsl_pow_2(x[0]);

	ret[0] = 1.5 - x[0] - 2 * x[1] - 0.5 * sin(2 * M_PI * (square - 2 * x[1]));
	ret[1] = square + gsl_pow_2(x[1]) - 1.5;
}

void disk_excess(size_t d, const double *x, double *ret)
{
	ret[0] = gsl_pow_2(x[0] - 2.5) + gsl_pow_2(x[1] - 7.5) - 50;
}

static double norm(size_t d, const double *x)
{
	double sum = 0;

	for (size_t i = 0; i < d; i++)
		sum += gsl_pow_2(x[i]);
	return sqrt(sum);
}

void unit_ball_excess(size_t d, const double *x, double *ret)
{
	ret[0] = norm(d, x) - 1;
}

void half_ball_excess(size_t d, const double *x, double *ret)
{
	ret[0] = 0;
	for (size_t i = 0; i < d; i++)
		ret[0] += x[i];
	ret[1] = norm(d, x) - 5;
}

double spring(size_t d, const double *x)
{
	return (x[2] + 2) * x[1] * gsl_pow_2(x[0]);
}

void spring_excess(size_t d, const double *x, double *ret)
{
	const double wire = x[0], coil = x[1], n = x[2];

	ret[0] = 1 - gsl_pow_3(coil) * n / (71785 * gsl_pow_4(wire));
	ret[1] = (4 * gsl_pow_2(coil) - wire * coil) /
			 (12566 * (coil * gsl_pow_3(wire) - gsl_pow_4(wire))) +
		 1 / (5108 * gsl_pow_2(wire)) - 1;
	ret[2] = 1 - 140.45 * wire / (gsl_pow_2(coil) * n);
	ret[3] = (wire + coil) / 1.5 - 1;
}

double vessel(size_t d, const double *x)
{
	const double shell = x[0], head = x[1], radius = x[2], length = x[3];

	return 0.6224 * shell * radius * length + 1.7781 * head * gsl_pow_2(radius) +
	       3.1661 * gsl_pow_2(shell) * length + 19.84 * gsl_pow_2(shell) * radius;
}

void vessel_excess(size_t d, const double *x, double *ret)
{
	const double shell = x[0], head = x[1], radius = x[2], length = x[3];

	ret[0] = 0.0193 * radius - shell;
	ret[1] = 0.00954 * radius - head;
	ret[2] = 1296000 - M_PI * gsl_pow_2(radius) * (length + 4.0 / 3 * radius);
}

void mlp_weights_excess(size_t d, const double *x, double *ret)
{
	enum { INPUTS = 64, CLASSES = 10 };
	const double layers = x[4], units = x[5];

	ret[0] = units * (INPUTS + 1) + (layers - 1) * units * (units + 1) + CLASSES * (units + 1) -
		 MLP_WEIGHTS;
}

void boosting_leaves_excess(size_t d, const double *x, double *ret)
{
	ret[0] = x[0] * exp2(x[6]) - BOOSTING_LEAVES;
}
