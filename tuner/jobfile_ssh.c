/* Hosts of the backend ssh. What only the host knows (whether it exists, what it has) is not
 * checked here. */
#include "tuner/jobfile_reader.h"

#include "base/file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Those that no other backend has. */
static const char *const ssh_keys[] = { "address", "port", "sync", "host_timeout", "lease",
	"ssh_options" };

/* The value, or `otherwise`; NULL without memory. */
static char *take_string(const cJSON *node, const char *name, const char *otherwise)
{
	const cJSON *item = member(node, SECTION_HOST, name);

	return strdup(item != NULL ? item->valuestring : otherwise);
}

/* A word that begins with '-' would be an option of ssh; a control character is always a
 * mistake. */
static void check_word(struct reader *reader, const cJSON *node, const char *name, const char *what)
{
	const cJSON *item = member(node, SECTION_HOST, name);

	if (item == NULL)
		return;
	for (const char *c = item->valuestring; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c)) {
			report_error(reader, item, AT_VALUE,
				"expected %s, without control characters", what);
			return;
		}
	if (item->valuestring[0] == '-')
		report_error(reader, item, AT_VALUE, "expected %s, found \"%.100s\"", what,
			item->valuestring);
}

/* Reports, events and attempt rows name hosts; and so do files. */
static void name_host(struct reader *reader, const cJSON *node, struct job_host *host)
{
	const cJSON *address = member(node, SECTION_HOST, "address");

	if (address == NULL) {
		if (!has_member(node, "address"))
			report_error(reader, member_raw(node, "backend"), AT_VALUE,
				"ssh expects \"address\" beside it: the host as \"ssh\" takes it");
		return;
	}
	if (strpbrk(address->valuestring, "/@ \t'\"") != NULL)
		report_error(reader, address, AT_VALUE,
			"expected a host's name or address, found \"%.100s\"; \"user\", \"port\" "
			"and "
			"\"directory\" are keys of their own",
			address->valuestring);
	else if (host->name[0] == '\0' && !is_name(address->valuestring) &&
		 !has_member(node, "name"))
		report_error(reader, address, AT_VALUE,
			"expected \"name\" beside it, since \"%.100s\" cannot be a host's name",
			address->valuestring);
	else if (host->name[0] == '\0')
		snprintf(host->name, sizeof(host->name), "%s", address->valuestring);
}

static void check_lease(struct reader *reader, const cJSON *node, const struct job_ssh *ssh)
{
	if (ssh->lease_us > 0 && ssh->host_timeout_us < ssh->lease_us + reader->file->grace_us)
		report_error(reader, member_raw(node, "lease"), AT_VALUE,
			"expected \"host_timeout\" to be at least the lease and \"grace\" "
			"together: "
			"only then nothing runs there any more when a trial is launched elsewhere");
}

static void check_ssh(struct reader *reader, const cJSON *node, struct job_host *host)
{
	check_word(reader, node, "address", "a host's name or address");
	check_word(reader, node, "user", "a user's name");
	check_word(reader, node, "directory", "a directory on the host");
	name_host(reader, node, host);
}

bool read_ssh(
	struct reader *reader, const cJSON *node, struct job_host *host, struct tuner_error *err)
{
	const cJSON *port = member(node, SECTION_HOST, "port");
	const cJSON *options = member(node, SECTION_HOST, "ssh_options");
	struct job_ssh *ssh = calloc(1, sizeof(*ssh));

	if (ssh == NULL)
		return tuner_fail_memory(err);
	host->ssh = ssh;
	ssh->address = take_string(node, "address", "");
	ssh->user = take_string(node, "user", "");
	ssh->directory = take_string(node, "directory", "tuner");
	ssh->options = options != NULL ? copy_strings(options) : NULL;
	ssh->port = port != NULL ? (unsigned)port->valuedouble : 0;
	ssh->sync = member_word(node, SECTION_HOST, "sync") == 0;
	ssh->host_timeout_us = member_duration_us(node, SECTION_HOST, "host_timeout");
	ssh->lease_us =
		has_member(node, "lease") ? member_duration_us(node, SECTION_HOST, "lease") : 0;
	if (ssh->address == NULL || ssh->user == NULL || ssh->directory == NULL ||
		(options != NULL && ssh->options == NULL))
		return tuner_fail_memory(err);
	check_ssh(reader, node, host);
	check_lease(reader, node, ssh);
	return true;
}

void refuse_ssh_keys(struct reader *reader, const cJSON *node, const char *backend)
{
	for (size_t i = 0; i < sizeof(ssh_keys) / sizeof(*ssh_keys); i++)
		if (node != NULL && has_member(node, ssh_keys[i]))
			report_error(reader, member_raw(node, ssh_keys[i]), AT_KEY,
				"has no effect with the backend %s: it is of ssh", backend);
}

void job_ssh_destroy(struct job_ssh *ssh)
{
	if (ssh == NULL)
		return;
	for (char **option = ssh->options; option != NULL && *option != NULL; option++)
		free(*option);
	free(ssh->options);
	free(ssh->address);
	free(ssh->user);
	free(ssh->directory);
	free(ssh);
}
