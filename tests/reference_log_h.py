#!/usr/bin/env python3
"""Writes reference_log_h.h: ln h(z), Phi(z)/h(z) and phi(z)/h(z) from 60 digits (needs mpmath).

    python3 tests/reference_log_h.py > tests/reference_log_h.h
"""
import math
from mpmath import mp, mpf, erfc, exp, log, pi, sqrt

mp.dps = 60


def row(z):
    x = mpf(z)
    # Far in the tail h is the difference of two numbers that agree to about 1/z^2.
    with mp.workdps(60 + 4 * max(0, int(math.log10(abs(z) + 1)))):
        phi = exp(-x * x / 2) / sqrt(2 * pi)
        Phi = erfc(-x / sqrt(mpf(2))) / 2
        h = phi + x * Phi
        return z, log(h), Phi / h, phi / h


def points():
    plain = [40, 10, 8, 6, 5, 3, 2, 1, 0.5, 0.1, 0, -0.1, -0.3, -0.5, -0.8, -0.99, -1.01, -1.2, -1.5,
             -2, -2.5, -3, -4, -5, -6, -7, -8, -9, -10, -11, -11.5, -11.9, -12.1, -13, -14, -16, -17, -18, -19, -19.5, -19.9,
             -20.1, -20.5, -21, -22, -25, -30, -37.5, -38, -38.5, -39, -50, -100, -300, -1000, -1e4,
             -1e5, -1e8]
    seams = [math.nextafter(s, to) for s in (-1.0, -12.0, -20.0) for to in (-math.inf, math.inf)]
    return sorted(set(plain + seams + [-1.0, -12.0, -20.0]), reverse=True)


print("/* Made by reference_log_h.py with 60 digits; do not edit. */")
print("static const struct {\n\tdouble z, value, slope, density;\n} reference_log_h[] = {")
for z in points():
    z, value, slope, density = row(z)
    print("\t{ %s, %s, %s, %s }," % (float(z).hex(), *(float(v).hex() for v in (value, slope, density))))
print("};")
