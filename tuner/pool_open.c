/* From the entries of "hosts" to backends. */
#include "tuner/pool.h"

#include "base/file.h"
#include "scheduler/gpu_watch.h"
#include "scheduler/slurm.h"
#include "scheduler/ssh.h"
#include "trials/store.h"
#include "tuner/isolation.h"
#include "tuner/launch.h"
#include "tuner/slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct job_host anywhere = { .backend = "local", .gpus_auto = true };

/* `cuts`: commands are to be started without a network, which the kernel may refuse. */
static bool add_local(
	struct pool *pool, const struct job_host *entry, bool cuts, struct tuner_error *err)
{
	char name[256] = "localhost", *supervisor = NULL;
	struct backend *backend = NULL;

	gethostname(name, sizeof(name) - 1);
	const bool ok = find_supervisor(&supervisor, err) &&
			(!cuts || isolation_is_possible(supervisor, err)) &&
			backend_local_open(supervisor, &backend, err);
	free(supervisor);
	if (ok && pool->bound)
		backend_local_bind(backend);
	return ok && pool_add(pool, entry, name, backend, err);
}

/* DATABASE.d/JOB, and what in the working directory is not to be sent: every path that begins with
 * DATABASE. */
static bool find_mirror(const struct job_file *file, const char *db, char **ret_mirror,
	char **ret_database, struct tuner_error *err)
{
	char *directory = NULL, *attempt = attempt_relative_directory(file->name, 1, 1);
	char *trial = attempt != NULL ? path_directory(attempt) : NULL;
	char *job = trial != NULL ? path_directory(trial) : NULL;
	bool ok = store_directory_of(db, &directory, err);

	if (ok) {
		*ret_mirror = job != NULL ? path_join(directory, job) : NULL;
		*ret_database = strndup(directory, strlen(directory) - strlen(".d"));
		ok = (*ret_mirror != NULL && *ret_database != NULL) || tuner_fail_memory(err);
	}
	free(job);
	free(trial);
	free(attempt);
	free(directory);
	return ok;
}

/* If we only end what runs, we do not wait long: what a host still has is recorded, and ended when
 * it answers the next run. */
static int64_t host_timeout(const struct job_ssh *ssh, bool starts)
{
	static const int64_t most_us = 30000000;

	return starts || ssh->host_timeout_us < most_us ? ssh->host_timeout_us : most_us;
}

/* It comes up once it answers. */
static bool add_ssh(struct pool *pool, const struct job_file *file, const struct job_host *entry,
	const char *db, bool starts, struct tuner_error *err)
{
	char *supervisor = NULL, *mirror = NULL, *database = NULL;
	struct backend *backend = NULL;
	bool ok =
		find_supervisor(&supervisor, err) && find_mirror(file, db, &mirror, &database, err);

	if (ok) {
		const struct ssh_settings settings = {
			.name = entry->name,
			.address = entry->ssh->address,
			.user = entry->ssh->user,
			.port = entry->ssh->port,
			.options = entry->ssh->options,
			.directory = entry->ssh->directory,
			.supervisor = supervisor,
			.mirror = mirror,
			.code = entry->ssh->sync ? file->directory : NULL,
			.database = database,
			.secrets = file->env_file,
			.host_timeout_us = host_timeout(entry->ssh, starts),
			.lease_us = entry->ssh->lease_us,
			.log_max_bytes = file->log_max_bytes,
			.gpu_look_us = starts && (entry->gpus_auto || entry->n_gpus > 0)
					       ? gpu_watch_period_us()
					       : 0,
			.starts = starts,
		};
		ok = backend_ssh_open(&settings, &backend, err) &&
		     pool_add(pool, entry, entry->name, backend, err) &&
		     (pool->frozen == NULL || backend_ssh_freeze(backend, pool->frozen, err));
	}
	free(database);
	free(mirror);
	free(supervisor);
	return ok;
}

bool pool_freeze(struct pool *pool, const char *code, struct tuner_error *err)
{
	char *copy = strdup(code);
	if (copy == NULL)
		return tuner_fail_memory(err);
	free(pool->frozen);
	pool->frozen = copy;
	for (size_t h = 0; h < pool->n; h++)
		if (pool->hosts[h].entry->ssh != NULL &&
			!backend_ssh_freeze(pool->hosts[h].backend, code, err))
			return false;
	return true;
}

/* It comes up with the first answer. */
static bool add_slurm(
	struct pool *pool, const struct job_host *entry, bool starts, struct tuner_error *err)
{
	const struct slurm_settings *settings = &entry->slurm->settings;
	struct slurm_host host = {
		.settings = settings, .starts = starts, .gpu_look_us = gpu_watch_period_us()
	};
	struct backend *backend = NULL;
	char *supervisor = NULL;

	const bool ok = find_supervisor(&supervisor, err) &&
			(settings->url != NULL ? slurm_rest_open(settings, &host.transport, err)
					       : slurm_cli_open(settings, &host.transport, err));
	host.supervisor = supervisor;
	const bool added = ok && backend_slurm_open(&host, &backend, err) &&
			   pool_add(pool, entry, "slurm", backend, err);
	free(supervisor);
	return added;
}

static bool look_here(
	struct pool *pool, const struct job_file *file, char note[300], struct tuner_error *err)
{
	struct host *host = &pool->hosts[pool->n - 1];
	struct slot_list *list = malloc(sizeof(*list));

	host->machine = malloc(sizeof(*host->machine));
	bool ok = (list != NULL && host->machine != NULL) || tuner_fail_memory(err);

	ok = ok && slots_look(host->entry, host->machine, err) &&
	     slots_of(host->entry, (unsigned)file->budget.parallel, host->machine, list, err) &&
	     pool_set_slots(pool, pool->n - 1, list->items, list->n, err);
	if (ok)
		snprintf(note, 300, "%s", list->note);
	free(list);
	return ok;
}

/* Stopping needs no slots, except to divide the host's price among them; without slots the attempts
 * would have cost nothing. */
static void look_for_price(struct pool *pool, const struct job_file *file)
{
	struct tuner_error ignored;
	char note[300];
	if (pool->hosts[pool->n - 1].entry->price > 0)
		(void)!look_here(pool, file, note, &ignored);
}

static bool open_host(struct pool *pool, const struct job_file *file, const struct job_host *entry,
	const char *db, bool starts, char note[300], struct tuner_error *err)
{
	if (entry->ssh != NULL)
		return add_ssh(pool, file, entry, db, starts, err);
	if (entry->slurm != NULL)
		return add_slurm(pool, entry, starts, err);
	tuner_assert(strcmp(entry->backend, "local") == 0);
	if (!add_local(pool, entry, starts && file->no_network, err))
		return false;
	if (!starts)
		look_for_price(pool, file);
	return !starts || look_here(pool, file, note, err);
}

/* The job file does not know this machine's name, and a stored one may have a cluster "slurm"
 * twice. Attempts are found again by their host's name, and "tuner hosts drain" would be ambiguous.
 * Running attempts are ended nevertheless. */
static bool check_names(const struct pool *pool, struct tuner_error *err)
{
	for (size_t h = 0; h < pool->n; h++)
		if (pool_find_name(pool, pool->hosts[h].name) < h)
			return tuner_fail(err, TUNER_USAGE,
				"two of the job's hosts are called \"%.100s\", the default name of "
				"this machine (or of a cluster): give one of them another \"name\"",
				pool->hosts[h].name);
	return true;
}

bool pool_open(struct pool *pool, const struct job_file *file, const char *db, bool starts,
	char ret_note[300], struct tuner_error *err)
{
	const size_t n = file->n_hosts > 0 ? file->n_hosts : 1;

	*pool = (struct pool){ .n = 0 };
	ret_note[0] = '\0';
	if (starts && !launch_is_possible(err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!open_host(pool, file, file->n_hosts > 0 ? &file->hosts[i] : &anywhere, db,
			    starts, ret_note, err))
			return false;
	return !starts || check_names(pool, err);
}

bool pool_extend(struct pool *pool, struct job_file *file, size_t from, const char *db,
	char ret_note[300], struct tuner_error *err)
{
	const size_t first = pool->n;

	ret_note[0] = '\0';
	if (pool->n_files == HOSTS_MAX) {
		job_file_destroy(file);
		return tuner_fail(err, TUNER_USAGE, "a job has at most %d hosts", HOSTS_MAX);
	}
	pool->files[pool->n_files++] = file;
	for (size_t i = from; i < file->n_hosts; i++)
		if (!open_host(pool, file, &file->hosts[i], db, true, ret_note, err)) {
			pool_retract(pool, first);
			return false;
		}
	return true;
}
