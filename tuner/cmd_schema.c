#include "tuner/command.h"

#include "tuner/jobfile.h"

int cmd_schema(const struct invocation *call, struct tuner_error *err)
{
	struct text schema = TEXT_EMPTY;

	job_file_schema(&schema);
	const bool ok = !text_failed(&schema) || tuner_fail_memory(err);
	fputs(ok ? schema.bytes : "", stdout);
	text_finish(&schema);
	return ok ? EXIT_DONE : -1;
}
