/* tuner/doctor.h: each finding from facts that call for it, and none from those that do not. */
#include "tuner/doctor.h"
#include "tests/fixture_job.h"

#include <math.h>

#define GIBIBYTE INT64_C(1073741824)

static struct findings *nothing(void)
{
	static struct findings findings;

	findings.n = 0;
	return &findings;
}

static void assert_found(const struct findings *findings, const char *code)
{
	if (findings->n != 1 || strcmp(findings->items[0].code, code) != 0)
		fail_msg("%zu findings, the first \"%s\", not one \"%s\"", findings->n,
			findings->n ? findings->items[0].code : "", code);
	assert_true(findings->items[0].text[0] != '\0' && findings->items[0].advice[0] != '\0');
}

static void a_disk_needs_room_for_bytes_and_files(void **state)
{
	const struct disk_room good = { 1, 50 * GIBIBYTE, 100 * GIBIBYTE, 1000000, false };
	struct disk_room room = good;
	struct findings *f = nothing();

	doctor_disk(f, "the database", "/data", &room);
	room.free_inodes = -1; /* btrfs, xfs: not counted */
	doctor_disk(f, "the database", "/data", &room);
	assert_int_equal(f->n, 0);
	room = good;
	room.free_bytes = GIBIBYTE - 1;
	doctor_disk(f, "the database", "/data", &room);
	assert_found(f, "disk-space");
	assert_non_null(strstr(f->items[0].text, "/data) has 1023 MiB left of 100 GiB"));
	room = good;
	room.free_inodes = 9999;
	doctor_disk(f = nothing(), "the database", "/data", &room);
	assert_found(f, "disk-inodes");
	room = good;
	room.read_only = true;
	doctor_disk(f = nothing(), "the database", "/data", &room);
	assert_found(f, "disk-read-only");
}

static void limits_are_held_against_the_slots(void **state)
{
	const struct process_limits none = { -1, -1, -1, -1, -1 };
	struct process_limits limits = none;
	struct findings *f = nothing();

	doctor_limits(f, &limits, 1000);
	limits = (struct process_limits){ 1024, 4096, 4096, 4096, 100 };
	doctor_limits(f, &limits, 8);
	assert_int_equal(f->n, 0);
	limits = none;
	limits.open_files = 95;
	doctor_limits(f, &limits, 8);
	assert_found(f, "limit-files");
	assert_non_null(strstr(f->items[0].advice, "ulimit -n"));
	limits.open_files_hard = 95;
	doctor_limits(f = nothing(), &limits, 8);
	assert_non_null(strstr(f->items[0].advice, "hard limit"));
	limits = none;
	limits.processes = 500;
	doctor_limits(f = nothing(), &limits, 8);
	assert_found(f, "limit-processes");
	limits = none;
	limits.cgroup_processes = 1000;
	limits.cgroup_processes_used = 900;
	doctor_limits(f = nothing(), &limits, 8);
	assert_found(f, "limit-cgroup-processes");
}

static void a_clock_behind_the_last_event_is_told_of(void **state)
{
	struct findings *f = nothing();

	doctor_clock(f, 1000000000, 0);
	doctor_clock(f, 1000000000, 1059000000);
	assert_int_equal(f->n, 0);
	doctor_clock(f, 1000000000, 1100000000);
	assert_found(f, "clock");
}

static void a_database_is_in_wal_mode_small_known_and_free(void **state)
{
	const struct store_health good = { "wal", STORE_SCHEMA_VERSION, 1000, 42, 0, 0 };
	struct store_health health = good;
	struct findings *f = nothing();

	doctor_database(f, &health, 0);
	health.writer = 42; /* our own run's */
	doctor_database(f, &health, 42);
	health.writer = 43; /* gone at the second look */
	doctor_database(f, &health, 0);
	assert_int_equal(f->n, 0);
	doctor_database(f, &health, 43);
	assert_found(f, "write-lock");
	health = good;
	strcpy(health.journal_mode, "delete");
	doctor_database(f = nothing(), &health, 0);
	assert_found(f, "journal-mode");
	health = good;
	health.version++;
	doctor_database(f = nothing(), &health, 0);
	assert_found(f, "version");
	health = good;
	health.wal_bytes = 65 << 20;
	doctor_database(f = nothing(), &health, 0);
	assert_found(f, "wal-size");
}

/* Errors of 1, 2, ..., n times `step` standard deviations, of both signs. */
static struct calibration rising(size_t n, double step)
{
	struct prediction predictions[PREDICTIONS_MAX] = { 0 };

	for (size_t i = 0; i < n; i++)
		predictions[i] = (struct prediction){ 5, 0.5,
			5 + (i % 2 ? -0.5 : 0.5) * step * (double)(i + 1) };
	return calibration_of(predictions, n);
}

static void errors_are_counted_in_predicted_standard_deviations(void **state)
{
	struct calibration c = rising(9, 0.5);

	assert_int_equal(c.n, 9);
	assert_true(fabs(c.median - 2.5) < 1e-12);
	assert_true(fabs(c.beyond_two - 5.0 / 9) < 1e-12);
	c = rising(10, 0.5);
	assert_true(fabs(c.median - 2.75) < 1e-12);
	c = rising(0, 1);
	assert_true(c.n == 0 && isnan(c.median));
	const struct prediction infinite = { 0, 1, INFINITY };
	assert_int_equal(calibration_of(&infinite, 1).n, 0);
}

static void a_model_may_be_too_sure_or_too_unsure(void **state)
{
	struct calibration c = rising(20, 0.0667); /* as it should be: median 0.7 */
	struct findings *f = nothing();

	doctor_calibration(f, &c);
	c = rising(9, 2); /* too few to tell */
	doctor_calibration(f, &c);
	assert_int_equal(f->n, 0);
	c = rising(20, 0.3);
	doctor_calibration(f, &c);
	assert_found(f, "model-too-sure");
	c.noisy = true; /* it knows that results scatter */
	doctor_calibration(f = nothing(), &c);
	assert_int_equal(f->n, 0);
	c = rising(20, 0.005);
	doctor_calibration(f = nothing(), &c);
	assert_found(f, "model-too-unsure");
}

static void a_prior_that_the_best_contradict_is_told_of(void **state)
{
	struct job_file *file = fixture_file(FIXTURE_OBJECTIVE FIXTURE_COMMAND
		"\"parameters\": {\"x\": {\"type\": \"float\", \"min\": 0.0, \"max\": 10, "
		"\"prior\": [1, 2]}, \"c\": {\"type\": \"categorical\", \"values\": [\"a\", "
		"\"b\", \"d\"], \"prior\": {\"a\": 9}}, \"y\": {\"type\": \"float\", "
		"\"min\": 0.5, \"max\": 1}}");
	const double as_expected[] = { 2.3, 0, 1 }, at_seven[] = { 7, 0, 1 },
		     with_d[] = { 1, 2, 1 };
	const double *fine[] = { as_expected, at_seven, at_seven, at_seven, at_seven };
	const double *one[] = { at_seven, as_expected, as_expected, at_seven, as_expected };
	const double *most[] = { at_seven, as_expected, at_seven, as_expected, at_seven };
	const double *category[] = { with_d, with_d };
	struct findings *f = nothing();

	doctor_priors(f, file, fine, 5, 20);
	doctor_priors(f, file, one, 5, 20);
	doctor_priors(f, file, most, 5, 9); /* too early */
	doctor_priors(f, file, most, 0, 0);
	assert_int_equal(f->n, 0);
	doctor_priors(f, file, most, 5, 20);
	assert_found(f, "prior-contradicted");
	assert_non_null(strstr(f->items[0].text,
		"x = 7.0, and it is one of 3 of the best 5 that are where its prior, [1.0, 2.0],"));
	assert_non_null(strstr(f->items[0].advice, "parameters.x.prior"));
	doctor_priors(f = nothing(), file, category, 2, 20);
	assert_found(f, "prior-contradicted");
	assert_non_null(strstr(f->items[0].text, "c = \"d\", and it is one of 2 of the best 2"));
	assert_non_null(strstr(f->items[0].text, "{\"a\": 9}"));
	job_file_destroy(file);
}

static void the_best_at_a_bound_is_told_of_if_others_are_there_too(void **state)
{
	struct job_file *file = fixture_file(FIXTURE_OBJECTIVE FIXTURE_COMMAND
		"\"parameters\": {\"x\": {\"type\": \"float\", \"min\": 0.001, \"max\": 10, "
		"\"scale\": \"log\"}, \"n\": {\"type\": \"int\", \"min\": 1, \"max\": 100}, "
		"\"c\": {\"type\": \"bool\"}}");
	const double at_max[] = { 10, 50, 1 }, near_max[] = { 8, 70, 1 }, middle[] = { 0.1, 30, 1 },
		     least[] = { 0.1, 1, 1 };
	const double *together[] = { at_max, near_max, near_max, middle, middle, middle };
	const double *alone[] = { at_max, middle, middle, middle, middle };
	const double *low[] = { least, least, least };
	struct findings *f = nothing();

	doctor_bounds(f, file, alone, 5, 20);
	doctor_bounds(f, file, together, 6, 9); /* too early */
	doctor_bounds(f, file, together, 0, 0);
	assert_int_equal(f->n, 0);
	doctor_bounds(f, file, together, 6, 20);
	assert_found(f, "best-at-bound");
	assert_non_null(
		strstr(f->items[0].text, "x = 10, at its max, and so have 3 of the best 5"));
	assert_non_null(strstr(f->items[0].advice, "parameters.x.max"));
	doctor_bounds(f = nothing(), file, low, 3, 20);
	assert_found(f, "best-at-bound");
	assert_non_null(strstr(f->items[0].text, "n = 1, at its min"));
	job_file_destroy(file);
}

static void failures_are_told_by_class_once_they_are_many(void **state)
{
	int64_t attempts[OUTCOMES] = { [OUTCOME_OK] = 100,
		[OUTCOME_CRASHED] = 10,
		[OUTCOME_NAN] = 2,
		[OUTCOME_INTERRUPTED] = 90,
		[OUTCOME_EARLY_STOPPED] = 90 };
	struct findings *f = nothing();

	doctor_failures(f, attempts);
	assert_int_equal(f->n, 0);
	attempts[OUTCOME_OOM_GPU] = 40;
	doctor_failures(f, attempts);
	assert_found(f, "failures");
	assert_non_null(strstr(f->items[0].text, "40 of 332 attempts ended as oom-gpu"));
}

static void a_timeout_fits_the_trials(void **state)
{
	struct job_file *file =
		fixture_file(FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"timeout\": \"10m\"");
	const int64_t second = 1000000;
	struct findings *f = nothing();

	doctor_times(f, file, 300 * second, 200 * second, 0);
	doctor_times(f, file, 0, 0, 9); /* none is done: the failures say so */
	assert_int_equal(f->n, 0);
	doctor_times(f, file, 580 * second, 200 * second, 3);
	assert_found(f, "timeout-near");
	doctor_times(f = nothing(), file, 5 * second, 2 * second, 0);
	assert_found(f, "timeout-far");
	file->timeout_us = 0;
	doctor_times(f = nothing(), file, 5 * second, 2 * second, 0);
	assert_int_equal(f->n, 0);
	job_file_destroy(file);
}

static void the_machine_can_be_looked_at(void **state)
{
	struct process_limits limits;
	struct disk_room room, same;
	struct tuner_error err;

	assert_true(machine_disk("/tmp/not/there/yet", &room, &err));
	assert_true(machine_disk("/tmp", &same, &err));
	assert_true(room.device == same.device && room.total_bytes > 0);
	assert_true(machine_disk("relative", &room, &err));
	assert_true(machine_disk("r", &room, &err));
	assert_false(machine_disk("", &room, &err));
	machine_limits(&limits);
	assert_true(limits.open_files != 0 && limits.processes != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_needs_room_for_bytes_and_files),
		cmocka_unit_test(limits_are_held_against_the_slots),
		cmocka_unit_test(a_clock_behind_the_last_event_is_told_of),
		cmocka_unit_test(a_database_is_in_wal_mode_small_known_and_free),
		cmocka_unit_test(errors_are_counted_in_predicted_standard_deviations),
		cmocka_unit_test(a_model_may_be_too_sure_or_too_unsure),
		cmocka_unit_test(a_prior_that_the_best_contradict_is_told_of),
		cmocka_unit_test(the_best_at_a_bound_is_told_of_if_others_are_there_too),
		cmocka_unit_test(failures_are_told_by_class_once_they_are_many),
		cmocka_unit_test(a_timeout_fits_the_trials),
		cmocka_unit_test(the_machine_can_be_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
