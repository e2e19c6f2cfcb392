/* OpenBLAS starts a thread for every further processor when it is loaded. Each takes 128 MiB of addresses and, where there are
 * none left (ulimit -v), spins until there are, so that even exit() waits for it. */
#ifndef TUNER_BLAS_THREADS_H
#define TUNER_BLAS_THREADS_H

/* To be called first. Where addresses are limited, the program begins once more, with a variable in its environment
 * that makes OpenBLAS start none; this call of the second time takes it away again, as it is not for the trials' commands. Whoever
 * has set OPENBLAS_NUM_THREADS himself keeps what he has set. */
void blas_threads_prevent(char **argv);

#endif
