#include "scheduler/scrape.h"

#include "base/number.h"
#include "base/text.h"
#include "scheduler/pattern.h"
#include "scheduler/terminal.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	VALUE_TEXT_MAX = 128, /* longest text of a number; a double needs 24 bytes */
	OBJECT_DEPTH_MAX = 64,
	/* Bytes of a line read in vain: in a quoted log, each mark is searched to the line's
	 * end. */
	LOOKED_MAX = 16 * SCRAPE_LINE_MAX,
};

static const double WHOLE_MAX = 9007199254740992.0; /* 2^53: beyond it doubles skip integers */

static const char MARK[] = "@tuner";

typedef void found_fn(void *context, const struct scraped *scraped);

/* ---- patterns ---- */

struct metric_rule {
	char *name;
	struct pattern *pattern; /* NULL: by @tuner lines only */
	unsigned value, step; /* group numbers; 0: the first that took part; no step */
};

struct metric_patterns {
	size_t n;
	struct metric_rule rules[SCRAPE_PATTERNS_MAX];
	/* Buffers for whichever scraper is searching: */
	char plain[SCRAPE_LINE_MAX]; /* a line without control sequences, in UTF-8 */
	struct text object; /* a @tuner line's object, with bare words quoted */
};

static bool find_groups(struct metric_rule *rule, const char *regex, struct tuner_error *err)
{
	const int value = pattern_group_number(rule->pattern, "value");
	const int step = pattern_group_number(rule->pattern, "step");
	const unsigned groups = pattern_groups(rule->pattern);

	if (value < 0 || step < 0)
		return tuner_fail(err, TUNER_USAGE,
			"the pattern \"%.500s\" has several groups named \"%s\"", regex,
			value < 0 ? "value" : "step");
	if (groups < (step > 0 ? 2u : 1u))
		return tuner_fail(err, TUNER_USAGE,
			"the pattern \"%.500s\" has no group for the value: put parentheses around "
			"the number, as in \"accuracy=([0-9.]+)\"",
			regex);
	rule->value = (unsigned)value;
	rule->step = (unsigned)step;
	return true;
}

static bool rule_init(
	struct metric_rule *rule, const struct metric_pattern *given, struct tuner_error *err)
{
	if (*given->name == '\0' || strlen(given->name) > SCRAPE_NAME_MAX)
		return tuner_fail(err, TUNER_USAGE,
			"a metric's name has 1 to %d bytes, this one %zu", SCRAPE_NAME_MAX,
			strlen(given->name));
	rule->name = strdup(given->name);
	if (rule->name == NULL)
		return tuner_fail_memory(err);
	if (given->regex == NULL)
		return true;
	if (strlen(given->regex) > SCRAPE_PATTERN_BYTES_MAX)
		return tuner_fail(err, TUNER_USAGE,
			"the pattern \"%.40s...\" has %zu bytes: at most %d are accepted",
			given->regex, strlen(given->regex), SCRAPE_PATTERN_BYTES_MAX);
	return pattern_create(given->regex, PATTERN_LINE, &rule->pattern, err) &&
	       find_groups(rule, given->regex, err);
}

bool metric_patterns_create(const struct metric_pattern *patterns, size_t n,
	struct metric_patterns **ret, size_t *ret_bad, struct tuner_error *err)
{
	*ret_bad = SCRAPE_PATTERNS_MAX;
	if (n > SCRAPE_PATTERNS_MAX)
		return tuner_fail(err, TUNER_USAGE, "%zu metrics: at most %d are accepted", n,
			SCRAPE_PATTERNS_MAX);

	struct metric_patterns *made = calloc(1, sizeof(*made));
	if (made == NULL)
		return tuner_fail_memory(err);
	made->object = TEXT_EMPTY;
	for (; made->n < n; made->n++) {
		if (!rule_init(&made->rules[made->n], &patterns[made->n], err)) {
			*ret_bad = made->n++;
			metric_patterns_destroy(made);
			return false;
		}
	}
	*ret = made;
	return true;
}

void metric_patterns_destroy(struct metric_patterns *patterns)
{
	if (patterns == NULL)
		return;
	for (size_t i = 0; i < patterns->n; i++) {
		pattern_destroy(patterns->rules[i].pattern);
		free(patterns->rules[i].name);
	}
	text_finish(&patterns->object);
	free(patterns);
}

/* ---- the scraper ---- */

struct metric_name {
	char *name;
	int64_t rows; /* of this name since the attempt began or resumed */
};

struct metric_tally {
	uint64_t matches, unread, limited;
};

struct scraper {
	struct metric_patterns *patterns;
	size_t of_rule[SCRAPE_PATTERNS_MAX]; /* index into names */
	struct metric_tally tally[SCRAPE_PATTERNS_MAX];
	uint64_t malformed;
	int64_t missed; /* bytes that never arrived */

	struct metric_name names[SCRAPE_NAMES_MAX];
	size_t n_names;
	int64_t resumed; /* the step that the command said it resumed from; 0 */

	/* The line being collected: its bytes are those from `offset` on. While `skipping`, nothing
	 * is collected, up to and including the next line end. */
	int64_t offset;
	bool skipping;
	char *line;
	size_t line_size, line_capacity;
};

/* Where results go. */
struct sink {
	found_fn *found;
	void *context;
};

/* Printable UTF-8: a name goes into the database, into JSON and onto terminals. */
static bool name_is_text(const char *name, size_t length)
{
	for (size_t i = 0; i < length;) {
		const size_t size = text_utf8_character(name + i, length - i);
		if (size == 0 || (unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
		i += size;
	}
	return true;
}

bool metric_name_is_text(const char *name)
{
	return name_is_text(name, strlen(name));
}

/* The name's index, a new one if need be; false if it is not accepted, or without memory. */
static bool name_index(struct scraper *scraper, const char *name, size_t *ret)
{
	for (size_t i = 0; i < scraper->n_names; i++) {
		if (strcmp(scraper->names[i].name, name) == 0) {
			*ret = i;
			return true;
		}
	}
	const size_t length = strlen(name);
	if (scraper->n_names == SCRAPE_NAMES_MAX || length == 0 || length > SCRAPE_NAME_MAX ||
		!name_is_text(name, length))
		return false;
	char *copy = strdup(name);
	if (copy == NULL)
		return false;
	*ret = scraper->n_names++;
	scraper->names[*ret] = (struct metric_name){ .name = copy };
	return true;
}

/* Reports a row of a metric. `step` NULL: its own count. */
static void report(struct scraper *scraper, const struct sink *sink, size_t name,
	const int64_t *step, double value)
{
	struct metric_name *metric = &scraper->names[name];
	const struct scraped scraped = {
		.name = metric->name,
		.step = step != NULL ? *step : scraper->resumed + metric->rows + 1,
		.value = isnan(value) ? (double)NAN : value, /* one NaN, whatever its payload */
	};

	metric->rows++;
	sink->found(sink->context, &scraped);
}

static bool whole_below(double value, int64_t *ret)
{
	const double whole = floor(value);

	if (!(fabs(whole) <= WHOLE_MAX))
		return false;
	*ret = (int64_t)whole;
	return true;
}

/* ---- a line, by patterns ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The number in a group's text, if it is one: see the header. */
static bool read_value(const char *bytes, size_t size, double *ret)
{
	char text[VALUE_TEXT_MAX];

	while (size > 0 && is_blank(*bytes)) {
		bytes++;
		size--;
	}
	while (size > 0 && is_blank(bytes[size - 1]))
		size--;
	if (size > 1 && memchr(".,;", bytes[size - 1], 3) != NULL)
		size--;
	if (size == 0 || size >= sizeof(text) || memchr(bytes, '\0', size) != NULL)
		return false;
	memcpy(text, bytes, size);
	text[size] = '\0';
	return number_to_double(text, ret);
}

/* The text of the group that holds the value. */
static bool value_group(const struct metric_rule *rule, size_t *ret_start, size_t *ret_end)
{
	if (rule->value != 0)
		return pattern_group(rule->pattern, rule->value, ret_start, ret_end);
	for (unsigned i = 1; i <= pattern_groups(rule->pattern); i++)
		if (i != rule->step && pattern_group(rule->pattern, i, ret_start, ret_end))
			return true;
	return false;
}

static bool step_group(const struct metric_rule *rule, const char *bytes, int64_t *ret)
{
	size_t start, end;
	double value;

	return rule->step != 0 && pattern_group(rule->pattern, rule->step, &start, &end) &&
	       read_value(bytes + start, end - start, &value) && whole_below(value, ret);
}

static void take_match(
	struct scraper *scraper, size_t i, const char *bytes, const struct sink *sink)
{
	const struct metric_rule *rule = &scraper->patterns->rules[i];
	size_t start, end;
	double value;
	int64_t step = 0;

	if (!value_group(rule, &start, &end) || !read_value(bytes + start, end - start, &value)) {
		scraper->tally[i].unread++;
		return;
	}
	scraper->tally[i].matches++;
	const bool has_step = step_group(rule, bytes, &step);
	report(scraper, sink, scraper->of_rule[i], has_step ? &step : NULL, value);
}

/* All matches of rule i that do not overlap. */
static void search_pattern(struct scraper *scraper, size_t i, const char *bytes, size_t size,
	bool cut, const struct sink *sink)
{
	struct pattern *pattern = scraper->patterns->rules[i].pattern;
	size_t from = 0, start, end;

	if (pattern == NULL || scraper->tally[i].limited >= SCRAPE_LIMITED_MAX)
		return;
	while (from < size) {
		const enum pattern_result result = pattern_search(pattern, bytes, size, from);
		if (result == PATTERN_LIMITED)
			scraper->tally[i].limited++;
		if (result != PATTERN_FOUND || !pattern_group(pattern, 0, &start, &end) ||
			end <= from || (cut && end == size))
			return;
		take_match(scraper, i, bytes, sink);
		from = end;
	}
}

/* ---- a line, by @tuner ---- */

/* The position after the string literal whose opening quote is at bytes[at]; `size` if it does not
 * end. */
static size_t string_end(const char *bytes, size_t size, size_t at)
{
	for (at++; at < size && bytes[at] != '"'; at++)
		if (bytes[at] == '\\')
			at++;
	return at < size ? at + 1 : size;
}

/* The position after a word or number at bytes[at]; `at` if there is none. */
static size_t word_end(const char *bytes, size_t size, size_t at)
{
	while (at < size &&
		(isalnum((unsigned char)bytes[at]) || memchr("+-._", bytes[at], 4) != NULL))
		at++;
	return at;
}

/* Whether text is a number that JSON has no word for. */
static bool is_special(const char *bytes, size_t size, double *ret)
{
	char text[VALUE_TEXT_MAX];

	if (size == 0 || size >= sizeof(text) || memchr(bytes, '\0', size) != NULL)
		return false;
	memcpy(text, bytes, size);
	text[size] = '\0';
	return number_to_double(text, ret) && !isfinite(*ret);
}

/* Copies a bare word or number; NaN and the like are quoted, so that cJSON reads them as
 * strings. */
static void copy_word(const char *bytes, size_t size, struct text *to)
{
	double value;
	const bool special =
		!isdigit((unsigned char)bytes[size - 1]) && is_special(bytes, size, &value);

	text_add(to, special ? "\"" : "");
	text_add_bytes(to, bytes, size);
	text_add(to, special ? "\"" : "");
}

/* Copies the object at bytes[0] up to its closing brace. Returns its length; 0 if it does not
 * close, nests too deep, holds a NUL (which cJSON takes for a blank) or memory is out. *looked
 * grows by the bytes read. */
static size_t copy_object(const char *bytes, size_t size, struct text *to, size_t *looked)
{
	size_t at = 0, depth = 0;

	text_clear(to);
	do {
		const char c = bytes[at];
		size_t end = c == '"' ? string_end(bytes, size, at) : word_end(bytes, size, at);

		if (c == '"') {
			text_add_bytes(to, bytes + at, end - at);
		} else if (end > at) {
			copy_word(bytes + at, end - at, to);
		} else {
			text_add_char(to, c);
			end = at + 1;
			depth += c == '{' || c == '[';
			depth -= c == '}' || c == ']';
		}
		at = end;
	} while (depth > 0 && depth <= OBJECT_DEPTH_MAX && at < size);
	*looked += at;
	return depth == 0 && !text_failed(to) && memchr(bytes, '\0', at) == NULL ? at : 0;
}

static bool number_of(const cJSON *node, double *ret)
{
	if (cJSON_IsString(node))
		return is_special(node->valuestring, strlen(node->valuestring), ret);
	*ret = cJSON_IsNumber(node) ? node->valuedouble : 0;
	return cJSON_IsNumber(node);
}

static void take_resume(struct scraper *scraper, const cJSON *object)
{
	const cJSON *node = cJSON_GetObjectItemCaseSensitive(object, "resume");
	int64_t step = 0;

	if (!cJSON_IsNumber(node) || !whole_below(node->valuedouble, &step) || step < 0)
		return;
	scraper->resumed = step;
	for (size_t i = 0; i < scraper->n_names; i++)
		scraper->names[i].rows = 0;
}

static void take_object(struct scraper *scraper, const cJSON *object, const struct sink *sink)
{
	const cJSON *said = cJSON_GetObjectItemCaseSensitive(object, "step");
	int64_t step = 0;
	const bool has_step = cJSON_IsNumber(said) && whole_below(said->valuedouble, &step);
	const cJSON *node;

	take_resume(scraper, object);
	cJSON_ArrayForEach(node, object)
	{
		double value;
		size_t name;
		if (strcmp(node->string, "step") == 0 || strcmp(node->string, "resume") == 0 ||
			!number_of(node, &value) || !name_index(scraper, node->string, &name))
			continue;
		report(scraper, sink, name, has_step ? &step : NULL, value);
	}
}

/* Reads the object that should follow a mark. Returns the bytes that it took; if there is none,
 * *in_vain grows by the bytes read. */
static size_t search_object(struct scraper *scraper, const char *bytes, size_t size,
	size_t *in_vain, const struct sink *sink)
{
	struct text *text = &scraper->patterns->object;
	size_t at = 0, length = 0, looked = 0;

	while (at < size && is_blank(bytes[at]))
		at++;
	if (at < size && bytes[at] == '{')
		length = copy_object(bytes + at, size - at, text, &looked);
	cJSON *object = length > 0 ? cJSON_ParseWithLength(text->bytes, text->length) : NULL;
	if (object != NULL) {
		take_object(scraper, object, sink);
	} else {
		scraper->malformed++;
		*in_vain += looked;
	}
	cJSON_Delete(object);
	return object != NULL ? at + length : 0;
}

static void search_marks(
	struct scraper *scraper, const char *bytes, size_t size, const struct sink *sink)
{
	const char *const end = bytes + size;
	size_t in_vain = 0;

	/* memchr first: one call for the lines without any @, which are nearly all. */
	while (in_vain < LOOKED_MAX &&
		(bytes = memchr(bytes, MARK[0], (size_t)(end - bytes))) != NULL) {
		if ((size_t)(end - bytes) < strlen(MARK))
			return;
		if (memcmp(bytes, MARK, strlen(MARK)) != 0) {
			bytes++;
			continue;
		}
		bytes += strlen(MARK);
		bytes += search_object(scraper, bytes, (size_t)(end - bytes), &in_vain, sink);
	}
}

/* ---- a line ---- */

static bool is_ascii(const char *bytes, size_t size)
{
	unsigned char all = 0;

	for (size_t i = 0; i < size; i++)
		all |= (unsigned char)bytes[i];
	return all < 0x80;
}

/* Copies a line (which may be ret_bytes itself) with '?' for each byte that is not valid UTF-8. */
static void repair(const char *bytes, size_t size, char *ret_bytes)
{
	for (size_t i = 0; i < size;) {
		const size_t character = text_utf8_character(bytes + i, size - i);
		if (character == 0)
			ret_bytes[i++] = '?';
		for (size_t end = i + character; i < end; i++)
			ret_bytes[i] = bytes[i];
	}
}

/* `cut`: the line continues. */
static void search_line(
	struct scraper *scraper, const char *bytes, size_t size, bool cut, const struct sink *sink)
{
	if (size == 0)
		return;
	if (memchr(bytes, '\x1b', size) != NULL) {
		size = terminal_strip(bytes, size, scraper->patterns->plain);
		bytes = scraper->patterns->plain;
	}
	if (!is_ascii(bytes, size)) {
		repair(bytes, size, scraper->patterns->plain);
		bytes = scraper->patterns->plain;
	}
	for (size_t i = 0; i < scraper->patterns->n; i++)
		search_pattern(scraper, i, bytes, size, cut, sink);
	search_marks(scraper, bytes, size, sink);
}

/* ---- lines out of chunks ---- */

/* A chunk being consumed, and its next \n and \r (`end` if there is none): each is searched for
 * again only once it has been passed, so that every byte is examined at most twice whatever the
 * mixture. */
struct chunk {
	const char *at, *end, *lf, *cr;
};

static const char *find_end(const char *from, const char *end, char character)
{
	const char *found = memchr(from, character, (size_t)(end - from));

	return found != NULL ? found : end;
}

/* The end of the line at chunk->at: its \n or \r, or chunk->end. */
static const char *line_end(struct chunk *chunk)
{
	if (chunk->lf < chunk->at)
		chunk->lf = find_end(chunk->at, chunk->end, '\n');
	if (chunk->cr < chunk->at)
		chunk->cr = find_end(chunk->at, chunk->end, '\r');
	return chunk->lf < chunk->cr ? chunk->lf : chunk->cr;
}

/* Appends to the collected line, which has room for it by the caller's care. */
static bool collect(
	struct scraper *scraper, const char *bytes, size_t size, struct tuner_error *err)
{
	const size_t needed = scraper->line_size + size;

	tuner_assert(needed <= SCRAPE_LINE_MAX);
	if (needed > scraper->line_capacity) {
		size_t capacity = scraper->line_capacity > 0 ? scraper->line_capacity : 512;
		while (capacity < needed)
			capacity *= 2;
		char *line = realloc(scraper->line, capacity);
		if (line == NULL)
			return tuner_fail_memory(err);
		scraper->line = line;
		scraper->line_capacity = capacity;
	}
	memcpy(scraper->line + scraper->line_size, bytes, size);
	scraper->line_size = needed;
	return true;
}

/* Searches what is collected together with the `size` bytes that follow it, and then drops both and
 * `passed` bytes more. */
static bool finish_line(struct scraper *scraper, const char *bytes, size_t size, size_t passed,
	bool cut, const struct sink *sink, struct tuner_error *err)
{
	if (scraper->line_size > 0) {
		if (!collect(scraper, bytes, size, err))
			return false;
		bytes = scraper->line;
		size = scraper->line_size;
	}
	search_line(scraper, bytes, size, cut, sink);
	scraper->offset += (int64_t)(size + passed);
	scraper->line_size = 0;
	scraper->skipping = cut;
	return true;
}

/* Consumes the chunk up to the end of a line, to the line's cap, or entirely. */
static bool eat(struct scraper *scraper, struct chunk *chunk, const struct sink *sink,
	struct tuner_error *err)
{
	const char *const start = chunk->at, *const end = line_end(chunk);
	const size_t size = (size_t)(end - start), room = SCRAPE_LINE_MAX - scraper->line_size;
	const bool ended = end < chunk->end;

	chunk->at = ended ? end + 1 : end;
	if (scraper->skipping) {
		scraper->offset += chunk->at - start;
		scraper->skipping = !ended;
		return true;
	}
	if (size > room) {
		chunk->at = start + room;
		return finish_line(scraper, start, room, 0, true, sink, err);
	}
	if (ended)
		return finish_line(scraper, start, size, 1, false, sink, err);
	return collect(scraper, start, size, err);
}

bool scraper_feed(struct scraper *scraper, int64_t offset, const char *bytes, size_t size,
	found_fn *found, void *context, struct tuner_error *err)
{
	const int64_t expected = scraper->offset + (int64_t)scraper->line_size;
	const struct sink sink = { found, context };
	size_t known = 0;

	if (offset > expected) {
		scraper->missed += offset - scraper->offset;
		scraper->line_size = 0;
		scraper->skipping = true;
		scraper->offset = offset;
	} else if (expected - offset >= (int64_t)size) {
		return true;
	} else {
		known = (size_t)(expected - offset);
	}

	struct chunk chunk = { .at = bytes + known, .end = bytes + size };
	chunk.lf = find_end(chunk.at, chunk.end, '\n');
	chunk.cr = find_end(chunk.at, chunk.end, '\r');
	while (chunk.at < chunk.end)
		if (!eat(scraper, &chunk, &sink, err))
			return false;
	return true;
}

bool scraper_end(struct scraper *scraper, found_fn *found, void *context, struct tuner_error *err)
{
	const struct sink sink = { found, context };

	return finish_line(scraper, "", 0, 0, false, &sink, err);
}

/* ---- making one, its state ---- */

static bool name_rules(struct scraper *scraper, struct tuner_error *err)
{
	for (size_t i = 0; i < scraper->patterns->n; i++) {
		const char *name = scraper->patterns->rules[i].name;
		if (!name_index(scraper, name, &scraper->of_rule[i]))
			return tuner_fail(err, TUNER_USAGE,
				"the metric's name \"%s\" is not printable UTF-8", name);
	}
	return true;
}

/* A count in the state, or in its `names`. */
static bool read_count(const cJSON *node, uint64_t *ret)
{
	if (!cJSON_IsNumber(node) || !(node->valuedouble >= 0) || node->valuedouble > WHOLE_MAX)
		return false;
	*ret = (uint64_t)node->valuedouble;
	return true;
}

static bool read_names(struct scraper *scraper, const cJSON *names)
{
	const cJSON *node;
	uint64_t rows;
	size_t i;

	if (!cJSON_IsObject(names))
		return false;
	cJSON_ArrayForEach(node, names)
	{
		if (!read_count(node, &rows))
			return false;
		if (name_index(scraper, node->string, &i))
			scraper->names[i].rows = (int64_t)rows;
		else if (scraper->n_names < SCRAPE_NAMES_MAX)
			return false;
	}
	return true;
}

/* Patterns missing in the state begin at 0. */
static bool read_tally(struct scraper *scraper, const cJSON *list)
{
	const cJSON *node;
	size_t i = 0;

	if (!cJSON_IsArray(list))
		return false;
	cJSON_ArrayForEach(node, list)
	{
		struct metric_tally *tally = &scraper->tally[i];
		if (i++ == SCRAPE_PATTERNS_MAX || !cJSON_IsArray(node) ||
			!read_count(cJSON_GetArrayItem(node, 0), &tally->matches) ||
			!read_count(cJSON_GetArrayItem(node, 1), &tally->unread) ||
			!read_count(cJSON_GetArrayItem(node, 2), &tally->limited))
			return false;
	}
	return true;
}

static bool read_state(struct scraper *scraper, const char *state, struct tuner_error *err)
{
	cJSON *root = cJSON_Parse(state);
	uint64_t resumed = 0, missed = 0;
	const bool good = read_count(cJSON_GetObjectItemCaseSensitive(root, "resumed"), &resumed) &&
			  read_count(cJSON_GetObjectItemCaseSensitive(root, "malformed"),
				  &scraper->malformed) &&
			  cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(root, "skipping")) &&
			  read_names(scraper, cJSON_GetObjectItemCaseSensitive(root, "rows")) &&
			  read_tally(scraper, cJSON_GetObjectItemCaseSensitive(root, "patterns"));

	/* Earlier versions did not count missed bytes. */
	(void)!read_count(cJSON_GetObjectItemCaseSensitive(root, "missed"), &missed);
	scraper->resumed = (int64_t)resumed;
	scraper->missed = (int64_t)missed;
	scraper->skipping = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "skipping"));
	cJSON_Delete(root);
	if (!good)
		return tuner_fail(err, TUNER_FATAL,
			"the stored state of an attempt's output is damaged: %.80s", state);
	return true;
}

bool scraper_create(const struct metric_patterns *patterns, int64_t offset, const char *state,
	struct scraper **ret, struct tuner_error *err)
{
	struct scraper *scraper = calloc(1, sizeof(*scraper));

	if (scraper == NULL)
		return tuner_fail_memory(err);
	scraper->patterns = (struct metric_patterns *)patterns;
	scraper->offset = offset;
	if (!name_rules(scraper, err) || (state != NULL && !read_state(scraper, state, err))) {
		scraper_destroy(scraper);
		return false;
	}
	*ret = scraper;
	return true;
}

void scraper_destroy(struct scraper *scraper)
{
	if (scraper == NULL)
		return;
	for (size_t i = 0; i < scraper->n_names; i++)
		free(scraper->names[i].name);
	free(scraper->line);
	free(scraper);
}

int64_t scraper_offset(const struct scraper *scraper)
{
	return scraper->offset;
}

char *scraper_state(const struct scraper *scraper)
{
	struct text text = TEXT_EMPTY;

	text_print(&text, "{\"resumed\":%lld,\"skipping\":%s,\"malformed\":%llu,\"patterns\":[",
		(long long)scraper->resumed, scraper->skipping ? "true" : "false",
		(unsigned long long)scraper->malformed);
	for (size_t i = 0; i < scraper->patterns->n; i++) {
		const struct metric_tally *tally = &scraper->tally[i];
		text_print(&text, "%s[%llu,%llu,%llu]", i > 0 ? "," : "",
			(unsigned long long)tally->matches, (unsigned long long)tally->unread,
			(unsigned long long)tally->limited);
	}
	text_print(&text, "],\"missed\":%lld,\"rows\":{", (long long)scraper->missed);
	for (size_t i = 0; i < scraper->n_names; i++) {
		text_add(&text, i > 0 ? "," : "");
		text_add_json_string(&text, scraper->names[i].name);
		text_print(&text, ":%lld", (long long)scraper->names[i].rows);
	}
	text_add(&text, "}}");
	return text_take(&text);
}

uint64_t scraper_matches(const struct scraper *scraper, size_t i)
{
	return scraper->tally[i].matches;
}

uint64_t scraper_unread(const struct scraper *scraper, size_t i)
{
	return scraper->tally[i].unread;
}

uint64_t scraper_limited(const struct scraper *scraper, size_t i)
{
	return scraper->tally[i].limited;
}

int64_t scraper_missed(const struct scraper *scraper)
{
	return scraper->missed;
}

uint64_t scraper_malformed(const struct scraper *scraper)
{
	return scraper->malformed;
}
