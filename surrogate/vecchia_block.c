#include "surrogate/vecchia_block.h"

#include "surrogate/vecchia_loops.h"

static const struct vecchia_loops *loops(void)
{
	return LOOPS_OF_CPU(vecchia_loops);
}

bool vecchia_block_factor(
	const struct kernel *kernel, const struct vecchia_block *block, double *scratch)
{
	const size_t pairs = block->points * (block->points - 1) / 2;

	loops()->distances(kernel, block, scratch);
	kernel_exp(scratch, pairs * KERNEL_LANES, block->K);
	loops()->covariances(block, scratch);
	return loops()->factor(block);
}

void vecchia_block_forward(const struct vecchia_block *block, size_t n, double *b)
{
	loops()->forward(block, n, b);
}

void vecchia_block_backward(const struct vecchia_block *block, size_t n, double *b)
{
	loops()->backward(block, n, b);
}

void vecchia_block_weigh(
	const struct vecchia_block *block, const double *x, const double *u, double *ret_H)
{
	loops()->weigh(block, x, u, ret_H);
}

double vecchia_block_length(
	const struct kernel *kernel, const struct vecchia_block *block, const double *H, size_t k)
{
	return loops()->length(kernel, block, H, k);
}

double vecchia_block_noise(const struct vecchia_block *block, const double *x, const double *u)
{
	return loops()->noise(block, x, u);
}

void vecchia_block_pull(const struct kernel *kernel, const struct vecchia_block *block,
	const double *H, size_t k, double *ret)
{
	loops()->pull(kernel, block, H, k, ret);
}
