/* tuner ask: the next configurations, for callers that evaluate them without `tuner run`. */
#include "tuner/command.h"

#include "tuner/ask_job.h"
#include "tuner/ask_tell_line.h"
#include "tuner/shell_words.h"

#include <stdlib.h>

static void add_argument(
	enum argument_style style, const struct argument *argument, struct text *ret)
{
	struct text word = TEXT_EMPTY;
	const bool dashes = style == ARGUMENTS_SPACE || style == ARGUMENTS_EQUALS;
	text_print(&word, "%s%s", dashes ? "--" : "", argument->name);
	if (style != ARGUMENTS_SPACE)
		text_print(&word, "=%s", argument->text);
	text_add_char(ret, ' ');
	text_add_shell_word(ret, word.bytes);
	if (style == ARGUMENTS_SPACE) {
		text_add_char(ret, ' ');
		text_add_shell_word(ret, argument->text);
	}
	text_finish(&word);
}

/* Appends "7 --lr 0.1 --batch-size 32": the trial's number, and the arguments that its command
 * would get. */
static bool add_line(const struct job_file *file, const struct asked *asked, struct text *ret,
	struct tuner_error *err)
{
	const size_t n = file->space.d + file->n_fixed;
	struct argument *arguments = configuration_arguments(file, asked->values);
	if (arguments == NULL)
		return tuner_fail_memory(err);
	text_print(ret, "%lld", (long long)asked->number);
	for (size_t i = 0; i < n; i++)
		if (arguments[i].text != NULL) /* otherwise inactive in this trial */
			add_argument(file->style, &arguments[i], ret);
	text_add_char(ret, '\n');
	arguments_free(arguments, n);
	return true;
}

static bool ask_lines(struct ask_job *job, int64_t n, struct text *ret, struct tuner_error *err)
{
	for (int64_t i = 0; i < n; i++) {
		struct asked asked;
		bool exhausted;
		if (!ask_tell_ask(job->ask_tell, &asked, &exhausted, err))
			return false;
		if (exhausted && i == 0)
			return tuner_fail(err, TUNER_USAGE,
				"every configuration of the space has been tried, or is pending");
		if (exhausted)
			break;
		if (!add_line(job->file, &asked, ret, err))
			return false;
	}
	return true;
}

int cmd_ask(const struct invocation *call, struct tuner_error *err)
{
	struct ask_job job = { 0 };
	struct text out = TEXT_EMPTY;
	int64_t n;
	bool ok = invocation_integer(call, "count", 1, ASK_MAX, 1, &n, err) &&
		  ask_job_open(call, &job, err) && ask_tell_serve(job.ask_tell, err);
	if (ok && call->json) {
		ok = ask_tell_answer_ask(job.ask_tell, n, &out, err);
		text_add_char(&out, '\n');
	} else if (ok) {
		ok = ask_lines(&job, n, &out, err);
	}
	/* Lets other processes continue: what was asked for is committed. */
	ask_job_close(&job);
	if (text_failed(&out))
		ok = tuner_fail_memory(err);
	if (ok)
		fputs(out.bytes, stdout);
	text_finish(&out);
	return ok ? EXIT_DONE : -1;
}
