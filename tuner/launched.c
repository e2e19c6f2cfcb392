#include "tuner/launched.h"

#include "base/file.h"
#include "scheduler/attempt.h"
#include "scheduler/attempt_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Records between the first and the last, by attempt_files.h. False if they are no such. */
static bool take_records(struct launched *launched, char *record, const char *end)
{
	size_t n_arguments = 0, n_environment = 0;
	for (; record < end; record += strlen(record) + 1)
		switch (*record) {
		case LAUNCH_ARGUMENT:
			launched->arguments[n_arguments++] = record + 1;
			break;
		case LAUNCH_ENVIRONMENT:
			launched->environment[n_environment++] = record + 1;
			break;
		case LAUNCH_DIRECTORY:
			launched->working_directory = record + 1;
			break;
		case LAUNCH_KEY:
		case LAUNCH_TIMEOUT:
		case LAUNCH_GRACE:
		case LAUNCH_LOG:
		case LAUNCH_GPU_LOCK:
		case LAUNCH_GPU_OWNER:
		case LAUNCH_SECRETS:
		case LAUNCH_MEMORY:
		case LAUNCH_NO_NETWORK:
		case LAUNCH_LEASE:
		case LAUNCH_INHERIT:
		case LAUNCH_HEARTBEAT:
			break;
		default:
			return false;
		}
	return n_arguments > 0 && launched->working_directory != NULL;
}

static bool is_whole(const char *bytes, size_t size)
{
	static const char first[] = LAUNCH_MAGIC, last[] = { LAUNCH_END, '\0' };
	return size >= sizeof(first) + sizeof(last) && memcmp(bytes, first, sizeof(first)) == 0 &&
	       bytes[size - sizeof(last) - 1] == '\0' &&
	       memcmp(bytes + size - sizeof(last), last, sizeof(last)) == 0;
}

/* Takes over the bytes. */
static bool parse(char *bytes, size_t size, struct launched *ret, struct tuner_error *err)
{
	static const size_t before = sizeof(LAUNCH_MAGIC), behind = 2;
	size_t records = 1;
	for (size_t i = 0; i < size; i++)
		records += bytes[i] == '\0';
	*ret = (struct launched){ .memory = bytes,
		.arguments = calloc(records, sizeof(char *)),
		.environment = calloc(records, sizeof(char *)) };
	if (ret->arguments == NULL || ret->environment == NULL) {
		launched_finish(ret);
		return tuner_fail_memory(err);
	}
	if (!take_records(ret, bytes + before, bytes + size - behind))
		launched_finish(ret);
	return true;
}

bool launched_read(
	const char *directory, struct launched *ret, bool *ret_found, struct tuner_error *err)
{
	struct text bytes = TEXT_EMPTY;
	char *path = path_join(directory, ATTEMPT_LAUNCH);
	*ret = (struct launched){ 0 };
	bool ok = path != NULL || tuner_fail_memory(err);
	if (ok && access(path, F_OK) == 0) {
		ok = file_read(path, LAUNCH_BYTES_MAX, &bytes, err);
		const size_t size = bytes.length;
		if (ok && is_whole(bytes.bytes, size)) {
			char *memory = text_take(&bytes);
			ok = memory != NULL ? parse(memory, size, ret, err)
					    : tuner_fail_memory(err);
		}
	}
	*ret_found = ret->memory != NULL;
	text_finish(&bytes);
	free(path);
	return ok;
}

void launched_finish(struct launched *launched)
{
	free(launched->arguments);
	free(launched->environment);
	free(launched->memory);
	*launched = (struct launched){ 0 };
}

bool variable_same_name(const char *a, const char *b)
{
	const size_t length = strcspn(a, "=");
	return strcspn(b, "=") == length && strncmp(a, b, length) == 0;
}

bool variable_is_of_contract(const char *variable)
{
	static const char *const names[] = { "CUDA_VISIBLE_DEVICES=", "CUDA_DEVICE_ORDER=",
		"PYTHONUNBUFFERED=", "OMP_NUM_THREADS=", "MASTER_ADDR=", "MASTER_PORT=" };
	if (strncmp(variable, "SM_", 3) == 0 || strncmp(variable, "TUNER_", 6) == 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (variable_same_name(variable, names[i]))
			return true;
	return false;
}
