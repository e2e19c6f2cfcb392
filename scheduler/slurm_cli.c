/* Slurm through the user's own sbatch, squeue and scancel: what works at a prompt works here,
 * without further configuration. */
#include "scheduler/slurm_transport.h"

#include "base/number.h"
#include "scheduler/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* sbatch and squeue give up on a controller that is down after some 10 s by themselves. */
static const int64_t LIMIT_US = 60000000;
/* Each squeue makes the controller list everything again. */
static const int64_t POLL_US = 2000000;

enum { OPTIONS_MAX = 32 };

struct cli {
	struct slurm_transport transport;
	const struct slurm_settings *settings;
	struct slurm_request request;
	struct capture capture;
	bool busy;
	struct slurm_job *jobs;
};

static struct cli *cli_of(struct slurm_transport *transport)
{
	return (struct cli *)transport;
}

/* ---- sending ---- */

/* An argument vector and the room for its words. */
struct options {
	char *words[OPTIONS_MAX];
	struct text bytes[OPTIONS_MAX];
	size_t n;
};

static void add(struct options *options, const char *format, ...) TUNER_PRINTF(2, 3);

static void add(struct options *options, const char *format, ...)
{
	va_list args;

	tuner_assert(options->n + 1 < OPTIONS_MAX);
	va_start(args, format);
	options->bytes[options->n] = TEXT_EMPTY;
	text_print_v(&options->bytes[options->n], format, args);
	va_end(args);
	options->words[options->n] = (char *)options->bytes[options->n].bytes;
	options->n++;
}

static bool options_failed(const struct options *options)
{
	for (size_t i = 0; i < options->n; i++)
		if (text_failed(&options->bytes[i]))
			return true;
	return false;
}

static void options_finish(struct options *options)
{
	for (size_t i = 0; i < options->n; i++)
		text_finish(&options->bytes[i]);
}

static void add_given(struct options *options, const char *name, const char *value)
{
	if (value != NULL)
		add(options, "--%s=%s", name, value);
}

/* Slurm counts whole minutes, and truncates. */
static long long minutes(int64_t us)
{
	return (long long)((us + 59999999) / 60000000);
}

/* The job gets sbatch's whole environment, which is cut down to what any remote command gets: after a list
 * in --export the node would run a login shell for the rest, and take a second for that. */
static void submit_options(const struct slurm_settings *settings,
	const struct slurm_request *request, struct options *ret)
{
	add(ret, "sbatch");
	add(ret, "--parsable");
	add(ret, "--no-requeue");
	add(ret, "--export=ALL");
	add(ret, "--job-name=%s", request->name);
	add(ret, "--chdir=%s", request->directory);
	add(ret, "--output=%s", request->log);
	add(ret, "--open-mode=append");
	add(ret, "--ntasks=1");
	if (settings->cores > 0)
		add(ret, "--cpus-per-task=%u", settings->cores);
	add_given(ret, "partition", settings->partition);
	add_given(ret, "gres", settings->gres);
	add_given(ret, "account", settings->account);
	add_given(ret, "qos", settings->qos);
	add_given(ret, "constraint", settings->constraint);
	if (settings->time_limit_us > 0)
		add(ret, "--time=%lld", minutes(settings->time_limit_us));
	if (settings->memory_bytes > 0)
		add(ret, "--mem=%lldK", (long long)(settings->memory_bytes / 1024));
	add(ret, "%s", request->script_path);
}

#define LIST_FORMAT "JobID:20,State:20,RestartCnt:12,Reason:60,NodeList:60,Name:255"
static const int list_widths[] = { 20, 20, 12, 60, 60, 255 };

static void request_options(
	const struct cli *cli, const struct slurm_request *request, struct options *ret)
{
	switch (request->kind) {
	case SLURM_SUBMIT:
		submit_options(cli->settings, request, ret);
		break;
	case SLURM_LIST:
		add(ret, "squeue");
		if (cli->settings->user != NULL)
			add(ret, "--user=%s", cli->settings->user);
		else
			add(ret, "--me");
		add(ret, "--states=all");
		add(ret, "--noheader");
		add(ret, "--Format=" LIST_FORMAT);
		break;
	case SLURM_CANCEL:
		add(ret, "scancel");
		if (request->kill) {
			add(ret, "--signal=KILL");
			add(ret, "--full");
		}
		add(ret, "%lld", (long long)request->job);
		break;
	}
}

static bool cli_send(struct slurm_transport *transport, const struct slurm_request *request,
	struct tuner_error *err)
{
	struct cli *cli = cli_of(transport);
	struct options options = { .n = 0 };
	char **environment = slurm_environment(true);

	tuner_assert(!cli->busy);
	request_options(cli, request, &options);
	const bool ok =
		environment == NULL || options_failed(&options)
			? tuner_fail_memory(err)
			: capture_start(&cli->capture, options.words, environment, LIMIT_US, err);
	options_finish(&options);
	free(environment);
	cli->request = *request;
	cli->busy = ok;
	return ok;
}

/* ---- what came back ---- */

/* "sbatch: error: Batch job submission failed: Invalid partition name specified". */
static enum slurm_result judge_complaint(const struct capture *capture)
{
	static const char *const nothing_happened[] = { "Unable to contact slurm controller",
		"connect failure", "Connection refused", "Unable to establish con" };
	static const char *const refusals[] = { "submission failed:", "Invalid", "invalid",
		"not permitted", "denied", "unrecognized", "Unable to open file" };
	static const char *const unclear[] = { "timed out", "Zero Bytes", "Socket", "Unspecified",
		"Transport", "Communication", "Unexpected message" };
	const char *text = capture->err.bytes;

	if (capture->timed_out || capture->overflowed)
		return SLURM_UNCLEAR;
	for (size_t i = 0; i < sizeof(nothing_happened) / sizeof(*nothing_happened); i++)
		if (strstr(text, nothing_happened[i]) != NULL)
			return SLURM_UNREACHABLE;
	for (size_t i = 0; i < sizeof(unclear) / sizeof(*unclear); i++)
		if (strstr(text, unclear[i]) != NULL)
			return SLURM_UNCLEAR;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (strstr(text, refusals[i]) != NULL)
			return SLURM_REFUSED;
	return SLURM_UNCLEAR;
}

/* "17", or "17;cluster". */
static void take_submitted(const struct capture *capture, struct slurm_reply *ret)
{
	char *end = NULL;
	const long long job = strtoll(capture->out.bytes, &end, 10);

	if (job > 0 && (*end == '\n' || *end == ';' || *end == '\0')) {
		ret->job = job;
		return;
	}
	ret->result = SLURM_UNCLEAR;
	snprintf(ret->message, sizeof(ret->message),
		"sbatch: expected the number of a job, found \"%.100s\"", capture->out.bytes);
}

/* A column of fixed width, without trailing blanks. False: the line is too short. */
static bool take_column(const char **at, const char *end, int width, char *ret, size_t size)
{
	size_t n = (size_t)width;

	if (*at >= end)
		return false;
	if (n > (size_t)(end - *at))
		n = (size_t)(end - *at);
	const char *from = *at;
	*at += n;
	while (n > 0 && from[n - 1] == ' ')
		n--;
	snprintf(ret, size, "%.*s", (int)n, from);
	return true;
}

static bool take_job(const char *line, const char *end, struct slurm_job *ret)
{
	char id[24], state[24], restarts[16];
	int64_t number;

	*ret = (struct slurm_job){ 0 };
	if (!take_column(&line, end, list_widths[0], id, sizeof(id)) ||
		!take_column(&line, end, list_widths[1], state, sizeof(state)) ||
		!take_column(&line, end, list_widths[2], restarts, sizeof(restarts)) ||
		!take_column(&line, end, list_widths[3], ret->reason, sizeof(ret->reason)) ||
		!take_column(&line, end, list_widths[4], ret->nodes, sizeof(ret->nodes)) ||
		!take_column(&line, end, list_widths[5], ret->name, sizeof(ret->name)))
		return false;
	if (!number_to_int64(id, &ret->id)) /* a task of an array is not ours */
		return false;
	if (number_to_int64(restarts, &number))
		ret->restarts = number;
	ret->state = slurm_state_named(state);
	return true;
}

static bool take_list(struct cli *cli, struct slurm_reply *ret, struct tuner_error *err)
{
	const char *bytes = cli->capture.out.bytes, *end = bytes + cli->capture.out.length;
	size_t lines = 1;

	for (const char *c = bytes; c < end; c++)
		lines += *c == '\n';
	cli->jobs = calloc(lines, sizeof(*cli->jobs));
	if (cli->jobs == NULL)
		return tuner_fail_memory(err);
	for (const char *line = bytes; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		if (stop == NULL)
			stop = end;
		if (take_job(line, stop, &cli->jobs[ret->n_jobs]))
			ret->n_jobs++;
		line = stop + 1;
	}
	ret->jobs = cli->jobs;
	return true;
}

static bool cli_receive(struct slurm_transport *transport, struct slurm_reply *ret, bool *ret_got,
	struct tuner_error *err)
{
	struct cli *cli = cli_of(transport);
	char complaint[200];
	bool ok = true;

	*ret_got = cli->busy && capture_next(&cli->capture);
	if (!*ret_got)
		return true;
	free(cli->jobs);
	cli->jobs = NULL;
	*ret = (struct slurm_reply){ .kind = cli->request.kind };
	if (!capture_succeeded(&cli->capture)) {
		ret->result = judge_complaint(&cli->capture);
		capture_complaint(&cli->capture, complaint);
		snprintf(ret->message, sizeof(ret->message), "%s", complaint);
	} else if (ret->kind == SLURM_SUBMIT) {
		take_submitted(&cli->capture, ret);
	} else if (ret->kind == SLURM_LIST) {
		ok = take_list(cli, ret, err);
	}
	capture_finish(&cli->capture, false);
	cli->busy = false;
	return ok;
}

static size_t cli_descriptors(
	struct slurm_transport *transport, struct pollfd *ret_fds, size_t size)
{
	const struct cli *cli = cli_of(transport);
	struct pollfd fds[CAPTURE_DESCRIPTORS];
	size_t n = cli->busy ? capture_descriptors(&cli->capture, fds) : 0;

	if (n > size)
		n = size;
	if (n > 0)
		memcpy(ret_fds, fds, n * sizeof(*fds));
	return n;
}

static int cli_wait_ms(struct slurm_transport *transport)
{
	const struct cli *cli = cli_of(transport);
	return cli->busy ? capture_wait_ms(&cli->capture) : -1;
}

static void cli_close(struct slurm_transport *transport)
{
	struct cli *cli = cli_of(transport);

	/* An sbatch in progress is left running: the next run finds its job by name. */
	if (cli->busy)
		capture_finish(&cli->capture, cli->request.kind != SLURM_LIST);
	free(cli->jobs);
	free(cli);
}

static const struct slurm_transport_ops cli_ops = {
	.send = cli_send,
	.descriptors = cli_descriptors,
	.wait_ms = cli_wait_ms,
	.receive = cli_receive,
	.close = cli_close,
};

bool slurm_cli_open(const struct slurm_settings *settings, struct slurm_transport **ret,
	struct tuner_error *err)
{
	struct cli *cli = calloc(1, sizeof(*cli));
	if (cli == NULL)
		return tuner_fail_memory(err);
	cli->transport = (struct slurm_transport){ .ops = &cli_ops, .poll_us = POLL_US };
	cli->settings = settings;
	*ret = &cli->transport;
	return true;
}
