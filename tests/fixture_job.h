/* For tests of tuner/: a job file from text, and a database in a directory of its own. */
#ifndef TESTS_FIXTURE_JOB_H
#define TESTS_FIXTURE_JOB_H

#include "base/file.h"
#include "tuner/jobfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FIXTURE_OBJECTIVE "\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"}, "
#define FIXTURE_X         "\"parameters\": {\"x\": {\"type\": \"float\", \"min\": 0, \"max\": 1}}, "
#define FIXTURE_COMMAND   "\"command\": [\"true\"], \"name\": \"job\", "

/* `keys`: the file's content between the braces. Faults end the test. */
static inline struct job_file *fixture_file(const char *keys)
{
	struct job_file *file = NULL;
	struct diagnostics list = { .n = 0 };
	struct tuner_error err = { TUNER_OK, "" };
	char text[4096];
	snprintf(text, sizeof(text), "{%s}", keys);
	if (!job_file_parse(
		    "test", "/", text, strlen(text), NULL, COMMAND_IGNORED, &file, &list, &err))
		fail_msg("%s", err.message);
	if (file == NULL)
		fail_msg("%s", list.items[0].message);
	return file;
}

struct fixture {
	char directory[64];
	char path[96];
	struct store *store;
	struct tuner_error err;
};

static inline void fixture_open(struct fixture *fixture)
{
	strcpy(fixture->directory, "/tmp/tuner-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	snprintf(fixture->path, sizeof(fixture->path), "%s/tuner.db", fixture->directory);
	if (!store_open(fixture->path, STORE_WRITE, &fixture->store, &fixture->err))
		fail_msg("%s", fixture->err.message);
}

static inline void fixture_close(struct fixture *fixture)
{
	store_close(fixture->store);
	assert_true(directory_remove(fixture->directory, &fixture->err));
}

#define ASSERT_OK(fixture, call)                                                                   \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s", (fixture)->err.message);                                    \
	} while (0)

#endif
