#include "tuner/edits.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

static bool begins_with(const char *line, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(line, keys[i], strlen(keys[i])) == 0)
			return true;
	return false;
}

/* Whether the line "KEY: before -> after" is about something that determines a trial's result.
 * Where its code is does not matter, since fingerprints show what it was. Every pattern counts:
 * which one was the objective's is no longer known. */
static bool is_about(const char *line, enum edits_of of)
{
	static const char *const command[] = { "command:", "arguments:", "fixed.", "env.",
		"channels." };
	static const char *const metrics[] = { "metrics:", "metrics." };

	return begins_with(line, command, sizeof(command) / sizeof(*command)) ||
	       (of == EDITS_OF_RESULTS &&
		       begins_with(line, metrics, sizeof(metrics) / sizeof(*metrics)));
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end != NULL ? end + 1 : line + strlen(line);
}

/* The first such line of an edit; NULL: there is none. */
static const char *find_line(const char *changes, enum edits_of of)
{
	for (const char *line = changes; *line != '\0'; line = next_line(line))
		if (is_about(line, of))
			return line;
	return NULL;
}

/* An edit's lines. */
static const char *changes_in(const cJSON *data)
{
	const cJSON *changes = cJSON_GetObjectItemCaseSensitive(data, "changes");

	return cJSON_IsString(changes) ? changes->valuestring : "";
}

static void look_at_edit(const struct event *edit, enum edits_of of, struct edits *ret)
{
	cJSON *data = cJSON_Parse(edit->data);
	const char *line = find_line(changes_in(data), of);

	if (line != NULL) {
		ret->until = edit->trial_number;
		ret->time_us = edit->time_us;
		snprintf(ret->key, sizeof(ret->key), "%.*s", (int)strcspn(line, ":"), line);
	}
	cJSON_Delete(data);
}

bool edits_read(struct store *store, int64_t job_id, enum edits_of of, struct edits *ret,
	struct tuner_error *err)
{
	struct event_list list;

	*ret = (struct edits){ 0 };
	if (!event_edits(store, job_id, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++)
		look_at_edit(&list.items[i], of, ret);
	event_list_finish(&list);
	return true;
}

/* "fixed.NAME: 5 -> 9" */
static bool is_of_fixed(const char *line, const char *name)
{
	static const char prefix[] = "fixed.";
	const size_t length = strlen(name), before = sizeof(prefix) - 1;

	return strncmp(line, prefix, before) == 0 && strncmp(line + before, name, length) == 0 &&
	       line[before + length] == ':';
}

static bool touches_fixed(const struct event *edit, const char *name)
{
	cJSON *data = cJSON_Parse(edit->data);
	bool found = false;

	for (const char *line = changes_in(data); *line != '\0' && !found; line = next_line(line))
		found = is_of_fixed(line, name);
	cJSON_Delete(data);
	return found;
}

bool edits_touch_fixed(const struct event_list *edits, int64_t trial_number, const char *name)
{
	for (size_t i = 0; i < edits->n; i++)
		if (edits->items[i].trial_number >= trial_number &&
			touches_fixed(&edits->items[i], name))
			return true;
	return false;
}
