/* Reads the supervisor's records (attempt_files.h): one JSON object of numbers, strings, true and
 * false. Without a JSON library, since the agent on a host has none. */
#ifndef SCHEDULER_FLAT_JSON_H
#define SCHEDULER_FLAT_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the terminated text is exactly one such object; the other functions may be called only if
 * so. */
bool flat_json_is_whole(const char *text);

enum flat_json { FLAT_JSON_MISSING, FLAT_JSON_NUMBER, FLAT_JSON_OTHER };

/* *ret is set only for FLAT_JSON_NUMBER. */
enum flat_json flat_json_number(const char *text, const char *name, double *ret);

/* "" if there is no such string; cut to `size`. */
void flat_json_string(const char *text, const char *name, char *ret, size_t size);

bool flat_json_true(const char *text, const char *name);

#endif
