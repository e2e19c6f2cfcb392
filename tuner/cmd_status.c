#include "tuner/command.h"

#include "tuner/report_json.h"
#include "tuner/status_report.h"

int cmd_status(const struct invocation *call, struct tuner_error *err)
{
	struct report report = { 0 };
	struct standing standing = { 0 };
	struct text text = TEXT_EMPTY;
	bool ok = report_open(
			  call, call->n_arguments > 0 ? call->arguments[0] : NULL, &report, err) &&
		  standing_read(call, &report, &standing, err);
	if (ok && call->json) {
		ok = json_out(standing_json(&report, &standing), err);
	} else if (ok) {
		standing_text(&report, &standing, &text);
		fputs(text.bytes, stdout);
	}
	text_finish(&text);
	standing_finish(&standing);
	report_close(&report);
	return ok ? EXIT_DONE : -1;
}
