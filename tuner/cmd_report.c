/* tuner report: everything known about a job, as one page. */
#include "tuner/command.h"

#include "base/file.h"
#include "tuner/confirmation.h"
#include "tuner/job_report.h"
#include "tuner/keep.h"

#include <stdlib.h>
#include <string.h>

static bool choose_format(const struct invocation *call, bool *ret_html, struct tuner_error *err)
{
	const char *format = invocation_option(call, "format");

	*ret_html = format == NULL || strcmp(format, "html") == 0;
	if (!*ret_html && strcmp(format, "md") != 0)
		return tuner_fail(
			err, TUNER_USAGE, "--format: expected html or md, found \"%.40s\"", format);
	if (*ret_html && invocation_option(call, "figures") != NULL)
		return tuner_fail(err, TUNER_USAGE,
			"--figures is for --format md: HTML has its figures inside");
	return true;
}

/* NULL: standard output. The default is JOB-report.html. */
static const char *choose_path(
	const struct invocation *call, const struct report *report, bool html, struct text *memory)
{
	const char *path = invocation_option(call, "output");

	if (path == NULL) {
		text_print(memory, "%s-report.%s", report->job.name, html ? "html" : "md");
		return memory->bytes;
	}
	return strcmp(path, "-") == 0 ? NULL : path;
}

static bool put(const char *path, const struct text *page, struct tuner_error *err)
{
	char size[BYTES_TEXT];

	if (path == NULL) {
		fwrite(page->bytes, 1, page->length, stdout);
		return true;
	}
	if (!file_write_atomic(path, page->bytes, page->length, 0666, false, err))
		return false;
	printf("%s: %s\n", path, bytes_text((int64_t)page->length, size));
	return true;
}

/* A link is relative to the document's directory. That is unknown for standard output, and an
 * absolute path stays absolute. */
static char *figures_link(const char *path, const char *figures)
{
	if (path == NULL || figures == NULL || figures[0] == '/')
		return NULL;
	char *const directory = path_directory(path);
	char *const link = directory ? path_relative(directory, figures) : NULL;

	free(directory);
	return link;
}

static bool write_report(const struct invocation *call, const struct report *report, bool html,
	struct tuner_error *err)
{
	struct text out = TEXT_EMPTY, name = TEXT_EMPTY;
	struct page page = {
		.html = html, .out = &out, .figures = invocation_option(call, "figures")
	};
	const char *path = choose_path(call, report, html, &name);

	bool ok = (!text_failed(&name) || tuner_fail_memory(err)) &&
		  command_spare_file(&report->job, "output", path, err) &&
		  (page.figures == NULL || directory_make(page.figures, 0777, err));
	char *const link = ok ? figures_link(path, page.figures) : NULL;

	page.link = link;
	ok = ok && job_report_write(report, report->reference, &page, err) && put(path, &out, err);
	free(link);
	text_finish(&out);
	text_finish(&name);
	return ok;
}

/* Without an argument: the newest search, not its confirmation, which the search's report
 * includes. */
static bool open_job(const struct invocation *call, struct report *ret, struct tuner_error *err)
{
	return call->n_arguments > 0 ? report_open(call, call->arguments[0], ret, err)
				     : confirmation_open_search(call, NULL, ret, err);
}

int cmd_report(const struct invocation *call, struct tuner_error *err)
{
	struct report report = { 0 };
	bool html;
	const bool ok = choose_format(call, &html, err) && open_job(call, &report, err) &&
			write_report(call, &report, html, err);

	report_close(&report);
	return ok ? EXIT_DONE : -1;
}
