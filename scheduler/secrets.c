#include "scheduler/secrets.h"

#include "base/io.h"
#include "scheduler/attempt.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRETS_BYTES_MAX = 256 * 1024 };

static bool refuse(char why[SECRETS_WHY_MAX], const char *text)
{
	snprintf(why, SECRETS_WHY_MAX, "%s", text);
	return false;
}

static bool refuse_errno(char why[SECRETS_WHY_MAX])
{
	snprintf(why, SECRETS_WHY_MAX, "cannot be read: %s", strerror(errno));
	return false;
}

/* NULL on failure, with the reason in `why`. */
static char *read_file(const char *path, char why[SECRETS_WHY_MAX])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat info;
	char *bytes = NULL;
	bool ok = true;
	ssize_t n;

	if (fd < 0 || fstat(fd, &info) != 0)
		refuse_errno(why);
	else if (!S_ISREG(info.st_mode) || info.st_size > SECRETS_BYTES_MAX)
		refuse(why, "is no file, or larger than 256 KiB");
	else if ((info.st_mode & 077) != 0)
		refuse(why, "may be read or written by others than you: chmod 600 it");
	else if ((bytes = calloc(1, SECRETS_BYTES_MAX + 1)) == NULL)
		refuse(why, "does not fit into memory");
	else if ((n = io_read(fd, bytes, SECRETS_BYTES_MAX)) < 0)
		ok = refuse_errno(why);
	else if (memchr(bytes, '\0', (size_t)n) != NULL)
		/* Reading only a part would run a command without some of its secrets. */
		ok = refuse(why, "is no text: it holds a zero byte");
	if (!ok) {
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

static bool take_line(struct secrets *secrets, char *line, size_t number, char why[SECRETS_WHY_MAX])
{
	line += strspn(line, " \t");
	line[strcspn(line, "\r")] = '\0';
	if (*line == '\0' || *line == '#')
		return true;
	const size_t length = name_length(line);

	if (length == 0 ||
		strncmp(line, ATTEMPT_KEY_VARIABLE "=", strlen(ATTEMPT_KEY_VARIABLE) + 1) == 0) {
		snprintf(why, SECRETS_WHY_MAX, "has no NAME=VALUE%s in line %zu",
			length > 0 ? " that may be set" : "", number);
		return false;
	}
	unquote(line + length + 1);
	secrets->entries[secrets->n++] = line;
	return true;
}

static size_t count_lines(const char *bytes)
{
	size_t n = 1;

	for (const char *c = bytes; *c != '\0'; c++)
		n += *c == '\n';
	return n;
}

bool secrets_read(const char *path, struct secrets *ret, char ret_why[SECRETS_WHY_MAX])
{
	*ret = (struct secrets){ .bytes = read_file(path, ret_why) };
	if (ret->bytes == NULL)
		return false;
	const size_t lines = count_lines(ret->bytes);
	bool ok = (ret->entries = calloc(lines, sizeof(*ret->entries))) != NULL ||
		  refuse(ret_why, "does not fit into memory");
	char *line = ret->bytes;

	for (size_t number = 1; ok && number <= lines; number++) {
		char *next = line + strcspn(line, "\n");
		if (number < lines)
			*next++ = '\0';
		ok = take_line(ret, line, number, ret_why);
		line = next;
	}
	if (!ok)
		secrets_free(ret);
	return ok;
}

void secrets_free(struct secrets *secrets)
{
	free(secrets->bytes);
	free(secrets->entries);
	*secrets = (struct secrets){ 0 };
}
