/* Which host and slot a trial goes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tuner/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t no_script(void *context, int64_t attempt, const char *directory,
	struct null_step *ret_steps, size_t size)
{
	return 0;
}

static const struct slot four[4] = { { .cores = 1 }, { .cores = 1 }, { .cores = 1 },
	{ .cores = 1 } };

static void add(struct pool *pool, const struct job_host *entry, const char *name, size_t n)
{
	struct backend *backend = NULL;
	struct tuner_error err;
	assert_true(backend_null_open(no_script, NULL, &backend, &err));
	assert_true(pool_add(pool, entry, name, backend, &err));
	assert_true(pool_set_slots(pool, pool->n - 1, four, n, &err));
}

static const struct job_host plain = { .backend = "null" };

static void assert_place(const struct pool *pool, struct place avoided, size_t host, size_t slot)
{
	struct place place;
	assert_true(pool_choose(pool, avoided, &place));
	assert_int_equal(place.host, host);
	assert_int_equal(place.slot, slot);
}

static void the_fastest_host_comes_first(void **state)
{
	struct pool pool = { .n = 0 };
	add(&pool, &plain, "slow", 2);
	add(&pool, &plain, "fast", 2);
	assert_int_equal(pool_slots(&pool), 4);
	assert_place(&pool, NO_PLACE, 0, 0);
	pool_timed(&pool, 0, 2000000);
	assert_place(&pool, NO_PLACE, 1, 0); /* not measured yet */
	pool_timed(&pool, 1, 1000000);
	pool_take(&pool, (struct place){ 1, 0 });
	assert_place(&pool, NO_PLACE, 1, 1);
	pool_take(&pool, (struct place){ 1, 1 });
	assert_place(&pool, NO_PLACE, 0, 0);
	pool_leave(&pool, (struct place){ 1, 0 });
	assert_place(&pool, NO_PLACE, 1, 0);
	pool_finish(&pool);
}

static void priority_goes_before_speed(void **state)
{
	static const struct job_host preferred = { .backend = "null", .priority = 1 };
	struct pool pool = { .n = 0 };
	add(&pool, &plain, "fast", 1);
	add(&pool, &preferred, "slow", 1);
	pool_timed(&pool, 0, 1);
	pool_timed(&pool, 1, 1000000);
	assert_place(&pool, NO_PLACE, 1, 0);
	pool_finish(&pool);
}

static void a_retry_goes_elsewhere_if_it_can(void **state)
{
	struct pool pool = { .n = 0 };
	add(&pool, &plain, "a", 2);
	add(&pool, &plain, "b", 1);
	assert_place(&pool, (struct place){ 0, 0 }, 1, 0);
	pool_take(&pool, (struct place){ 1, 0 });
	assert_place(&pool, (struct place){ 0, 0 }, 0, 1);
	pool_take(&pool, (struct place){ 0, 1 });
	assert_place(&pool, (struct place){ 0, 0 }, 0, 0);
	pool_finish(&pool);
}

static void what_is_drained_or_down_gets_nothing(void **state)
{
	struct pool pool = { .n = 0 };
	struct tuner_error err;
	struct place place;
	add(&pool, &plain, "a", 2);
	add(&pool, &plain, "b", 1);
	pool.hosts[0].draining = true;
	assert_int_equal(pool_slots(&pool), 1);
	assert_place(&pool, NO_PLACE, 1, 0);
	pool.hosts[1].up = false;
	assert_false(pool_choose(&pool, NO_PLACE, &place));
	assert_true(pool_is_up(&pool));
	pool.hosts[0].draining = false;
	pool_take(&pool, (struct place){ 0, 0 });
	assert_true(pool_set_slots(&pool, 0, four, 3, &err)); /* it has grown */
	assert_place(&pool, NO_PLACE, 0, 1);
	assert_true(pool_set_slots(&pool, 0, four, 0, &err));
	assert_false(pool_choose(&pool, NO_PLACE, &place));
	pool_leave(&pool, (struct place){ 0, 0 }); /* no longer there */
	pool_finish(&pool);
}

static void a_host_that_launches_nothing_is_left_alone_for_a_while(void **state)
{
	struct pool pool = { .n = 0 };
	add(&pool, &plain, "broken", 2);
	add(&pool, &plain, "sound", 1);
	pool_ended(&pool, 0, true);
	assert_false(pool_distrusts(&pool, 0));
	assert_place(&pool, NO_PLACE, 0, 0);
	pool_ended(&pool, 0, true);
	assert_true(pool_distrusts(&pool, 0));
	assert_place(&pool, NO_PLACE, 1, 0);
	assert_int_equal(pool_slots(&pool), 1);
	/* Unless there is no other. */
	pool.hosts[1].up = false;
	assert_false(pool_distrusts(&pool, 0));
	assert_place(&pool, NO_PLACE, 0, 0);
	pool.hosts[1].up = true;
	/* Then it is tried with one trial, and not with a second one beside it. */
	pool.hosts[0].rest_until_us = 0;
	assert_place(&pool, NO_PLACE, 0, 0);
	pool_take(&pool, (struct place){ 0, 0 });
	assert_place(&pool, NO_PLACE, 1, 0);
	pool_ended(&pool, 0, false);
	assert_false(pool_distrusts(&pool, 0));
	assert_place(&pool, NO_PLACE, 0, 1);
	pool_finish(&pool);
}

static void an_attempt_finds_its_host(void **state)
{
	struct pool pool = { .n = 0 };
	add(&pool, &plain, "a", 1);
	add(&pool, &plain, "b", 1);
	assert_int_equal(pool_find(&pool, "null", "b"), 1);
	assert_int_equal(pool_find(&pool, "null", "c"), 2);
	assert_int_equal(pool_find(&pool, "local", "a"), 2);
	assert_int_equal(pool_find_name(&pool, "a"), 0);
	pool_finish(&pool);
}

/* Of the same job, with a host that cannot be opened here: its supervisor is missing. */
static void a_pool_that_cannot_be_extended_stays_as_it_was(void **state)
{
	static const char text[] =
		"{\"objective\": {\"metric\": \"m\", \"goal\": \"minimize\"}, \"parameters\": "
		"{\"x\": {\"type\": \"float\", \"min\": 0, \"max\": 1}}, \"hosts\": [{\"backend\": "
		"\"ssh\", \"address\": \"a\"}, {\"backend\": \"ssh\", \"address\": \"b\"}]}";
	char *given = getenv("TUNER_SUPERVISE"), *supervisor = given ? strdup(given) : NULL;
	struct diagnostics list = { .n = 0 };
	struct job_file *file = NULL;
	struct pool pool = { .n = 0 };
	struct tuner_error err;
	char note[300];
	add(&pool, &plain, "a", 1);
	setenv("TUNER_SUPERVISE", "/no/such/tuner-supervise", 1);
	assert_true(job_file_parse(
		"j", "/", text, strlen(text), NULL, COMMAND_IGNORED, &file, &list, &err));
	assert_non_null(file);
	assert_false(pool_extend(&pool, file, 1, "/tmp/none.db", note, &err));
	assert_int_equal(pool.n, 1);
	assert_int_equal(pool.n_files, 0);
	assert_place(&pool, NO_PLACE, 0, 0);
	if (supervisor != NULL)
		setenv("TUNER_SUPERVISE", supervisor, 1);
	else
		unsetenv("TUNER_SUPERVISE");
	free(supervisor);
	pool_finish(&pool);
}

/* ---- GPUs ---- */

#define ON(uuid_)                                                                                  \
	{                                                                                          \
		.cores = 1, .n_gpus = 1, .gpus = { { .uuid = uuid_ } }                             \
	}
static const struct slot shared[4] = { ON("GPU-a"), ON("GPU-b"), ON("GPU-a"), ON("GPU-b") };
static const struct job_host measured = { .backend = "null", .packs = true };

static struct pool pool_of_gpus(const struct job_host *entry)
{
	struct pool pool = { .n = 0 };
	struct tuner_error err;
	add(&pool, entry, "g", 0);
	assert_true(pool_set_slots(&pool, 0, shared, 4, &err));
	return pool;
}

static struct place at(size_t slot)
{
	return (struct place){ 0, slot };
}

static void trials_spread_over_gpus_before_they_share(void **state)
{
	struct pool pool = pool_of_gpus(&plain);
	assert_int_equal(pool_slots(&pool), 4);
	pool_take(&pool, at(2));
	pool_take(&pool, at(2)); /* once is enough */
	assert_int_equal(pool_together(&pool, at(0)), 1);
	assert_place(&pool, NO_PLACE, 0, 1);
	pool_take(&pool, at(1));
	assert_place(&pool, NO_PLACE, 0, 0);
	pool_leave(&pool, at(2));
	pool_leave(&pool, at(2));
	assert_int_equal(pool_together(&pool, at(0)), 0);
	pool_finish(&pool);
}

static void the_limit_of_a_gpu_is_kept(void **state)
{
	struct pool pool = pool_of_gpus(&measured);
	struct place place;
	struct tuner_error err;
	assert_int_equal(pool_slots(&pool), 2);
	pool_take(&pool, at(0));
	pool_take(&pool, at(1));
	assert_false(pool_choose(&pool, NO_PLACE, &place));
	pool.hosts[0].gpus[1].limit = 2;
	assert_int_equal(pool_slots(&pool), 3);
	assert_place(&pool, NO_PLACE, 0, 3);
	assert_true(pool_set_slots(&pool, 0, shared, 4, &err)); /* it knows them again */
	assert_int_equal(pool_slots(&pool), 3);
	assert_int_equal(pool.hosts[0].gpus[1].running, 1);
	pool.hosts[0].gpus[1].closed = true;
	assert_int_equal(pool_slots(&pool), 1);
	assert_true(pool_waits_for_gpu(&pool));
	assert_false(pool_choose(&pool, NO_PLACE, &place));
	pool_finish(&pool);
}

static void who_wants_a_gpu_alone_gets_one_in_the_end(void **state)
{
	struct pool pool = pool_of_gpus(&plain);
	struct place place;
	pool_take(&pool, at(0));
	pool_take(&pool, at(1));
	pool_take(&pool, at(2));
	assert_false(pool_choose_alone(&pool, NO_PLACE, &place));
	pool_reserve(&pool); /* of b, which has one */
	pool_leave(&pool, at(0));
	pool_reserve(&pool); /* stays there */
	pool.hosts[0].gpus[1].closed = true;
	pool_reserve(&pool); /* but not where nothing can be started */
	assert_true(pool.hosts[0].gpus[0].reserved && !pool.hosts[0].gpus[1].reserved);
	pool.hosts[0].gpus[1].closed = false;
	pool_unreserve(&pool);
	pool.hosts[0].gpus[1].reserved = true;
	assert_place(&pool, NO_PLACE, 0, 0);
	pool_take(&pool, at(0));
	assert_false(pool_choose(&pool, NO_PLACE, &place));
	pool_leave(&pool, at(1));
	assert_false(pool_choose(&pool, NO_PLACE, &place));
	assert_true(pool_choose_alone(&pool, NO_PLACE, &place));
	assert_int_equal(place.slot, 1);
	pool_take(&pool, place);
	pool_seclude(&pool, place);
	pool_unreserve(&pool);
	assert_false(pool_choose(&pool, NO_PLACE, &place));
	pool_leave(&pool, at(1));
	assert_place(&pool, NO_PLACE, 0, 1);
	pool_finish(&pool);
}

static void without_its_lock_nothing_is_started_on_a_gpu(void **state)
{
	struct pool pool = pool_of_gpus(&plain);
	struct place place;
	pool.hosts[0].locks = true;
	assert_false(pool_choose(&pool, NO_PLACE, &place));
	assert_int_equal(pool_slots(&pool), 4);
	pool.hosts[0].gpus[1].lock = GPU_LOCK_NEEDLESS;
	assert_place(&pool, NO_PLACE, 0, 1);
	pool.hosts[0].gpus[0].taken = true;
	assert_int_equal(pool_slots(&pool), 2);
	pool_finish(&pool);
}

/* As when the first has fallen off the bus while the host did not answer. */
static void a_slot_with_another_gpu_is_another_slot(void **state)
{
	static const struct slot left[1] = { ON("GPU-b") };
	struct pool pool = pool_of_gpus(&plain);
	struct place place;
	struct tuner_error err;

	pool_take(&pool, at(0));
	pool_take(&pool, at(1));
	assert_true(pool_set_slots(&pool, 0, left, 1, &err));
	assert_int_equal(pool.hosts[0].gpus[0].running, 0);
	pool_take(&pool, at(0)); /* the trial on b is found there */
	assert_true(pool_set_slots(&pool, 0, left, 1, &err));
	assert_false(pool_choose(&pool, NO_PLACE, &place));
	pool_finish(&pool);
}

static char released[64];

static void note_release(struct backend *backend, const char *uuid)
{
	snprintf(released, sizeof(released), "%s", uuid);
}

static void a_lock_elsewhere_is_released_with_its_gpu(void **state)
{
	struct pool pool = pool_of_gpus(&plain);
	struct backend *backend = pool.hosts[0].backend;
	struct backend_ops ops = *backend->ops;
	struct tuner_error err;

	ops.release_gpu = note_release;
	backend->ops = &ops;
	pool.hosts[0].gpus[0].lock = pool.hosts[0].gpus[1].lock = GPU_LOCK_THERE;
	assert_true(pool_set_slots(&pool, 0, shared, 4, &err));
	assert_string_equal(released, "");
	assert_true(pool_set_slots(&pool, 0, shared, 1, &err));
	assert_string_equal(released, "GPU-b");
	assert_int_equal(pool.hosts[0].gpus[0].lock, GPU_LOCK_THERE);
	pool_release_gpu(&pool.hosts[0], &pool.hosts[0].gpus[0]);
	assert_string_equal(released, "GPU-a");
	assert_int_equal(pool.hosts[0].gpus[0].lock, GPU_LOCK_NONE);
	pool_finish(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fastest_host_comes_first),
		cmocka_unit_test(priority_goes_before_speed),
		cmocka_unit_test(a_retry_goes_elsewhere_if_it_can),
		cmocka_unit_test(what_is_drained_or_down_gets_nothing),
		cmocka_unit_test(a_host_that_launches_nothing_is_left_alone_for_a_while),
		cmocka_unit_test(an_attempt_finds_its_host),
		cmocka_unit_test(a_pool_that_cannot_be_extended_stays_as_it_was),
		cmocka_unit_test(trials_spread_over_gpus_before_they_share),
		cmocka_unit_test(the_limit_of_a_gpu_is_kept),
		cmocka_unit_test(who_wants_a_gpu_alone_gets_one_in_the_end),
		cmocka_unit_test(without_its_lock_nothing_is_started_on_a_gpu),
		cmocka_unit_test(a_slot_with_another_gpu_is_another_slot),
		cmocka_unit_test(a_lock_elsewhere_is_released_with_its_gpu),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
