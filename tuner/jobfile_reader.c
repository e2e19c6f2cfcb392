#include "tuner/jobfile_reader.h"

#include "base/number.h"
#include "tuner/jobfile_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reporting ---- */

/* Full of errors: further ones are counted but not kept, and need no message. */
static bool is_full(const struct diagnostics *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].warning)
			return false;
	return list->n == DIAGNOSTICS_MAX;
}

/* "--set budget.trials=0: budget.trials: ", each where there is such a thing, and the path only where
 * the option does not name it already. */
static void add_origin(
	struct reader *reader, const cJSON *node, const char *override, struct text *ret)
{
	static const char set[] = "--set ";
	const size_t skip = sizeof(set) - 1;
	struct text path = TEXT_EMPTY;

	if (*override)
		text_print(ret, "%.120s: ", override);
	source_path(reader->source, node, &path);
	const bool named = strncmp(override, set, skip) == 0 &&
			   strncmp(override + skip, path.bytes, path.length) == 0 &&
			   override[skip + path.length] == '=';
	if (path.length > 0 && !named)
		text_print(ret, "%s: ", path.bytes);
	text_finish(&path);
}

TUNER_PRINTF(5, 0)
static void report(struct reader *reader, bool warning, const cJSON *node, enum at at,
	const char *format, va_list args)
{
	struct text line = TEXT_EMPTY;
	const char *override = "";
	const struct json_place place = source_place(reader->source, node, at == AT_KEY, &override);

	if (is_full(reader->list)) {
		reader->list->errors += !warning;
		return;
	}
	add_origin(reader, node, override, &line);
	text_print_v(&line, format, args);
	if (warning)
		diagnose_warning(reader->list, place, "%s", line.bytes);
	else
		diagnose_error(reader->list, place, "%s", line.bytes);
	text_finish(&line);
}

void report_error(struct reader *reader, const cJSON *node, enum at at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(reader, false, node, at, format, args);
	va_end(args);
}

void report_warning(struct reader *reader, const cJSON *node, enum at at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(reader, true, node, at, format, args);
	va_end(args);
}

void report_missing(struct reader *reader, const char *format, ...)
{
	char message[400];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	diagnose_error(reader->list, (struct json_place){ 0, 0 }, "%s", message);
}

const char *nearest_hint(
	const char *word, const char *const *words, size_t n, char ret_text[HINT_BYTES])
{
	const char *nearest = nearest_word(word, words, n);

	if (nearest != NULL)
		snprintf(ret_text, HINT_BYTES, "; did you mean \"%.150s\"?", nearest);
	else
		ret_text[0] = '\0';
	return ret_text;
}

/* ---- checking against the table ---- */

static void check_object(struct reader *reader, const cJSON *object, enum section section);

/* What was found, as a message names it: strings with their content, the rest as json_describe. */
static const char *describe(const cJSON *value, char ret_text[128])
{
	if (cJSON_IsString(value))
		snprintf(ret_text, 128, "\"%.*s%s", 60, value->valuestring,
			strlen(value->valuestring) > 60 ? "...\"" : "\"");
	else if (cJSON_IsArray(value) && value->child)
		snprintf(ret_text, 128, "an array of %d", cJSON_GetArraySize(value));
	else if (cJSON_IsObject(value) && value->child && value->child->next)
		snprintf(ret_text, 128, "an object of %d", cJSON_GetArraySize(value));
	else if (cJSON_IsArray(value) || (cJSON_IsObject(value) && !value->child))
		snprintf(ret_text, 128, "an empty %s", cJSON_IsArray(value) ? "array" : "object");
	else
		snprintf(ret_text, 128, "%s", json_describe(value, (char[64]){ 0 }));
	return ret_text;
}

/* Whether it is a time without a zone: nearly right, but a stored job must mean the same
 * everywhere. */
static bool lacks_zone(const cJSON *value)
{
	char with_zone[64];
	int64_t us;

	if (!cJSON_IsString(value) || strlen(value->valuestring) >= sizeof(with_zone) - 1)
		return false;
	snprintf(with_zone, sizeof(with_zone), "%sZ", value->valuestring);
	return value_time(&(cJSON){ .type = cJSON_String, .valuestring = with_zone }, &us);
}

static void report_unexpected(struct reader *reader, const struct key *key, const cJSON *value)
{
	struct text expected = TEXT_EMPTY;
	char found[128], word[WORD_BYTES], hint[HINT_BYTES] = "";

	key_expectation(key, &expected);
	if (key->type == KEY_WORD && cJSON_IsString(value) &&
		key_suggest_word(key, value->valuestring, word))
		snprintf(hint, sizeof(hint), "; did you mean \"%s\"?", word);
	if (strcmp(key->name, "command") == 0 && cJSON_IsString(value))
		snprintf(hint, sizeof(hint),
			": one word each, [\"python3\", \"train.py\"], for no shell reads it");
	if (key->type == KEY_TIME && lacks_zone(value))
		snprintf(hint, sizeof(hint), ": add Z for UTC, or an offset");
	report_error(reader, value, AT_VALUE, "expected %s, found %s%s", expected.bytes,
		describe(value, found), hint);
	text_finish(&expected);
}

static void report_unknown(struct reader *reader, enum section section, const cJSON *value)
{
	struct text path = TEXT_EMPTY;
	bool synonym;
	const struct key *meant = key_suggest(section, value->string, &synonym);

	if (meant != NULL)
		key_path(meant, &path);
	if (meant == NULL)
		report_error(reader, value, AT_KEY,
			"there is no such key here (\"tuner schema\" prints them all)");
	else if (synonym)
		report_error(reader, value, AT_KEY, "there is no such key: it is \"%s\" here",
			meant->section == section ? meant->name : path.bytes);
	else
		report_error(reader, value, AT_KEY, "there is no such key; did you mean \"%s\"?",
			meant->name);
	text_finish(&path);
}

static void check_strings(struct reader *reader, const cJSON *array)
{
	char found[128];

	for (const cJSON *item = array->child; item; item = item->next)
		if (!cJSON_IsString(item))
			report_error(reader, item, AT_VALUE, "expected a string, found %s",
				describe(item, found));
}

static void check_scalars(struct reader *reader, const cJSON *container)
{
	char found[128];

	for (const cJSON *item = container->child; item; item = item->next)
		if (!value_is_scalar(item))
			report_error(reader, item, AT_VALUE,
				"expected a string, a number, true or false, found %s",
				describe(item, found));
}

/* One value, or an array that is not empty. */
static void check_conditions(struct reader *reader, const cJSON *map)
{
	char found[128];

	for (const cJSON *item = map->child; item; item = item->next)
		if (cJSON_IsArray(item) && item->child != NULL)
			check_scalars(reader, item);
		else if (!value_is_scalar(item))
			report_error(reader, item, AT_VALUE,
				"expected a value or an array of values, found %s",
				describe(item, found));
}

static void check_indices(struct reader *reader, const cJSON *array)
{
	static const struct key index = { .name = "", .type = KEY_INTEGER, .max = 1023 };

	for (const cJSON *item = array->child; item; item = item->next)
		if (!key_accepts(&index, item))
			report_unexpected(reader, &index, item);
}

static void check_items(struct reader *reader, const cJSON *container,
	void (*check)(struct reader *reader, const cJSON *item, enum section section),
	enum section section)
{
	char found[128];

	for (const cJSON *item = container->child; item; item = item->next)
		if (cJSON_IsObject(item) ||
			(cJSON_IsString(item) && section_shorthand(section) != NULL))
			check(reader, item, section);
		else
			report_error(reader, item, AT_VALUE, "expected an object, found %s",
				describe(item, found));
}

static void check_map(struct reader *reader, const cJSON *map, enum section section)
{
	check_scalars(reader, map);
}

/* Checks the contents of a value that key_accepts. */
static void check_inside(struct reader *reader, const struct key *key, const cJSON *value)
{
	switch (key->type) {
	case KEY_STRINGS:
	case KEY_STRING_MAP:
		check_strings(reader, value);
		break;
	case KEY_SCALARS:
	case KEY_SCALAR_MAP:
		check_scalars(reader, value);
		break;
	case KEY_ENVIRONMENT:
		if (cJSON_IsArray(value))
			check_strings(reader, value);
		else
			check_scalars(reader, value);
		break;
	case KEY_CONDITIONS:
		check_conditions(reader, value);
		break;
	case KEY_GPUS:
		if (cJSON_IsArray(value))
			check_indices(reader, value);
		break;
	case KEY_OBJECTS:
	case KEY_OBJECT_MAP:
		check_items(reader, value, check_object, key->contains);
		break;
	case KEY_SCALAR_MAPS:
		check_items(reader, value, check_map, key->contains);
		break;
	case KEY_OBJECT:
		check_object(reader, value, key->contains);
		break;
	default:
		break;
	}
}

static void check_value(struct reader *reader, const struct key *key, const cJSON *value)
{
	if (key_accepts(key, value))
		check_inside(reader, key, value);
	else
		report_unexpected(reader, key, value);
}

static bool is_required(const struct reader *reader, const struct key *key)
{
	return key->required || (key->to_run && reader->need == COMMAND_NEEDED);
}

bool has_member_or_misnamed(const cJSON *object, enum section section, const char *name)
{
	enum { LOOKED_AT = 100 }; /* because a suggestion costs more than a lookup */
	const cJSON *child = cJSON_IsObject(object) ? object->child : NULL;
	bool synonym;

	if (has_member(object, name))
		return true;
	for (int i = 0; child && i < LOOKED_AT; i++, child = child->next)
		if (key_find(section, child->string) == NULL &&
			key_suggest(section, child->string, &synonym) == key_get(section, name))
			return true;
	return false;
}

static void check_required(struct reader *reader, const cJSON *object, enum section section)
{
	for (const struct key *key = job_keys; key->name != NULL; key++) {
		if (key->section != section || !is_required(reader, key) || is_full(reader->list) ||
			has_member_or_misnamed(object, section, key->name))
			continue;
		struct text expected = TEXT_EMPTY;
		key_expectation(key, &expected);
		if (section == SECTION_FILE)
			report_missing(reader, "\"%s\" is missing: %s (%s)", key->name, key->help,
				expected.bytes);
		else
			report_error(reader, object, AT_VALUE, "\"%s\" is missing: %s (%s)",
				key->name, key->help, expected.bytes);
		text_finish(&expected);
	}
}

static void check_object(struct reader *reader, const cJSON *object, enum section section)
{
	if (cJSON_IsString(object)) {
		check_value(reader, key_get(section, section_shorthand(section)), object);
		return;
	}
	for (const cJSON *value = object->child; value; value = value->next) {
		const struct key *key = key_find(section, value->string);
		if (key == NULL && is_full(reader->list))
			reader->list->errors++;
		else if (key == NULL)
			report_unknown(reader, section, value);
		else
			check_value(reader, key, value);
	}
	check_required(reader, object, section);
}

void check_shape(struct reader *reader)
{
	check_object(reader, reader->root, SECTION_FILE);
}

/* ---- accessors ---- */

const cJSON *member_raw(const cJSON *object, const char *name)
{
	return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

bool has_member(const cJSON *object, const char *name)
{
	return member_raw(object, name) != NULL;
}

const cJSON *member(const cJSON *object, enum section section, const char *name)
{
	const struct key *key = key_get(section, name);
	const char *shorthand = section_shorthand(section);
	const cJSON *value = member_raw(object, name);

	if (cJSON_IsString(object) && shorthand && strcmp(shorthand, name) == 0)
		value = object;
	return value && key_accepts(key, value) ? value : NULL;
}

/* A default of the table as a node on the caller's stack. */
struct default_value {
	cJSON node;
	char string[WORD_BYTES];
};

static const cJSON *default_of(const struct key *key, struct default_value *room)
{
	const char *json = key->otherwise;

	tuner_assert(json != NULL && strlen(json) < sizeof(room->string));
	*room = (struct default_value){ .node = { .type = cJSON_Number } };
	if (json[0] == '"') {
		snprintf(room->string, sizeof(room->string), "%.*s", (int)strlen(json) - 2,
			json + 1);
		room->node.type = cJSON_String;
		room->node.valuestring = room->string;
	} else if (strcmp(json, "true") == 0 || strcmp(json, "false") == 0) {
		room->node.type = json[0] == 't' ? cJSON_True : cJSON_False;
	} else {
		tuner_assert(number_to_double(json, &room->node.valuedouble));
	}
	return &room->node;
}

static const cJSON *member_or_default(
	const cJSON *object, enum section section, const char *name, struct default_value *room)
{
	const cJSON *value = member(object, section, name);
	const struct key *key = key_get(section, name);

	if (value)
		return value;
	if (key->otherwise == NULL && member_raw(object, name)) {
		/* A fault already reported; the file will not be used. */
		*room = (struct default_value){ .node = { .type = cJSON_Number } };
		return &room->node;
	}
	return default_of(key, room);
}

int64_t member_integer(const cJSON *object, enum section section, const char *name)
{
	return (int64_t)member_number(object, section, name);
}

double member_number(const cJSON *object, enum section section, const char *name)
{
	struct default_value room;

	return member_or_default(object, section, name, &room)->valuedouble;
}

bool member_boolean(const cJSON *object, enum section section, const char *name)
{
	struct default_value room;

	return cJSON_IsTrue(member_or_default(object, section, name, &room));
}

int64_t member_duration_us(const cJSON *object, enum section section, const char *name)
{
	struct default_value room;
	int64_t us = 0;

	tuner_assert(value_duration(member_or_default(object, section, name, &room), &us));
	return us;
}

int64_t member_size(const cJSON *object, enum section section, const char *name)
{
	struct default_value room;
	int64_t bytes = 0;

	tuner_assert(value_size(member_or_default(object, section, name, &room), &bytes));
	return bytes;
}

int member_word(const cJSON *object, enum section section, const char *name)
{
	struct default_value room;
	const cJSON *word = member_or_default(object, section, name, &room);

	return words_index(key_get(section, name)->words, word->valuestring);
}
