/* A job file from a command line that somebody runs by hand. */
#include "tuner/init_range.h"
#include "tuner/init_write.h"

#include "base/number.h"
#include "surrogate/space.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum style { STYLE_SPACE, STYLE_EQUALS, STYLE_BARE, STYLE_SHORT };

/* A word, or two, of the command with a number that will be varied. */
struct option {
	char *name;
	const char *value; /* points into the word */
	char *range; /* JSON */
	enum style style;
	size_t first, last; /* words */
};

struct options {
	struct option *items;
	size_t n;
	char *const *command;
	size_t n_words;
};

static void options_finish(struct options *options)
{
	for (size_t i = 0; i < options->n; i++) {
		free(options->items[i].name);
		free(options->items[i].range);
	}
	free(options->items);
}

/* ---- finding them ---- */

static bool ends_with(const char *word, const char *ending)
{
	const size_t length = strlen(word), n = strlen(ending);

	return length > n && strcmp(word + length - n, ending) == 0;
}

/* Options before the script belong to its launcher: torchrun --nproc_per_node 2 train.py. */
static size_t find_script(char *const *command)
{
	static const char *const endings[] = { ".py", ".sh", ".R", ".r", ".jl", ".pl", ".js" };

	for (size_t i = 0; command[i]; i++) {
		for (size_t k = 0; k < sizeof(endings) / sizeof(*endings); k++)
			if (ends_with(command[i], endings[k]))
				return i;
		if (strcmp(command[i], "-m") == 0 && command[i + 1])
			return i + 1;
	}
	return 0;
}

static bool starts_number(const char *word)
{
	word += *word == '-' || *word == '+';
	return isdigit((unsigned char)word[0]) ||
	       (word[0] == '.' && isdigit((unsigned char)word[1]));
}

static bool is_name(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && strchr("_-.", name[i]) == NULL)
			return false;
	return length > 0 && length <= PARAMETER_NAME_MAX &&
	       (isalpha((unsigned char)name[0]) || name[0] == '_');
}

/* If two numbers follow an option (--betas 0.9 0.999), neither is a parameter by itself. */
static bool is_one_number(char *const *words)
{
	return words[0] != NULL && starts_number(words[0]) &&
	       (words[1] == NULL || !starts_number(words[1]));
}

/* Splits word i (and the next) into name, value and style; false if it is not an option with a
 * value. */
static bool split_option(const struct options *options, size_t i, const char **ret_name,
	size_t *ret_length, struct option *ret)
{
	const char *word = options->command[i];
	const size_t dashes = strspn(word, "-");
	const char *name = word + dashes, *equals = strchr(name, '=');

	if (dashes > 2 || starts_number(word))
		return false;
	*ret = (struct option){ .first = i, .last = i };
	*ret_name = name;
	*ret_length = equals ? (size_t)(equals - name) : strlen(name);
	if (equals != NULL) {
		ret->value = equals + 1;
		ret->style = dashes == 2 ? STYLE_EQUALS : dashes == 0 ? STYLE_BARE : STYLE_SHORT;
	} else if (dashes > 0 && is_one_number(options->command + i + 1)) {
		ret->value = options->command[i + 1];
		ret->last = i + 1;
		ret->style = dashes == 2 ? STYLE_SPACE : STYLE_SHORT;
	}
	return ret->value != NULL && is_name(*ret_name, *ret_length);
}

/* Of a repeated option the last one is varied: for most scripts it is the one that counts, and when
 * appended it comes after the others. */
static void forget_earlier(struct options *options, const char *name)
{
	for (size_t i = 0; i < options->n; i++) {
		if (strcmp(options->items[i].name, name) != 0)
			continue;
		free(options->items[i].name);
		free(options->items[i].range);
		options->n--;
		memmove(options->items + i, options->items + i + 1,
			(options->n - i) * sizeof(*options->items));
		return;
	}
}

/* A found option is added if its number is one to vary. */
static bool add_option(
	struct options *options, const struct option *option, char *name, struct tuner_error *err)
{
	struct text range = TEXT_EMPTY;

	if (name == NULL)
		return tuner_fail_memory(err);
	forget_earlier(options, name);
	struct option *item = &options->items[options->n];
	if (options->n == SPACE_PARAMETERS_MAX || !init_range(name, option->value, &range)) {
		free(name);
		return true;
	}
	*item = *option;
	item->name = name;
	item->range = text_take(&range);
	options->n++;
	return item->range ? true : tuner_fail_memory(err);
}

static bool find_options(char *const *command, struct options *ret, struct tuner_error *err)
{
	struct option option;
	const char *name;
	size_t length;

	*ret = (struct options){ .command = command };
	while (command[ret->n_words])
		ret->n_words++;
	ret->items = calloc(ret->n_words + 1, sizeof(*ret->items));
	if (ret->items == NULL)
		return tuner_fail_memory(err);
	for (size_t i = find_script(command) + 1; i < ret->n_words; i++) {
		if (!split_option(ret, i, &name, &length, &option))
			continue;
		if (!add_option(ret, &option, strndup(name, length), err))
			return false;
		i = option.last;
	}
	return true;
}

/* ---- writing ---- */

/* If all are written in one style, they are removed from the command and appended in every trial;
 * otherwise placeholders replace the numbers. */
static bool may_append(const struct options *options)
{
	for (size_t i = 0; i < options->n; i++)
		if (options->items[i].style != options->items[0].style ||
			options->items[i].style == STYLE_SHORT)
			return false;
	for (size_t i = 0; i < options->n_words; i++)
		if (strcmp(options->command[i], "--") == 0)
			return false;
	return true;
}

static void add_word(const struct text *word, bool *first, struct text *ret)
{
	text_add(ret, *first ? "" : ", ");
	text_add_json_bytes(ret, word->bytes, word->length);
	*first = false;
}

static const struct option *option_at(const struct options *options, size_t i)
{
	for (size_t k = 0; k < options->n; k++)
		if (options->items[k].first <= i && i <= options->items[k].last)
			return &options->items[k];
	return NULL;
}

static void add_command(const struct options *options, bool append, struct text *ret)
{
	struct text word = TEXT_EMPTY;
	bool first = true;

	text_add(ret, "[");
	for (size_t i = 0; i < options->n_words; i++) {
		const struct option *option = option_at(options, i);
		const char *text = options->command[i];
		if (option && append)
			continue;
		text_clear(&word);
		if (option && i == option->last) { /* up to the number, which is its end */
			init_literal(text, strlen(text) - strlen(option->value), &word);
			text_print(&word, "{%s}", option->name);
		} else {
			init_literal(text, strlen(text), &word);
		}
		add_word(&word, &first, ret);
	}
	text_add(ret, "]");
	ret->failed |= text_failed(&word);
	text_finish(&word);
}

static void add_parameters(const struct options *options, struct text *ret)
{
	text_add(ret, "  // The ranges are guesses around the numbers of your command: set them to "
		      "what may be\n  // worth a try. \"prior\": [LOW, HIGH] in one of them says "
		      "where you expect the best.\n  \"parameters\": {\n");
	for (size_t i = 0; i < options->n; i++)
		text_print(ret, "    \"%s\": %s%s\n", options->items[i].name,
			options->items[i].range, i + 1 < options->n ? "," : "");
	text_add(ret, "  },\n");
}

static void add_first(const struct options *options, struct text *ret)
{
	text_add(ret, "  // Your own values, as trial 1.\n  \"first\": [{");
	for (size_t i = 0; i < options->n; i++) {
		double value = 0;
		number_to_double(options->items[i].value, &value);
		text_print(ret, "%s\"%s\": ", i ? ", " : "", options->items[i].name);
		text_add_json_double(ret, value);
	}
	text_add(ret, "}],\n");
}

static void add_arguments(const struct options *options, struct text *ret)
{
	if (options->items[0].style == STYLE_EQUALS)
		text_add(ret, ",\n  \"arguments\": \"--{name}={value}\"");
	if (options->items[0].style == STYLE_BARE)
		text_add(ret, ",\n  \"arguments\": \"{name}={value}\"");
}

static void write_file(const char *name, const struct options *options, struct text *ret)
{
	const bool append = may_append(options);

	text_add(ret, "{\n  \"name\": ");
	text_add_json_string(ret, name);
	text_add(ret,
		",\n  // The script reports it by lines such as   @tuner {\"step\": 3, \"loss\": "
		"0.71}\n  // or in its own words, which a pattern finds:\n"
		"  // \"metrics\": [{\"name\": \"loss\", \"regex\": \"loss=([0-9.]+)\"}],\n"
		"  // What a result must keep, too, is in it as \"limits\": [\"latency_ms <= "
		"20\"].\n"
		"  // A second objective is in it as \"also\": [{\"minimize\": \"latency_ms\"}].\n"
		"  \"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"},\n");
	add_parameters(options, ret);
	add_first(options, ret);
	text_add(ret, "  \"budget\": {\"trials\": 30},\n  \"command\": ");
	add_command(options, append, ret);
	if (append)
		add_arguments(options, ret);
	text_add(ret, "\n}\n");
}

static void add_notes(const struct options *options, struct text *ret_notes)
{
	for (size_t i = 0; i < options->n; i++)
		text_print(ret_notes, "%s: %s, around %s\n", options->items[i].name,
			options->items[i].range, options->items[i].value);
	text_add(ret_notes, "The objective is a guess: set the metric your script reports, and "
			    "which way is better.\n");
}

bool init_from_command(const struct init_request *request, struct text *ret_file,
	struct text *ret_notes, struct tuner_error *err)
{
	struct options options = { 0 };
	bool ok = find_options(request->command, &options, err);

	if (ok && options.n == 0) {
		init_template(request->name, request->command, ret_file);
		text_add(ret_notes, "No number to vary was found after the script: the parameters "
				    "are examples.\n");
	} else if (ok) {
		write_file(request->name, &options, ret_file);
		add_notes(&options, ret_notes);
	}
	options_finish(&options);
	return ok;
}
