/* JSON Schema, draft 2020-12, from the table of keys. Editors complete and check with it; what it
 * cannot express (min < max, names that must match) the reader checks. */
#include "tuner/jobfile_keys.h"

#include "tuner/jobfile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SCALAR "{\"type\": [\"string\", \"number\", \"boolean\"]}"
#define REDUCE                                                                                     \
	"{\"type\": \"string\", \"pattern\": \"^(last|best|max|min|mean of last "                  \
	"0*[1-9][0-9]*)$\"}"

static const char *const definitions[SECTIONS] = {
	[SECTION_OBJECTIVE] = "objective",
	[SECTION_METRIC] = "metric",
	[SECTION_PARAMETER] = "parameter",
	[SECTION_ARM] = "arm",
	[SECTION_STRATEGY] = "strategy",
	[SECTION_BUDGET] = "budget",
	[SECTION_STOPPING] = "early_stopping",
	[SECTION_FAILURE] = "failure",
	[SECTION_OUTCOMES] = "outcomes",
	[SECTION_OUTCOME] = "outcome",
	[SECTION_HOST] = "host",
	[SECTION_CODE] = "source",
	[SECTION_KEEP] = "keep",
	[SECTION_WARM_START] = "warm_start",
	[SECTION_PARENT] = "parent",
	[SECTION_ALSO] = "also",
};

/* ", \"minimum\": 1, \"maximum\": 5" with other names for the two. */
static void add_range(const struct key *key, const char *least, const char *most, struct text *ret)
{
	if (isfinite(key->min)) {
		text_print(ret, ", \"%s\": ", least);
		text_add_double(ret, key->min);
	}
	if (isfinite(key->max)) {
		text_print(ret, ", \"%s\": ", most);
		text_add_double(ret, key->max);
	}
}

static void add_words(const struct key *key, struct text *ret)
{
	char word[WORD_BYTES];

	text_add(ret, "\"enum\": [");
	for (size_t i = 0; i < words_count(key->words); i++) {
		words_get(key->words, i, word);
		text_print(ret, "%s\"%s\"", i ? ", " : "", word);
	}
	text_add(ret, "]");
}

static void add_array(const struct key *key, const char *items, struct text *ret)
{
	text_print(ret, "\"type\": \"array\", \"items\": %s", items);
	add_range(key, "minItems", "maxItems", ret);
}

static void add_map(const struct key *key, const char *items, struct text *ret)
{
	text_print(ret, "\"type\": \"object\", \"additionalProperties\": %s", items);
	if (key->type != KEY_SCALAR_MAPS)
		add_range(key, "minProperties", "maxProperties", ret);
}

/* The key whose value a word in place of a section's object gives: for an arm, its strategy's
 * name. */
static const struct key *shorthand_key(enum section section)
{
	const struct key *key = key_get(section, section_shorthand(section));

	return key->type == KEY_OBJECT ? shorthand_key(key->contains) : key;
}

static void add_object(const struct key *key, const char *reference, struct text *ret)
{
	if (section_shorthand(key->contains) == NULL) {
		text_print(ret, "\"$ref\": \"#/$defs/%s\"", definitions[key->contains]);
		return;
	}
	text_add(ret, "\"anyOf\": [{");
	add_words(shorthand_key(key->contains), ret);
	text_print(ret, "}, %s]", reference);
}

/* An item of an array of objects: one, or the word that stands for it. */
static void add_item(const struct key *key, const char *reference, struct text *ret)
{
	if (section_shorthand(key->contains) == NULL)
		text_add(ret, reference);
	else
		text_print(ret, "{\"anyOf\": [{\"type\": \"string\", \"minLength\": 1}, %s]}",
			reference);
}

/* A number in the key's range, or a string of this pattern. */
static void add_number_or(const struct key *key, const char *pattern, struct text *ret)
{
	text_add(ret, "\"anyOf\": [{\"type\": \"number\"");
	add_range(key, "minimum", "maximum", ret);
	text_print(ret, "}, {\"type\": \"string\", \"pattern\": \"%s\"}]", pattern);
}

/* Types that need nothing but the key. */
static void add_plain_type(const struct key *key, struct text *ret)
{
	static const char *const plain[] = {
		[KEY_STRING] = "\"type\": \"string\", \"minLength\": 1",
		[KEY_TEXT] = "\"type\": \"string\"",
		[KEY_BOOLEAN] = "\"type\": \"boolean\"",
		[KEY_INTEGER] = "\"type\": \"integer\"",
		[KEY_NUMBER] = "\"type\": \"number\"",
		[KEY_SCALAR] = "\"type\": [\"string\", \"number\", \"boolean\"]",
		[KEY_SEED] = "\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0, \"maximum\": "
			     "9007199254740992}, {\"type\": \"string\", \"pattern\": "
			     "\"^[0-9]{1,20}$\"}]",
		[KEY_TIME] = "\"type\": \"string\", \"pattern\": "
			     "\"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*([Zz]|[+-][0-9]{2}:?[0-9]{2})$\"",
		[KEY_PRIOR] =
			"\"anyOf\": [{\"type\": \"array\", \"items\": " SCALAR
			", \"minItems\": 2, \"maxItems\": 2, \"uniqueItems\": true}, {\"type\": "
			"\"object\", \"minProperties\": 1, \"additionalProperties\": {\"type\": "
			"\"number\", \"exclusiveMinimum\": 0}}]",
		[KEY_REDUCE] =
			"\"anyOf\": [" REDUCE ", {\"type\": \"object\", \"minProperties\": 1, "
			"\"additionalProperties\": " REDUCE "}]",
		[KEY_GPUS] = "\"anyOf\": [{\"enum\": [\"auto\", \"none\"]}, {\"type\": \"array\", "
			     "\"items\": {\"type\": \"integer\", \"minimum\": 0}, \"minItems\": 1, "
			     "\"uniqueItems\": true}]",
		[KEY_ENVIRONMENT] =
			"\"anyOf\": [{\"type\": \"object\", \"additionalProperties\": " SCALAR
			"}, {\"type\": \"array\", \"items\": {\"type\": \"string\"}}]",
	};

	text_add(ret, plain[key->type]);
}

static void add_type(const struct key *key, struct text *ret)
{
	struct text items = TEXT_EMPTY;
	char reference[80];

	snprintf(reference, sizeof(reference), "{\"$ref\": \"#/$defs/%s\"}",
		definitions[key->contains] ? definitions[key->contains] : "");
	switch (key->type) {
	case KEY_INTEGER:
	case KEY_NUMBER:
		add_plain_type(key, ret);
		add_range(key, "minimum", "maximum", ret);
		break;
	case KEY_INTEGER_OR_AUTO:
		text_add(ret, "\"anyOf\": [{\"const\": \"auto\"}, {\"type\": \"integer\"");
		add_range(key, "minimum", "maximum", ret);
		text_add(ret, "}]");
		break;
	case KEY_DURATION:
		add_number_or(key, "^([0-9]*[.]?[0-9]*(us|ms|s|m|h|d)? ?)+$", ret);
		break;
	case KEY_SIZE:
		add_number_or(key, "^[0-9.]+ *([kKmMgGtT][iI]?)?[bB]?$", ret);
		break;
	case KEY_WORD:
		add_words(key, ret);
		break;
	case KEY_STRINGS:
		add_array(key, "{\"type\": \"string\"}", ret);
		break;
	case KEY_SCALARS:
		add_array(key, SCALAR, ret);
		text_add(ret, ", \"uniqueItems\": true");
		break;
	case KEY_OBJECT:
		add_object(key, reference, ret);
		break;
	case KEY_OBJECTS:
		add_item(key, reference, &items);
		add_array(key, items.bytes, ret);
		break;
	case KEY_OBJECT_MAP:
		text_add(&items, "{");
		add_object(key, reference, &items);
		text_add(&items, "}");
		add_map(key, items.bytes, ret);
		break;
	case KEY_STRING_MAP:
		add_map(key, "{\"type\": \"string\"}", ret);
		break;
	case KEY_SCALAR_MAP:
		add_map(key, SCALAR, ret);
		break;
	case KEY_CONDITIONS:
		text_print(&items,
			"{\"anyOf\": [%s, {\"type\": \"array\", \"items\": %s, \"minItems\": 1}]}",
			SCALAR, SCALAR);
		add_map(key, items.bytes, ret);
		break;
	case KEY_SCALAR_MAPS:
		text_add(ret, "\"type\": \"array\", \"items\": {");
		add_map(key, SCALAR, ret);
		text_add(ret, ", \"minProperties\": 1}");
		add_range(key, "minItems", "maxItems", ret);
		break;
	case KEY_STRING:
	case KEY_TEXT:
	case KEY_BOOLEAN:
	case KEY_SCALAR:
	case KEY_SEED:
	case KEY_TIME:
	case KEY_PRIOR:
	case KEY_REDUCE:
	case KEY_GPUS:
	case KEY_ENVIRONMENT:
		add_plain_type(key, ret);
		break;
	}
	text_finish(&items);
}

static void add_property(const struct key *key, const char *indent, struct text *ret)
{
	struct text help = TEXT_EMPTY;

	text_print(ret, "%s\"%s\": {", indent, key->name);
	add_type(key, ret);
	if (key->pattern != NULL)
		text_print(ret,
			key->type == KEY_STRING ? ", \"pattern\": \"%s\""
						: ", \"propertyNames\": {\"pattern\": \"%s\"}",
			key->pattern);
	text_add(&help, key->help);
	if (key->derived != NULL)
		text_print(&help, " (default: %s)", key->derived);
	text_add(ret, ", \"description\": ");
	text_add_json_string(ret, help.bytes);
	if (key->otherwise != NULL)
		text_print(ret, ", \"default\": %s", key->otherwise);
	text_add(ret, "}");
	text_finish(&help);
}

/* "type", "properties", "required" and "additionalProperties" of a section's objects. */
static void add_section(enum section section, const char *indent, struct text *ret)
{
	const char *separator = "";

	text_print(ret, "%s\"type\": \"object\",\n%s\"additionalProperties\": false,\n", indent,
		indent);
	text_print(ret, "%s\"required\": [", indent);
	for (const struct key *key = job_keys; key->name != NULL; key++)
		if (key->section == section && key->required) {
			text_print(ret, "%s\"%s\"", separator, key->name);
			separator = ", ";
		}
	text_print(ret, "],\n%s\"properties\": {", indent);
	separator = "\n";
	for (const struct key *key = job_keys; key->name != NULL; key++)
		if (key->section == section) {
			char deeper[16];
			snprintf(deeper, sizeof(deeper), "%s  ", indent);
			text_add(ret, separator);
			add_property(key, deeper, ret);
			separator = ",\n";
		}
	text_print(ret, "\n%s}", indent);
}

void job_file_schema(struct text *ret)
{
	text_add(ret, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
		      "  \"title\": \"tuner job file\",\n");
	add_section(SECTION_FILE, "  ", ret);
	text_add(ret, ",\n  \"$defs\": {");
	for (int section = SECTION_FILE + 1; section < SECTIONS; section++) {
		text_print(ret, "%s\n    \"%s\": {\n", section > SECTION_FILE + 1 ? "," : "",
			definitions[section]);
		add_section((enum section)section, "      ", ret);
		text_add(ret, "\n    }");
	}
	text_add(ret, "\n  }\n}\n");
}
