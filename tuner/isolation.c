#include "tuner/isolation.h"

#include "scheduler/tool.h"
#include "tuner/launch.h"

#include <stdlib.h>

enum { TRY_US = 10000000, TRY_BYTES = 4096 };

bool isolation_is_possible(const char *supervisor, struct tuner_error *err)
{
	const char *const arguments[] = { supervisor, "--try-no-network", NULL };
	const struct tool try = {
		.arguments = arguments, .timeout_us = TRY_US, .bytes_max = TRY_BYTES
	};
	struct text said = TEXT_EMPTY;
	struct tool_result result;

	const bool ran = tool_run(&try, &said, &result, err);
	text_finish(&said);
	if (!ran || (result.end == TOOL_DONE && result.status == 0))
		return ran;
	return tuner_fail(err, TUNER_USAGE,
		"\"network\": \"none\": the kernel gives no user namespace (%.60s): as root set "
		"sysctl kernel.apparmor_restrict_unprivileged_userns=0 or "
		"user.max_user_namespaces, or drop the key",
		result.complaint[0] != '\0' ? result.complaint : "no answer");
}

bool isolation_here(const struct job_file *file, struct tuner_error *err)
{
	char *supervisor = NULL;

	if (!file->no_network)
		return true;
	const bool ok = find_supervisor(&supervisor, err) && isolation_is_possible(supervisor, err);
	free(supervisor);
	return ok;
}
