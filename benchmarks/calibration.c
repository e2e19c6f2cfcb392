#include "benchmarks/calibration.h"

#include "surrogate/kernel.h"

#include <gsl/gsl_cblas.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

enum { TRIES = 7, EXPONENTS = 1000, ROUNDS = 1000 };

void openblas_set_num_threads(int threads);

double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static double gflops(void)
{
	const size_t n = CALIBRATION_ROWS;

	openblas_set_num_threads(1);

	double *memory = calloc(3 * n * n, sizeof *memory), best = 0;

	if (!memory)
		abort();
	for (size_t i = 0; i < 2 * n * n; i++)
		memory[i] = sin((double)i);
	for (int i = 0; i < TRIES; i++) {
		const double began = cpu_ms();

		cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)n, (int)n, 1,
			memory, (int)n, memory + n * n, (int)n, 0, memory + 2 * n * n, (int)n);
		best = fmax(best, 2e-6 * (double)(n * n * n) / (cpu_ms() - began));
	}
	free(memory);
	return best;
}

static double exp_ns(void)
{
	double x[EXPONENTS], y[EXPONENTS], best = INFINITY;

	for (size_t i = 0; i < EXPONENTS; i++)
		x[i] = -0.01 * (double)i;
	for (int i = 0; i < TRIES; i++) {
		const double began = cpu_ms();

		for (int round = 0; round < ROUNDS; round++)
			kernel_exp(x, EXPONENTS, y);
		best = fmin(best, 1e6 * (cpu_ms() - began) / (EXPONENTS * ROUNDS));
	}
	return best;
}

struct calibration calibrate(void)
{
	return (struct calibration){ gflops(), exp_ns() };
}
