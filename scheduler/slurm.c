#include "scheduler/slurm_inside.h"

#include "scheduler/attempt_files.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A list requested this soon after an attempt was taken over may have been made before an earlier
 * process's submit arrived. */
static const int64_t ADOPT_US = 2 * SECOND;

static struct slurm *slurm_of(struct backend *backend)
{
	return (struct slurm *)backend;
}

static bool add(struct slurm *slurm, int64_t id, const char *directory, const char *key,
	bool may_be_queued, struct tuner_error *err)
{
	struct attempt_status status;
	struct slurm_attempt *attempt;

	if (!attempt_look_afar(directory, &status, err))
		return false;
	attempt = slurm_keep(slurm, id, directory, key);
	if (attempt == NULL)
		return tuner_fail_memory(err);
	attempt->stage = may_be_queued || status.life != ATTEMPT_NEVER_RAN ? LOOK_UP : TO_SUBMIT;
	attempt->since_us = slurm_now(slurm) + (may_be_queued ? ADOPT_US : 0);
	attempt->has_started = status.life != ATTEMPT_NEVER_RAN;
	slurm->look_at_us = 0;
	return true;
}

static bool slurm_start(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	return add(slurm_of(backend), id, directory, key, false, err);
}

static bool slurm_adopt(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	return add(slurm_of(backend), id, directory, key, true, err);
}

/* A running attempt is asked through a file in its directory: Slurm's own SIGTERM would start
 * Slurm's countdown to SIGKILL, whatever the job file's "grace" says, and the file is read even
 * while the controller is down. */
static bool slurm_signal(struct backend *backend, int64_t id, int signal, struct tuner_error *err)
{
	struct slurm *slurm = slurm_of(backend);
	struct slurm_attempt *attempt = slurm_find(slurm, id);

	if (attempt == NULL || attempt->stage == OVER)
		return true;
	if (attempt->signal != SIGKILL)
		attempt->signal = signal;
	slurm->look_at_us = 0;
	if (!attempt->has_started || signal == SIGKILL)
		slurm_cancel(slurm, attempt, signal == SIGKILL);
	return attempt_ask_to_stop(
		attempt->directory, signal == SIGKILL ? SUPERVISE_KILL : signal, err);
}

static bool slurm_read_output(struct backend *backend, int64_t id, int64_t offset, char *ret_bytes,
	size_t size, int64_t *ret_offset, size_t *ret_size, struct tuner_error *err)
{
	const struct slurm_attempt *attempt = slurm_find(slurm_of(backend), id);

	if (attempt == NULL)
		return tuner_fail(err, TUNER_FATAL, "attempt %lld is not known", (long long)id);
	if (!attempt->has_started) {
		*ret_offset = offset;
		*ret_size = 0;
		return true;
	}
	return output_read(attempt->directory, offset, ret_bytes, size, ret_offset, ret_size, err);
}

static size_t slurm_descriptors(struct backend *backend, struct pollfd *ret_fds, size_t size)
{
	struct slurm_transport *transport = slurm_of(backend)->host.transport;
	return transport->ops->descriptors(transport, ret_fds, size);
}

static int slurm_wait_ms(struct backend *backend)
{
	const struct slurm *slurm = slurm_of(backend);
	int64_t next_us = slurm->busy ? INT64_MAX : slurm_next_request_us(slurm);
	int transport_ms = -1;

	if (slurm_any_looked_at(slurm) && slurm->look_at_us < next_us)
		next_us = slurm->look_at_us;
	if (slurm->busy)
		transport_ms = slurm->host.transport->ops->wait_ms(slurm->host.transport);
	if (next_us == INT64_MAX)
		return transport_ms;
	const int64_t left_us = next_us - slurm_now(slurm);
	const int own_ms = left_us <= 0            ? 0
			   : left_us > 60 * SECOND ? 60000
						   : (int)(left_us / 1000 + 1);
	return transport_ms >= 0 && transport_ms < own_ms ? transport_ms : own_ms;
}

/* Slurm assigns GPUs; what a trial is told about them follows from the job file. */
static bool slurm_machine(struct backend *backend, struct machine *ret, struct tuner_error *err)
{
	(void)err;
	*ret = (struct machine){ .cores = slurm_of(backend)->host.settings->cores };
	return true;
}

static bool slurm_next(
	struct backend *backend, struct backend_event *ret, bool *ret_got, struct tuner_error *err)
{
	struct slurm *slurm = slurm_of(backend);

	*ret_got = false;
	if (!slurm_exchange(slurm, err))
		return false;
	*ret_got = slurm_host_event(slurm, ret);
	return *ret_got || slurm_look(slurm, ret, ret_got, err);
}

static void slurm_forget(struct backend *backend, int64_t id)
{
	struct slurm *slurm = slurm_of(backend);
	struct slurm_attempt *attempt = slurm_find(slurm, id);
	if (attempt == NULL)
		return;
	if (slurm->subject == attempt)
		slurm->subject = NULL;
	struct tuner_error ignored;
	if (attempt->cancel && attempt->job > 0)
		(void)!slurm_add_stray(slurm, attempt->job, &ignored);
	slurm_drop(slurm, attempt);
}

static void slurm_close(struct backend *backend)
{
	struct slurm *slurm = slurm_of(backend);

	while (slurm->n > 0)
		slurm_drop(slurm, slurm->attempts[slurm->n - 1]);
	slurm->host.transport->ops->close(slurm->host.transport);
	free(slurm->attempts);
	free(slurm->strays);
	free(slurm->script);
	free(slurm->script_path);
	free(slurm->log);
	slurm_programs_finish(&slurm->copies);
	free(slurm->root);
	free(slurm->supervisor);
	free(slurm);
}

static const struct backend_ops slurm_ops = {
	.name = "slurm",
	.remote = true,
	.start = slurm_start,
	.adopt = slurm_adopt,
	.signal = slurm_signal,
	.read_output = slurm_read_output,
	.descriptors = slurm_descriptors,
	.wait_ms = slurm_wait_ms,
	.machine = slurm_machine,
	.next = slurm_next,
	.forget = slurm_forget,
	.close = slurm_close,
};

bool backend_slurm_open(
	const struct slurm_host *host, struct backend **ret, struct tuner_error *err)
{
	struct slurm *slurm = calloc(1, sizeof(*slurm));
	if (slurm == NULL) {
		host->transport->ops->close(host->transport);
		return tuner_fail_memory(err);
	}
	slurm->backend.ops = &slurm_ops;
	slurm->host = *host;
	slurm->pass = 1;
	slurm->supervisor = strdup(host->supervisor);
	if (slurm->supervisor == NULL) {
		slurm_close(&slurm->backend);
		return tuner_fail_memory(err);
	}
	*ret = &slurm->backend;
	return true;
}
