/* Metrics are found by the same scraper as in a run. Pairs are searched separately, line by line,
 * without those whose number is a pattern's value. */
#include "tuner/log_check.h"

#include "base/number.h"
#include "scheduler/pattern.h"
#include "scheduler/terminal.h"
#include "tuner/objective.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LINE_MAX_BYTES = 4096, /* of a line are searched for pairs */
	NAMES_MAX = 200,
	NAME_BYTES = 80,
	TAKEN_MAX = 256, /* values of patterns in one line */
};

struct seen_metric {
	char *name;
	uint64_t n;
	double last;
};

/* "val_loss": 0.53 and val_loss=0.53 differ in what stands between name and number. */
struct seen_pair {
	char name[NAME_BYTES + 1];
	char between[12];
	char number[NUMBER_TEXT];
	uint64_t n;
};

struct log_check {
	const struct job_file *file;
	struct metric_patterns *patterns;
	struct scraper *scraper;
	struct pattern **values; /* per metric of the file; NULL: by @tuner lines */
	struct seen_metric metrics[NAMES_MAX];
	size_t n_metrics;
	struct seen_pair pairs[NAMES_MAX];
	size_t n_pairs;
	char line[LINE_MAX_BYTES];
	size_t length;
	int64_t offset;
	uint64_t lines;
	bool no_memory;
};

void log_check_destroy(struct log_check *check)
{
	if (check == NULL)
		return;
	for (size_t i = 0; check->values && i < check->file->n_metrics; i++)
		pattern_destroy(check->values[i]);
	for (size_t i = 0; i < check->n_metrics; i++)
		free(check->metrics[i].name);
	free(check->values);
	scraper_destroy(check->scraper);
	metric_patterns_destroy(check->patterns);
	free(check);
}

static bool create_values(struct log_check *check, struct tuner_error *err)
{
	const struct job_file *file = check->file;

	check->values = calloc(file->n_metrics + 1, sizeof(*check->values));
	if (check->values == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < file->n_metrics; i++)
		if (file->metrics[i].regex != NULL && !pattern_create(file->metrics[i].regex,
							      PATTERN_LINE, &check->values[i], err))
			return false;
	return true;
}

bool log_check_create(const struct job_file *file, struct log_check **ret, struct tuner_error *err)
{
	struct log_check *check = calloc(1, sizeof(*check));

	if (check == NULL)
		return tuner_fail_memory(err);
	check->file = file;
	if (!job_file_patterns(file, &check->patterns, err) ||
		!scraper_create(check->patterns, 0, NULL, &check->scraper, err) ||
		!create_values(check, err)) {
		log_check_destroy(check);
		return false;
	}
	*ret = check;
	return true;
}

/* ---- metrics ---- */

static void count_metric(void *context, const struct scraped *scraped)
{
	struct log_check *check = context;
	size_t i = 0;

	while (i < check->n_metrics && strcmp(check->metrics[i].name, scraped->name) != 0)
		i++;
	if (i == NAMES_MAX)
		return;
	if (i == check->n_metrics) {
		char *name = strdup(scraped->name);
		if (name == NULL) {
			check->no_memory = true;
			return;
		}
		check->metrics[check->n_metrics++] = (struct seen_metric){ .name = name };
	}
	check->metrics[i].n++;
	check->metrics[i].last = scraped->value;
}

static const struct seen_metric *find_metric(const struct log_check *check, const char *name)
{
	for (size_t i = 0; i < check->n_metrics; i++)
		if (strcmp(check->metrics[i].name, name) == 0)
			return &check->metrics[i];
	return NULL;
}

/* ---- pairs ---- */

/* Where the values of the file's own patterns begin in this line. */
struct taken {
	size_t at[TAKEN_MAX];
	size_t n;
};

/* As the scraper chooses it: the group named "value", else the first that is not the step. */
static bool value_start(const struct pattern *pattern, size_t *ret)
{
	const int named = pattern_group_number(pattern, "value");
	const unsigned step = (unsigned)pattern_group_number(pattern, "step");
	size_t end;

	if (named > 0)
		return pattern_group(pattern, (unsigned)named, ret, &end);
	for (unsigned i = 1; i <= pattern_groups(pattern); i++)
		if (i != step && pattern_group(pattern, i, ret, &end))
			return true;
	return false;
}

static void take_values(struct pattern *pattern, const char *line, size_t size, struct taken *taken)
{
	size_t from = 0, start, end;

	while (taken->n < TAKEN_MAX && pattern_search(pattern, line, size, from) == PATTERN_FOUND) {
		if (value_start(pattern, &start))
			taken->at[taken->n++] = start;
		if (!pattern_group(pattern, 0, &start, &end))
			return;
		from = end; /* a match is never empty */
	}
}

static bool is_taken(const struct taken *taken, size_t at)
{
	for (size_t i = 0; i < taken->n; i++)
		if (taken->at[i] == at)
			return true;
	return false;
}

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '/' || c == '-';
}

/* Length of the number that begins here; 0 if there is none, or if it is the beginning of something
 * else: a time (12:30), a version (1.2.3), a word (3rd). */
static size_t number_length(const char *text)
{
	size_t length = *text == '-' || *text == '+';

	if (strncmp(text + length, "nan", 3) == 0 || strncmp(text + length, "inf", 3) == 0)
		return isalnum((unsigned char)text[length + 3]) ? 0 : length + 3;
	if (!isdigit((unsigned char)text[length]))
		return 0;
	length += strspn(text + length, "0123456789");
	if (text[length] == '.')
		length += 1 + strspn(text + length + 1, "0123456789");
	if (text[length] == 'e' || text[length] == 'E') {
		const size_t sign = text[length + 1] == '-' || text[length + 1] == '+';
		const size_t digits = strspn(text + length + 1 + sign, "0123456789");
		length += digits ? 1 + sign + digits : 0;
	}
	if (isalpha((unsigned char)text[length]) || text[length] == '_')
		return 0;
	if ((text[length] == ':' || text[length] == '.' || text[length] == '/') &&
		isdigit((unsigned char)text[length + 1]))
		return 0;
	return length < NUMBER_TEXT ? length : 0;
}

/* Length of what separates a name and its number: '=' or ':', blanks, a closing quote before
 * them. */
static size_t between_length(const char *text)
{
	size_t length = *text == '"' || *text == '\'';

	length += strspn(text + length, " ");
	if (text[length] != '=' && text[length] != ':')
		return 0;
	length++;
	length += strspn(text + length, " ");
	return length < sizeof(((struct seen_pair *)NULL)->between) ? length : 0;
}

static void count_pair(struct log_check *check, const char *name, size_t n_name,
	const char *between, size_t n_between, const char *number, size_t n_number)
{
	struct seen_pair *pair;
	size_t i = 0;

	for (; i < check->n_pairs; i++) {
		pair = &check->pairs[i];
		if (strlen(pair->name) == n_name && strncmp(pair->name, name, n_name) == 0)
			break;
	}
	if (i == NAMES_MAX)
		return;
	pair = &check->pairs[i];
	if (i == check->n_pairs) {
		check->n_pairs++;
		snprintf(pair->name, sizeof(pair->name), "%.*s", (int)n_name, name);
		snprintf(pair->between, sizeof(pair->between), "%.*s", (int)n_between, between);
	}
	pair->n++;
	snprintf(pair->number, sizeof(pair->number), "%.*s", (int)n_number, number);
}

static void find_pairs(struct log_check *check, const char *line, const struct taken *taken)
{
	for (const char *c = line; *c;) {
		if (!isalpha((unsigned char)*c) && *c != '_') {
			c++;
			continue;
		}
		size_t n_name = 1;
		while (is_name_byte(c[n_name]))
			n_name++;
		const char *between = c + n_name;
		const size_t n_between = between_length(between);
		const char *number = between + n_between;
		const size_t n_number = n_between ? number_length(number) : 0;
		if (n_number && n_name <= NAME_BYTES && !is_taken(taken, (size_t)(number - line)))
			count_pair(check, c, n_name, between, n_between, number, n_number);
		c = n_number ? number + n_number : between;
	}
}

static void end_line(struct log_check *check)
{
	struct taken taken = { .n = 0 };

	if (check->length == 0)
		return;
	check->lines++;
	const size_t size = terminal_strip(check->line, check->length, check->line);
	check->line[size] = '\0';
	check->length = 0;
	if (strstr(check->line, "@tuner ") != NULL) /* its numbers are metrics already */
		return;
	for (size_t i = 0; i < check->file->n_metrics; i++)
		if (check->values[i] != NULL)
			take_values(check->values[i], check->line, size, &taken);
	find_pairs(check, check->line, &taken);
}

/* ---- feeding ---- */

static void feed_lines(struct log_check *check, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] == '\n' || bytes[i] == '\r')
			end_line(check);
		else if (check->length + 1 < LINE_MAX_BYTES)
			check->line[check->length++] = bytes[i] ? bytes[i] : ' ';
}

bool log_check_feed(
	struct log_check *check, const char *bytes, size_t size, struct tuner_error *err)
{
	if (!scraper_feed(check->scraper, check->offset, bytes, size, count_metric, check, err))
		return false;
	check->offset += (int64_t)size;
	feed_lines(check, bytes, size);
	return check->no_memory ? tuner_fail_memory(err) : true;
}

bool log_check_end(struct log_check *check, struct tuner_error *err)
{
	if (!scraper_end(check->scraper, count_metric, check, err))
		return false;
	end_line(check);
	return check->no_memory ? tuner_fail_memory(err) : true;
}

bool log_check_found_objective(const struct log_check *check)
{
	const struct job_objective *objective = &check->file->objective;

	for (size_t i = 0; i < objective->n; i++)
		if (find_metric(check, objective->metrics[i].name) == NULL)
			return false;
	return true;
}

/* ---- reporting ---- */

/* Whether another name ends with this one, so that "loss=" alone would match in "val_loss=". */
static bool is_end_of_another(const struct log_check *check, const struct seen_pair *pair)
{
	const size_t n = strlen(pair->name);

	for (size_t i = 0; i < check->n_pairs; i++) {
		const size_t other = strlen(check->pairs[i].name);
		if (other > n && strcmp(check->pairs[i].name + other - n, pair->name) == 0)
			return true;
	}
	return false;
}

/* A run of blanks may have another length in the next line. */
static void add_escaped(const char *literal, struct text *ret)
{
	for (; *literal; literal++)
		if (*literal == ' ')
			text_add(ret, literal[1] == ' ' ? "" : " *");
		else
			text_print(ret, strchr(".^$*+?()[]{}|\\/", *literal) ? "\\%c" : "%c",
				*literal);
}

static void add_pattern(
	const struct log_check *check, const struct seen_pair *pair, struct text *ret)
{
	text_add(ret, is_end_of_another(check, pair) ? "(?<![\\w./-])" : "");
	add_escaped(pair->name, ret);
	add_escaped(pair->between, ret);
	text_add(ret, "([-+]?(?:nan|inf)|[-+0-9.eE]+)");
}

/* {"name": "loss", "regex": "..."}, to be copied into "metrics". */
static void add_suggestion(
	const struct log_check *check, const struct seen_pair *pair, struct text *ret)
{
	struct text pattern = TEXT_EMPTY;

	add_pattern(check, pair, &pattern);
	text_add(ret, "{\"name\": ");
	text_add_json_string(ret, pair->name);
	text_add(ret, ", \"regex\": ");
	text_add_json_string(ret, pattern.bytes);
	text_add(ret, "}");
	ret->failed |= text_failed(&pattern);
	text_finish(&pattern);
}

static void report_metric(
	const struct log_check *check, const char *name, const char *how, struct text *ret)
{
	const struct seen_metric *seen = find_metric(check, name);

	if (seen == NULL)
		text_print(ret, "  %s: never found (%s)\n", name, how);
	else {
		text_print(ret, "  %s: found %llu time%s, the last value is ", name,
			(unsigned long long)seen->n, seen->n == 1 ? "" : "s");
		text_add_double(ret, seen->last);
		text_print(ret, " (%s)\n", how);
	}
}

void log_check_suggest(const struct log_check *check, struct text *ret)
{
	if (check->n_pairs > 0)
		text_add(ret, "other numbers with names, and patterns for \"metrics\":\n");
	for (size_t i = 0; i < check->n_pairs; i++) {
		const struct seen_pair *pair = &check->pairs[i];
		text_print(ret, "  %s: %llu time%s, as in %s%s%s\n    ", pair->name,
			(unsigned long long)pair->n, pair->n == 1 ? "" : "s", pair->name,
			pair->between, pair->number);
		add_suggestion(check, pair, ret);
		text_add(ret, "\n");
	}
}

void log_check_report(const struct log_check *check, struct text *ret)
{
	const struct job_file *file = check->file;
	const struct job_objective *objective = &file->objective;

	text_print(ret, "metrics in %llu line%s:\n", (unsigned long long)check->lines,
		check->lines == 1 ? "" : "s");
	for (size_t i = 0; i < file->n_metrics; i++)
		report_metric(check, file->metrics[i].name,
			file->metrics[i].regex ? file->metrics[i].regex : "@tuner lines", ret);
	for (size_t i = 0; i < check->n_metrics; i++)
		if (!job_file_lists_metric(check->file, check->metrics[i].name))
			report_metric(check, check->metrics[i].name, "@tuner lines", ret);
	for (size_t i = 0; i < objective->n; i++) {
		const char *metric = objective->metrics[i].name;
		if (find_metric(check, metric) != NULL)
			continue;
		if (i == 0 && objective->formula == NULL)
			text_print(ret, "The objective \"%s\"", metric);
		else
			text_print(
				ret, "The %s metric \"%s\"", objective_whose(objective, i), metric);
		text_add(ret, " is not among what was found.\n");
	}
	log_check_suggest(check, ret);
}

static void report_metric_json(
	const struct log_check *check, const char *name, bool *first, struct text *ret)
{
	const struct seen_metric *seen = find_metric(check, name);

	text_add(ret, *first ? "" : ", ");
	*first = false;
	text_add(ret, "{\"name\": ");
	text_add_json_string(ret, name);
	text_print(ret, ", \"found\": %llu, \"last\": ", (unsigned long long)(seen ? seen->n : 0));
	if (seen != NULL && isfinite(seen->last))
		text_add_json_double(ret, seen->last);
	else
		text_add(ret, "null");
	text_add(ret, "}");
}

void log_check_report_json(const struct log_check *check, struct text *ret)
{
	const struct job_file *file = check->file;
	bool first = true;

	text_print(ret, "{\"lines\": %llu, \"objective_found\": %s, \"metrics\": [",
		(unsigned long long)check->lines,
		log_check_found_objective(check) ? "true" : "false");
	for (size_t i = 0; i < file->n_metrics; i++)
		report_metric_json(check, file->metrics[i].name, &first, ret);
	for (size_t i = 0; i < check->n_metrics; i++)
		if (!job_file_lists_metric(check->file, check->metrics[i].name))
			report_metric_json(check, check->metrics[i].name, &first, ret);
	text_add(ret, "], \"others\": [");
	for (size_t i = 0; i < check->n_pairs; i++) {
		text_print(ret, "%s{\"found\": %llu, \"suggestion\": ", i ? ", " : "",
			(unsigned long long)check->pairs[i].n);
		add_suggestion(check, &check->pairs[i], ret);
		text_add(ret, "}");
	}
	text_add(ret, "]}");
}
