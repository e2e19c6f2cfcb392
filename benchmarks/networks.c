#include "benchmarks/networks.h"

#include "benchmarks/data/networks.inc"

#include <math.h>
#include <stdbool.h>

enum { WIDTH = 24, INPUTS_MAX = 10 };

struct range {
	bool logarithmic;
	double min, max;
};

static const struct range mlp_ranges[] = { { true, 16, 512 }, { true, 1e-4, 0.3 },
	{ false, 0.1, 0.99 }, { false, 1e-5, 0.1 }, { false, 1, 4 }, { true, 16, 256 },
	{ false, 0, 0.9 } };

static const struct range boosting_ranges[] = { { true, 7, 400 }, { true, 0.001, 1 },
	{ true, 4.5e-5, 7.4 }, { true, 1e-3, 1e3 }, { true, 1e-3, 1e3 }, { false, 0.1, 1 },
	{ false, 1, 15 }, { true, 2.72, 148 }, { false, 0.01, 1 }, { false, 0.01, 1 } };

/* Rows of `inputs` weights and a bias, one for each output. Returns what lies behind them. */
static const double *layer(
	const double *weights, const double *input, size_t inputs, size_t outputs, double *ret)
{
	for (size_t j = 0; j < outputs; j++, weights += inputs + 1) {
		ret[j] = weights[inputs];
		for (size_t i = 0; i < inputs; i++)
			ret[j] += weights[i] * input[i];
	}
	return weights;
}

static void squash(double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		values[i] = tanh(values[i]);
}

/* The network's head: least and greatest accuracy, mean and sd of the logit that it was fitted to. */
static double evaluate(const double *network, const struct range *ranges, size_t d, const double *x)
{
	double u[INPUTS_MAX], first[WIDTH], second[WIDTH], out;
	const double low = network[0], high = network[1], mean = network[2], sd = network[3];

	for (size_t i = 0; i < d; i++) {
		const struct range *r = &ranges[i];

		u[i] = 2 * (r->logarithmic ? log(x[i] / r->min) / log(r->max / r->min)
					   : (x[i] - r->min) / (r->max - r->min)) -
		       1;
	}
	const double *at = layer(network + 4, u, d, WIDTH, first);

	squash(first, WIDTH);
	at = layer(at, first, WIDTH, WIDTH, second);
	squash(second, WIDTH);
	layer(at, second, WIDTH, 1, &out);
	return -(low + (high - low) / (1 + exp(out * sd + mean)));
}

double mlp_digits(size_t d, const double *x)
{
	return evaluate(mlp_digits_network, mlp_ranges, d, x);
}

double mlp_synthetic(size_t d, const double *x)
{
	return evaluate(mlp_synth_network, mlp_ranges, d, x);
}

double mlp_fashion(size_t d, const double *x)
{
	return evaluate(mlp_fashion_network, mlp_ranges, d, x);
}

double boosting_digits(size_t d, const double *x)
{
	return evaluate(xgb_digits_network, boosting_ranges, d, x);
}

double boosting_synthetic(size_t d, const double *x)
{
	return evaluate(xgb_synth_network, boosting_ranges, d, x);
}
