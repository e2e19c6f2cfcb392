#include "tuner/edits.h"

#include "trials/event.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

/* Whether the line "KEY: before -> after" is about what a trial's result comes about by. Where its code lies is no matter,
 * for fingerprints tell what it was. Every pattern counts: which was the objective's, nobody knows any more. */
static bool shapes_results(const char *line)
{
	static const char *const keys[] = { "command:", "arguments:", "fixed.", "env.", "channels.",
		"metrics:", "metrics." };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strncmp(line, keys[i], strlen(keys[i])) == 0)
			return true;
	return false;
}

/* The first such line of an edit; NULL: there is none. */
static const char *find_line(const char *changes)
{
	for (const char *line = changes; line != NULL && *line != '\0';) {
		if (shapes_results(line))
			return line;
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return NULL;
}

static void look_at_edit(const struct event *edit, struct edits *ret)
{
	cJSON *data = cJSON_Parse(edit->data);
	const cJSON *changes = cJSON_GetObjectItemCaseSensitive(data, "changes");
	const char *line = cJSON_IsString(changes) ? find_line(changes->valuestring) : NULL;

	if (line != NULL) {
		ret->until = edit->trial_number;
		snprintf(ret->key, sizeof(ret->key), "%.*s", (int)strcspn(line, ":"), line);
	}
	cJSON_Delete(data);
}

bool edits_read(struct store *store, int64_t job_id, struct edits *ret, struct tuner_error *err)
{
	struct event_list list;

	*ret = (struct edits){ 0 };
	if (!event_edits(store, job_id, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++)
		look_at_edit(&list.items[i], ret);
	event_list_finish(&list);
	return true;
}
