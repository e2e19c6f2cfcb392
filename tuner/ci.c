#include "tuner/ci.h"

#include "base/file.h"
#include "base/io.h"
#include "base/number.h"
#include "tuner/baseline.h"
#include "tuner/front.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool ci_is_on(const struct invocation *call)
{
	const char *set = getenv("CI");
	if (invocation_option(call, "no-ci") != NULL)
		return false;
	if (invocation_option(call, "ci") != NULL)
		return true;
	return set != NULL && set[0] != '\0' && strcmp(set, "0") != 0 && strcmp(set, "false") != 0;
}

/* ---- before the run ---- */

static bool read_orphans(const struct invocation *call, struct ci *ci, struct tuner_error *err)
{
	const char *orphans = invocation_option(call, "orphans");
	ci->orphans_stop = orphans != NULL ? strcmp(orphans, "stop") == 0 : ci->on;
	return orphans == NULL || ci->orphans_stop || strcmp(orphans, "keep") == 0 ||
	       tuner_fail(err, TUNER_USAGE, "--orphans takes keep or stop, not \"%.60s\"", orphans);
}

static bool read_gates(const struct invocation *call, struct ci *ci, struct tuner_error *err)
{
	const char *texts[GATES_MAX];
	const size_t n = invocation_options(call, "gate", texts, GATES_MAX);

	if (n == GATES_MAX) /* the last place is the baseline's */
		return tuner_fail(err, TUNER_USAGE, "at most %d gates may be given", GATES_MAX - 1);
	for (size_t i = 0; i < n; i++) {
		if (!gate_parse(texts[i], ci->file, &ci->gates[ci->n_gates], err))
			return false;
		ci->n_gates++;
	}
	return true;
}

static bool read_baseline(const struct invocation *call, struct ci *ci, struct tuner_error *err)
{
	const char *path = invocation_option(call, "baseline");
	const char *given = invocation_option(call, "tolerance");
	double tolerance = 0, objective;

	if (given != NULL && path == NULL)
		return tuner_fail(err, TUNER_USAGE, "--tolerance needs a --baseline");
	if (given != NULL &&
		(!number_to_double(given, &tolerance) || !isfinite(tolerance) || tolerance < 0))
		return tuner_fail(err, TUNER_USAGE,
			"--tolerance takes a number from 0 on, in the metric's unit, not \"%.60s\"",
			given);
	if (path == NULL)
		return true;
	if (!baseline_read(path, ci->file, &objective, err) ||
		!gate_of_baseline(objective, tolerance, ci->file, &ci->gates[ci->n_gates], err))
		return false;
	ci->n_gates++;
	return true;
}

static bool check_place(
	const char *option, const char *path, const struct job_file *file, struct tuner_error *err)
{
	struct tuner_error wrong = { TUNER_OK, "" };
	char *directory;
	if (path == NULL)
		return true;
	if (path[0] == '\0')
		return tuner_fail(err, TUNER_USAGE, "--%s takes a file's name", option);
	if (strcmp(path, "-") == 0)
		return tuner_fail(err, TUNER_USAGE,
			"--%s takes a file's name: \"./-\" for a file called \"-\"", option);
	if (!file_check_replaceable(path, &wrong))
		return tuner_fail(err, TUNER_USAGE, "--%s: %s", option, wrong.message);
	if (file_is_same(path, file->path))
		return tuner_fail(err, TUNER_USAGE, "--%s: %.100s is the job file", option, path);
	directory = path_directory(path);
	if (directory == NULL)
		return tuner_fail_memory(err);
	const bool ok =
		access(directory, W_OK | X_OK) == 0 ||
		tuner_fail(err, TUNER_USAGE, "--%s %.100s: %s", option, path, strerror(errno));
	free(directory);
	return ok;
}

/* The page may also be a pipe, or not exist yet. */
static bool check_page(const char *path, struct tuner_error *err)
{
	if (path == NULL || access(path, W_OK) == 0)
		return true;
	int number = errno;
	if (number == ENOENT) {
		char *const directory = path_directory(path);
		if (directory == NULL)
			return tuner_fail_memory(err);
		number = access(directory, W_OK | X_OK) == 0 ? 0 : errno;
		free(directory);
	}
	return number == 0 || tuner_fail(err, TUNER_USAGE, "GITHUB_STEP_SUMMARY %.100s: %s", path,
				      strerror(number));
}

/* Whether what is written to both would be the same file, which need not exist yet. */
static bool is_same_place(const char *path, const char *other)
{
	char *directory = path_directory(path), *others = path_directory(other);
	const bool is = file_is_same(path, other) ||
			(strcmp(path_name(path), path_name(other)) == 0 && directory != NULL &&
				others != NULL && file_is_same(directory, others));
	free(directory);
	free(others);
	return is;
}

/* What is written later would replace what was written first. Only a baseline may be read and
 * written. */
static bool check_places_differ(const struct invocation *call, struct tuner_error *err)
{
	static const char *const written[] = { "junit", "summary", "metrics", "write-baseline" };
	enum { WRITTEN = sizeof(written) / sizeof(*written) };
	const char *baseline = invocation_option(call, "baseline");

	for (size_t i = 0; i < WRITTEN; i++) {
		const char *path = invocation_option(call, written[i]);
		const char *twice = NULL;
		for (size_t j = 0; path != NULL && j < i && twice == NULL; j++) {
			const char *other = invocation_option(call, written[j]);
			if (other != NULL && is_same_place(path, other))
				twice = written[j];
		}
		if (path != NULL && baseline != NULL && strcmp(written[i], "write-baseline") != 0 &&
			is_same_place(path, baseline))
			twice = "baseline";
		if (twice != NULL)
			return tuner_fail(err, TUNER_USAGE,
				"--%s and --%s name the same file, %.200s: give each its own",
				twice, written[i], path);
	}
	return true;
}

bool ci_open(const struct invocation *call, const struct job_file *file, struct ci *ret,
	struct tuner_error *err)
{
	*ret = (struct ci){ .file = file,
		.on = ci_is_on(call),
		.junit = invocation_option(call, "junit"),
		.summary = invocation_option(call, "summary"),
		.metrics = invocation_option(call, "metrics"),
		.baseline_out = invocation_option(call, "write-baseline") };
	const char *page = getenv("GITHUB_STEP_SUMMARY");
	if (ret->on && page != NULL && page[0] != '\0')
		ret->step_summary = page;
	return read_orphans(call, ret, err) && read_gates(call, ret, err) &&
	       read_baseline(call, ret, err) && check_place("junit", ret->junit, file, err) &&
	       check_place("summary", ret->summary, file, err) &&
	       check_place("metrics", ret->metrics, file, err) &&
	       check_place("write-baseline", ret->baseline_out, file, err) &&
	       check_places_differ(call, err) && check_page(ret->step_summary, err);
}

void ci_finish(struct ci *ci)
{
	for (size_t i = 0; i < ci->n_gates; i++)
		gate_finish(&ci->gates[i]);
	*ci = (struct ci){ 0 };
}

bool ci_wants_reports(const struct ci *ci)
{
	return ci->n_gates > 0 || ci->junit != NULL || ci->summary != NULL || ci->metrics != NULL ||
	       ci->baseline_out != NULL || ci->step_summary != NULL;
}

/* ---- after the run ---- */

static bool judge_all(struct ci *ci, const struct ci_report *report, const struct trial *trial,
	bool *ret_held, struct tuner_error *err)
{
	*ret_held = true;
	for (size_t i = 0; i < ci->n_gates; i++) {
		struct gate *gate = &ci->gates[i];
		if (!gate_judge(gate, report->job.store, ci->file, trial, err))
			return false;
		*ret_held = *ret_held && gate->held;
	}
	return true;
}

/* Of several objectives any trial of the front may meet all gates. */
static bool judge_front(
	struct ci *ci, const struct ci_report *report, bool *ret_held, struct tuner_error *err)
{
	struct front front;
	bool ok = front_read(&report->job, &front, err);
	if (!ok)
		return false;
	for (size_t i = 0; ok && !*ret_held && i < front.trials.n; i++)
		if (strcmp(front.trials.items[i].source, "added") != 0)
			ok = judge_all(ci, report, &front.trials.items[i], ret_held, err);
	front_finish(&front);
	return ok;
}

static bool judge(struct ci *ci, struct ci_report *report, struct tuner_error *err)
{
	bool all = false;
	if (report->job.goals.n > 1 && !judge_front(ci, report, &all, err))
		return false;
	if (!all && !judge_all(ci, report, report->best, &all, err))
		return false;
	for (size_t i = 0; i < ci->n_gates; i++) {
		const struct gate *gate = &ci->gates[i];
		printf("gate %s: %s: %s\n", gate->held ? "held" : "missed", gate->text,
			gate->said.bytes);
	}
	if (!all && report->status == EXIT_DONE)
		report->status = EXIT_GATE;
	return true;
}

/* Others write to that page, too, so the text is appended in one piece. */
static bool append(const char *path, const struct text *text, struct tuner_error *err)
{
	const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	const bool ok = fd >= 0 && io_write(fd, text->bytes, text->length);

	if (!ok)
		tuner_fail_errno(err, errno, "cannot append to %.120s", path);
	if (fd >= 0)
		close(fd);
	return ok;
}

typedef bool (*writer)(const struct ci_report *report, struct text *ret, struct tuner_error *err);

/* `replace`: replaces the file atomically. True without a path. */
static bool write_report(const struct ci_report *report, writer write_to, const char *path,
	bool replace, struct tuner_error *err)
{
	struct text text = TEXT_EMPTY;
	bool ok = true;

	if (path == NULL)
		return true;
	ok = write_to(report, &text, err) &&
	     (replace ? file_write_atomic(path, text.bytes, text.length, 0666, false, err)
		      : append(path, &text, err));
	text_finish(&text);
	return ok;
}

/* A baseline is a result that was good enough, so a result that missed its gates is not written. */
static bool write_baseline(
	const struct ci *ci, const struct ci_report *report, struct tuner_error *err)
{
	if (ci->baseline_out == NULL || report->status != EXIT_DONE || report->best == NULL)
		return true;
	return baseline_write(ci->baseline_out, ci->file, report->best, err);
}

static bool complain(bool written, const struct tuner_error *err)
{
	if (!written)
		fprintf(stderr, "error: %s\n", err->message);
	return written;
}

int ci_conclude(struct ci *ci, struct store *store, int64_t job_id, int status, const char *reason,
	int64_t reused)
{
	struct tuner_error err = { TUNER_OK, "" };
	struct ci_report report = { .file = ci->file,
		.gates = ci->gates,
		.n_gates = ci->n_gates,
		.status = status,
		.reason = reason,
		.reused = reused };
	bool ok = true;

	if (!ci_wants_reports(ci))
		return status;
	if (!complain(ci_report_read(&report, store, job_id, &err) && judge(ci, &report, &err),
		    &err)) {
		ci_report_finish(&report);
		return status == EXIT_DONE ? EXIT_INFRASTRUCTURE : status;
	}
	const struct {
		writer write_to;
		const char *path;
		bool replace;
	} reports[] = {
		{ ci_junit, ci->junit, true },
		{ ci_summary, ci->summary, true },
		{ ci_summary, ci->step_summary, false },
		{ ci_metrics, ci->metrics, true },
	};
	for (size_t i = 0; i < sizeof(reports) / sizeof(*reports); i++)
		ok &= complain(write_report(&report, reports[i].write_to, reports[i].path,
				       reports[i].replace, &err),
			&err);
	ok &= complain(write_baseline(ci, &report, &err), &err);
	status = report.status;
	ci_report_finish(&report);
	return ok || status != EXIT_DONE ? status : EXIT_INFRASTRUCTURE;
}
