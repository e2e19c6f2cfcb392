#include "scheduler/gpu_report.h"

#include "base/clock.h"
#include "base/text.h"
#include "scheduler/attempt.h"
#include "scheduler/process.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 8, FIELD_BYTES = 64 };

/* ---- lines ---- */

/* Cuts a line at its commas into trimmed fields; returns their number. Fields that are too long are
 * cut. */
static size_t cut(const char *line, size_t length, char ret[FIELDS_MAX][FIELD_BYTES])
{
	size_t n = 0, at = 0;
	while (at <= length && n < FIELDS_MAX) {
		size_t end = at;
		while (end < length && line[end] != ',')
			end++;
		size_t first = at, last = end;
		while (first < last && isspace((unsigned char)line[first]))
			first++;
		while (last > first && isspace((unsigned char)line[last - 1]))
			last--;
		snprintf(ret[n++], FIELD_BYTES, "%.*s", (int)(last - first), line + first);
		at = end + 1;
	}
	return n;
}

/* NaN for "[N/A]", "[Not Supported]" and the like. */
static double number(const char *field)
{
	char *end;
	const double value = strtod(field, &end);
	return end != field && *end == '\0' && isfinite(value) ? value : NAN;
}

static int64_t mebibytes(const char *field)
{
	const double value = number(field);
	return value >= 0 && value < 1e9 ? (int64_t)value << 20 : -1;
}

static bool parse_sample(const char *line, size_t length, struct gpu_sample *ret)
{
	char fields[FIELDS_MAX][FIELD_BYTES];
	if (cut(line, length, fields) < 6 || strchr(fields[0], '-') == NULL)
		return false;
	*ret = (struct gpu_sample){
		.utilisation = number(fields[1]),
		.memory_used_bytes = mebibytes(fields[2]),
		.memory_bytes = mebibytes(fields[3]),
		.power_w = number(fields[4]),
		.temperature_c = number(fields[5]),
	};
	memcpy(ret->uuid, fields[0], sizeof(ret->uuid));
	return true;
}

static bool parse_app(const char *line, size_t length, struct gpu_app *ret)
{
	char fields[FIELDS_MAX][FIELD_BYTES];
	const size_t n = cut(line, length, fields);
	if (n < 3 || strchr(fields[0], '-') == NULL)
		return false;
	const double pid = number(fields[1]);
	if (!(pid >= 1 && pid <= INT32_MAX))
		return false;
	*ret = (struct gpu_app){ .pid = (int64_t)pid, .memory_bytes = mebibytes(fields[2]) };
	memcpy(ret->uuid, fields[0], sizeof(ret->uuid));
	if (n == 5) {
		ret->seen = strcmp(fields[3], "1") == 0;
		snprintf(ret->key, sizeof(ret->key), "%.*s", (int)sizeof(ret->key) - 1, fields[4]);
	}
	return true;
}

size_t gpu_samples_parse(const char *text, struct gpu_sample ret[GPUS_MAX])
{
	size_t n = 0;
	while (*text != '\0' && n < GPUS_MAX) {
		const size_t length = strcspn(text, "\n");
		n += parse_sample(text, length, &ret[n]);
		text += length + (text[length] == '\n');
	}
	return n;
}

size_t gpu_apps_parse(const char *text, struct gpu_app ret[GPU_APPS_MAX])
{
	size_t n = 0;
	while (*text != '\0' && n < GPU_APPS_MAX) {
		const size_t length = strcspn(text, "\n");
		n += parse_app(text, length, &ret[n]);
		text += length + (text[length] == '\n');
	}
	return n;
}

/* ---- reports that travel ---- */

/* A section ends where the next title, or the text, does. */
static const char samples_title[] = "samples\n", apps_title[] = "apps\n";

static void print_mebibytes(struct text *ret, int64_t bytes)
{
	if (bytes < 0)
		text_add(ret, ", -");
	else
		text_print(ret, ", %lld", (long long)(bytes >> 20));
}

void gpu_report_print(const struct gpu_report *report, struct text *ret)
{
	if (!report->ok)
		return;
	text_add(ret, samples_title);
	for (size_t i = 0; i < report->n_samples; i++) {
		const struct gpu_sample *sample = &report->samples[i];
		text_print(ret, "%s, %.17g", sample->uuid, sample->utilisation);
		print_mebibytes(ret, sample->memory_used_bytes);
		print_mebibytes(ret, sample->memory_bytes);
		text_print(ret, ", %.17g, %.17g\n", sample->power_w, sample->temperature_c);
	}
	if (report->apps_known)
		text_add(ret, apps_title);
	for (size_t i = 0; i < report->n_apps; i++) {
		const struct gpu_app *app = &report->apps[i];
		text_print(ret, "%s, %lld", app->uuid, (long long)app->pid);
		print_mebibytes(ret, app->memory_bytes);
		text_print(ret, ", %d, %s\n", app->seen, app->key);
	}
}

void gpu_report_parse(const char *text, struct gpu_report *ret)
{
	const char *samples = strstr(text, samples_title), *apps = strstr(text, apps_title);

	*ret = (struct gpu_report){ .ok = samples != NULL, .apps_known = apps != NULL };
	if (samples != NULL)
		ret->n_samples = gpu_samples_parse(samples, ret->samples);
	if (apps != NULL)
		ret->n_apps = gpu_apps_parse(apps, ret->apps);
}

/* ---- asking ---- */

/* Finds the process's attempt by its environment, which children that left group and session have,
 * too. A process that ends gives up its memory, and with it its environment, before it closes the
 * driver, which lists it until then: it may well have been a trial. */
static void look_at(struct gpu_app *app)
{
	struct process process;
	app->seen = process_look(app->pid, &process) && process.resident_pages > 0;
	if (app->seen)
		process_variable(app->pid, ATTEMPT_KEY_VARIABLE, app->key, sizeof(app->key));
}

bool gpu_report_read(struct gpu_source *source, struct gpu_report *ret, struct tuner_error *err)
{
	enum gpu_answer samples = GPU_NO_ANSWER, apps = GPU_NO_ANSWER;
	char reason[GPU_REASON_MAX];
	struct text text = TEXT_EMPTY;

	*ret = (struct gpu_report){ .asked_us = clock_monotonic_us() };
	bool ok = gpu_source_ask(source, GPU_QUESTION_SAMPLES, &text, &samples, reason, err);
	if (ok && samples == GPU_ANSWERED) {
		ret->n_samples = gpu_samples_parse(text.bytes, ret->samples);
		ok = gpu_source_ask(source, GPU_QUESTION_PROCESSES, &text, &apps, reason, err);
	}
	if (ok && apps == GPU_ANSWERED)
		ret->n_apps = gpu_apps_parse(text.bytes, ret->apps);
	for (size_t i = 0; i < ret->n_apps; i++)
		look_at(&ret->apps[i]);
	ret->ok = ok && ret->n_samples > 0;
	ret->apps_known = ret->ok && apps == GPU_ANSWERED;
	text_finish(&text);
	return ok;
}

const struct gpu_sample *gpu_report_find(const struct gpu_report *report, const char *uuid)
{
	for (size_t i = 0; i < report->n_samples; i++)
		if (strcmp(report->samples[i].uuid, uuid) == 0)
			return &report->samples[i];
	return NULL;
}
