#include "base/io.h"
#include "scheduler/attempt.h"
#include "scheduler/supervise.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRETS_BYTES_MAX = 256 * 1024 };

static bool refuse(char message[MESSAGE_MAX], const char *path, const char *why)
{
	snprintf(message, MESSAGE_MAX, "\"env_file\" %.150s %s", path, why);
	return false;
}

/* NULL with a message. What is read is never freed: the environment points into it. */
static char *read_file(const char *path, char message[MESSAGE_MAX])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat info;
	char *bytes = NULL;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &info) != 0)
		refuse(message, path, strerror(errno));
	else if (!S_ISREG(info.st_mode) || info.st_size > SECRETS_BYTES_MAX)
		refuse(message, path, "is no file, or too large");
	else if ((info.st_mode & 077) != 0)
		refuse(message, path, "may be read or written by others than you: chmod 600 it");
	else if ((bytes = calloc(1, SECRETS_BYTES_MAX + 1)) == NULL)
		refuse(message, path, "does not fit into memory");
	else if ((n = io_read(fd, bytes, SECRETS_BYTES_MAX)) < 0 ||
		 memchr(bytes, '\0', (size_t)n) != NULL) {
		/* A part of it would be a command without its secrets. */
		refuse(message, path, n < 0 ? strerror(errno) : "is no text: it holds a zero byte");
		free(bytes);
		bytes = NULL;
	}
	if (fd >= 0)
		close(fd);
	return bytes;
}

static size_t name_length(const char *entry)
{
	size_t n = 0;

	if (!isalpha((unsigned char)*entry) && *entry != '_')
		return 0;
	while (isalnum((unsigned char)entry[n]) || entry[n] == '_')
		n++;
	return entry[n] == '=' ? n : 0;
}

static void unquote(char *value)
{
	const size_t length = strlen(value);

	if (length < 2 || (value[0] != '"' && value[0] != '\'') || value[length - 1] != value[0])
		return;
	memmove(value, value + 1, length - 2);
	value[length - 2] = '\0';
}

/* The messages say the line's number, never what is in it. */
static bool take_line(
	struct order *order, size_t *n, char *line, int number, char message[MESSAGE_MAX])
{
	char why[80];
	size_t i = 0;
	line += strspn(line, " \t");
	line[strcspn(line, "\r")] = '\0';
	if (*line == '\0' || *line == '#')
		return true;
	const size_t length = name_length(line);

	if (length == 0 ||
		strncmp(line, ATTEMPT_KEY_VARIABLE "=", strlen(ATTEMPT_KEY_VARIABLE) + 1) == 0) {
		snprintf(why, sizeof(why), "has no NAME=VALUE%s in line %d",
			length > 0 ? " that may be set" : "", number);
		return refuse(message, order->secrets, why);
	}
	unquote(line + length + 1);
	while (i < *n && strncmp(order->environment[i], line, length + 1) != 0)
		i++;
	order->environment[i] = line;
	*n += i == *n;
	return true;
}

bool secrets_add(struct order *order, char ret_message[MESSAGE_MAX])
{
	char *line, *next;
	size_t n = 0, lines = 1;

	if (order->secrets == NULL)
		return true;
	if ((line = read_file(order->secrets, ret_message)) == NULL)
		return false;
	while (order->environment[n] != NULL)
		n++;
	for (const char *c = line; *c != '\0'; c++)
		lines += *c == '\n';
	char **grown = calloc(n + lines + 1, sizeof(*grown));
	if (grown == NULL)
		return refuse(ret_message, order->secrets, "does not fit into memory");
	memcpy(grown, order->environment, n * sizeof(*grown));
	order->environment = grown;
	for (int number = 1; line != NULL; line = next, number++) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (!take_line(order, &n, line, number, ret_message))
			return false;
	}
	return true;
}
