#include "scheduler/slurm.h"

#include "base/file.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUPERVISOR_BYTES_MAX = 16 << 20 };

static bool is_for_sbatch(const char *line)
{
	return strncmp(line, "#SBATCH", strlen("#SBATCH")) == 0;
}

/* sbatch reads its own lines up to the first command, which is the fence. */
char *slurm_script(
	const struct slurm_settings *settings, const char *supervisor, const char *directory)
{
	char *const none[] = { NULL };
	char *const *lines = settings->script_lines != NULL ? settings->script_lines : none;
	struct text script = TEXT_EMPTY;

	if (*lines != NULL && strncmp(*lines, "#!", 2) == 0)
		text_print(&script, "%s\n", *lines++);
	else
		text_add(&script, "#!/bin/sh\n");
	for (char *const *line = lines; *line != NULL; line++)
		if (is_for_sbatch(*line))
			text_print(&script, "%s\n", *line);
	text_print(&script, "[ \"${SLURM_RESTART_COUNT:-0}\" -gt 0 ] && exit %d\n",
		SLURM_SCRIPT_FENCED);
	for (char *const *line = lines; *line != NULL; line++)
		if (!is_for_sbatch(*line))
			text_print(&script, "%s\n", *line);
	text_add(&script, "exec ");
	text_add_shell_quoted(&script, supervisor);
	text_add_char(&script, ' ');
	text_add_shell_quoted(&script, directory);
	text_add_char(&script, '\n');
	return text_take(&script);
}

/* An existing copy is never rewritten: jobs may be running it. */
bool slurm_supervisor(
	const char *supervisor, const char *directory, char **ret_path, struct tuner_error *err)
{
	struct text bytes = TEXT_EMPTY, name = TEXT_EMPTY;
	char *path = NULL;
	bool ok = false;

	if (!file_read(supervisor, SUPERVISOR_BYTES_MAX, &bytes, err))
		goto out;
	text_print(&name, ".tuner-supervise-%016llx",
		(unsigned long long)hash_bytes(bytes.bytes, bytes.length));
	path = text_failed(&name) ? NULL : path_join(directory, name.bytes);
	if (path == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	ok = directory_make(directory, 0700, err) &&
	     (access(path, X_OK) == 0 ||
		     file_write_atomic(path, bytes.bytes, bytes.length, 0700, true, err));
	if (ok) {
		*ret_path = path;
		path = NULL;
	}
out:
	free(path);
	text_finish(&name);
	text_finish(&bytes);
	return ok;
}
