/* tuner doctor: what is wrong with this machine, the database, a job, and what to do about it. */
#include "tuner/command.h"

#include "base/clock.h"
#include "scheduler/machine.h"
#include "tuner/doctor.h"
#include "tuner/job_open.h"
#include "tuner/launch.h"
#include "tuner/report_json.h"
#include "tuner/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECOND_LOOK_US = 300000 };

struct examination {
	const struct invocation *call;
	struct store *store; /* NULL: there is no database, or it cannot be opened */
	struct report report;
	bool has_job;
	struct calibration calibration;
	struct findings findings;
};

/* ---- looking ---- */

static void check_disk(struct examination *e, const char *what, const char *path, uint64_t *device)
{
	struct disk_room room;
	struct tuner_error unseen = { TUNER_OK, "" };

	if (!machine_disk(path, &room, &unseen)) {
		finding_add(&e->findings, "machine", "disk-unseen", "check whether it is mounted",
			"%s", unseen.message);
	} else if (room.device != *device) {
		doctor_disk(&e->findings, what, path, &room);
		*device = room.device;
	}
}

/* The attempts' directory may be on another disk, behind a link. */
static bool check_disks(struct examination *e, struct tuner_error *err)
{
	struct text directory = TEXT_EMPTY;
	uint64_t device = UINT64_MAX;

	text_print(&directory, "%s.d", e->call->db);
	if (text_failed(&directory))
		return tuner_fail_memory(err);
	check_disk(e, "the database", e->call->db, &device);
	check_disk(e, "the attempts' directories",
		e->store ? store_directory(e->store) : directory.bytes, &device);
	text_finish(&directory);
	return true;
}

/* Without a job: the default number. */
static size_t slots_wanted(const struct examination *e)
{
	const unsigned cores = machine_cores();
	struct job_file *file = NULL;
	struct tuner_error ignored;
	size_t n = cores > 1 ? cores / 2 : 1;

	if (e->has_job && job_stored_file(&e->report.job, &file, &ignored) &&
		file->budget.parallel > 0)
		n = (size_t)file->budget.parallel;
	job_file_destroy(file);
	return n;
}

static bool check_gpus(struct examination *e, struct tuner_error *err)
{
	char reason[GPU_REASON_MAX], *nvml = NULL;
	struct gpu gpus[GPUS_MAX];
	enum gpu_lack lack;
	size_t n;

	const bool ok = find_nvml(&nvml, err) && machine_gpus(nvml, gpus, &n, &lack, reason, err);
	free(nvml);
	/* No driver, or a CUDA_VISIBLE_DEVICES that hides the GPUs, is deliberate. */
	if (ok && lack == GPUS_BROKEN)
		finding_add(&e->findings, "machine", "gpus",
			"try it: nvidia-smi; then look at the driver (dmesg, a reboot after an "
			"update)",
			"no GPUs are available: %s", reason);
	return ok;
}

static bool check_machine(struct examination *e, int64_t last_event_us, struct tuner_error *err)
{
	struct process_limits limits;

	machine_limits(&limits);
	doctor_limits(&e->findings, &limits, slots_wanted(e));
	doctor_clock(&e->findings, clock_wall_us(), last_event_us);
	return check_disks(e, err) && check_gpus(e, err);
}

static bool check_database(
	struct examination *e, int64_t *ret_last_event_us, struct tuner_error *err)
{
	struct store_health health;

	if (e->store == NULL)
		return true;
	if (!store_health(e->store, &health, err))
		return false;
	*ret_last_event_us = health.last_event_us;
	/* A commit holds the lock for an instant; two looks find the same holder only if it keeps
	 * the lock. */
	if (health.writer > 0)
		usleep(SECOND_LOOK_US);
	doctor_database(&e->findings, &health, store_writer(store_file(e->store)));
	return true;
}

/* A missing database is not a fault, unless a job in it was asked for. */
static bool open_database(struct examination *e, struct tuner_error *err)
{
	struct tuner_error broken = { TUNER_OK, "" };

	if (access(e->call->db, F_OK) != 0)
		return e->call->n_arguments == 0 ||
		       command_open(e->call, STORE_READ, &e->store, err);
	if (store_open(e->call->db, STORE_READ, &e->store, &broken))
		return true;
	if (e->call->n_arguments > 0) {
		*err = broken;
		return false;
	}
	finding_add(&e->findings, "database", "cannot-open",
		"if it should be a database, restore a copy", "%s", broken.message);
	return true;
}

static bool find_job(struct examination *e, struct tuner_error *err)
{
	struct job job = { 0 };
	bool found = false;

	if (e->store == NULL)
		return true;
	if (e->call->n_arguments == 0 && (!job_find(e->store, NULL, &job, &found, err) || !found)) {
		job_finish(&job);
		return err->code == TUNER_OK;
	}
	job_finish(&job);
	if (!command_job(
		    e->store, e->call->n_arguments > 0 ? e->call->arguments[0] : NULL, &job, err))
		return false;
	e->has_job = report_load(e->store, job.id, &e->report, err);
	job_finish(&job);
	return e->has_job;
}

/* ---- telling ---- */

static bool print(const struct examination *e, struct tuner_error *err)
{
	struct text out = TEXT_EMPTY;

	for (size_t i = 0; i < e->findings.n; i++) {
		const struct finding *finding = &e->findings.items[i];
		text_print(&out, "%s: %s; %s\n", finding->about, finding->text, finding->advice);
	}
	if (e->findings.n == 0)
		text_add(&out, "nothing is wrong with this machine");
	else
		text_print(&out, "%zu finding%s; looked at: this machine", e->findings.n,
			e->findings.n == 1 ? "" : "s");
	if (e->store != NULL)
		text_print(&out, ", database %s", e->call->db);
	if (e->has_job)
		text_print(&out, ", job %s", e->report.job.name);
	text_add(&out, "\n");
	return lines_out(&out, err);
}

static cJSON *finding_json(const struct finding *finding)
{
	cJSON *object = cJSON_CreateObject();

	if (json_add_string(object, "about", finding->about) &&
		json_add_string(object, "code", finding->code) &&
		json_add_string(object, "text", finding->text) &&
		json_add_string(object, "advice", finding->advice))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static cJSON *calibration_json(const struct calibration *calibration)
{
	cJSON *object = cJSON_CreateObject();

	if (json_add_integer(object, "predictions", (int64_t)calibration->n) &&
		json_add_optional(object, "median_error_sd", calibration->median) &&
		json_add_optional(object, "beyond_two_sd", calibration->beyond_two))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static cJSON *examination_json(const struct examination *e)
{
	cJSON *object = cJSON_CreateObject(), *findings = cJSON_CreateArray();
	bool ok = findings != NULL;

	for (size_t i = 0; ok && i < e->findings.n; i++)
		ok = json_append(findings, finding_json(&e->findings.items[i]));
	ok = ok &&
	     json_add_item(object, "database",
		     e->store ? cJSON_CreateString(e->call->db) : cJSON_CreateNull()) &&
	     json_add_item(object, "job",
		     e->has_job ? cJSON_CreateString(e->report.job.name) : cJSON_CreateNull()) &&
	     (!e->has_job ||
		     json_add_item(object, "calibration", calibration_json(&e->calibration)));
	if (ok && json_add_item(object, "findings", findings))
		return object;
	cJSON_Delete(object);
	return NULL;
}

int cmd_doctor(const struct invocation *call, struct tuner_error *err)
{
	struct examination *e = calloc(1, sizeof(*e));
	int64_t last_event_us = 0;
	bool ok = e != NULL || tuner_fail_memory(err);

	if (!ok)
		return -1;
	*err = (struct tuner_error){ TUNER_OK, "" };
	e->call = call;
	ok = open_database(e, err) && find_job(e, err) && check_database(e, &last_event_us, err) &&
	     check_machine(e, last_event_us, err) &&
	     (!e->has_job || doctor_job(&e->findings, &e->report, &e->calibration, err));
	if (ok && call->json)
		ok = json_out(examination_json(e), err);
	else if (ok)
		ok = print(e, err);
	const int status = !ok ? -1 : e->findings.n > 0 ? EXIT_GATE : EXIT_DONE;
	report_close(&e->report);
	store_close(e->store);
	free(e);
	return status;
}
