/* The training script of `benchmarks/published`: the published surface, with the noise of a training run that
 * follows from TUNER_SEED.
 *
 *     published-worker SD --learning_rate X --momentum Y --wd Z
 *
 * Prints the validation accuracy as the published script does, and the one without noise. */
#include "base/random.h"
#include "benchmarks/surface.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double argument(int argc, char **argv, const char *name)
{
	for (int i = 2; i + 1 < argc; i += 2)
		if (strcmp(argv[i], name) == 0)
			return strtod(argv[i + 1], NULL);
	fprintf(stderr, "published-worker: %s is missing\n", name);
	exit(2);
}

/* Another configuration trains otherwise with the same seed, too. */
static uint64_t mix(uint64_t seed, const double *x)
{
	for (int i = 0; i < 3; i++) {
		uint64_t bits;
		memcpy(&bits, &x[i], sizeof(bits));
		seed = (seed ^ bits) * UINT64_C(0x9e3779b97f4a7c15);
		seed ^= seed >> 29;
	}
	return seed;
}

int main(int argc, char **argv)
{
	const double x[] = { argument(argc, argv, "--learning_rate"),
		argument(argc, argv, "--momentum"), argument(argc, argv, "--wd") };
	const char *seed = getenv("TUNER_SEED");
	const double accuracy = -cifar10_surface(3, x), sd = strtod(argv[1], NULL);
	struct random random;

	random_init(
		&random, (struct random_key){ .seed = mix(seed ? strtoull(seed, NULL, 10) : 0, x),
				 .purpose = RANDOM_TEST });
	printf("@tuner {\"true-accuracy\": %.17g}\nvalidation: accuracy=%.17g\n", accuracy,
		accuracy + sd * random_normal(&random));
	return 0;
}
