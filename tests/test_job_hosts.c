/* Hosts of an edited job file beside those that the job has. */
#include "tests/fixture_job.h"
#include "trials/job.h"
#include "tuner/job_hosts.h"
#include "tuner/job_open.h"

#include <unistd.h>

#define KEYS FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"budget\": {\"parallel\": 2}"

static struct job stored(const char *hosts)
{
	static char text[16384], name[] = "job", directory[] = "/";
	snprintf(text, sizeof(text), "{%s%s%s}", KEYS, hosts[0] != '\0' ? ", \"hosts\": " : "",
		hosts);
	return (struct job){ .name = name, .file = text, .directory = directory };
}

static void assert_hosts(const struct job_file *file, const char *expected)
{
	struct text names = TEXT_EMPTY;
	job_hosts_text(file, 0, file->n_hosts, &names);
	assert_string_equal(names.bytes, expected);
	text_finish(&names);
}

static struct job_hosts merge(const char *old, const char *edited)
{
	const struct job job = stored(old);
	struct job_hosts hosts;
	struct tuner_error err;
	if (!job_hosts_merge(&job, edited, &hosts, &err))
		fail_msg("%s", err.message);
	return hosts;
}

static void refuse(const char *old, const char *edited, const char *told)
{
	const struct job job = stored(old);
	struct job_hosts hosts;
	struct tuner_error err;
	assert_false(job_hosts_merge(&job, edited, &hosts, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	if (strstr(err.message, told) == NULL)
		fail_msg("\"%s\" is not in: %s", told, err.message);
	job_hosts_finish(&hosts);
}

#define HERE   "{\"name\": \"here\"}"
#define SSH(h) "{\"backend\": \"ssh\", \"address\": \"" h "\"}"
#define SLURM  "{\"backend\": \"slurm\", \"slots\": 2}"

static void new_hosts_stand_behind_those_that_are_there(void **state)
{
	struct job_hosts hosts =
		merge("[" HERE ", " SSH("a") "]", "[" SSH("b") ", " SSH("a") ", " SLURM "]");
	assert_hosts(hosts.old, "here, a");
	assert_hosts(hosts.all, "here, a, b, slurm");
	assert_hosts(hosts.named, "b, a, slurm");
	assert_true(!hosts.stays[0] && hosts.stays[1]);
	assert_int_equal(hosts.all->budget.parallel, 2);
	job_hosts_finish(&hosts);
}

static void what_a_host_is_stays_as_the_job_has_it(void **state)
{
	struct job_hosts hosts = merge("[{\"backend\": \"ssh\", \"address\": \"a\", \"slots\": 3}]",
		"[{\"backend\": \"ssh\", \"name\": \"a\", \"address\": \"elsewhere\", \"slots\": "
		"4}]");
	assert_int_equal(hosts.all->n_hosts, 1);
	assert_int_equal(hosts.all->hosts[0].slots, 3);
	assert_string_equal(hosts.named->hosts[0].ssh->address, "a");
	job_hosts_finish(&hosts);
}

static void this_machine_is_one_host_whatever_it_is_called(void **state)
{
	struct job_hosts hosts = merge("", "[" SSH("a") ", " HERE "]"); /* without "hosts" */
	assert_int_equal(hosts.all->n_hosts, 2);
	assert_string_equal(hosts.all->hosts[0].name, "");
	assert_true(hosts.stays[0]);
	job_hosts_finish(&hosts);
	hosts = merge("[" SSH("a") "]", "[{}]");
	assert_int_equal(hosts.all->n_hosts, 2);
	assert_string_equal(hosts.all->hosts[1].backend, "local");
	job_hosts_finish(&hosts);
}

static void names_are_unique(void **state)
{
	refuse("[" HERE "]", "[" SSH("here") "]",
		"already has a host \"here\" with the backend local");
	refuse("[" SLURM "]", "[{\"backend\": \"slurm\", \"name\": \"slurm\", \"slots\": 1}]",
		"has a host");
	refuse("[" HERE "]", "[" SSH("a") ", " SSH("a") "]", "\"a\" twice");
	refuse("[" HERE "]", "[" SLURM ", " SSH("slurm") "]", "two of the file's hosts");
	struct text edited = TEXT_EMPTY;
	char machine[256] = "";
	gethostname(machine, sizeof(machine) - 1);
	text_print(&edited, "[{\"gpus\": \"none\"}, {\"backend\": \"ssh\", \"address\": \"%s\"}]",
		machine);
	refuse("[" SLURM "]", edited.bytes, "two of the file's hosts");
	text_finish(&edited);
}

/* Of before that was refused: the file that names them apart can go on with it. */
static void a_stored_job_with_two_hosts_of_one_default_name_is_read(void **state)
{
	const struct job job =
		stored("[" SLURM ", {\"backend\": \"slurm\", \"name\": \"slurm\", \"slots\": 1}]");
	struct job_file *file = NULL;
	struct tuner_error err;
	if (!job_stored_file(&job, &file, &err))
		fail_msg("%s", err.message);
	assert_hosts(file, "slurm, slurm");
	job_file_destroy(file);
}

static void too_many_hosts_are_refused(void **state)
{
	struct text old = TEXT_EMPTY, edited = TEXT_EMPTY;
	for (int i = 0; i < 40; i++) {
		text_print(
			&old, "%s{\"backend\": \"ssh\", \"address\": \"a%d\"}", i ? ", " : "[", i);
		text_print(&edited, "%s{\"backend\": \"ssh\", \"address\": \"b%d\"}",
			i ? ", " : "[", i);
	}
	text_add(&old, "]");
	text_add(&edited, "]");
	refuse(old.bytes, edited.bytes, "would have 80 hosts, and may have 64");
	text_finish(&old);
	text_finish(&edited);
}

static void what_the_job_file_does_not_take_is_refused(void **state)
{
	refuse("[" HERE "]", "[7]", "is not accepted");
	refuse("[" HERE "]", "[]", "is not accepted");
	refuse("[" HERE "]", "[{\"backend\": \"ssh\"}]", "address");
	refuse("[" HERE "]", "not JSON", "is not accepted");
}

static void hosts_are_told_as_they_stand(void **state)
{
	struct job_file *file = fixture_file(KEYS ", \"hosts\": [" SSH("a") "]");
	char *json = job_hosts_json(file);
	assert_string_equal(json, "[{\"backend\":\"ssh\",\"address\":\"a\"}]");
	free(json);
	job_file_destroy(file);
	file = fixture_file(KEYS);
	json = job_hosts_json(file);
	assert_string_equal(json, "[{}]");
	free(json);
	job_file_destroy(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_hosts_stand_behind_those_that_are_there),
		cmocka_unit_test(what_a_host_is_stays_as_the_job_has_it),
		cmocka_unit_test(this_machine_is_one_host_whatever_it_is_called),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(a_stored_job_with_two_hosts_of_one_default_name_is_read),
		cmocka_unit_test(too_many_hosts_are_refused),
		cmocka_unit_test(what_the_job_file_does_not_take_is_refused),
		cmocka_unit_test(hosts_are_told_as_they_stand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
