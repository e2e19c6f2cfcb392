/* slurmrestd's words in both shapes: v0.0.38 as a server of Slurm 22.05 says them, v0.0.40 and later after the
 * published description of that interface. */
#include "scheduler/slurm_rest.h"

#include "base/file.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static struct slurm_reply parse(enum slurm_request_kind kind, long status, const char *body,
	int64_t took_us, bool *ret_token)
{
	struct slurm_reply reply = { .kind = kind };
	const struct slurm_rest_answer answer = {
		.status = status, .took_us = took_us, .body = body, .size = strlen(body)
	};

	assert_true(slurm_rest_parse(&answer, &reply, ret_token));
	return reply;
}

static void assert_job(const struct slurm_job *job, int64_t id, enum slurm_state state,
	int64_t restarts, const char *name)
{
	assert_int_equal(job->id, id);
	assert_int_equal(job->state, state);
	assert_int_equal(job->restarts, restarts);
	assert_string_equal(job->name, name);
}

static void jobs_of_the_older_shape(void **state)
{
	bool token;
	(void)state;
	struct slurm_reply reply = parse(SLURM_LIST, 200,
		"{\"meta\":{},\"errors\":[],\"jobs\":["
		"{\"job_id\":4,\"job_state\":\"RUNNING\",\"state_reason\":\"None\",\"name\":\"a\","
		"\"nodes\":\"n1\",\"restart_cnt\":0,\"submit_time\":1795411255,\"time_limit\":null}"
		","
		"{\"job_id\":5,\"job_state\":\"PENDING\",\"state_reason\":\"BeginTime\",\"name\":"
		"\"b\","
		"\"nodes\":\"\",\"restart_cnt\":1,\"submit_time\":1795411256},"
		"{\"job_id\":6,\"job_state\":\"NODE_FAIL\",\"name\":\"c\",\"nodes\":null},"
		"{\"job_id\":7,\"job_state\":\"SOMETHING_NEW\"}]}",
		1000, &token);

	assert_int_equal(reply.result, SLURM_OK);
	assert_int_equal(reply.n_jobs, 4);
	assert_job(&reply.jobs[0], 4, SLURM_RUNNING, 0, "a");
	assert_string_equal(reply.jobs[0].nodes, "n1");
	assert_int_equal(reply.jobs[0].submitted_s, 1795411255);
	assert_job(&reply.jobs[1], 5, SLURM_PENDING, 1, "b");
	assert_string_equal(reply.jobs[1].reason, "BeginTime");
	assert_job(&reply.jobs[2], 6, SLURM_NODE_FAIL, 0, "c");
	assert_job(&reply.jobs[3], 7, SLURM_UNKNOWN, 0, "");
	free(reply.jobs);
}

#define NUMBER(n) "{\"set\":true,\"infinite\":false,\"number\":" #n "}"

static void jobs_of_the_newer_shape(void **state)
{
	bool token;
	(void)state;
	struct
		slurm_reply
			reply =
				parse(SLURM_LIST, 200,
					"{\"jobs\":["
					"{\"job_id\":104,\"job_state\":[\"RUNNING\"],\"state_"
					"reason\":\"None\",\"name\":\"a\","
					"\"nodes\":\"n1\",\"restart_cnt\":0,\"submit_"
					"time\":" NUMBER(
						1795411255) ","
							    "\"time_limit\":{\"set\":false,"
							    "\"infinite\":true,\"number\":0},"
							    "\"exit_code\":{\"status\":["
							    "\"SUCCESS\"],\"return_code\":" NUMBER(
								    0) ","
								       "\"signal\":{\"id\":{"
								       "\"set\":false,\"infinite\":"
								       "false,\"number\":0},"
								       "\"name\":\"\"}}},"
								       "{\"job_id\":105,\"job_"
								       "state\":[\"CANCELLED\","
								       "\"COMPLETING\"],\"name\":"
								       "\"b\"},"
								       "{\"job_id\":106,\"job_"
								       "state\":[\"PENDING\","
								       "\"REQUEUED\"],\"name\":"
								       "\"c\","
								       "\"restart_cnt\":1},"
								       "{\"job_id\":107,\"job_"
								       "state\":[\"OUT_OF_MEMORY\"]"
								       ",\"name\":\"d\","
								       "\"submit_time\":{\"set\":"
								       "false,\"infinite\":false,"
								       "\"number\":0}}],"
								       "\"last_backfill\":" NUMBER(0) ",\"last_update\":" NUMBER(
									       1795411260) ","
											   "\"meta"
											   "\":{"
											   "\"slurm"
											   "\":{"
											   "\"versi"
											   "on\":{"
											   "\"major"
											   "\":"
											   "\"23\","
											   "\"micro"
											   "\":"
											   "\"0\","
											   "\"minor"
											   "\":"
											   "\"11\"}"
											   ","
											   "\"relea"
											   "se\":"
											   "\"23."
											   "11.0\"}"
											   "},"
											   "\"error"
											   "s\":[],"
											   "\"warni"
											   "ngs\":["
											   "]}",
					1000, &token);

	assert_int_equal(reply.result, SLURM_OK);
	assert_int_equal(reply.n_jobs, 4);
	assert_job(&reply.jobs[0], 104, SLURM_RUNNING, 0, "a");
	assert_int_equal(reply.jobs[0].submitted_s, 1795411255);
	assert_job(&reply.jobs[1], 105, SLURM_COMPLETING, 0, "b");
	assert_job(&reply.jobs[2], 106, SLURM_REQUEUED, 1, "c");
	assert_job(&reply.jobs[3], 107, SLURM_OUT_OF_MEMORY, 0, "d");
	assert_int_equal(reply.jobs[3].submitted_s, 0);
	free(reply.jobs);
}

static void nothing_new_is_an_empty_reply(void **state)
{
	bool token;
	(void)state;
	const struct slurm_reply reply = parse(SLURM_LIST, 304, "", 1000, &token);
	assert_int_equal(reply.result, SLURM_OK);
	assert_true(reply.unchanged);
}

static void submits_of_both_shapes(void **state)
{
	bool token;
	(void)state;
	struct slurm_reply reply = parse(SLURM_SUBMIT, 200,
		"{\"meta\":{},\"errors\":[],\"job_id\":3,\"step_id\":\"BATCH\","
		"\"job_submit_user_msg\":\"\"}",
		1000, &token);
	assert_int_equal(reply.result, SLURM_OK);
	assert_int_equal(reply.job, 3);
	reply = parse(SLURM_SUBMIT, 200,
		"{\"result\":{\"job_id\":17,\"step_id\":\"batch\",\"error_code\":0,\"error\":\"No "
		"error\",\"job_submit_user_msg\":\"\"},\"meta\":{},\"errors\":[],\"warnings\":[]}",
		1000, &token);
	assert_int_equal(reply.result, SLURM_OK);
	assert_int_equal(reply.job, 17);
	/* Queued, and told that it never runs. */
	reply = parse(SLURM_SUBMIT, 200,
		"{\"errors\":[{\"error\":\"Requested time limit is "
		"invalid\",\"error_number\":2015}],"
		"\"job_id\":9}",
		1000, &token);
	assert_int_equal(reply.result, SLURM_REFUSED);
	assert_int_equal(reply.job, 9);
	assert_string_equal(reply.message, "Requested time limit is invalid (2015)");
	/* Neither a number nor an error: it may have been queued. */
	reply = parse(SLURM_SUBMIT, 200, "{\"errors\":[]}", 1000, &token);
	assert_int_equal(reply.result, SLURM_UNCLEAR);
}

static void assert_error(enum slurm_request_kind kind, long status, const char *body,
	int64_t took_us, enum slurm_result expected, bool expected_token)
{
	bool token;
	const struct slurm_reply reply = parse(kind, status, body, took_us, &token);

	if (reply.result != expected || token != expected_token)
		fail_msg("%s: result %d, token %d", body, reply.result, token);
	assert_true(reply.message[0] != '\0');
}

static void errors_say_whether_something_has_happened(void **state)
{
	(void)state;
	/* The same words for a bad token and a controller that is down: the time tells. */
	static const char unspecified[] =
		"{\"errors\":[{\"error\":\"Unspecified error\",\"errno\":-1}]}";
	assert_error(SLURM_LIST, 500, unspecified, 3000, SLURM_UNCLEAR, true);
	assert_error(SLURM_LIST, 500, unspecified, 9000000, SLURM_UNCLEAR, false);
	static const char nothing[] =
		"{\"errors\":[{\"error\":\"Zero Bytes were transmitted or received\","
		"\"error_number\":5005}]}";
	assert_error(SLURM_SUBMIT, 500, nothing, 3000, SLURM_UNCLEAR, true);
	assert_error(SLURM_SUBMIT, 500,
		"{\"errors\":[{\"error_code\":1800,\"error\":\"Unable to contact slurm controller "
		"(connect failure)\"}]}",
		9000000, SLURM_UNREACHABLE, false);
	assert_error(SLURM_SUBMIT, 500,
		"{\"errors\":[{\"error_number\":2000,\"error\":\"Invalid partition name "
		"specified\"}],\"warnings\":[]}",
		3000, SLURM_REFUSED, false);
	assert_error(SLURM_SUBMIT, 500,
		"{\"errors\":[{\"description\":\"Batch job submission "
		"failed\",\"error_number\":2014,"
		"\"error\":\"Requested node configuration is not available\",\"source\":\"x\"}]}",
		3000, SLURM_REFUSED, false);
	assert_error(SLURM_CANCEL, 500,
		"{\"errors\":[{\"error_number\":2017,\"error\":\"Invalid job id specified\"}]}",
		3000, SLURM_REFUSED, false);
	assert_error(SLURM_LIST, 401, "Authentication failure", 3000, SLURM_UNREACHABLE, true);
	assert_error(SLURM_SUBMIT, 401, "Authentication failure", 3000, SLURM_UNREACHABLE, true);
	assert_error(SLURM_SUBMIT, 400, "Unable to parse query.", 3000, SLURM_REFUSED, false);
	assert_error(SLURM_SUBMIT, 502, "<html>Bad Gateway</html>", 3000, SLURM_UNCLEAR, false);
	assert_error(SLURM_LIST, 200, "{\"errors\":[]}", 3000, SLURM_UNCLEAR, false);
	assert_error(SLURM_LIST, 200, "{\"jobs\":[{\"job_id\":", 3000, SLURM_UNREACHABLE, false);
}

/* Taken for a refusal, the trial would be launched again under another key, beside the job that is queued. */
static void a_submit_without_a_word_of_slurms_may_have_happened(void **state)
{
	(void)state;
	assert_error(SLURM_SUBMIT, 200, "{\"job_id\":17,\"err", 3000, SLURM_UNCLEAR, false);
	assert_error(SLURM_SUBMIT, 200, "<html>ok</html>", 3000, SLURM_UNCLEAR, false);
	assert_error(SLURM_SUBMIT, 200, "", 3000, SLURM_UNCLEAR, false);
	assert_error(SLURM_SUBMIT, 500, "Internal Server Error", 3000, SLURM_UNCLEAR, false);
	assert_error(SLURM_SUBMIT, 408, "Request Timeout", 3000, SLURM_UNCLEAR, false);
	/* The controller took it, and its answer did not come. */
	assert_error(SLURM_SUBMIT, 500,
		"{\"errors\":[{\"error_number\":1802,\"error\":\"Unable to contact slurm "
		"controller (receive failure)\"}]}",
		9000000, SLURM_UNCLEAR, false);
	assert_error(SLURM_SUBMIT, 500,
		"{\"errors\":[{\"error_number\":1003,\"error\":\"Communication failure "
		"(receive)\"}]}",
		9000000, SLURM_UNCLEAR, false);
	/* It turned us away before it looked. */
	assert_error(SLURM_SUBMIT, 500,
		"{\"errors\":[{\"error_number\":1804,\"error\":\"back off\"}]}", 3000,
		SLURM_UNREACHABLE, false);
	assert_error(SLURM_SUBMIT, 429, "Too Many Requests", 3000, SLURM_UNREACHABLE, false);
}

static void numbers_beyond_their_type_are_none(void **state)
{
	bool token;
	(void)state;
	struct slurm_reply reply = parse(SLURM_LIST, 200,
		"{\"jobs\":[{\"job_id\":1e300,\"restart_cnt\":-1e300,\"submit_time\":1e18,"
		"\"job_state\":\"RUNNING\",\"name\":\"a\"},"
		"{\"job_id\":5,\"restart_cnt\":1e999,\"submit_time\":{\"number\":-4}}]}",
		3000, &token);

	assert_int_equal(reply.n_jobs, 2);
	assert_job(&reply.jobs[0], 0, SLURM_RUNNING, 0, "a");
	assert_int_equal(reply.jobs[0].submitted_s, 0);
	assert_job(&reply.jobs[1], 5, SLURM_UNKNOWN, 0, "");
	assert_int_equal(reply.jobs[1].submitted_s, 0);
	free(reply.jobs);
}

/* ---- what we say ---- */

static char *const environment[] = { (char *)"PATH=/bin:/usr/bin", (char *)"HOME=/root", NULL };
static const struct slurm_settings settings = { .partition = "gpu",
	.gres = "gpu:2,shard:1",
	.account = "lab",
	.qos = "long",
	.constraint = "a100",
	.time_limit_us = INT64_C(90000000),
	.memory_bytes = INT64_C(2000) << 20,
	.cores = 4 };
static const struct slurm_request request = { .kind = SLURM_SUBMIT,
	.name = "n",
	.script = "#!/bin/sh\nexec x\n",
	.directory = "/d",
	.log = "/d/slurm.log" };

static const cJSON *at(const cJSON *root, const char *name)
{
	const cJSON *node = cJSON_GetObjectItemCaseSensitive(root, name);
	assert_non_null(node);
	return node;
}

static void a_submit_of_the_older_shape(void **state)
{
	(void)state;
	char *body = slurm_rest_submit_body(38, &settings, &request, environment);
	cJSON *root = cJSON_Parse(body);
	const cJSON *job = at(root, "job");

	assert_string_equal(at(root, "script")->valuestring, request.script);
	assert_string_equal(at(at(job, "environment"), "PATH")->valuestring, "/bin:/usr/bin");
	assert_string_equal(at(job, "gres")->valuestring, "gpu:2,shard:1");
	assert_int_equal(at(job, "time_limit")->valueint, 2);
	assert_int_equal(at(job, "memory_per_node")->valueint, 2000);
	assert_int_equal(at(job, "cpus_per_task")->valueint, 4);
	assert_string_equal(at(job, "partition")->valuestring, "gpu");
	assert_string_equal(at(job, "account")->valuestring, "lab");
	assert_string_equal(at(job, "qos")->valuestring, "long");
	assert_string_equal(at(job, "constraints")->valuestring, "a100");
	/* It would be taken, and ignored. */
	assert_null(cJSON_GetObjectItemCaseSensitive(job, "requeue"));
	cJSON_Delete(root);
	free(body);
}

static void a_submit_of_the_newer_shape(void **state)
{
	(void)state;
	char *body = slurm_rest_submit_body(41, &settings, &request, environment);
	cJSON *root = cJSON_Parse(body);
	const cJSON *job = at(root, "job");

	assert_string_equal(at(job, "script")->valuestring, request.script);
	assert_null(cJSON_GetObjectItemCaseSensitive(root, "script"));
	assert_string_equal(
		cJSON_GetArrayItem(at(job, "environment"), 1)->valuestring, "HOME=/root");
	assert_string_equal(at(job, "tres_per_node")->valuestring, "gres/gpu:2,gres/shard:1");
	assert_int_equal(at(at(job, "time_limit"), "number")->valueint, 2);
	assert_true(cJSON_IsTrue(at(at(job, "time_limit"), "set")));
	assert_int_equal(at(at(job, "memory_per_node"), "number")->valueint, 2000);
	assert_true(cJSON_IsFalse(at(job, "requeue")));
	cJSON_Delete(root);
	free(body);
}

/* ---- the connection ---- */

/* A socket that waits for its first client on a port of this machine, as `url` says. */
static int listen_here(char url[64])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(url, 64, "http://127.0.0.1:%d", ntohs(address.sin_port));
	return fd;
}

static void its_connection_is_not_for_programs_that_we_start(void **state)
{
	char url[64];
	const int server = listen_here(url);
	const struct slurm_settings here = { .url = url };
	const struct slurm_request list = { .kind = SLURM_LIST };
	struct slurm_transport *transport = NULL;
	struct tuner_error err = { TUNER_OK, "" };
	struct slurm_reply reply;
	struct pollfd fds[8];
	bool got = false;
	size_t n = 0;
	(void)state;

	assert_true(slurm_rest_open(&here, &transport, &err));
	assert_true(transport->ops->send(transport, &list, &err));
	for (int i = 0; i < 1000 && n == 0 && !got; i++) {
		assert_true(transport->ops->receive(transport, &reply, &got, &err));
		n = transport->ops->descriptors(transport, fds, 8);
		if (n == 0)
			poll(NULL, 0, 10);
	}
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(fcntl(fds[i].fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	transport->ops->close(transport);
	close(server);
}

/* ---- conversations ---- */

enum { ANSWERS_MAX = 8, ASKED_MAX = 4096 };

/* A server that gives each connection the next of its answers, and keeps what it was asked. */
struct server {
	int fd;
	pthread_t thread;
	const char *answers[ANSWERS_MAX]; /* "404 ..." and so on; NULL: the last is behind us */
	char asked[ANSWERS_MAX][ASKED_MAX];
	size_t n_asked;
};

static void *serve(void *context)
{
	struct server *server = context;

	for (size_t i = 0; i < ANSWERS_MAX && server->answers[i] != NULL; i++) {
		const int fd = accept(server->fd, NULL, NULL);
		char *asked = server->asked[i];
		size_t n = 0;
		ssize_t more = 1;
		while (more > 0 && n < ASKED_MAX - 1 && strstr(asked, "\r\n\r\n") == NULL) {
			more = read(fd, asked + n, ASKED_MAX - 1 - n);
			n += more > 0 ? (size_t)more : 0;
			asked[n] = '\0';
		}
		const char *body = strchr(server->answers[i], '\n') + 1;
		dprintf(fd,
			"HTTP/1.1 %.3s Said\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
			server->answers[i], strlen(body), body);
		close(fd);
		server->n_asked++;
	}
	return NULL;
}

static void begin_to_serve(struct server *server)
{
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

/* All its answers have been fetched. */
static void end_serving(struct server *server)
{
	assert_int_equal(pthread_join(server->thread, NULL), 0);
	close(server->fd);
}

static void receive(struct slurm_transport *transport, struct slurm_reply *ret)
{
	struct tuner_error err = { TUNER_OK, "" };
	struct pollfd fds[8];
	bool got = false;

	for (int i = 0; i < 1000 && !got; i++) {
		if (!transport->ops->receive(transport, ret, &got, &err))
			fail_msg("%s", err.message);
		if (!got)
			poll(fds, transport->ops->descriptors(transport, fds, 8), 20);
	}
	assert_true(got);
}

static void list(struct slurm_transport *transport, struct slurm_reply *ret)
{
	static const struct slurm_request all = { .kind = SLURM_LIST };
	struct tuner_error err = { TUNER_OK, "" };

	if (!transport->ops->send(transport, &all, &err))
		fail_msg("%s", err.message);
	receive(transport, ret);
}

static void assert_unreachable(const struct slurm_reply *reply, const char *said)
{
	assert_int_equal(reply->kind, SLURM_LIST);
	assert_int_equal(reply->result, SLURM_UNREACHABLE);
	if (strstr(reply->message, said) == NULL)
		fail_msg("\"%s\" is not in: %s", said, reply->message);
}

static const char PONG[] = "200\n{\"pings\":[{\"hostname\":\"c\",\"ping\":\"UP\"}],\"errors\":[]}";
static const char NO_JOBS[] = "200\n{\"jobs\":[],\"errors\":[]}";

/* A server that is newer or older than what is known: nothing has happened, and who is asked again is asked
 * from the newest version on. */
static void a_server_of_no_known_version_is_told_as_such(void **state)
{
	char url[64];
	struct server server = { .fd = listen_here(url) };
	const struct slurm_settings here = { .url = url };
	struct slurm_transport *transport = NULL;
	struct tuner_error err = { TUNER_OK, "" };
	struct slurm_reply reply;
	size_t n = 0;
	(void)state;

	while (slurm_rest_versions[n] != 0)
		server.answers[n++] = "404\nno such path";
	assert_true(n > 0 && n + 2 <= ANSWERS_MAX);
	server.answers[n] = PONG;
	server.answers[n + 1] = NO_JOBS;
	begin_to_serve(&server);
	assert_true(slurm_rest_open(&here, &transport, &err));
	list(transport, &reply);
	assert_unreachable(&reply, "speaks none of the versions known here");
	list(transport, &reply);
	assert_int_equal(reply.result, SLURM_OK);
	transport->ops->close(transport);
	end_serving(&server);
	const char *first = strchr(server.asked[0], ' '), *again = strchr(server.asked[n], ' ');
	assert_memory_equal(first, again, strcspn(first, "\r"));
	assert_non_null(strstr(server.asked[n - 1], "/slurm/v0.0.38/ping"));
}

/* The file is read at each request, so that a renewed token counts at once. */
static void the_token_of_a_file_is_renewed(void **state)
{
	char url[64], path[] = "/tmp/tuner-test-XXXXXX", command[64];
	struct server server = { .fd = listen_here(url),
		.answers = { PONG, "401\nAuthentication failure", NO_JOBS } };
	const struct slurm_settings here = { .url = url, .user = "ada", .token_file = path };
	const struct slurm_request all = { .kind = SLURM_LIST };
	struct slurm_transport *transport = NULL;
	struct tuner_error err = { TUNER_OK, "" };
	struct slurm_reply reply;
	(void)state;

	close(mkstemp(path));
	begin_to_serve(&server);
	assert_true(slurm_rest_open(&here, &transport, &err));
	assert_false(transport->ops->send(transport, &all, &err));
	assert_int_equal(err.code, TUNER_RETRY);
	snprintf(command, sizeof(command), "%s holds no token in one line", path);
	assert_string_equal(err.message, command);
	assert_true(file_write_atomic(path, "two lines\nof it\n", 16, 0600, false, &err));
	assert_false(transport->ops->send(transport, &all, &err));
	assert_true(file_write_atomic(path, " SLURM_JWT=abc\n", 15, 0600, false, &err));
	list(transport, &reply);
	assert_unreachable(&reply, "slurmrestd refuses the token (has it expired?)");
	assert_true(file_write_atomic(path, "def\n", 4, 0600, false, &err));
	list(transport, &reply);
	assert_int_equal(reply.result, SLURM_OK);
	unlink(path);
	assert_false(transport->ops->send(transport, &all, &err));
	assert_int_equal(err.code, TUNER_RETRY);
	assert_non_null(strstr(err.message, "the token: "));
	transport->ops->close(transport);
	end_serving(&server);
	for (int i = 0; i < 2; i++)
		assert_non_null(strstr(server.asked[i], "X-SLURM-USER-TOKEN: abc\r\n"));
	assert_non_null(strstr(server.asked[2], "X-SLURM-USER-TOKEN: def\r\n"));
	assert_non_null(strstr(server.asked[2], "X-SLURM-USER-NAME: ada\r\n"));
}

/* What it says is told. It is not run at each request, as long as it fails. */
static void a_token_command_that_fails_is_told(void **state)
{
	char url[64], path[] = "/tmp/tuner-test-XXXXXX", line[128];
	struct server server = { .fd = listen_here(url),
		.answers = { "401\nAuthentication failure" } };
	char *const words[] = { (char *)"sh", (char *)"-c", line, NULL };
	const struct slurm_settings here = { .url = url, .token_command = words };
	struct slurm_transport *transport = NULL;
	struct tuner_error err = { TUNER_OK, "" };
	struct slurm_reply reply;
	struct text runs = TEXT_EMPTY;
	(void)state;

	close(mkstemp(path));
	snprintf(line, sizeof(line),
		"echo x >>%s; echo abc; echo first >&2; echo the key is gone >&2; exit 3", path);
	begin_to_serve(&server);
	assert_true(slurm_rest_open(&here, &transport, &err));
	list(transport, &reply);
	assert_unreachable(&reply, "token_command sh gave no token: the key is gone");
	list(transport, &reply);
	assert_unreachable(&reply, "slurmrestd refuses the token (has it expired?)");
	transport->ops->close(transport);
	end_serving(&server);
	assert_null(strstr(server.asked[0], "X-SLURM-USER-TOKEN"));
	assert_true(file_read(path, 64, &runs, &err));
	assert_string_equal(runs.bytes, "x\n");
	text_finish(&runs);
	unlink(path);
}

static void a_socket_of_this_machine_is_a_server_too(void **state)
{
	static const char *const urls[] = { "unix:", "unix://" };
	char directory[] = "/tmp/tuner-test-XXXXXX", url[128];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	(void)state;

	assert_non_null(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", directory);
	for (size_t i = 0; i < 2; i++) {
		struct server server = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
			.answers = { PONG, NO_JOBS } };
		struct slurm_transport *transport = NULL;
		struct tuner_error err = { TUNER_OK, "" };
		struct slurm_reply reply;
		snprintf(url, sizeof(url), "%s%s", urls[i], address.sun_path);
		const struct slurm_settings here = { .url = url };
		assert_int_equal(bind(server.fd, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(listen(server.fd, 1), 0);
		begin_to_serve(&server);
		assert_true(slurm_rest_open(&here, &transport, &err));
		list(transport, &reply);
		assert_int_equal(reply.result, SLURM_OK);
		transport->ops->close(transport);
		end_serving(&server);
		unlink(address.sun_path);
	}
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_of_the_older_shape),
		cmocka_unit_test(jobs_of_the_newer_shape),
		cmocka_unit_test(nothing_new_is_an_empty_reply),
		cmocka_unit_test(submits_of_both_shapes),
		cmocka_unit_test(errors_say_whether_something_has_happened),
		cmocka_unit_test(a_submit_without_a_word_of_slurms_may_have_happened),
		cmocka_unit_test(numbers_beyond_their_type_are_none),
		cmocka_unit_test(its_connection_is_not_for_programs_that_we_start),
		cmocka_unit_test(a_server_of_no_known_version_is_told_as_such),
		cmocka_unit_test(the_token_of_a_file_is_renewed),
		cmocka_unit_test(a_token_command_that_fails_is_told),
		cmocka_unit_test(a_socket_of_this_machine_is_a_server_too),
		cmocka_unit_test(a_submit_of_the_older_shape),
		cmocka_unit_test(a_submit_of_the_newer_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
