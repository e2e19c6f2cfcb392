#include "tuner/sparkline.h"

#include <math.h>

enum { HEIGHTS = 8 };

static const char *bar(double value, double low, double high)
{
	static const char *const bars[HEIGHTS] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	if (!isfinite(value))
		return " ";
	if (!(low < high))
		return bars[0];
	/* Halves, because the difference of two doubles may be infinite. */
	const double part = (value / 2 - low / 2) / (high / 2 - low / 2);
	const int height = (int)(part * HEIGHTS);
	return bars[height < HEIGHTS ? height : HEIGHTS - 1];
}

static double last_finite(const double *values, size_t first, size_t end)
{
	for (size_t i = end; i > first; i--)
		if (isfinite(values[i - 1]))
			return values[i - 1];
	return NAN;
}

void text_add_sparkline(struct text *text, const double *values, size_t n, size_t places)
{
	double low = INFINITY, high = -INFINITY;
	const size_t shown = n < places ? n : places;
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(values[i]))
			continue;
		low = fmin(low, values[i]);
		high = fmax(high, values[i]);
	}
	for (size_t i = 0; i < shown; i++)
		text_add(text,
			bar(last_finite(values, i * n / shown, (i + 1) * n / shown), low, high));
}

void text_add_bar(struct text *text, double part, size_t places)
{
	static const char *const ends[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	enum { EIGHTHS = sizeof(ends) / sizeof(*ends) };
	const double length = fmin(fmax(part, 0), 1) * (double)(places * EIGHTHS);
	const size_t eighths = (size_t)(length + .5);
	for (size_t i = 0; i < eighths / EIGHTHS; i++)
		text_add(text, "█");
	text_add(text, ends[eighths % EIGHTHS]);
}
