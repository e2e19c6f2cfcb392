#include "surrogate/warp.h"

#include <math.h>

bool warp_is_identity(struct warp warp)
{
	return warp.a == 1 && warp.b == 1;
}

static double inside(double x)
{
	return x < 0 ? 0 : x > 1 ? 1 : x;
}

static double away_from_ends(double x)
{
	return WARP_MARGIN + (1 - 2 * WARP_MARGIN) * inside(x);
}

double warp_value(struct warp warp, double x)
{
	if (warp_is_identity(warp))
		return x;
	return 1 - pow(1 - pow(away_from_ends(x), warp.a), warp.b) + (x - inside(x));
}

double warp_slope(struct warp warp, double x)
{
	const double t = away_from_ends(x);

	if (warp_is_identity(warp) || x < 0 || x > 1)
		return 1;
	return (1 - 2 * WARP_MARGIN) * warp.a * warp.b * pow(t, warp.a - 1) *
	       pow(1 - pow(t, warp.a), warp.b - 1);
}

void warp_gradient(struct warp warp, double x, double *ret_by_log_a, double *ret_by_log_b)
{
	const double t = away_from_ends(x), power = pow(t, warp.a), rest = 1 - power;

	*ret_by_log_a = warp.a * warp.b * pow(rest, warp.b - 1) * power * log(t);
	*ret_by_log_b = -warp.b * pow(rest, warp.b) * log(rest);
}

struct warp warp_of(const double *theta, size_t d, size_t k)
{
	return (struct warp){ exp(theta[d + 1 + 2 * k]), exp(theta[d + 2 + 2 * k]) };
}

void warp_rows(const double *theta, size_t d, const enum dimension_kind *kinds, const double *X,
	size_t n, double *ret_W)
{
	for (size_t k = 0; k < d; k++) {
		const struct warp warp = warp_of(theta, d, k);
		const bool same = kinds[k] != DIMENSION_NUMERIC || warp_is_identity(warp);

		for (size_t i = k; i < n * d; i += d)
			ret_W[i] = same ? X[i] : warp_value(warp, X[i]);
	}
}
