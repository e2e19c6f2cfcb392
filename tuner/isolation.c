#include "tuner/isolation.h"

#include "scheduler/tool.h"
#include "tuner/launch.h"

#include <stdlib.h>

enum { TRY_US = 10000000, TRY_BYTES = 4096 };

/* Whether the supervisor says yes; `ret` has its complaint. */
static bool try(const char *supervisor, const char *what, bool *ret_yes, struct tool_result *ret,
	struct tuner_error *err)
{
	const char *const arguments[] = { supervisor, what, NULL };
	const struct tool tool = {
		.arguments = arguments, .timeout_us = TRY_US, .bytes_max = TRY_BYTES
	};
	struct text said = TEXT_EMPTY;

	const bool ran = tool_run(&tool, &said, ret, err);
	text_finish(&said);
	*ret_yes = ran && ret->end == TOOL_DONE && ret->status == 0;
	return ran;
}

bool isolation_is_possible(const char *supervisor, struct tuner_error *err)
{
	struct tool_result result;
	bool yes = false;

	if (!try(supervisor, "--try-no-network", &yes, &result, err))
		return false;
	return yes ||
	       tuner_fail(err, TUNER_USAGE,
		       "\"network\": \"none\": the kernel gives no user namespace (%.60s): "
		       "as root set sysctl kernel.apparmor_restrict_unprivileged_userns=0 or "
		       "user.max_user_namespaces, or drop the key",
		       result.complaint[0] != '\0' ? result.complaint : "no answer");
}

bool isolation_memory(struct text *ret, struct tuner_error *err)
{
	struct tool_result result;
	char *supervisor = NULL;
	bool yes = false;

	const bool ok = find_supervisor(&supervisor, err) &&
			try(supervisor, "--try-memory", &yes, &result, err);
	free(supervisor);
	if (ok && yes)
		text_add(ret, "by a cgroup");
	else if (ok)
		text_print(ret, "by looking at it (%s)",
			result.complaint[0] != '\0' ? result.complaint : "no answer");
	return ok;
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
