/* Rows of what attempts were made of. */
#include "tests/fixture_trials.h"

#include "trials/provenance.h"

static const char sum_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char sum_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static int64_t put_state(struct fixture *f, enum state_of of, const char *sum, bool expect_new)
{
	const struct found_state state = {
		.of = of, .fingerprint = sum, .source = "live", .facts = "{}"
	};
	int64_t id = 0;
	bool is_new = false;

	CHANGE(f, state_put(f->store, f->job, &state, fixture_now(f), &id, &is_new, &f->err));
	assert_int_equal(is_new, expect_new);
	return id;
}

static int64_t add_run(struct fixture *f)
{
	int64_t run = 0;

	CHANGE(f, run_begin(f->store, f->job, 1, "host", "0", fixture_now(f), &run, &f->err));
	return run;
}

static int64_t add_attempt(struct fixture *f, int64_t run, int64_t code)
{
	const int64_t trial = fixture_add_trial(f), attempt = fixture_run_attempt(f, trial);
	const struct provenance_new row = { .attempt = attempt,
		.run = run,
		.seed = 2147483647,
		.arguments = "[\"a\"]",
		.directory = "/d",
		.code = code };

	CHANGE(f, provenance_add(f->store, &row, &f->err));
	return attempt;
}

static void open_with_job(struct fixture *f)
{
	fixture_use_job(f, fixture_add_job(f, "job", 50, "loss", "minimize"));
}

static void a_document_is_stored_once(void **state)
{
	struct fixture *const f = *state;
	int64_t first = 0, again = 0, other = 0;
	char *content = NULL;

	open_with_job(f);
	CHANGE(f, document_put(f->store, sum_a, "text", 4, 4, &first, &f->err));
	CHANGE(f, document_put(f->store, sum_a, "text", 4, 4, &again, &f->err));
	CHANGE(f, document_put(f->store, sum_b, "", 0, 0, &other, &f->err));
	assert_int_equal(first, again);
	assert_int_not_equal(first, other);
	ASSERT_OK(f, document_load(f->store, first, &content, &f->err));
	assert_string_equal(content, "text");
	free(content);
	ASSERT_OK(f, document_load(f->store, other, &content, &f->err));
	assert_string_equal(content, "");
	free(content);
	assert_false(document_load(f->store, 99, &content, &f->err));
	ASSERT_ROWS(f, "SELECT count(*) FROM document", "2");
}

static void the_same_state_is_one_row_of_a_job_and_kind(void **state)
{
	struct fixture *const f = *state;
	struct state_list list;

	open_with_job(f);
	const int64_t a = put_state(f, STATE_OF_CODE, sum_a, true);
	const int64_t b = put_state(f, STATE_OF_CODE, sum_b, true);
	assert_int_equal(put_state(f, STATE_OF_CODE, sum_a, false), a);
	put_state(f, STATE_OF_DATA, sum_a, true);
	ASSERT_OK(f, state_select(f->store, f->job, STATE_OF_CODE, &list, &f->err));
	assert_int_equal(list.n, 2);
	assert_int_equal(list.items[1].id, b);
	assert_int_equal(list.items[1].number, 2);
	assert_string_equal(list.items[1].fingerprint, sum_b);
	state_list_finish(&list);
}

static void what_an_attempt_found_is_read_back(void **state)
{
	struct fixture *const f = *state;
	struct provenance read;
	int64_t document = 0, last = 0, trial = 0, states[STATES_OF_TRIAL_MAX];
	size_t n = 0;

	open_with_job(f);
	const int64_t run = add_run(f);
	const int64_t a = put_state(f, STATE_OF_CODE, sum_a, true);
	const int64_t b = put_state(f, STATE_OF_CODE, sum_b, true);
	const int64_t data = put_state(f, STATE_OF_DATA, sum_b, true);
	const int64_t first = add_attempt(f, run, a), second = add_attempt(f, run, 0);

	ASSERT_OK(f, state_last(f->store, f->job, STATE_OF_CODE, &last, &f->err));
	assert_int_equal(last, a);
	CHANGE(f, provenance_found(f->store, second, STATE_OF_CODE, b, &f->err));
	CHANGE(f, provenance_found(f->store, second, STATE_OF_DATA, data, &f->err));
	CHANGE(f, document_put(f->store, sum_a, "{}", 2, 2, &document, &f->err));
	CHANGE(f, run_set_versions(f->store, run, document, &f->err));
	CHANGE(f, run_set_versions(f->store, run, document, &f->err)); /* once more is fine */

	ASSERT_OK(f, provenance_load(f->store, first, &read, &f->err));
	assert_int_equal(read.code, a);
	assert_int_equal(read.data, 0);
	provenance_finish(&read);
	ASSERT_OK(f, provenance_load(f->store, second, &read, &f->err));
	assert_int_equal(read.code, b);
	assert_int_equal(read.data, data);
	assert_int_equal(read.seed, 2147483647);
	assert_string_equal(read.arguments, "[\"a\"]");
	assert_string_equal(read.versions, "{}");
	assert_null(read.environment);
	provenance_finish(&read);
	ASSERT_OK(f, provenance_load(f->store, 99, &read, &f->err));
	assert_int_equal(read.run, 0);

	ASSERT_OK(f, state_last(f->store, f->job, STATE_OF_CODE, &last, &f->err));
	assert_int_equal(last, b);
	ASSERT_OK(f, state_first(f->store, STATE_OF_CODE, b, &trial, &f->err));
	assert_int_equal(trial, 2);
	ASSERT_OK(f, state_first(f->store, STATE_OF_DATA, a, &trial, &f->err));
	assert_int_equal(trial, 0);
	ASSERT_OK(f, state_of_trial(f->store, 2, states, &n, &f->err));
	assert_int_equal(n, 1);
	assert_int_equal(states[0], b);
}

static void the_place_of_frozen_code_is_replaced(void **state)
{
	struct fixture *const f = *state;
	char *directory = NULL;
	int64_t code = 9;

	open_with_job(f);
	const int64_t a = put_state(f, STATE_OF_CODE, sum_a, true);
	const int64_t b = put_state(f, STATE_OF_CODE, sum_b, true);
	ASSERT_OK(f, job_source(f->store, f->job, &code, &directory, &f->err));
	assert_int_equal(code, 0);
	assert_null(directory);
	CHANGE(f, job_source_set(f->store, f->job, a, "job/source/a", &f->err));
	CHANGE(f, job_source_set(f->store, f->job, b, "job/source/b", &f->err));
	ASSERT_OK(f, job_source(f->store, f->job, &code, &directory, &f->err));
	assert_int_equal(code, b);
	assert_string_equal(directory, "job/source/b");
	free(directory);
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN(a_document_is_stored_once),
		OPEN(the_same_state_is_one_row_of_a_job_and_kind),
		OPEN(what_an_attempt_found_is_read_back),
		OPEN(the_place_of_frozen_code_is_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
