/* From the entries of "hosts" to backends. */
#include "tuner/pool.h"

#include "scheduler/slurm.h"
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
			backend_local_open(supervisor, &backend, err) &&
			pool_add(pool, entry, name, backend, err);
	free(supervisor);
	return ok;
}

/* It comes up with the first answer. */
static bool add_slurm(
	struct pool *pool, const struct job_host *entry, bool starts, struct tuner_error *err)
{
	const struct slurm_settings *settings = &entry->slurm->settings;
	struct slurm_host host = { .settings = settings, .starts = starts };
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
	struct slot_list *list = malloc(sizeof(*list));
	bool ok = list != NULL || tuner_fail_memory(err);

	ok = ok && slots_find(file, list, err) &&
	     pool_set_slots(pool, pool->n - 1, list->items, list->n, err);
	if (ok)
		snprintf(note, 300, "%s", list->note);
	free(list);
	return ok;
}

bool pool_open(struct pool *pool, const struct job_file *file, bool starts, char ret_note[300],
	struct tuner_error *err)
{
	const size_t n = file->n_hosts > 0 ? file->n_hosts : 1;

	*pool = (struct pool){ .n = 0 };
	ret_note[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const struct job_host *entry = file->n_hosts > 0 ? &file->hosts[i] : &anywhere;
		if (entry->slurm != NULL) {
			if (!add_slurm(pool, entry, starts, err))
				return false;
			continue;
		}
		tuner_assert(strcmp(entry->backend, "local") == 0);
		if (!add_local(pool, entry, starts && file->no_network, err) ||
			(starts && !look_here(pool, file, ret_note, err)))
			return false;
	}
	return true;
}
