/* JSON with comments and trailing commas, with places.
 *
 * Reading goes through cJSON; what cJSON does not do is done here: line and block comments and trailing
 * commas, line and column of every value, duplicate keys, nesting, UTF-8, integers that a double
 * cannot hold, NUL bytes. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stddef.h>

enum { JSON_DEPTH_MAX = 64, JSON_BYTES_MAX = 1 << 20 };

struct json_place {
	unsigned line, column; /* from 1; columns count characters (code points), a tab is one */
};

struct json_document; /* the tree and the places of its values */

/* Parses `length` bytes (at most JSON_BYTES_MAX). `name` is the file's name for messages, which begin
 * with "name:line:column: ". On failure (TUNER_USAGE) *ret is untouched. */
TUNER_MUST_CHECK
bool json_parse(const char *name, const char *bytes, size_t length, struct json_document **ret,
	struct tuner_error *err);
void json_destroy(struct json_document *document);

const cJSON *json_root(const struct json_document *document);

/* Where a value begins, or where its key does; {0, 0} for a node that is not of this document. */
struct json_place json_place_of_value(const struct json_document *document, const cJSON *node);
struct json_place json_place_of_key(const struct json_document *document, const cJSON *node);

/* "an object", "a string", "the number 3", "true", "null" ...: for messages. Static or ret_text. */
const char *json_describe(const cJSON *node, char ret_text[64]);

/* Plain JSON text of a tree, doubles by the shortest decimal that reads back. Caller frees; NULL
 * without memory. `indent` 0 gives one line. */
char *json_print(const cJSON *node, unsigned indent);

#endif
