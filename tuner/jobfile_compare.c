#include "tuner/jobfile_facts.h"

#include "scheduler/surroundings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned ALL_KINDS = ~0u;

static const struct fact *find_fact(const struct facts *facts, const char *path)
{
	for (size_t i = 0; i < facts->n; i++)
		if (strcmp(facts->items[i].path, path) == 0)
			return &facts->items[i];
	return NULL;
}

/* A value for people: null in words, long ones cut. */
static void add_value(const struct fact *fact, const char *otherwise, struct text *ret)
{
	enum { SHOWN = 120 };
	const char *value = fact == NULL                       ? otherwise
			    : strcmp(fact->value, "null") != 0 ? fact->value
			    : fact->derived                    ? fact->derived
							       : "none";

	if (strlen(value) <= SHOWN) {
		text_add(ret, value);
		return;
	}
	size_t length = SHOWN;
	while (length > 0 && ((unsigned char)value[length] & 0xC0) == 0x80)
		length--;
	text_add_bytes(ret, value, length);
	text_add(ret, "...");
}

/* The lines are printed and stored for good: for a variable whose name suggests a secret they only
 * say that it differs. */
static bool is_secret(const char *path)
{
	static const char environment[] = "env.";
	const size_t length = sizeof(environment) - 1;

	return strncmp(path, environment, length) == 0 && variable_is_secret(path + length);
}

static void add_line(
	const char *path, const struct fact *old, const struct fact *new, struct text *ret_lines)
{
	static char stars[] = "***";
	static const struct fact hidden = { .value = stars };

	if (is_secret(path)) {
		old = old != NULL ? &hidden : NULL;
		new = new != NULL ? &hidden : NULL;
	}
	text_print(ret_lines, "%s: ", path);
	add_value(old, "(not there)", ret_lines);
	text_add(ret_lines, " -> ");
	add_value(new, "(gone)", ret_lines);
	text_add(ret_lines, "\n");
}

/* The same parameters in another order are another space: a configuration is a vector. */
static bool order_differs(const struct job_file *old, const struct job_file *new)
{
	if (old->space.d != new->space.d)
		return false;
	for (size_t i = 0; i < old->space.d; i++)
		if (space_find(&new->space, old->space.parameters[i].name) == new->space.d)
			return false;
	for (size_t i = 0; i < old->space.d; i++)
		if (strcmp(old->space.parameters[i].name, new->space.parameters[i].name) != 0)
			return true;
	return false;
}

/* `of`: the kinds that get a line. */
static void compare_facts(const struct facts *old, const struct facts *new, unsigned of,
	unsigned *kinds, struct text *ret_lines)
{
	for (size_t i = 0; i < new->n; i++) {
		const struct fact *now = &new->items[i], *before = find_fact(old, now->path);
		if (before != NULL && strcmp(before->value, now->value) == 0)
			continue;
		const unsigned kind = now->kind | (before ? before->kind : 0);
		*kinds |= kind;
		if (of == ALL_KINDS || (kind & of) != 0)
			add_line(now->path, before, now, ret_lines);
	}
	for (size_t i = 0; i < old->n; i++) {
		const struct fact *before = &old->items[i];
		if (find_fact(new, before->path) != NULL)
			continue;
		*kinds |= before->kind;
		if (of == ALL_KINDS || (before->kind & of) != 0)
			add_line(before->path, before, NULL, ret_lines);
	}
}

/* Without memory everything counts as changed, since nothing is known to be the same, and printing
 * the lines fails. */
static void compare(const struct job_file *old, const struct job_file *new, unsigned of,
	unsigned *ret_kinds, struct text *ret_lines)
{
	struct facts before = { 0 }, now = { 0 };

	*ret_kinds = CHANGE_NONE;
	if (facts_create(old, &before) && facts_create(new, &now)) {
		compare_facts(&before, &now, of, ret_kinds, ret_lines);
		if (order_differs(old, new)) {
			*ret_kinds |= CHANGE_SPACE;
			if ((of & CHANGE_SPACE) != 0)
				text_add(ret_lines, "parameters: in another order\n");
		}
	} else {
		*ret_kinds = CHANGE_OBJECTIVE;
		text_add(ret_lines, "out of memory while comparing\n");
	}
	facts_finish(&before);
	facts_finish(&now);
}

void job_file_compare(const struct job_file *old, const struct job_file *new, unsigned *ret_kinds,
	struct text *ret_lines)
{
	compare(old, new, ALL_KINDS, ret_kinds, ret_lines);
}

void job_file_compare_only(const struct job_file *old, const struct job_file *new, unsigned kinds,
	struct text *ret_lines)
{
	unsigned all;

	compare(old, new, kinds, &all, ret_lines);
}
