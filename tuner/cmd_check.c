/* tuner check: everything wrong with a job file, and everything that follows from it. Creates
 * nothing. */
#include "tuner/command.h"

#include "tuner/isolation.h"
#include "tuner/log_check.h"
#include "tuner/slots.h"
#include "tuner/warm_start.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct check {
	const struct invocation *call;
	const char *path;
	struct diagnostics *list;
	struct job_file *file; /* NULL: there are errors */
	struct slot_list *slots; /* NULL: likewise; empty if there is no command to run */
	struct log_check *log; /* NULL: no --log */
	struct text warm_start; /* what earlier jobs would give to it, as JSON; "" for nothing */
};

static void check_finish(struct check *check)
{
	log_check_destroy(check->log);
	text_finish(&check->warm_start);
	free(check->slots);
	job_file_destroy(check->file);
	free(check->list);
}

static const struct json_place whole = { 0, 0 };

static bool read_job(struct check *check, struct tuner_error *err)
{
	const char *sets[OPTIONS_MAX];
	struct job_overrides overrides = { .set = sets, .command = check->call->rest };

	check->list = calloc(1, sizeof(*check->list));
	if (check->list == NULL)
		return tuner_fail_memory(err);
	overrides.n_set = invocation_options(check->call, "set", sets, OPTIONS_MAX);
	return job_file_read(
		check->path, &overrides, COMMAND_CHECKED, &check->file, check->list, err);
}

/* Slots that this machine lacks are reported as errors of the file. */
static bool look_at_machine(struct check *check, struct tuner_error *err)
{
	struct tuner_error fault;

	if (check->file == NULL)
		return true;
	check->slots = calloc(1, sizeof(*check->slots));
	if (check->slots == NULL)
		return tuner_fail_memory(err);
	if (check->file->command == NULL)
		return true;
	if (!isolation_here(check->file, &fault)) {
		diagnose_error(check->list, whole, "%s", fault.message);
		return true;
	}
	if (slots_find(check->file, check->slots, &fault)) {
		if (check->slots->note[0] != '\0')
			diagnose_warning(check->list, whole, "%s", check->slots->note);
		return true;
	}
	if (fault.code != TUNER_USAGE)
		return tuner_fail(err, fault.code, "%s", fault.message);
	diagnose_error(check->list, whole, "%.500s", fault.message);
	return true;
}

static bool is_on_path(const char *program)
{
	const char *path = getenv("PATH");
	struct tuner_error ignored;
	char *found = NULL;
	const bool there = command_exists(program, "/", path, &found, &ignored);

	free(found);
	return there;
}

/* What can be said about clusters without asking them. */
static void look_at_clusters(struct check *check)
{
	const struct job_file *file = check->file;

	for (size_t i = 0; file != NULL && i < file->n_hosts; i++) {
		if (file->hosts[i].slurm == NULL)
			continue;
		const struct slurm_settings *settings = &file->hosts[i].slurm->settings;
		if (settings->url == NULL && !is_on_path("sbatch"))
			diagnose_warning(check->list, whole,
				"hosts.%zu: there is no sbatch on this machine's PATH: run tuner "
				"where there is one, or give \"url\"",
				i);
		if (settings->token_file != NULL && access(settings->token_file, R_OK) != 0)
			diagnose_warning(check->list, whole,
				"hosts.%zu.token_file: cannot read %.300s: %s", i,
				settings->token_file, strerror(errno));
		if (settings->token_command != NULL && !is_on_path(settings->token_command[0]))
			diagnose_warning(check->list, whole,
				"hosts.%zu.token_command: there is no program %.200s", i,
				settings->token_command[0]);
	}
}

/* Warns if the budget differs from the size of a grid, which is finite. */
static void look_at_grid(struct check *check)
{
	const struct job_file *file = check->file;

	if (file == NULL || file->strategy.name != STRATEGY_GRID)
		return;
	const uint64_t size = strategy_grid_size(&file->strategy, &file->space);
	if (size > (uint64_t)file->budget.trials)
		diagnose_warning(check->list, whole,
			"the grid has %" PRIu64 " configurations, but budget.trials is %" PRId64,
			size, file->budget.trials);
}

static bool needs_own(const struct job_file *file)
{
	for (size_t i = 0; i < file->warm_start.n; i++)
		if (file->warm_start.parents[i].db == NULL)
			return true;
	return false;
}

/* Opens the job's own database, if it exists, and finds out whether it has the job: if so, no more
 * trials are taken over. That it cannot be read matters only if a parent job is in it. */
static bool open_own(
	const struct check *check, struct store **ret, bool *ret_made, struct tuner_error *err)
{
	struct job job = { 0 };

	*ret = NULL;
	*ret_made = false;
	if (access(check->call->db, F_OK) != 0)
		return true;
	if (!store_open(check->call->db, STORE_READ, ret, err)) {
		*ret = NULL;
		return !needs_own(check->file);
	}
	const bool ok = job_find(*ret, check->file->name, &job, ret_made, err);
	job_finish(&job);
	return ok;
}

/* Reports what a run would report. */
static bool look_at_parents(struct check *check, struct tuner_error *err)
{
	struct warm_start warm_start;
	struct tuner_error fault = { TUNER_OK, "" };
	struct store *own = NULL;
	bool made = false, ok = true;

	if (check->file == NULL || check->file->warm_start.n == 0)
		return true;
	ok = open_own(check, &own, &made, &fault);
	if (ok && made) {
		diagnose_warning(check->list, whole,
			"warm_start: job %s is already in %s: it no longer has an effect",
			check->file->name, check->call->db);
	} else if (ok && (ok = warm_start_read(check->file, own, &warm_start, &fault))) {
		warm_start_json(&warm_start, &check->warm_start);
		warm_start_finish(&warm_start);
	}
	store_close(own);
	if (!ok && fault.code != TUNER_USAGE)
		return tuner_fail(err, fault.code, "%s", fault.message);
	if (!ok)
		diagnose_error(check->list, whole, "%.900s", fault.message);
	return true;
}

static bool read_log(struct check *check, struct tuner_error *err)
{
	const char *path = invocation_option(check->call, "log");
	char bytes[65536];
	size_t size;

	if (path == NULL || check->file == NULL)
		return true;
	FILE *stream = fopen(path, "r");
	if (stream == NULL) {
		tuner_fail_errno(err, errno, "cannot read %s", path);
		err->code = TUNER_USAGE;
		return false;
	}
	bool ok = log_check_create(check->file, &check->log, err);
	while (ok && (size = fread(bytes, 1, sizeof(bytes), stream)) > 0)
		ok = log_check_feed(check->log, bytes, size, err);
	if (ok && ferror(stream)) { /* of a directory, say */
		ok = tuner_fail_errno(err, errno, "cannot read %s", path);
		err->code = TUNER_USAGE;
	}
	ok = ok && log_check_end(check->log, err);
	fclose(stream);
	return ok;
}

static bool packs_here(const struct check *check)
{
	const struct job_host *host = slots_local_host(check->file);
	return host != NULL && host->packs;
}

static void describe_clusters(const struct job_file *file, struct text *ret)
{
	for (size_t i = 0; i < file->n_hosts; i++) {
		const struct job_host *host = &file->hosts[i];
		if (host->slurm == NULL)
			continue;
		text_print(ret, "\n%s: Slurm by %s: %u job%s at a time",
			host->name[0] != '\0' ? host->name : "slurm",
			host->slurm->settings.url != NULL ? host->slurm->settings.url : "sbatch",
			host->slots, host->slots == 1 ? "" : "s");
		if (host->slurm->ahead > 0)
			text_print(ret, ", and %u queued ahead", host->slurm->ahead);
		text_add(ret, "\n");
	}
}

/* Connects to nothing. */
static void describe_ssh(const struct job_file *file, struct text *ret)
{
	for (size_t i = 0; i < file->n_hosts; i++)
		if (file->hosts[i].ssh != NULL)
			text_print(ret,
				"\n"
				"host %s, by ssh:\n"
				"  asked for its resources when it is reached\n",
				file->hosts[i].name);
}

/* Appends nothing if nothing is run. */
static void describe_machine(const struct check *check, struct text *ret)
{
	if (check->file->command == NULL)
		return;
	describe_clusters(check->file, ret);
	describe_ssh(check->file, ret);
	if (slots_local_host(check->file) == NULL)
		return;
	text_add(ret, "\nmachine:\n  ");
	if (check->slots->n > 0)
		slots_text(check->slots->items, check->slots->n, packs_here(check), ret);
	else
		text_add(ret, "no slot");
	text_add(ret, "\n");
	if (check->file->memory_bytes > 0) {
		struct tuner_error ignored;
		text_add(ret, "  memory is kept ");
		if (!isolation_memory(ret, &ignored))
			text_add(ret, "by the supervisor");
		text_add(ret, "\n");
	}
}

static void print_plain(const struct check *check)
{
	struct text said = TEXT_EMPTY, out = TEXT_EMPTY;

	diagnostics_print(check->list, check->path, &said);
	fputs(said.bytes, stderr);
	if (check->file != NULL) {
		job_file_describe(check->file, &out);
		describe_machine(check, &out);
		if (check->warm_start.length > 0)
			text_add(&out, "\n");
		warm_start_text(check->warm_start.bytes, &out);
	}
	if (check->log != NULL) {
		text_add(&out, "\n");
		log_check_report(check->log, &out);
	}
	fputs(out.bytes, stdout);
	text_finish(&said);
	text_finish(&out);
}

static void add_diagnostics_json(const struct diagnostics *list, struct text *ret)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct diagnostic *item = &list->items[i];
		text_print(ret, "%s{\"level\": \"%s\", ", i ? ", " : "",
			item->warning ? "warning" : "error");
		if (item->place.line > 0)
			text_print(ret, "\"line\": %u, \"column\": %u, ", item->place.line,
				item->place.column);
		text_add(ret, "\"message\": ");
		text_add_json_string(ret, item->message);
		text_add(ret, "}");
	}
}

static void print_json(const struct check *check)
{
	struct text out = TEXT_EMPTY;

	text_add(&out, "{\"file\": ");
	text_add_json_string(&out, check->path);
	text_print(&out, ", \"errors\": %zu, \"messages\": [", check->list->errors);
	add_diagnostics_json(check->list, &out);
	text_add(&out, "], \"job\": ");
	if (check->file != NULL)
		job_file_describe_json(check->file, &out);
	else
		text_add(&out, "null");
	text_print(&out, ", \"warm_start\": %s",
		check->warm_start.length > 0 ? check->warm_start.bytes : "null");
	text_print(&out, ", \"slots\": %zu, \"log\": ", check->slots ? check->slots->n : 0);
	if (check->log != NULL)
		log_check_report_json(check->log, &out);
	else
		text_add(&out, "null");
	text_add(&out, "}\n");
	fputs(out.bytes, stdout);
	text_finish(&out);
}

int cmd_check(const struct invocation *call, struct tuner_error *err)
{
	struct check check = { .call = call, .path = call->arguments[0], .warm_start = TEXT_EMPTY };
	int status = -1;

	if (!read_job(&check, err) || !look_at_machine(&check, err))
		goto out;
	look_at_grid(&check);
	look_at_clusters(&check);
	if (!look_at_parents(&check, err) || !read_log(&check, err))
		goto out;
	if (call->json)
		print_json(&check);
	else
		print_plain(&check);
	status = check.list->errors > 0 ? EXIT_USAGE : EXIT_DONE;
out:
	check_finish(&check);
	return status;
}
