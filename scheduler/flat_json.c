#include "scheduler/flat_json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

/* The position after the string that begins at `at`; NULL: not a string, or unterminated. */
static const char *skip_string(const char *at)
{
	if (*at != '"')
		return NULL;
	for (at++; *at != '"'; at++) {
		if ((unsigned char)*at < 0x20)
			return NULL;
		if (*at == '\\' && *++at == '\0')
			return NULL;
	}
	return at + 1;
}

static const char *skip_value(const char *at)
{
	static const char *const words[] = { "true", "false", "null" };

	if (*at == '"')
		return skip_string(at);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strncmp(at, words[i], strlen(words[i])) == 0)
			return at + strlen(words[i]);
	const size_t n = strspn(at, "+-.0123456789eE");
	return n > 0 && isdigit((unsigned char)at[n - 1]) ? at + n : NULL;
}

/* One member: *ret_value is its value if it has this name. NULL: torn. */
static const char *skip_member(const char *at, const char *name, const char **ret_value)
{
	const char *key = at;

	if ((at = skip_string(at)) == NULL)
		return NULL;
	const size_t length = (size_t)(at - key) - 2;
	at = skip_blanks(at);
	if (*at++ != ':')
		return NULL;
	at = skip_blanks(at);
	if (name != NULL && strlen(name) == length && strncmp(key + 1, name, length) == 0)
		*ret_value = at;
	return skip_value(at);
}

/* False: torn. *ret_value NULL: no member of this name. */
static bool walk(const char *text, const char *name, const char **ret_value)
{
	const char *at = skip_blanks(text);

	*ret_value = NULL;
	if (*at++ != '{')
		return false;
	at = skip_blanks(at);
	while (*at != '}') {
		if ((at = skip_member(at, name, ret_value)) == NULL)
			return false;
		at = skip_blanks(at);
		if (*at == ',') {
			at = skip_blanks(at + 1);
			if (*at != '"')
				return false;
		} else if (*at != '}') {
			return false;
		}
	}
	return *skip_blanks(at + 1) == '\0';
}

bool flat_json_is_whole(const char *text)
{
	const char *ignored;

	return walk(text, NULL, &ignored);
}

enum flat_json flat_json_number(const char *text, const char *name, double *ret)
{
	const char *value;

	if (!walk(text, name, &value) || value == NULL)
		return FLAT_JSON_MISSING;
	if (*value != '-' && !isdigit((unsigned char)*value))
		return FLAT_JSON_OTHER;
	*ret = strtod(value, NULL);
	return FLAT_JSON_NUMBER;
}

/* The character of a one-byte escape; '?' for others, which no supervisor writes. */
static char unescape(const char **at)
{
	static const char names[] = "nrtbf", bytes[] = "\n\r\t\b\f";
	const char *name = strchr(names, **at);
	char digits[5] = "";

	if (name != NULL)
		return bytes[name - names];
	if (**at != 'u')
		return **at;
	strncpy(digits, *at + 1, 4);
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return '?';
	*at += 4;
	const long code = strtol(digits, NULL, 16);
	return code > 0 && code < 0x80 ? (char)code : '?';
}

void flat_json_string(const char *text, const char *name, char *ret, size_t size)
{
	const char *value;
	size_t n = 0;

	if (walk(text, name, &value) && value != NULL && *value == '"')
		for (value++; *value != '"' && n + 1 < size; value++) {
			char byte = *value;
			if (byte == '\\') {
				value++;
				byte = unescape(&value);
			}
			ret[n++] = byte;
		}
	ret[n] = '\0';
}

bool flat_json_true(const char *text, const char *name)
{
	const char *value;

	return walk(text, name, &value) && value != NULL && strncmp(value, "true", 4) == 0;
}
