#include "scheduler/gpu_totals.h"

#include "base/file.h"
#include "scheduler/attempt_files.h"
#include "scheduler/flat_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* CUDA alone takes more: less means that the program has not used its GPU yet. */
static const int64_t LEAST_BYTES = 128 << 20;

static void add_mean(double *mean, double value, int64_t n)
{
	if (!isnan(value))
		*mean = isnan(*mean) ? value : *mean + (value - *mean) / (double)n;
}

static void add_max(double *max, double value)
{
	if (!isnan(value) && (isnan(*max) || value > *max))
		*max = value;
}

/* -1: unknown. */
static int64_t memory_of(
	const struct gpu_report *report, const char *key, bool alone, int64_t used_bytes)
{
	int64_t bytes = 0;
	bool found = false, unknown = false;

	for (size_t i = 0; i < report->n_apps; i++) {
		const struct gpu_app *app = &report->apps[i];
		if (strcmp(app->key, key) != 0)
			continue;
		found = true;
		unknown |= app->memory_bytes < 0;
		bytes += app->memory_bytes > 0 ? app->memory_bytes : 0;
	}
	if (found && !unknown)
		return bytes;
	return alone && used_bytes > LEAST_BYTES ? used_bytes : -1;
}

bool gpu_totals_add(struct gpu_totals *totals, const struct gpu_report *report,
	const char *const *uuids, size_t n, const char *key, bool alone)
{
	double utilisation = NAN, power_w = NAN;
	int64_t used_bytes = 0, n_found = 0;

	for (size_t i = 0; i < n; i++) {
		const struct gpu_sample *device = gpu_report_find(report, uuids[i]);
		if (device == NULL)
			continue;
		n_found++;
		add_mean(&utilisation, device->utilisation, n_found);
		add_mean(&power_w, device->power_w, n_found);
		add_max(&totals->utilisation_max, device->utilisation);
		add_max(&totals->temperature_max_c, device->temperature_c);
		used_bytes += device->memory_used_bytes > 0 ? device->memory_used_bytes : 0;
	}
	if (n_found == 0)
		return false;
	totals->samples++;
	add_mean(&totals->utilisation_mean, utilisation, totals->samples);
	add_mean(&totals->power_mean_w, power_w, totals->samples);
	const int64_t bytes = memory_of(report, key, alone, used_bytes);
	if (bytes > totals->memory_peak_bytes)
		totals->memory_peak_bytes = bytes;
	return true;
}

/* ---- gpus.json ---- */

static void print(struct text *text, const char *name, double value)
{
	if (!isnan(value))
		text_print(text, ", \"%s\": %.17g", name, value);
}

bool gpu_totals_write(
	const char *directory, const struct gpu_totals *totals, struct tuner_error *err)
{
	struct text text = TEXT_EMPTY;
	char *path = path_join(directory, ATTEMPT_GPUS);

	text_print(&text, "{\"samples\": %lld", (long long)totals->samples);
	print(&text, "utilisation_mean", totals->utilisation_mean);
	print(&text, "utilisation_max", totals->utilisation_max);
	print(&text, "power_mean_w", totals->power_mean_w);
	print(&text, "temperature_max_c", totals->temperature_max_c);
	print(&text, "memory_peak_bytes", (double)totals->memory_peak_bytes);
	text_add(&text, "}\n");
	const bool ok = path != NULL && !text_failed(&text)
				? file_write_atomic(path, text.bytes, text.length, 0600, false, err)
				: tuner_fail_memory(err);
	text_finish(&text);
	free(path);
	return ok;
}

static double number(const char *text, const char *name)
{
	double value;
	return flat_json_number(text, name, &value) == FLAT_JSON_NUMBER && isfinite(value) ? value
											   : NAN;
}

static int64_t count(const char *text, const char *name)
{
	const double value = number(text, name);
	return value > 0 && value < 0x1p53 ? (int64_t)value : 0;
}

bool gpu_totals_read(const char *directory, struct gpu_totals *ret)
{
	struct tuner_error ignored;
	struct text text = TEXT_EMPTY;
	char *path = path_join(directory, ATTEMPT_GPUS);

	*ret = GPU_TOTALS_NONE;
	const bool ok = path != NULL && file_read(path, RECORD_BYTES_MAX, &text, &ignored) &&
			flat_json_is_whole(text.bytes);
	if (ok)
		*ret = (struct gpu_totals){
			.samples = count(text.bytes, "samples"),
			.utilisation_mean = number(text.bytes, "utilisation_mean"),
			.utilisation_max = number(text.bytes, "utilisation_max"),
			.power_mean_w = number(text.bytes, "power_mean_w"),
			.temperature_max_c = number(text.bytes, "temperature_max_c"),
			.memory_peak_bytes = count(text.bytes, "memory_peak_bytes"),
		};
	text_finish(&text);
	free(path);
	return ok && ret->samples > 0;
}
