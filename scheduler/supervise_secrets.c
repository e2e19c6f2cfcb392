#include "scheduler/secrets.h"
#include "scheduler/supervise.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool refuse(const struct order *order, const char *why, char message[MESSAGE_MAX])
{
	const bool is_there = access(order->secrets, F_OK) == 0 || errno != ENOENT;

	snprintf(message, MESSAGE_MAX, "\"env_file\" %.110s %s", order->secrets,
		is_there ? why : "is not there: each host needs it, at this path");
	return false;
}

/* Replaces an entry of the same name. */
static void set_entry(char **environment, size_t *n, char *entry)
{
	const size_t length = strcspn(entry, "=") + 1;
	size_t i = 0;

	while (i < *n && strncmp(environment[i], entry, length) != 0)
		i++;
	environment[i] = entry;
	*n += i == *n;
}

/* The secrets are never freed: the environment points into them. */
bool secrets_add(struct order *order, char ret_message[MESSAGE_MAX])
{
	struct secrets secrets;
	char why[SECRETS_WHY_MAX];
	size_t n = 0;

	if (order->secrets == NULL)
		return true;
	if (!secrets_read(order->secrets, &secrets, why))
		return refuse(order, why, ret_message);
	while (order->environment[n] != NULL)
		n++;
	char **grown = calloc(n + secrets.n + 1, sizeof(*grown));
	if (grown == NULL)
		return refuse(order, "does not fit into memory", ret_message);
	memcpy(grown, order->environment, n * sizeof(*grown));
	order->environment = grown;
	for (size_t i = 0; i < secrets.n; i++)
		set_entry(grown, &n, secrets.entries[i]);
	return true;
}
