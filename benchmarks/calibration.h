/* How fast this core is, so that times can be compared with what their operations take at best, and with those of
 * another core. One thread, CPU time. */
#ifndef BENCHMARKS_CALIBRATION_H
#define BENCHMARKS_CALIBRATION_H

enum { CALIBRATION_ROWS = 600 }; /* of the matrices that are multiplied */

struct calibration {
	double gflops; /* 1e9 floating-point operations a second in a product of two matrices */
	double exp_ns; /* of one exponential in a vector that the first cache holds */
};

double cpu_ms(void); /* of the calling thread, since its start */

/* The best of a few tries, 50 ms in all. */
struct calibration calibrate(void);

#endif
