#include "base/io.h"
#include "scheduler/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_PREFIX "TUNER_ATTEMPT_KEY=" /* ATTEMPT_KEY_VARIABLE of attempt.h */

static bool refuse(char message[MESSAGE_MAX], const char *why)
{
	snprintf(message, MESSAGE_MAX, "the launch file %s", why);
	return false;
}

/* The whole file, allocated. */
static char *read_launch(int directory, size_t *ret_size, char message[MESSAGE_MAX])
{
	struct stat info;
	char *bytes = NULL;
	size_t size = 0;
	const int fd = openat(directory, ATTEMPT_LAUNCH, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &info) != 0) {
		snprintf(message, MESSAGE_MAX, "cannot read the launch file: %s", strerror(errno));
		goto out;
	}
	if (!S_ISREG(info.st_mode) || info.st_size > LAUNCH_BYTES_MAX) {
		refuse(message, "is not a file of at most 8 MiB");
		goto out;
	}
	size = (size_t)info.st_size;
	bytes = malloc(size + 1);
	if (bytes == NULL || io_read(fd, bytes, size) < (ssize_t)size) {
		refuse(message, bytes == NULL ? "does not fit into memory" : "cannot be read");
		free(bytes);
		bytes = NULL;
	}
	*ret_size = size;
out:
	if (fd >= 0)
		close(fd);
	return bytes;
}

/* Every record ends with a NUL, so the number of NULs bounds both vectors. */
static size_t count_records(const char *bytes, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += bytes[i] == '\0';
	return n;
}

static size_t count_own(void)
{
	size_t n = 0;

	while (environ[n] != NULL)
		n++;
	return n;
}

static bool read_us(const char *text, int64_t *ret)
{
	char *end = NULL;

	errno = 0;
	const long long value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < 0)
		return false;
	*ret = value;
	return true;
}

static bool take_record(
	struct order *order, size_t *n_arguments, size_t *n_environment, char *record)
{
	char *value = record + 1;

	switch (*record) {
	case LAUNCH_KEY:
		order->key = value;
		return true;
	case LAUNCH_DIRECTORY:
		order->directory = value;
		return true;
	case LAUNCH_ARGUMENT:
		order->arguments[(*n_arguments)++] = value;
		return true;
	case LAUNCH_ENVIRONMENT:
		if (strncmp(value, KEY_PREFIX, strlen(KEY_PREFIX)) != 0)
			order->environment[(*n_environment)++] = value;
		return true;
	case LAUNCH_SECRETS:
		order->secrets = value;
		return true;
	case LAUNCH_MEMORY:
		return read_us(value, &order->memory_bytes);
	case LAUNCH_NO_NETWORK:
		order->no_network = true;
		return true;
	case LAUNCH_GPU_LOCK:
		if (order->n_gpu_locks == LAUNCH_GPU_LOCKS_MAX)
			return false;
		order->gpu_locks[order->n_gpu_locks++] = value;
		return true;
	case LAUNCH_GPU_OWNER:
		order->gpu_owner = value;
		return true;
	case LAUNCH_TIMEOUT:
		return read_us(value, &order->timeout_us);
	case LAUNCH_GRACE:
		return read_us(value, &order->grace_us);
	case LAUNCH_LOG:
		return read_us(value, &order->log_max_bytes);
	case LAUNCH_LEASE:
		return read_us(value, &order->lease_us);
	case LAUNCH_HEARTBEAT:
		return read_us(value, &order->heartbeat_us);
	case LAUNCH_INHERIT:
		order->inherits = strcmp(value, "1") == 0;
		return order->inherits;
	default:
		return false;
	}
}

static bool same_name(const char *a, const char *b)
{
	const size_t length = strcspn(a, "=");

	return strncmp(a, b, length) == 0 && b[length] == '=';
}

/* Adds variables of our own environment that the order does not name to the same vector, which has
 * room for them. */
static void inherit(struct order *order, size_t n)
{
	const size_t own = n;

	for (char **variable = environ; *variable != NULL; variable++) {
		size_t i = 0;

		while (i < own && !same_name(*variable, order->environment[i]))
			i++;
		if (i == own && strchr(*variable, '=') != NULL)
			order->environment[n++] = *variable;
	}
}

/* The records between the first and the last. */
static bool take_records(struct order *order, char *record, const char *end)
{
	size_t n_arguments = 0, n_environment = 0;

	for (; record < end; record += strlen(record) + 1)
		if (!take_record(order, &n_arguments, &n_environment, record))
			return false;
	if (n_arguments == 0 || order->key == NULL || order->directory == NULL)
		return false;

	const size_t length = strlen(KEY_PREFIX) + strlen(order->key) + 1;
	char *key = malloc(length);
	if (key == NULL)
		return false;
	snprintf(key, length, "%s%s", KEY_PREFIX, order->key);
	order->environment[n_environment++] = key;
	order->key_entry = key;
	if (order->inherits)
		inherit(order, n_environment);
	return true;
}

bool order_read(int directory, struct order *ret, char ret_message[MESSAGE_MAX])
{
	static const char first[] = LAUNCH_MAGIC, last[] = { LAUNCH_END, '\0' };
	size_t size = 0;
	char *const bytes = read_launch(directory, &size, ret_message);

	ret->bytes = bytes;
	if (bytes == NULL)
		return false;
	if (size < sizeof(first) || memcmp(bytes, first, sizeof(first)) != 0)
		return refuse(ret_message, "is not of this version of tuner");
	if (size < sizeof(first) + sizeof(last) || bytes[size - sizeof(last) - 1] != '\0' ||
		memcmp(bytes + size - sizeof(last), last, sizeof(last)) != 0)
		return refuse(ret_message, "is cut short");

	const size_t n = count_records(bytes, size);
	ret->arguments = calloc(n, sizeof(char *));
	ret->environment = calloc(n + count_own() + 1, sizeof(char *));
	if (ret->arguments == NULL || ret->environment == NULL)
		return refuse(ret_message, "does not fit into memory");
	if (!take_records(ret, bytes + sizeof(first), bytes + size - sizeof(last)))
		return refuse(ret_message, "is damaged");
	return true;
}

void order_finish(struct order *order)
{
	free(order->key_entry); /* the others point into `bytes` or our own environment */
	free(order->arguments);
	free(order->environment);
	free(order->bytes);
	*order = (struct order){ 0 };
}
