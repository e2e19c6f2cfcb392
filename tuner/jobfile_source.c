/* Overrides change a copy of the document's tree. `origins` maps each node of the copy to the node
 * it was copied from, or the override that made it; the document knows the places. */
#include "tuner/jobfile_source.h"

#include "base/array.h"
#include "tuner/jobfile_keys.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct origin {
	const cJSON *node; /* of the copy */
	const cJSON *original; /* of the document; NULL: made by an override */
	size_t override; /* index into labels */
};

struct job_source {
	struct json_document *document;
	cJSON *copy; /* NULL without overrides */
	char *text;
	struct origin *origins; /* by address once complete */
	size_t n_origins, capacity;
	char **labels; /* of the overrides: "--set budget.trials=5" */
	size_t n_labels;
};

void source_destroy(struct job_source *source)
{
	if (source == NULL)
		return;
	for (size_t i = 0; i < source->n_labels; i++)
		free(source->labels[i]);
	free(source->labels);
	free(source->origins);
	free(source->text);
	cJSON_Delete(source->copy);
	json_destroy(source->document);
	free(source);
}

const cJSON *source_root(const struct job_source *source)
{
	return source->copy ? source->copy : json_root(source->document);
}

const char *source_text(const struct job_source *source)
{
	return source->text;
}

/* ---- origins ---- */

static bool add_origin(struct job_source *source, struct origin origin)
{
	if (!array_reserve(&source->origins, source->n_origins, &source->capacity,
		    sizeof(*source->origins)))
		return false;
	source->origins[source->n_origins++] = origin;
	return true;
}

static bool note_copies(struct job_source *source, const cJSON *copy, const cJSON *original)
{
	if (!add_origin(source, (struct origin){ .node = copy, .original = original }))
		return false;
	const cJSON *from = original->child;
	for (const cJSON *child = copy->child; child; child = child->next, from = from->next)
		if (!note_copies(source, child, from))
			return false;
	return true;
}

static bool note_made(struct job_source *source, const cJSON *node, size_t override)
{
	if (!add_origin(source, (struct origin){ .node = node, .override = override }))
		return false;
	for (const cJSON *child = node->child; child; child = child->next)
		if (!note_made(source, child, override))
			return false;
	return true;
}

/* Call before a node is freed: its address may be reused by another. */
static void forget(struct job_source *source, const cJSON *node)
{
	size_t kept = 0;

	for (size_t i = 0; i < source->n_origins; i++)
		if (source->origins[i].node != node)
			source->origins[kept++] = source->origins[i];
	source->n_origins = kept;
	for (const cJSON *child = node->child; child; child = child->next)
		forget(source, child);
}

static int by_address(const void *a, const void *b)
{
	const uintptr_t x = (uintptr_t)((const struct origin *)a)->node;
	const uintptr_t y = (uintptr_t)((const struct origin *)b)->node;

	return (x > y) - (x < y);
}

struct json_place source_place(
	const struct job_source *source, const cJSON *node, bool key, const char **ret_override)
{
	*ret_override = "";
	if (source->copy) {
		const struct origin wanted = { .node = node };
		const struct origin *origin = bsearch(
			&wanted, source->origins, source->n_origins, sizeof(wanted), by_address);
		if (origin == NULL)
			return (struct json_place){ 0, 0 };
		if (origin->original == NULL) {
			*ret_override = source->labels[origin->override];
			return (struct json_place){ 0, 0 };
		}
		node = origin->original;
	}
	const struct json_place place = json_place_of_key(source->document, node);
	return key && place.line > 0 ? place : json_place_of_value(source->document, node);
}

/* Appends the steps from `from` down to node; false, and nothing appended, if it is not below. */
static bool add_steps(const cJSON *from, const cJSON *node, struct text *ret)
{
	const size_t length = ret->length;
	size_t i = 0;

	if (from == node)
		return true;
	for (const cJSON *child = from->child; child; child = child->next, i++) {
		struct text below = TEXT_EMPTY;
		const bool found = add_steps(child, node, &below);
		if (found) {
			if (cJSON_IsArray(from))
				text_print(ret, "%zu", i);
			else
				text_add(ret, child->string);
			text_print(ret, "%s%s", below.length ? "." : "", below.bytes);
		}
		text_finish(&below);
		if (found)
			return true;
	}
	tuner_assert(ret->length == length);
	return false;
}

void source_path(const struct job_source *source, const cJSON *node, struct text *ret)
{
	add_steps(source_root(source), node, ret);
}

/* ---- overrides ---- */

/* One --set on its way down the tree. */
struct setting {
	struct job_source *source;
	struct diagnostics *list;
	const char *label;
	size_t override;
	const char *raw; /* the text after the '=' */
	bool removes; /* it is null: no key has this value */
	bool no_memory;
};

static cJSON *refuse(struct setting *setting, const char *format, ...) TUNER_PRINTF(2, 3);
static cJSON *refuse(struct setting *setting, const char *format, ...)
{
	char message[400];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	diagnose_error(
		setting->list, (struct json_place){ 0, 0 }, "%.100s: %s", setting->label, message);
	return NULL;
}

/* The value as JSON, or as a string if it is not JSON or the key accepts only strings. */
static cJSON *parse_value(const char *raw, bool as_string)
{
	struct json_document *document = NULL;
	struct tuner_error ignored;
	cJSON *value = NULL;

	if (json_parse("", raw, strlen(raw), &document, &ignored) &&
		(!as_string || cJSON_IsString(json_root(document))))
		value = cJSON_Duplicate(json_root(document), true);
	else
		value = cJSON_CreateString(raw);
	json_destroy(document);
	return value;
}

static bool is_index(const char *step, size_t length)
{
	return length > 0 && length <= 6 && strspn(step, "0123456789") >= length;
}

/* The member whose name begins the path, the longest such: names may have points. */
static cJSON *longest_member(const cJSON *object, const char *path, size_t *ret_length)
{
	cJSON *found = NULL;

	*ret_length = strcspn(path, ".");
	for (cJSON *child = object->child; child; child = child->next) {
		const size_t length = strlen(child->string);
		if (strncmp(child->string, path, length) != 0 ||
			(path[length] != '.' && path[length] != '\0'))
			continue;
		if (found == NULL || length > *ret_length) {
			found = child;
			*ret_length = length;
		}
	}
	return found;
}

/* Puts `value` in the place of `old` (of the same parent), or at the end under `name`. */
static bool put(struct setting *setting, cJSON *parent, cJSON *old, const char *name, cJSON *value)
{
	struct job_source *source = setting->source;
	bool ok;

	if (old != NULL)
		forget(source, old);
	if (cJSON_IsArray(parent))
		ok = old ? cJSON_ReplaceItemViaPointer(parent, old, value)
			 : cJSON_AddItemToArray(parent, value);
	else
		ok = old ? cJSON_ReplaceItemInObjectCaseSensitive(parent, name, value)
			 : cJSON_AddItemToObject(parent, name, value);
	if (!ok)
		cJSON_Delete(value);
	if (!ok || !note_made(source, value, setting->override))
		setting->no_memory = true;
	return !setting->no_memory;
}

static void take_out(struct job_source *source, cJSON *parent, cJSON *node)
{
	forget(source, node);
	cJSON_Delete(cJSON_DetachItemViaPointer(parent, node));
}

/* "strategy": "bayesian" becomes {"name": "bayesian"} so that strategy.initial can be set. */
static cJSON *expand_shorthand(struct setting *setting, cJSON *parent, cJSON *node)
{
	const struct key *key =
		parent == setting->source->copy ? key_find(SECTION_FILE, node->string) : NULL;
	const char *shorthand =
		key && key->type == KEY_OBJECT ? section_shorthand(key->contains) : NULL;

	if (shorthand == NULL || !cJSON_IsString(node))
		return NULL;
	cJSON *object = cJSON_CreateObject();
	if (object == NULL || !cJSON_AddStringToObject(object, shorthand, node->valuestring)) {
		cJSON_Delete(object);
		setting->no_memory = true;
		return NULL;
	}
	return put(setting, parent, node, key->name, object) ? object : NULL;
}

/* The child that a step of the path names. *ret_rest follows the step and its point. NULL with
 * *ret_missing: it would be the next child. */
static cJSON *step_down(struct setting *setting, cJSON *at, const char *path, char **ret_name,
	const char **ret_rest)
{
	size_t length = strcspn(path, ".");
	cJSON *child = NULL;

	if (cJSON_IsArray(at)) {
		const int n = cJSON_GetArraySize(at);
		if (!is_index(path, length))
			return refuse(setting, "expected an index from 0 to %d, found \"%.*s\"", n,
				(int)(length < 60 ? length : 60), path);
		if (atoi(path) > n)
			return refuse(
				setting, "index %d is beyond the %d that are there", atoi(path), n);
		child = cJSON_GetArrayItem(at, atoi(path));
	} else {
		child = longest_member(at, path, &length);
	}
	if (length == 0)
		return refuse(setting, "a key is empty");
	*ret_name = strndup(path, length);
	setting->no_memory |= *ret_name == NULL;
	*ret_rest = path[length] == '.' ? path + length + 1 : path + length;
	return child;
}

/* An empty container for what is below a key that does not exist yet. */
static cJSON *new_container(const char *rest)
{
	return is_index(rest, strcspn(rest, ".")) ? cJSON_CreateArray() : cJSON_CreateObject();
}

static bool wants_string(const struct setting *setting, const cJSON *parent, const char *name)
{
	const struct key *key =
		parent == setting->source->copy ? key_find(SECTION_FILE, name) : NULL;

	return key && (key->type == KEY_STRING || key->type == KEY_TEXT);
}

/* Takes one step; false at the end of the path, whether or not it was reached. */
static bool set_step(struct setting *setting, cJSON **at, const char **path)
{
	char *name = NULL;
	const char *rest = NULL;
	bool on = false;
	const size_t errors = setting->list->errors;
	cJSON *child = step_down(setting, *at, *path, &name, &rest);

	if (setting->list->errors > errors || setting->no_memory)
		goto out;
	if (*rest == '\0' && setting->removes) {
		if (child == NULL)
			refuse(setting, "there is no \"%.60s\" to remove", name);
		else
			take_out(setting->source, *at, child);
		goto out;
	}
	if (*rest == '\0') {
		cJSON *value = parse_value(setting->raw, wants_string(setting, *at, name));
		setting->no_memory = value == NULL || !put(setting, *at, child, name, value);
		goto out;
	}
	if (child == NULL) {
		cJSON *container = new_container(rest);
		if (container == NULL || !put(setting, *at, NULL, name, container)) {
			setting->no_memory = true;
			goto out;
		}
		child = container;
	} else if (!cJSON_IsObject(child) && !cJSON_IsArray(child)) {
		char found[64];
		const char *is = json_describe(child, found);
		child = expand_shorthand(setting, *at, child);
		if (child == NULL && !setting->no_memory)
			refuse(setting, "\"%.60s\" is %s and has nothing below it", name, is);
	}
	*at = child;
	*path = rest;
	on = child != NULL;
out:
	free(name);
	return on;
}

/* What is stored must be readable, and the command line may hold any bytes. */
static bool is_utf8(const char *bytes)
{
	size_t length = strlen(bytes);

	while (length > 0) {
		const size_t n = text_utf8_character(bytes, length);
		if (n == 0)
			return false;
		bytes += n;
		length -= n;
	}
	return true;
}

static bool is_null(const char *raw)
{
	struct json_document *document = NULL;
	struct tuner_error ignored;
	const bool is = json_parse("", raw, strlen(raw), &document, &ignored) &&
			cJSON_IsNull(json_root(document));

	json_destroy(document);
	return is;
}

/* What another option stands for may be a text that reads "null", and removes nothing. */
static bool apply_set(struct setting *setting, const char *set, bool may_remove)
{
	const char *equals = strchr(set, '=');

	if (equals == NULL || equals == set || !is_utf8(set)) {
		refuse(setting, "expected KEY=VALUE in UTF-8, such as budget.trials=5");
		return true;
	}
	char *key = strndup(set, (size_t)(equals - set));
	if (key == NULL)
		return false;
	setting->raw = equals + 1;
	setting->removes = may_remove && is_null(setting->raw);
	cJSON *at = setting->source->copy;
	const char *path = key;
	for (unsigned depth = 1; set_step(setting, &at, &path); depth++)
		if (depth == JSON_DEPTH_MAX) {
			refuse(setting, "more than %d levels", JSON_DEPTH_MAX);
			break;
		}
	free(key);
	return !setting->no_memory;
}

static bool apply_command(struct setting *setting, char *const *command)
{
	cJSON *root = setting->source->copy;

	for (size_t i = 0; command[i] != NULL; i++)
		if (!is_utf8(command[i])) {
			refuse(setting, "word %zu is not UTF-8", i + 1);
			return true;
		}
	cJSON *words = cJSON_CreateArray();
	for (size_t i = 0; words != NULL && command[i] != NULL; i++)
		if (!cJSON_AddItemToArray(words, cJSON_CreateString(command[i]))) {
			cJSON_Delete(words);
			words = NULL;
		}
	return words != NULL &&
	       put(setting, root, cJSON_GetObjectItemCaseSensitive(root, "command"), "command",
		       words);
}

static bool add_label(struct job_source *source, const char *option, const char *value)
{
	return asprintf(&source->labels[source->n_labels], "%s%s", option, value) >= 0 &&
	       ++source->n_labels > 0;
}

static bool apply_all(
	struct job_source *source, const struct job_overrides *overrides, struct diagnostics *list)
{
	source->labels = calloc(overrides->n_set + 1, sizeof(*source->labels));
	source->copy = cJSON_Duplicate(json_root(source->document), true);
	if (source->labels == NULL || source->copy == NULL ||
		!note_copies(source, source->copy, json_root(source->document)))
		return false;
	for (size_t i = 0; i < overrides->n_set; i++) {
		const char *option = overrides->options != NULL ? overrides->options[i] : NULL;
		if (!(option != NULL ? add_label(source, "", option)
				     : add_label(source, "--set ", overrides->set[i])))
			return false;
		struct setting setting = {
			.source = source, .list = list, .override = i, .label = source->labels[i]
		};
		if (!apply_set(&setting, overrides->set[i], option == NULL))
			return false;
	}
	if (overrides->command != NULL) {
		if (!add_label(source, "-- ", overrides->command[0]))
			return false;
		struct setting setting = { .source = source,
			.list = list,
			.override = overrides->n_set,
			.label = source->labels[overrides->n_set] };
		if (!apply_command(&setting, overrides->command))
			return false;
	}
	qsort(source->origins, source->n_origins, sizeof(*source->origins), by_address);
	return true;
}

/* ---- text ---- */

/* A fault of the text, "name:line:column: what", as a diagnostic. */
static void diagnose_syntax(struct diagnostics *list, const char *name, const char *message)
{
	struct json_place place = { 0, 0 };
	int used = 0;

	if (strncmp(message, name, strlen(name)) == 0) {
		const char *behind = message + strlen(name);
		if (sscanf(behind, ":%u:%u: %n", &place.line, &place.column, &used) == 2 && used)
			message = behind + used;
	}
	diagnose_error(list, place, "%s", message);
}

static bool print_copy(struct job_source *source, struct diagnostics *list)
{
	source->text = json_print(source->copy, 2);
	if (source->text == NULL)
		return false;
	if (strlen(source->text) > JSON_BYTES_MAX)
		diagnose_error(list, (struct json_place){ 0, 0 },
			"with what the command line sets, the file is larger than %d bytes",
			JSON_BYTES_MAX);
	return true;
}

static bool has_overrides(const struct job_overrides *overrides)
{
	return overrides != NULL && (overrides->n_set > 0 || overrides->command != NULL);
}

static bool fill(struct job_source *source, const char *name, const char *text, size_t length,
	const struct job_overrides *overrides, struct diagnostics *list, struct tuner_error *err)
{
	struct tuner_error fault;

	if (!json_parse(name, text, length, &source->document, &fault)) {
		if (fault.code != TUNER_USAGE)
			return tuner_fail(err, fault.code, "%s", fault.message);
		diagnose_syntax(list, name, fault.message);
		return true;
	}
	if (!cJSON_IsObject(json_root(source->document))) {
		char found[64];
		diagnose_error(list,
			json_place_of_value(source->document, json_root(source->document)),
			"expected an object, found %s",
			json_describe(json_root(source->document), found));
		return true;
	}
	if (!has_overrides(overrides)) {
		source->text = strndup(text, length);
		return source->text ? true : tuner_fail_memory(err);
	}
	if (!apply_all(source, overrides, list) || !print_copy(source, list))
		return tuner_fail_memory(err);
	return true;
}

bool source_create(const char *name, const char *text, size_t length,
	const struct job_overrides *overrides, struct job_source **ret, struct diagnostics *list,
	struct tuner_error *err)
{
	struct job_source *source = calloc(1, sizeof(*source));
	const size_t errors = list->errors;

	*ret = NULL;
	if (source == NULL)
		return tuner_fail_memory(err);
	const bool ok = fill(source, name, text, length, overrides, list, err);
	if (ok && list->errors == errors)
		*ret = source;
	else
		source_destroy(source);
	return ok;
}
