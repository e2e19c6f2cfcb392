/* JSON with comments and trailing commas, and with the places of values.
 *
 * The result is a tree of cJSON, but the accepted language and the messages are decided here.
 * Beyond RFC 8259: line and block comments, a comma before a closing bracket, a byte order mark at
 * the start. Refused, although the grammar allows them: duplicate keys in an object, more than 64
 * levels, integers (no point, no exponent) beyond 2^53, numbers that a double turns into infinity
 * or 0, escaped NULs and halves of surrogate pairs in strings. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 64, JSON_BYTES_MAX = 1 << 20 };

struct json_place {
	unsigned line, column; /* from 1; columns count characters (code points), a tab is one */
};

struct json_document; /* the tree and the places of its values */

/* Parses `length` bytes (at most JSON_BYTES_MAX; no terminator needed, the bytes are not kept).
 * `name` is the file's name for messages, which begin with "name:line:column: " and say what was
 * expected and what was found, as in
 *
 *     job.json:7:3: expected ',' or '}' after the value of "min", found "max"
 *
 * Wrong encoding is reported first, then the first fault of the grammar, then the first duplicate
 * key. On failure (TUNER_USAGE; TUNER_FATAL without memory) *ret is untouched. */
TUNER_MUST_CHECK
bool json_parse(const char *name, const char *bytes, size_t length, struct json_document **ret,
	struct tuner_error *err);
void json_destroy(struct json_document *document);

const cJSON *json_root(const struct json_document *document);

/* Where a value begins, or its key (at the quote). {0, 0} for a node that is not in this document;
 * json_place_of_key also for an array's item and for the root. */
struct json_place json_place_of_value(const struct json_document *document, const cJSON *node);
struct json_place json_place_of_key(const struct json_document *document, const cJSON *node);

/* "an object", "a string", "the number 3", "true", "null" ...: for messages ("nothing" for NULL).
 * Static or ret_text. */
const char *json_describe(const cJSON *node, char ret_text[64]);

/* A double holds whole numbers exactly up to here. */
#define JSON_WHOLE_MAX (INT64_C(1) << 53)

/* True if the node is a whole number from low to high, which are within +-JSON_WHOLE_MAX; only then
 * is *ret set. False for NULL. */
bool json_whole(const cJSON *node, int64_t low, int64_t high, int64_t *ret);

/* Plain JSON text of a tree, doubles by the shortest decimal that reads back; NaN and infinities,
 * which no parsed tree has, as text_add_json_double writes them. `indent` 0 gives one line without
 * blanks; otherwise it is the number of blanks per level. No line break at the end. Caller frees;
 * NULL without memory. */
char *json_print(const cJSON *node, unsigned indent);

#endif
