#include "benchmarks/functions.h"

#include <math.h>

static double square(double x)
{
	return x * x;
}

double branin(size_t d, const double *x)
{
	const double b = 5.1 / (4 * M_PI * M_PI), c = 5 / M_PI, t = 1 / (8 * M_PI);

	return square(x[1] - b * x[0] * x[0] + c * x[0] - 6) + 10 * (1 - t) * cos(x[0]) + 10;
}

static const double hartmann_weights[4] = { 1.0, 1.2, 3.0, 3.2 };

double hartmann3(size_t d, const double *x)
{
	static const double A[4][3] = { { 3, 10, 30 }, { 0.1, 10, 35 }, { 3, 10, 30 },
		{ 0.1, 10, 35 } };
	static const double P[4][3] = { { 0.3689, 0.1170, 0.2673 }, { 0.4699, 0.4387, 0.7470 },
		{ 0.1091, 0.8732, 0.5547 }, { 0.0381, 0.5743, 0.8828 } };
	double sum = 0;

	for (size_t i = 0; i < 4; i++) {
		double inner = 0;

		for (size_t j = 0; j < 3; j++)
			inner += A[i][j] * square(x[j] - P[i][j]);
		sum += hartmann_weights[i] * exp(-inner);
	}
	return -sum;
}

double hartmann6(size_t d, const double *x)
{
	static const double A[4][6] = { { 10, 3, 17, 3.5, 1.7, 8 }, { 0.05, 10, 17, 0.1, 8, 14 },
		{ 3, 3.5, 1.7, 10, 17, 8 }, { 17, 8, 0.05, 10, 0.1, 14 } };
	static const double P[4][6] = { { 0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886 },
		{ 0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991 },
		{ 0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650 },
		{ 0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381 } };
	double sum = 0;

	for (size_t i = 0; i < 4; i++) {
		double inner = 0;

		for (size_t j = 0; j < 6; j++)
			inner += A[i][j] * square(x[j] - P[i][j]);
		sum += hartmann_weights[i] * exp(-inner);
	}
	return -sum;
}

double ackley(size_t d, const double *x)
{
	double squares = 0, waves = 0;

	for (size_t i = 0; i < d; i++) {
		squares += x[i] * x[i];
		waves += cos(2 * M_PI * x[i]);
	}
	return -20 * exp(-0.2 * sqrt(squares / (double)d)) - exp(waves / (double)d) + 20 + M_E;
}

double levy(size_t d, const double *x)
{
	const double first = 1 + (x[0] - 1) / 4, last = 1 + (x[d - 1] - 1) / 4;
	double sum = square(sin(M_PI * first));

	for (size_t i = 0; i + 1 < d; i++) {
		const double w = 1 + (x[i] - 1) / 4;

		sum += square(w - 1) * (1 + 10 * square(sin(M_PI * w + 1)));
	}
	return sum + square(last - 1) * (1 + square(sin(2 * M_PI * last)));
}

double rosenbrock(size_t d, const double *x)
{
	double sum = 0;

	for (size_t i = 0; i + 1 < d; i++)
		sum += 100 * square(x[i + 1] - x[i] * x[i]) + square(x[i] - 1);
	return sum;
}

double styblinski_tang(size_t d, const double *x)
{
	double sum = 0;

	for (size_t i = 0; i < d; i++)
		sum += square(square(x[i])) - 16 * square(x[i]) + 5 * x[i];
	return sum / 2;
}

double michalewicz(size_t d, const double *x)
{
	double sum = 0;

	for (size_t i = 0; i < d; i++)
		sum += sin(x[i]) * pow(sin((double)(i + 1) * x[i] * x[i] / M_PI), 20);
	return -sum;
}

double camel(size_t d, const double *x)
{
	const double a = x[0] * x[0], b = x[1] * x[1];

	return (4 - 2.1 * a + a * a / 3) * a + x[0] * x[1] + (-4 + 4 * b) * b;
}

/* Beale's function. */
static double beale(const double *x)
{
	return square(1.5 - x[0] + x[0] * x[1]) + square(2.25 - x[0] + x[0] * square(x[1])) +
	       square(2.625 - x[0] + x[0] * x[1] * square(x[1]));
}

/* One of five functions on [-2, 2]^2, chosen by a category. */
static double component(int which, const double *x, double weight_of_camel)
{
	switch (which) {
	case 0:
		return rosenbrock(2, x);
	case 1:
		return weight_of_camel * camel(2, x);
	case 2:
		return beale(x);
	case 3:
		return 10 * (sin(x[0]) + square(x[1]));
	default:
		return square(x[0]) + square(x[1]);
	}
}

double func3c(size_t d, const double *x)
{
	static const int first[3] = { 0, 1, 2 }, second[5] = { 0, 1, 2, 3, 4 },
			 third[4] = { 4, 1, 0, 2 };
	static const double third_scales[4] = { 5, 2, 1, 1 };
	const double xy[2] = { 2 * x[0], 2 * x[1] };

	return (component(first[(int)x[2]], xy, 10) + component(second[(int)x[3]], xy, 10) +
		       third_scales[(int)x[4]] * component(third[(int)x[4]], xy, 1)) /
	       100;
}

double jenatton(size_t d, const double *x)
{
	enum { X1, X2, X3, X4, X5, X6, X7, R8, R9 };

	if (x[X1] == 0)
		return x[X2] == 0 ? square(x[X4]) + 0.1 + x[R8] : square(x[X5]) + 0.2 + x[R8];
	return x[X3] == 0 ? square(x[X6]) + 0.3 + x[R9] : square(x[X7]) + 0.4 + x[R9];
}

double hartmann6_integer(size_t d, const double *x)
{
	double u[6];

	for (size_t i = 0; i < 6; i++)
		u[i] = i % 2 ? x[i] : x[i] / 10;
	return hartmann6(6, u);
}
