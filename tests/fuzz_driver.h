/* What a fuzzer is made of: one function that takes any bytes and aborts if a property does not hold.
 *
 * There are two ways to drive it. Built with clang and -Dfuzzer=true it is a libFuzzer target, which follows the
 * coverage. Otherwise fuzz_driver.c is its main(), which replays the kept inputs and then makes random changes to
 * them:
 *
 *     fuzz_NAME [--runs N] [--seed S] FILE-OR-DIRECTORY...
 *
 * tests/corpus/NAME holds the kept inputs. A run that aborts names itself, and comes again with the same numbers. */
#ifndef TESTS_FUZZ_DRIVER_H
#define TESTS_FUZZ_DRIVER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* 0 for libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the random changes put into an input: the words of its grammar, NULL at the end. */
extern const char *const fuzz_words[];

#define CHECK(property)                                                                            \
	((property) ? (void)0                                                                      \
		    : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #property), abort()))

#endif
