#include "scheduler/slurm.h"

#include "base/file.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROGRAM_BYTES_MAX = 16 << 20 };

static bool is_for_sbatch(const char *line)
{
	return strncmp(line, "#SBATCH", strlen("#SBATCH")) == 0;
}

/* In the background and nobody's child, lest the supervisor wait for it. */
static void add_agent(struct text *script, const struct slurm_programs *programs,
	const char *directory, const char *key, int64_t gpu_look_us)
{
	text_add(script, "[ -n \"${CUDA_VISIBLE_DEVICES-}\" ] && (");
	text_add_shell_quoted(script, programs->agent);
	text_add(script, " --sample ");
	text_add_shell_quoted(script, directory);
	text_print(script, " %s %lld </dev/null >/dev/null 2>&1 &)\n", key, (long long)gpu_look_us);
}

/* sbatch reads its own lines up to the first command, which is the fence. */
char *slurm_script(const struct slurm_settings *settings, const struct slurm_programs *programs,
	const char *directory, const char *key, int64_t gpu_look_us)
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
	add_agent(&script, programs, directory, key, gpu_look_us);
	text_add(&script, "exec ");
	text_add_shell_quoted(&script, programs->supervisor);
	text_add_char(&script, ' ');
	text_add_shell_quoted(&script, directory);
	text_add_char(&script, '\n');
	return text_take(&script);
}

/* An existing copy is never rewritten: jobs may be running it. */
static bool copy_program(
	const char *program, const char *directory, char **ret_path, struct tuner_error *err)
{
	struct text bytes = TEXT_EMPTY, name = TEXT_EMPTY;
	char *path = NULL;
	bool ok = false;

	if (!file_read(program, PROGRAM_BYTES_MAX, &bytes, err))
		goto out;
	text_print(&name, ".%s-%016llx", path_name(program),
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

bool slurm_programs_copy(const char *supervisor, const char *directory, struct slurm_programs *ret,
	struct tuner_error *err)
{
	char *beside = path_directory(supervisor);
	char *agent = beside != NULL ? path_join(beside, "tuner-agent") : NULL;

	*ret = (struct slurm_programs){ NULL, NULL };
	const bool ok = (agent != NULL || tuner_fail_memory(err)) &&
			copy_program(supervisor, directory, &ret->supervisor, err) &&
			copy_program(agent, directory, &ret->agent, err);
	if (!ok)
		slurm_programs_finish(ret);
	free(agent);
	free(beside);
	return ok;
}

void slurm_programs_finish(struct slurm_programs *programs)
{
	free(programs->supervisor);
	free(programs->agent);
	*programs = (struct slurm_programs){ NULL, NULL };
}
