#include "tuner/ask_tell_line.h"

#include "base/json.h"
#include "base/number.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a line's JSON ---- */

/* The position after the string literal whose opening quote is at bytes[at]; `length` if it does
 * not end. */
static size_t string_end(const char *bytes, size_t length, size_t at)
{
	for (at++; at < length && bytes[at] != '"'; at++)
		if (bytes[at] == '\\')
			at++;
	return at < length ? at + 1 : length;
}

static size_t word_end(const char *bytes, size_t length, size_t at)
{
	while (at < length && (isalpha((unsigned char)bytes[at]) || bytes[at] == '-'))
		at++;
	return at;
}

static bool is_special(const char *bytes, size_t length)
{
	static const char *const words[] = { "NaN", "Infinity", "-Infinity" };
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == length && memcmp(words[i], bytes, length) == 0)
			return true;
	return false;
}

/* Quotes bare NaN and Infinity, as json.dumps of Python writes them. */
static void quote_specials(const char *bytes, size_t length, struct text *ret)
{
	for (size_t at = 0; at < length;) {
		const bool is_string = bytes[at] == '"';
		size_t end =
			is_string ? string_end(bytes, length, at) : word_end(bytes, length, at);
		if (end == at)
			end = at + 1;
		const bool quoted = !is_string && is_special(bytes + at, end - at);
		text_add(ret, quoted ? "\"" : "");
		text_add_bytes(ret, bytes + at, end - at);
		text_add(ret, quoted ? "\"" : "");
		at = end;
	}
}

static bool parse(
	const char *line, size_t length, struct json_document **ret, struct tuner_error *err)
{
	if (length > JSON_BYTES_MAX)
		return json_parse("line", line, length, ret, err); /* refuses it unread */
	struct text quoted = TEXT_EMPTY;
	quote_specials(line, length, &quoted);
	const bool ok = text_failed(&quoted)
				? tuner_fail_memory(err)
				: json_parse("line", quoted.bytes, quoted.length, ret, err);
	text_finish(&quoted);
	return ok;
}

/* ---- members ---- */

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool read_whole(const cJSON *object, const char *name, int64_t low, int64_t high,
	int64_t *ret, struct tuner_error *err)
{
	const cJSON *node = member(object, name);
	char found[64];
	if (!json_whole(node, low, high, ret))
		return tuner_fail(err, TUNER_USAGE,
			"\"%s\" is a whole number from %lld to %lld, not %s", name, (long long)low,
			(long long)high, json_describe(node, found));
	return true;
}

/* A number, null for NaN, or a string for what JSON lacks: infinities, NaN, and integers beyond
 * 2^53, which the reader refuses as bare numbers. */
static bool read_value(const cJSON *node, const char *name, double *ret, struct tuner_error *err)
{
	char found[64];
	if (cJSON_IsNumber(node))
		*ret = node->valuedouble;
	else if (cJSON_IsNull(node))
		*ret = NAN;
	else if (!cJSON_IsString(node) || !number_to_double(node->valuestring, ret) ||
		 fabs(*ret) < 0x1p53)
		return tuner_fail(err, TUNER_USAGE, "\"%.100s\" is a number, not %s", name,
			json_describe(node, found));
	else if (number_is_beyond(node->valuestring, *ret))
		return tuner_fail(err, TUNER_USAGE,
			"\"%.100s\" is a number below 1.8e308 in size, or \"inf\", not \"%.40s\"",
			name, node->valuestring);
	return true;
}

enum { STEP_MAX = 1 << 30 };

static bool read_metrics(const cJSON *object, struct told *ret, struct tuner_error *err)
{
	const cJSON *metrics = member(object, "metrics");
	char found[64];
	double value;

	if (metrics == NULL)
		return true;
	if (ret->kind != TOLD_VALUE)
		return tuner_fail(err, TUNER_USAGE,
			"\"metrics\" are told with the trial's \"value\" at its end");
	if (!cJSON_IsObject(metrics))
		return tuner_fail(err, TUNER_USAGE,
			"\"metrics\" is an object such as {\"latency_ms\": 11}, not %s",
			json_describe(metrics, found));
	for (const cJSON *item = metrics->child; item; item = item->next)
		if (!read_value(item, item->string, &value, err) ||
			!told_metrics_add(&ret->metrics, item->string, value, err))
			return false;
	return true;
}

/* Reads a trial's result. */
static bool read_told(const cJSON *object, struct told *ret, struct tuner_error *err)
{
	const cJSON *value = member(object, "value"), *failed = member(object, "failed");
	char found[64];
	if ((value != NULL) == (failed != NULL))
		return tuner_fail(err, TUNER_USAGE,
			"expected either \"value\": a number, or \"failed\": a reason");
	*ret = (struct told){ .kind = failed != NULL ? TOLD_FAILED : TOLD_VALUE };
	if (failed != NULL && !cJSON_IsString(failed))
		return tuner_fail(err, TUNER_USAGE, "\"failed\" is a reason, not %s",
			json_describe(failed, found));
	if (failed != NULL && member(object, "metrics") != NULL)
		return read_metrics(object, ret, err);
	if (failed != NULL && member(object, "step") != NULL)
		return tuner_fail(err, TUNER_USAGE, "a failure ends the trial: it has no \"step\"");
	if (failed != NULL)
		return told_outcome(failed->valuestring, &ret->outcome, err);
	if (member(object, "step") != NULL) {
		ret->kind = TOLD_STEP;
		if (!read_whole(object, "step", 0, STEP_MAX, &ret->step, err))
			return false;
	}
	return read_value(value, "value", &ret->value, err) && read_metrics(object, ret, err);
}

/* ---- answers ---- */

static void add_asked(const struct job_file *file, const struct asked *asked, struct text *ret)
{
	text_print(ret, "{\"trial\": %lld, \"parameters\": ", (long long)asked->number);
	configuration_json(file, asked->values, ret);
	text_add(ret, "}");
}

bool ask_tell_answer_ask(
	struct ask_tell *ask_tell, int64_t n, struct text *ret_answer, struct tuner_error *err)
{
	bool exhausted = false;
	text_add(ret_answer, "{\"trials\": [");
	for (int64_t i = 0; i < n && !exhausted; i++) {
		struct asked asked;
		struct tuner_error refused;
		if (!ask_tell_ask(ask_tell, &asked, &exhausted, &refused)) {
			/* Trials asked for so far must be answered: only the next question is
			 * refused. */
			if (i > 0 && refused.code == TUNER_USAGE)
				break;
			*err = refused;
			return false;
		}
		if (exhausted)
			break;
		text_add(ret_answer, i > 0 ? ", " : "");
		add_asked(ask_tell_file(ask_tell), &asked, ret_answer);
	}
	text_add(ret_answer, exhausted ? "], \"exhausted\": true}" : "]}");
	return !text_failed(ret_answer) || tuner_fail_memory(err);
}

void ask_tell_answer_told(const struct told_answer *answer, int64_t number, struct text *ret_answer)
{
	text_add(ret_answer, "{\"ok\": true");
	if (number > 0)
		text_print(ret_answer, ", \"trial\": %lld", (long long)number);
	if (answer->broken[0] != '\0') {
		text_add(ret_answer, ", \"over_limit\": ");
		text_add_json_string(ret_answer, answer->broken);
	}
	if (answer->stop) {
		text_add(ret_answer, ", \"stop\": true, \"reason\": ");
		text_add_json_string(ret_answer, answer->reason);
	}
	text_add(ret_answer, "}");
}

static bool answer_ask(struct ask_tell *ask_tell, const cJSON *object, struct text *ret_answer,
	struct tuner_error *err)
{
	int64_t n = 0;
	return read_whole(object, "ask", 1, ASK_MAX, &n, err) &&
	       ask_tell_answer_ask(ask_tell, n, ret_answer, err);
}

static bool answer_tell(struct ask_tell *ask_tell, const cJSON *object, struct text *ret_answer,
	struct tuner_error *err)
{
	struct told_answer answer;
	struct told told;
	int64_t number = 0;
	if (!read_whole(object, "tell", 1, INT32_MAX, &number, err) ||
		!read_told(object, &told, err) ||
		!ask_tell_tell(ask_tell, number, &told, &answer, err))
		return false;
	ask_tell_answer_told(&answer, 0, ret_answer);
	return true;
}

static bool answer_add(struct ask_tell *ask_tell, const cJSON *object, struct text *ret_answer,
	struct tuner_error *err)
{
	struct told_answer answer;
	struct told told;
	int64_t number;
	char *parameters = json_print(member(object, "add"), 0);
	if (parameters == NULL)
		return tuner_fail_memory(err);
	const bool ok = read_told(object, &told, err) &&
			ask_tell_add(ask_tell, parameters, &told, &number, &answer, err);
	free(parameters);
	if (ok)
		ask_tell_answer_told(&answer, number, ret_answer);
	return ok;
}

/* ---- verbs ---- */

enum { MEMBERS_MAX = 5 };

/* The requests of a line: the first member names the verb. */
static const struct verb {
	const char *members[MEMBERS_MAX + 1]; /* NULL-terminated */
	bool (*answer)(struct ask_tell *ask_tell, const cJSON *object, struct text *ret_answer,
		struct tuner_error *err);
} verbs[] = {
	{ { "ask" }, answer_ask },
	{ { "tell", "value", "failed", "step", "metrics" }, answer_tell },
	{ { "add", "value", "failed", "metrics" }, answer_add },
};

static bool check_members(const struct verb *verb, const cJSON *object, struct tuner_error *err)
{
	size_t n = 0;
	while (verb->members[n] != NULL)
		n++;
	for (const cJSON *child = object->child; child; child = child->next) {
		size_t i = 0;
		while (i < n && strcmp(verb->members[i], child->string) != 0)
			i++;
		if (i < n)
			continue;
		const char *nearest = nearest_word(child->string, verb->members, n);
		return tuner_fail(err, TUNER_USAGE, "\"%.100s\" is not known beside \"%s\"%s%s%s",
			child->string, verb->members[0], nearest ? "; did you mean \"" : "",
			nearest ? nearest : "", nearest ? "\"?" : "");
	}
	return true;
}

static bool answer_object(struct ask_tell *ask_tell, const cJSON *object, struct text *ret_answer,
	struct tuner_error *err)
{
	char found[64];
	if (!cJSON_IsObject(object))
		return tuner_fail(err, TUNER_USAGE,
			"expected an object such as {\"ask\": 1}, found %s",
			json_describe(object, found));
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (member(object, verbs[i].members[0]) != NULL)
			return check_members(&verbs[i], object, err) &&
			       verbs[i].answer(ask_tell, object, ret_answer, err);
	return tuner_fail(err, TUNER_USAGE,
		"a line is one of {\"ask\": N}, {\"tell\": TRIAL, ...} and {\"add\": {PARAMETERS}, "
		"...}");
}

bool ask_tell_answer(struct ask_tell *ask_tell, const char *line, size_t length,
	struct text *ret_answer, struct tuner_error *err)
{
	struct tuner_error refused = { TUNER_OK, "" };
	struct json_document *document = NULL;
	const bool ok = parse(line, length, &document, &refused) &&
			answer_object(ask_tell, json_root(document), ret_answer, &refused);
	json_destroy(document);
	if (!ok && refused.code != TUNER_USAGE) {
		*err = refused;
		return false;
	}
	if (!ok) {
		text_clear(ret_answer);
		text_add(ret_answer, "{\"error\": ");
		text_add_json_string(ret_answer, refused.message);
		text_add(ret_answer, "}");
	}
	return !text_failed(ret_answer) || tuner_fail_memory(err);
}
