/* Slurm through slurmrestd, by libcurl's multi interface: one persistent connection, and one
 * request at a time.
 *
 * A request may need others first: the token, from the user's command, and the server's version of
 * the interface, found by asking for /ping with the newest version first. */
#include "scheduler/slurm_rest.h"

#include "base/clock.h"
#include "base/file.h"
#include "scheduler/capture.h"
#include "scheduler/curl_library.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* slurmrestd itself waits nine seconds for a controller; a submit that we give up earlier may be
 * queued. */
static const long LIMIT_S = 30, CONNECT_S = 10;
static const int64_t TOKEN_LIMIT_US = 30000000, TOKEN_AGAIN_US = 5000000;
static const int64_t POLL_US = 1000000;

enum { SOCKETS_MAX = 8, REPLY_BYTES_MAX = 256 << 20, TOKEN_BYTES_MAX = 64 << 10 };

enum phase { IDLE, TOKEN_COMMAND, VERSION, CALL };

struct rest {
	struct slurm_transport transport;
	const struct slurm_settings *settings;
	char user[128];
	char *base, *socket; /* http://host:port; a path of a UNIX socket or NULL */
	struct text token;
	int64_t token_us; /* when the token was last asked for */
	bool token_bad;

	struct curl_library curl;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	struct {
		curl_socket_t fd;
		int what;
	} sockets[SOCKETS_MAX];
	size_t n_sockets;
	int64_t timer_us; /* -1: none */
	struct text reply;
	bool too_long;
	char curl_error[CURL_ERROR_SIZE];

	enum phase phase;
	int version; /* 0: not yet known */
	size_t asked_version; /* index */
	struct slurm_request request;
	char *body;
	int64_t sent_us;
	struct capture capture;
	struct slurm_job *jobs;
};

static struct rest *rest_of(struct slurm_transport *transport)
{
	return (struct rest *)transport;
}

/* ---- libcurl's side ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *ignored)
{
	struct rest *rest = context;
	size_t i = 0;

	(void)easy;
	(void)ignored;
	while (i < rest->n_sockets && rest->sockets[i].fd != fd)
		i++;
	if (what == CURL_POLL_REMOVE) {
		if (i < rest->n_sockets)
			rest->sockets[i] = rest->sockets[--rest->n_sockets];
		return 0;
	}
	if (i == SOCKETS_MAX)
		return 0; /* more than one connection needs: its timer will handle it */
	rest->sockets[i].fd = fd;
	rest->sockets[i].what = what;
	rest->n_sockets += i == rest->n_sockets;
	return 0;
}

static int on_timer(CURLM *multi, long wait_ms, void *context)
{
	struct rest *rest = context;

	(void)multi;
	rest->timer_us = wait_ms < 0 ? -1 : clock_monotonic_us() + wait_ms * INT64_C(1000);
	return 0;
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *context)
{
	struct rest *rest = context;

	if (rest->reply.length + size * n > REPLY_BYTES_MAX) {
		rest->too_long = true;
		return 0;
	}
	text_add_bytes(&rest->reply, bytes, size * n);
	return size * n;
}

/* A socket that libcurl opens itself would be inherited by every program that we start. */
static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)context;
	(void)purpose;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void turn(struct rest *rest)
{
	int running;
	struct pollfd fds[SOCKETS_MAX];
	const size_t n = rest->n_sockets;

	for (size_t i = 0; i < n; i++)
		fds[i] = (struct pollfd){ .fd = rest->sockets[i].fd,
			.events = (short)((rest->sockets[i].what & CURL_POLL_IN ? POLLIN : 0) |
					  (rest->sockets[i].what & CURL_POLL_OUT ? POLLOUT : 0)) };
	if (n > 0 && poll(fds, n, 0) > 0)
		for (size_t i = 0; i < n; i++)
			if (fds[i].revents != 0)
				rest->curl.multi_socket_action(rest->multi, fds[i].fd,
					(fds[i].revents & POLLIN ? CURL_CSELECT_IN : 0) |
						(fds[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
						(fds[i].revents & (POLLERR | POLLHUP)
								? CURL_CSELECT_ERR
								: 0),
					&running);
	if (rest->timer_us >= 0 && clock_monotonic_us() >= rest->timer_us) {
		rest->timer_us = -1;
		rest->curl.multi_socket_action(rest->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

/* ---- the token ---- */

/* A token, or what `scontrol token` prints: SLURM_JWT=... */
static bool take_token(struct rest *rest, const char *text, size_t length)
{
	static const char name[] = "SLURM_JWT=";

	while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
		length--;
	while (length > 0 && strchr(" \t\r\n", *text) != NULL) {
		text++;
		length--;
	}
	if (length > strlen(name) && strncmp(text, name, strlen(name)) == 0) {
		text += strlen(name);
		length -= strlen(name);
	}
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
			return false;
	text_clear(&rest->token);
	text_add_bytes(&rest->token, text, length);
	rest->token_bad = false;
	return length > 0 && !text_failed(&rest->token);
}

/* Read each time: a renewed file takes effect at once. */
static bool read_token(struct rest *rest, char message[256])
{
	struct tuner_error failed;
	struct text bytes = TEXT_EMPTY;
	bool ok = file_read(rest->settings->token_file, TOKEN_BYTES_MAX, &bytes, &failed);

	if (!ok)
		snprintf(message, 256, "the token: %.200s", failed.message);
	else if (!(ok = take_token(rest, bytes.bytes, bytes.length)))
		snprintf(message, 256, "%.180s holds no token in one line",
			rest->settings->token_file);
	text_finish(&bytes);
	return ok;
}

static bool wants_command(const struct rest *rest)
{
	const int64_t age_us = clock_monotonic_us() - rest->token_us;

	return rest->settings->token_command != NULL &&
	       (rest->token.length == 0 || rest->token_bad) &&
	       (rest->token_us == 0 || age_us >= TOKEN_AGAIN_US);
}

/* ---- requests ---- */

static bool add_header(struct rest *rest, const char *name, const char *value)
{
	struct text line = TEXT_EMPTY;

	text_print(&line, "%s: %s", name, value);
	struct curl_slist *more =
		text_failed(&line) ? NULL : rest->curl.slist_append(rest->headers, line.bytes);
	text_finish(&line);
	if (more != NULL)
		rest->headers = more;
	return more != NULL;
}

static bool make_headers(struct rest *rest)
{
	rest->curl.slist_free_all(rest->headers);
	rest->headers = rest->curl.slist_append(NULL, "Expect:"); /* slurmrestd would not go on */
	if (rest->headers == NULL)
		return false;
	if (rest->token.length > 0 &&
		(!add_header(rest, "X-SLURM-USER-NAME", rest->user) ||
			!add_header(rest, "X-SLURM-USER-TOKEN", rest->token.bytes)))
		return false;
	return rest->body == NULL || add_header(rest, "Content-Type", "application/json");
}

static bool perform(
	struct rest *rest, const char *method, const char *path, struct tuner_error *err)
{
	struct text url = TEXT_EMPTY;
	bool ok;

	text_print(&url, "%s%s", rest->base, path);
	text_clear(&rest->reply);
	rest->too_long = false;
	rest->curl_error[0] = '\0';
	ok = !text_failed(&url) && make_headers(rest);
	rest->curl.easy_reset(rest->easy);
	rest->curl.easy_setopt(rest->easy, CURLOPT_URL, url.bytes);
	rest->curl.easy_setopt(rest->easy, CURLOPT_CUSTOMREQUEST, method);
	rest->curl.easy_setopt(rest->easy, CURLOPT_HTTPHEADER, rest->headers);
	rest->curl.easy_setopt(rest->easy, CURLOPT_NOSIGNAL, 1L);
	rest->curl.easy_setopt(rest->easy, CURLOPT_TIMEOUT, LIMIT_S);
	rest->curl.easy_setopt(rest->easy, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	rest->curl.easy_setopt(rest->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	rest->curl.easy_setopt(rest->easy, CURLOPT_WRITEDATA, rest);
	rest->curl.easy_setopt(rest->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	rest->curl.easy_setopt(rest->easy, CURLOPT_ERRORBUFFER, rest->curl_error);
	if (rest->socket != NULL)
		rest->curl.easy_setopt(rest->easy, CURLOPT_UNIX_SOCKET_PATH, rest->socket);
	if (rest->body != NULL)
		rest->curl.easy_setopt(rest->easy, CURLOPT_POSTFIELDS, rest->body);
	rest->sent_us = clock_monotonic_us();
	ok = ok && rest->curl.multi_add_handle(rest->multi, rest->easy) == CURLM_OK;
	text_finish(&url);
	return ok || tuner_fail_memory(err);
}

static bool ask_version(struct rest *rest, struct tuner_error *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/slurm/v0.0.%d/ping",
		slurm_rest_versions[rest->asked_version]);
	rest->phase = VERSION;
	free(rest->body);
	rest->body = NULL;
	return perform(rest, "GET", path, err);
}

static bool make_body(struct rest *rest)
{
	char **environment = slurm_environment(false);

	if (environment != NULL)
		rest->body = slurm_rest_submit_body(
			rest->version, rest->settings, &rest->request, environment);
	free(environment);
	return rest->body != NULL;
}

static bool call(struct rest *rest, struct tuner_error *err)
{
	const struct slurm_request *request = &rest->request;
	char path[128];

	rest->phase = CALL;
	free(rest->body);
	rest->body = NULL;
	switch (request->kind) {
	case SLURM_SUBMIT:
		snprintf(path, sizeof(path), "/slurm/v0.0.%d/job/submit", rest->version);
		return make_body(rest) ? perform(rest, "POST", path, err) : tuner_fail_memory(err);
	case SLURM_LIST:
		snprintf(path, sizeof(path), "/slurm/v0.0.%d/jobs", rest->version);
		if (request->since_us > 0)
			snprintf(path + strlen(path), sizeof(path) - strlen(path),
				"?update_time=%lld", (long long)(request->since_us / 1000000));
		return perform(rest, "GET", path, err);
	case SLURM_CANCEL:
		snprintf(path, sizeof(path), "/slurm/v0.0.%d/job/%lld%s", rest->version,
			(long long)request->job, request->kill ? "?signal=KILL" : "");
		return perform(rest, "DELETE", path, err);
	}
	return true;
}

/* With a token, or without if none is configured. */
static bool go_on(struct rest *rest, struct tuner_error *err)
{
	return rest->version == 0 ? ask_version(rest, err) : call(rest, err);
}

static bool rest_send(struct slurm_transport *transport, const struct slurm_request *request,
	struct tuner_error *err)
{
	struct rest *rest = rest_of(transport);
	char message[256];

	tuner_assert(rest->phase == IDLE);
	rest->request = *request;
	if (rest->settings->token_file != NULL && !read_token(rest, message))
		return tuner_fail(err, TUNER_RETRY, "%s", message);
	if (!wants_command(rest))
		return go_on(rest, err);
	rest->token_us = clock_monotonic_us();
	rest->phase = TOKEN_COMMAND;
	if (capture_start(&rest->capture, rest->settings->token_command, NULL, TOKEN_LIMIT_US, err))
		return true;
	rest->phase = IDLE;
	return false;
}

/* ---- replies ---- */

static void end(struct rest *rest)
{
	rest->phase = IDLE;
	free(rest->body);
	rest->body = NULL;
}

static void fail(struct rest *rest, enum slurm_result result, const char *message,
	struct slurm_reply *ret, bool *ret_got)
{
	*ret_got = true;
	*ret = (struct slurm_reply){ .kind = rest->request.kind, .result = result };
	snprintf(ret->message, sizeof(ret->message), "%.255s", message);
	end(rest);
}

static bool receive_token(
	struct rest *rest, struct slurm_reply *ret, bool *ret_got, struct tuner_error *err)
{
	char complaint[200], message[256];

	if (!capture_next(&rest->capture))
		return true;
	const bool good = capture_succeeded(&rest->capture) &&
			  take_token(rest, rest->capture.out.bytes, rest->capture.out.length);
	capture_complaint(&rest->capture, complaint);
	capture_finish(&rest->capture, false);
	if (good)
		return go_on(rest, err);
	snprintf(message, sizeof(message), "token_command %.60s gave no token: %.160s",
		rest->settings->token_command[0], complaint);
	fail(rest, SLURM_UNREACHABLE, message, ret, ret_got);
	return true;
}

/* No answer came. Only if no connection was made is it certain that nothing has happened. */
static void no_answer(struct rest *rest, CURLcode code, struct slurm_reply *ret, bool *ret_got)
{
	const bool before = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
			    code == CURLE_COULDNT_RESOLVE_PROXY ||
			    code == CURLE_SSL_CONNECT_ERROR ||
			    code == CURLE_PEER_FAILED_VERIFICATION;
	char message[300];

	snprintf(message, sizeof(message), "slurmrestd at %.100s: %.170s", rest->settings->url,
		rest->too_long                ? "its reply is too long"
		: rest->curl_error[0] != '\0' ? rest->curl_error
					      : rest->curl.easy_strerror(code));
	fail(rest, before || rest->phase == VERSION ? SLURM_UNREACHABLE : SLURM_UNCLEAR, message,
		ret, ret_got);
}

/* A version unknown to the server gives a 404; a server that rejects our credentials says so in its
 * own way. */
static bool take_version(struct rest *rest, const struct slurm_rest_answer *answer,
	struct slurm_reply *ret, bool *ret_got, struct tuner_error *err)
{
	struct slurm_reply pong = { .kind = SLURM_CANCEL };
	char message[256];
	bool token = false;

	if (answer->status == 404) {
		if (slurm_rest_versions[++rest->asked_version] != 0)
			return ask_version(rest, err);
		rest->asked_version = 0;
		snprintf(message, sizeof(message),
			"slurmrestd at %.100s speaks none of the versions known here: v0.0.38, and "
			"v0.0.40 to v0.0.%d",
			rest->settings->url, slurm_rest_versions[0]);
		fail(rest, SLURM_UNREACHABLE, message, ret, ret_got);
		return true;
	}
	if (!slurm_rest_parse(answer, &pong, &token))
		return tuner_fail_memory(err);
	/* The controller may be down, which is not the version's fault. */
	if (token || pong.result != SLURM_OK) {
		rest->token_bad |= token;
		snprintf(message, sizeof(message), "%s%.180s",
			token ? "slurmrestd refuses the token (has it expired?): " : "",
			pong.message);
		fail(rest, SLURM_UNREACHABLE, message, ret, ret_got);
		return true;
	}
	rest->version = slurm_rest_versions[rest->asked_version];
	return call(rest, err);
}

static bool take_answer(struct rest *rest, const struct slurm_rest_answer *answer,
	struct slurm_reply *ret, bool *ret_got, struct tuner_error *err)
{
	char message[200];
	bool token = false;

	*ret_got = true;
	*ret = (struct slurm_reply){ .kind = rest->request.kind };
	free(rest->jobs);
	rest->jobs = NULL;
	if (!slurm_rest_parse(answer, ret, &token))
		return tuner_fail_memory(err);
	rest->jobs = ret->jobs;
	end(rest);
	if (answer->status == 404 && ret->result == SLURM_UNREACHABLE) {
		rest->version = 0; /* a different server answers there now */
		rest->asked_version = 0;
	}
	if (token) {
		rest->token_bad = true;
		snprintf(message, sizeof(message), "%.180s", ret->message);
		snprintf(ret->message, sizeof(ret->message),
			"slurmrestd refuses the token (has it expired?): %s", message);
	}
	return true;
}

static bool receive_answer(
	struct rest *rest, struct slurm_reply *ret, bool *ret_got, struct tuner_error *err)
{
	int left;
	CURLMsg *message;

	turn(rest);
	message = rest->curl.multi_info_read(rest->multi, &left);
	if (message == NULL || message->msg != CURLMSG_DONE)
		return true;
	const CURLcode code = message->data.result;
	struct slurm_rest_answer answer = { .took_us = clock_monotonic_us() - rest->sent_us,
		.body = rest->reply.bytes,
		.size = rest->reply.length };
	rest->curl.easy_getinfo(rest->easy, CURLINFO_RESPONSE_CODE, &answer.status);
	rest->curl.multi_remove_handle(rest->multi, rest->easy);
	if (code != CURLE_OK) {
		no_answer(rest, code, ret, ret_got);
		return true;
	}
	if (text_failed(&rest->reply))
		return tuner_fail_memory(err);
	return rest->phase == VERSION ? take_version(rest, &answer, ret, ret_got, err)
				      : take_answer(rest, &answer, ret, ret_got, err);
}

static bool rest_receive(struct slurm_transport *transport, struct slurm_reply *ret, bool *ret_got,
	struct tuner_error *err)
{
	struct rest *rest = rest_of(transport);

	*ret_got = false;
	switch (rest->phase) {
	case IDLE:
		return true;
	case TOKEN_COMMAND:
		return receive_token(rest, ret, ret_got, err);
	case VERSION:
	case CALL:
		return receive_answer(rest, ret, ret_got, err);
	}
	return true;
}

static size_t rest_descriptors(
	struct slurm_transport *transport, struct pollfd *ret_fds, size_t size)
{
	const struct rest *rest = rest_of(transport);
	size_t n = 0;

	if (rest->phase == TOKEN_COMMAND && size >= CAPTURE_DESCRIPTORS)
		return capture_descriptors(&rest->capture, ret_fds);
	for (size_t i = 0; i < rest->n_sockets && n < size && rest->phase > TOKEN_COMMAND; i++)
		ret_fds[n++] = (struct pollfd){ .fd = rest->sockets[i].fd,
			.events = (short)((rest->sockets[i].what & CURL_POLL_IN ? POLLIN : 0) |
					  (rest->sockets[i].what & CURL_POLL_OUT ? POLLOUT : 0)) };
	return n;
}

static int rest_wait_ms(struct slurm_transport *transport)
{
	const struct rest *rest = rest_of(transport);

	if (rest->phase == TOKEN_COMMAND)
		return capture_wait_ms(&rest->capture);
	if (rest->phase == IDLE || rest->timer_us < 0)
		return -1;
	const int64_t left_us = rest->timer_us - clock_monotonic_us();
	return left_us <= 0 ? 0 : (int)(left_us / 1000 + 1);
}

static void rest_close(struct slurm_transport *transport)
{
	struct rest *rest = rest_of(transport);

	if (rest->phase == TOKEN_COMMAND)
		capture_finish(&rest->capture, false);
	if (rest->phase > TOKEN_COMMAND)
		rest->curl.multi_remove_handle(rest->multi, rest->easy);
	rest->curl.easy_cleanup(rest->easy);
	rest->curl.multi_cleanup(rest->multi);
	rest->curl.slist_free_all(rest->headers);
	text_finish(&rest->token);
	text_finish(&rest->reply);
	free(rest->jobs);
	free(rest->body);
	free(rest->base);
	free(rest->socket);
	free(rest);
}

static const struct slurm_transport_ops rest_ops = {
	.send = rest_send,
	.descriptors = rest_descriptors,
	.wait_ms = rest_wait_ms,
	.receive = rest_receive,
	.close = rest_close,
};

/* "http://login:6820/" or "unix:/run/slurmrestd.sock". */
static bool take_url(struct rest *rest, const char *url)
{
	static const char local[] = "unix:";

	if (strncmp(url, local, strlen(local)) == 0) {
		url += strlen(local);
		rest->socket = strdup(strncmp(url, "//", 2) == 0 ? url + 2 : url);
		rest->base = strdup("http://localhost");
		return rest->socket != NULL && rest->base != NULL;
	}
	rest->base = strdup(url);
	for (size_t n = rest->base ? strlen(rest->base) : 0; n > 0 && rest->base[n - 1] == '/'; n--)
		rest->base[n - 1] = '\0';
	return rest->base != NULL;
}

static void take_user(struct rest *rest)
{
	const struct passwd *entry = getpwuid(geteuid());
	const char *user = rest->settings->user;

	if (user == NULL)
		user = entry != NULL ? entry->pw_name : "";
	snprintf(rest->user, sizeof(rest->user), "%s", user);
}

bool slurm_rest_open(const struct slurm_settings *settings, struct slurm_transport **ret,
	struct tuner_error *err)
{
	struct rest *rest = calloc(1, sizeof(*rest));

	if (rest == NULL)
		return tuner_fail_memory(err);
	if (!curl_library_open(&rest->curl, err)) {
		free(rest);
		return false;
	}
	rest->transport = (struct slurm_transport){ .ops = &rest_ops, .poll_us = POLL_US };
	rest->settings = settings;
	rest->token = rest->reply = TEXT_EMPTY;
	rest->timer_us = -1;
	rest->multi = rest->curl.multi_init();
	rest->easy = rest->curl.easy_init();
	take_user(rest);
	if (rest->multi == NULL || rest->easy == NULL || !take_url(rest, settings->url)) {
		rest_close(&rest->transport);
		return tuner_fail_memory(err);
	}
	rest->curl.multi_setopt(rest->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	rest->curl.multi_setopt(rest->multi, CURLMOPT_SOCKETDATA, rest);
	rest->curl.multi_setopt(rest->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	rest->curl.multi_setopt(rest->multi, CURLMOPT_TIMERDATA, rest);
	*ret = &rest->transport;
	return true;
}
