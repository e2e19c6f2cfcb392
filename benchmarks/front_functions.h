/* Test problems with several objectives, as their papers state them except for what is said here; all are minimised.
 *
 * Sources: Zitzler, Deb, Thiele, "Comparison of Multiobjective Evolutionary Algorithms: Empirical Results", Evolutionary
 * Computation 8, 2000 (ZDT); Deb, Thiele, Laumanns, Zitzler, "Scalable Test Problems for Evolutionary Multiobjective
 * Optimization", 2005 (DTLZ); Fonseca and Fleming, "Multiobjective optimization and multiple constraint handling with
 * evolutionary algorithms", 1998; Kursawe, "A variant of evolution strategies for vector optimization", 1991; Poloni et al.,
 * "Hybridization of a multi-objective genetic algorithm", 2000; Srinivas and Deb, "Multiobjective function optimization using
 * nondominated sorting genetic algorithms", 1994 (srn). Of engineering, as in Tanabe and Ishibuchi, "An easy-to-use real-world
 * multi-objective optimization problem suite", Applied Soft Computing 89, 2020: Cheng and Li, "Generalized center method for
 * multiobjective engineering optimization", 1999 (four-bar truss, RE21); Ray and Liew, "A swarm metaphor for multiobjective
 * design optimization", 2002 (disc brake, CRE23); Vaidyanathan et al., "CFD-based design optimization for a single element
 * rocket injector", 2003 (RE37).
 *
 * Where a paper's front is on the boundary of the cube (ZDT, DTLZ7) or in its centre (DTLZ2), the parameters that must be right
 * are moved: 0 or 1/2 becomes another number for each, and the distance from it is squared. The front stays the same. */
#ifndef BENCHMARKS_FRONT_FUNCTIONS_H
#define BENCHMARKS_FRONT_FUNCTIONS_H

#include <stddef.h>

/* Each gives its objectives: 2, or as many as its name says. */
void zdt1(size_t d, const double *x, double *ret);
void zdt3(size_t d, const double *x, double *ret);
void dtlz2_2(size_t d, const double *x, double *ret);
void dtlz2_3(size_t d, const double *x, double *ret);
void dtlz7_3(size_t d, const double *x, double *ret);
void fonseca(size_t d, const double *x, double *ret);
void kursawe(size_t d, const double *x, double *ret);
void poloni(size_t d, const double *x, double *ret);

/* Volume and displacement, by four cross sections. */
void four_bar_truss(size_t d, const double *x, double *ret);

/* Mass and stopping time, by the radii of the discs, the force and the number of discs. */
void disc_brake(size_t d, const double *x, double *ret);
void disc_brake_excess(size_t d, const double *x, double *ret); /* 4 */

void srn(size_t d, const double *x, double *ret);
void srn_excess(size_t d, const double *x, double *ret); /* 2 */

/* Three: the temperature of the face, the length of the combustion and the temperature of the tip, by an angle, two areas and a
 * thickness. */
void rocket_injector_3(size_t d, const double *x, double *ret);

/* Three branches, each with a piece of the front and a parameter of its own (made for this): x0 is the branch, x1 the place on
 * its curve, x2 and x3 + branch what must be right. */
void branches(size_t d, const double *x, double *ret);

/* Minus the accuracy of networks.h's mlp_digits, and the decimal logarithm of the number of its weights. */
void mlp_digits_size(size_t d, const double *x, double *ret);

#endif
