#include "tuner/report_json.h"

#include "base/json.h"
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool json_add_number(cJSON *object, const char *name, double value)
{
	char text[NUMBER_TEXT];
	if (isfinite(value))
		return cJSON_AddNumberToObject(object, name, value) != NULL;
	return json_add_string(object, name, number_from_double(value, text));
}

bool json_add_optional(cJSON *object, const char *name, double value)
{
	return isnan(value) ? cJSON_AddNullToObject(object, name) != NULL
			    : json_add_number(object, name, value);
}

bool json_add_integer(cJSON *object, const char *name, int64_t value)
{
	return cJSON_AddNumberToObject(object, name, (double)value) != NULL;
}

bool json_add_code(cJSON *object, const char *name, int64_t value)
{
	return json_add_optional(object, name, value < 0 ? NAN : (double)value);
}

bool json_add_string(cJSON *object, const char *name, const char *value)
{
	return cJSON_AddStringToObject(object, name, value) != NULL;
}

bool json_add_time(cJSON *object, const char *name, int64_t us)
{
	return json_add_optional(object, name, us == 0 ? NAN : (double)us / 1e6);
}

bool json_add_duration(cJSON *object, const char *name, int64_t us)
{
	return json_add_optional(object, name, us < 0 ? NAN : (double)us / 1e6);
}

bool json_add_item(cJSON *object, const char *name, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToObject(object, name, item))
		return true;
	cJSON_Delete(item);
	return false;
}

bool json_append(cJSON *array, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToArray(array, item))
		return true;
	cJSON_Delete(item);
	return false;
}

bool json_append_number(cJSON *array, double value)
{
	char text[NUMBER_TEXT];

	return json_append(array, isfinite(value)
					  ? cJSON_CreateNumber(value)
					  : cJSON_CreateString(number_from_double(value, text)));
}

/* The database writes an infinite number as 1e999, which strict readers refuse. */
static bool replace_infinite(cJSON *parent)
{
	char text[NUMBER_TEXT];
	cJSON *next;
	for (cJSON *item = parent ? parent->child : NULL; item != NULL; item = next) {
		next = item->next;
		if (!cJSON_IsNumber(item) || isfinite(item->valuedouble)) {
			if (!replace_infinite(item))
				return false;
			continue;
		}
		cJSON *string = cJSON_CreateString(number_from_double(item->valuedouble, text));
		if (string == NULL ||
			(item->string != NULL && (string->string = strdup(item->string)) == NULL)) {
			cJSON_Delete(string);
			return false;
		}
		cJSON_ReplaceItemViaPointer(parent, item, string);
	}
	return true;
}

bool json_add_parsed(cJSON *object, const char *name, const char *text)
{
	cJSON *item = cJSON_Parse(text);
	if (item != NULL && !replace_infinite(item)) {
		cJSON_Delete(item);
		return false;
	}
	return json_add_item(object, name, item);
}

bool json_add_as_stored(cJSON *object, const char *name, const char *text)
{
	cJSON *item = cJSON_Parse(text);
	const bool ok = item != NULL;
	cJSON_Delete(item);
	return ok && json_add_item(object, name, cJSON_CreateRaw(text));
}

bool text_out(struct text *text, struct tuner_error *err)
{
	const bool ok = !text_failed(text) || tuner_fail_memory(err);
	if (ok)
		fputs(text->bytes, stdout);
	text_finish(text);
	return ok;
}

bool json_out(cJSON *node, struct tuner_error *err)
{
	char *text = node ? json_print(node, 2) : NULL;
	cJSON_Delete(node);
	if (text == NULL)
		return tuner_fail_memory(err);
	puts(text);
	free(text);
	return true;
}
