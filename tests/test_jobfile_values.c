/* Every key of the job files in the directory that is given, with values that it cannot have: a fault or not, but an
 * answer. */
#include "base/file.h"
#include "base/json.h"
#include "tuner/jobfile.h"

#include <cjson/cJSON.h>

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PATHS_MAX = 1000, PATH_BYTES = 200 };

static const char *const wrong_values[] = { "null", "-1", "0", "1e300", "true", "\"\"", "\"x\"",
	"\"1&30m\"", "{}", "[]", "[1, \"a\"]", "{\"a\": {}}" };

static const char *directory;

/* Places that were changed already, array elements being one place. */
struct seen {
	char paths[PATHS_MAX][PATH_BYTES];
	size_t n, readings;
};

static bool is_new(struct seen *seen, const char *path)
{
	for (size_t i = 0; i < seen->n; i++)
		if (strcmp(seen->paths[i], path) == 0)
			return false;
	assert_true(seen->n < PATHS_MAX);
	strcpy(seen->paths[seen->n++], path);
	return true;
}

static void read_changed(const cJSON *root, struct seen *seen)
{
	char *bytes = cJSON_Print(root);
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_file *file = NULL;
	struct tuner_error err;

	assert_non_null(bytes);
	assert_non_null(list);
	assert_true(job_file_parse("changed.json", "/", bytes, strlen(bytes), NULL, COMMAND_IGNORED,
		&file, list, &err));
	assert_true((file != NULL) == (list->errors == 0));
	seen->readings++;
	job_file_destroy(file);
	free(list);
	cJSON_free(bytes);
}

/* The node's value is changed in place, and put back. */
static void try_values(const cJSON *root, cJSON *node, struct seen *seen)
{
	for (size_t i = 0; i < sizeof(wrong_values) / sizeof(*wrong_values); i++) {
		cJSON *wrong = cJSON_Parse(wrong_values[i]);
		const cJSON kept = *node;

		assert_non_null(wrong);
		node->type = wrong->type;
		node->child = wrong->child;
		node->valuestring = wrong->valuestring;
		node->valueint = wrong->valueint;
		node->valuedouble = wrong->valuedouble;
		read_changed(root, seen);
		*node = kept;
		cJSON_Delete(wrong);
	}
}

static void change_below(const cJSON *root, cJSON *parent, const char *path, struct seen *seen)
{
	cJSON *node;

	cJSON_ArrayForEach(node, parent)
	{
		char below[PATH_BYTES];

		assert_true(snprintf(below, sizeof(below), "%s/%s", path,
				    node->string ? node->string : "*") < PATH_BYTES);
		if (is_new(seen, below))
			try_values(root, node, seen);
		change_below(root, node, below, seen);
	}
}

static void change_file(const char *name, struct seen *seen)
{
	struct json_document *document = NULL;
	struct tuner_error err;
	struct text bytes = TEXT_EMPTY;
	char *path = path_join(directory, name);

	assert_non_null(path);
	assert_true(file_read(path, 1 << 20, &bytes, &err));
	if (json_parse(name, bytes.bytes, bytes.length, &document, &err)) {
		cJSON *root = cJSON_Duplicate(json_root(document), true);
		assert_non_null(root);
		change_below(root, root, "", seen);
		cJSON_Delete(root);
		json_destroy(document);
	}
	text_finish(&bytes);
	free(path);
}

static void no_value_of_a_key_ends_the_program(void **state)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	DIR *files = opendir(directory);

	(void)state;
	assert_non_null(seen);
	assert_non_null(files);
	for (const struct dirent *entry; (entry = readdir(files)) != NULL;)
		if (entry->d_name[0] != '.')
			change_file(entry->d_name, seen);
	closedir(files);
	assert_true(seen->n > 150 && seen->readings > 12 * 150);
	free(seen);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_value_of_a_key_ends_the_program),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	directory = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
