#include "tuner/command.h"

#include "tuner/report_json.h"
#include "tuner/status_report.h"

int cmd_status(const struct invocation *call, struct tuner_error *err)
{
	struct report report = { 0 };
	struct standing standing = { 0 };
	const char *job = call->n_arguments > 0 ? call->arguments[0] : NULL;
	bool ok = report_open(call, job, &report, err) && standing_read(&report, &standing, err);
	if (ok)
		ok = call->json ? json_out(standing_json(&report, &standing), err)
				: standing_print(call, &report, &standing, err);
	standing_finish(&standing);
	report_close(&report);
	return ok ? EXIT_DONE : -1;
}
