#define PCRE2_CODE_UNIT_WIDTH 8

#include "scheduler/pattern.h"

#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	MATCH_LIMIT = 100000,
	HEAP_LIMIT_KIB = 4096,
	/* Of the compiled code's own stack: if it does not suffice, the search counts as limited,
	 * as in the interpreter, whose frames are on the heap. Reserved, not touched. */
	JIT_STACK_START = 32 * 1024,
	JIT_STACK_MAX = 1024 * 1024,
};

struct pattern {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *limits;
	pcre2_jit_stack *stack; /* NULL: interpreted */
};

static bool compile(
	const char *regex, enum pattern_scope scope, pcre2_code **ret, struct tuner_error *err)
{
	const uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
				 (scope == PATTERN_LINES ? PCRE2_MULTILINE : 0);
	int reason;
	size_t offset;
	char text[256] = "";

	*ret = pcre2_compile(
		(PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, options, &reason, &offset, NULL);
	if (*ret != NULL)
		return true;
	pcre2_get_error_message(reason, (PCRE2_UCHAR *)text, sizeof(text));
	return tuner_fail(err, TUNER_USAGE, "the pattern \"%.500s\" is wrong at byte %zu: %s",
		regex, offset, text);
}

static bool check_not_empty(const char *regex, const pcre2_code *code, struct tuner_error *err)
{
	uint32_t empty = 0;

	pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &empty);
	if (empty != 0)
		return tuner_fail(err, TUNER_USAGE,
			"the pattern \"%.500s\" matches the empty string, and so everywhere",
			regex);
	return true;
}

/* Everything also works without the compiler, only slower: its refusal is no failure. */
static void try_jit(struct pattern *pattern)
{
	if (pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE) != 0)
		return;
	pattern->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
	if (pattern->stack != NULL)
		pcre2_jit_stack_assign(pattern->limits, NULL, pattern->stack);
}

bool pattern_create(
	const char *regex, enum pattern_scope scope, struct pattern **ret, struct tuner_error *err)
{
	struct pattern *pattern = calloc(1, sizeof(*pattern));

	if (pattern == NULL)
		return tuner_fail_memory(err);
	if (!compile(regex, scope, &pattern->code, err) ||
		!check_not_empty(regex, pattern->code, err))
		goto fail;
	pattern->match = pcre2_match_data_create_from_pattern(pattern->code, NULL);
	pattern->limits = pcre2_match_context_create(NULL);
	if (pattern->match == NULL || pattern->limits == NULL) {
		tuner_fail_memory(err);
		goto fail;
	}
	pcre2_set_match_limit(pattern->limits, MATCH_LIMIT);
	pcre2_set_heap_limit(pattern->limits, HEAP_LIMIT_KIB);
	try_jit(pattern);
	*ret = pattern;
	return true;
fail:
	pattern_destroy(pattern);
	return false;
}

void pattern_destroy(struct pattern *pattern)
{
	if (pattern == NULL)
		return;
	pcre2_jit_stack_free(pattern->stack);
	pcre2_match_context_free(pattern->limits);
	pcre2_match_data_free(pattern->match);
	pcre2_code_free(pattern->code);
	free(pattern);
}

unsigned pattern_groups(const struct pattern *pattern)
{
	uint32_t count = 0;

	pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &count);
	return count;
}

int pattern_group_number(const struct pattern *pattern, const char *name)
{
	const int number = pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR)name);

	if (number == PCRE2_ERROR_NOSUBSTRING)
		return 0;
	return number > 0 ? number : -1;
}

enum pattern_result pattern_search(
	struct pattern *pattern, const char *bytes, size_t size, size_t from)
{
	const int found = pcre2_match(pattern->code, (PCRE2_SPTR)bytes, size, from, PCRE2_NOTEMPTY,
		pattern->match, pattern->limits);

	if (found > 0)
		return PATTERN_FOUND;
	return found == PCRE2_ERROR_NOMATCH ? PATTERN_NONE : PATTERN_LIMITED;
}

bool pattern_group(const struct pattern *pattern, unsigned i, size_t *ret_start, size_t *ret_end)
{
	const size_t *bounds = pcre2_get_ovector_pointer(pattern->match);

	if (i >= pcre2_get_ovector_count(pattern->match) || bounds[2 * i] == PCRE2_UNSET ||
		bounds[2 * i] > bounds[2 * i + 1]) /* \K inside a lookahead */
		return false;
	*ret_start = bounds[2 * i];
	*ret_end = bounds[2 * i + 1];
	return true;
}
