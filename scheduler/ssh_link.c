#include "scheduler/ssh_link.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
	GREETING_SKIPPED_MAX = 64 << 10, /* bytes that a login shell prints first */
	IMAGE_BYTES_MAX = 32 << 20,
};

static const int64_t GREETING_US = 30000000; /* without any progress */
static const int64_t SILENCE_US = 30000000; /* of an agent that is pinged every few seconds */
static const int64_t DYING_US = 1000000;

static const char GREETING[] = "tuner-greeting 1 ";

/* sh -c SCRIPT sh DIRECTORY JOB, and of each program its name, size and checksum.
 *
 * No single quote, backslash, exclamation mark or newline: the login shell may be csh or fish.
 * `head` may read more than it was asked for, so nothing is sent after a program until the next
 * reply. */
static const char SCRIPT[] =
	"umask 077; CDPATH=; "
	"mkdir -p \"$1\" && cd \"$1\" && mkdir -p .tuner \"$2\" || exit 73; d=$(pwd -P); "
	"echo; echo \"tuner-greeting 1 $(uname -m)\"; "
	"same() { [ -f \"$1\" ] && case \"$(cksum <\"$1\") \" in \"$3 $2 \"*) ;; *) false;; esac; "
	"}; "
	"get() { if same \".tuner/$1\" \"$2\" \"$3\"; then echo have; return; fi; echo need; "
	"t=.tuner/$1.$$; head -c \"$2\" >\"$t\" && same \"$t\" \"$2\" \"$3\" && chmod 700 \"$t\" "
	"&& "
	"mv -f \"$t\" \".tuner/$1\" || { rm -f \"$t\"; exit 74; }; }; "
	"get \"$3\" \"$4\" \"$5\"; get \"$6\" \"$7\" \"$8\"; echo ready; "
	"exec \"$d/.tuner/$3\" \"$d\" \"$2\" \"$d/.tuner/$6\"";

/* ---- words ---- */

void ssh_words(const struct ssh_target *target, bool master, struct strings *ret)
{
	struct text word = TEXT_EMPTY;

	strings_add(ret, "ssh");
	/* Of an option given twice, ssh uses the first. */
	for (char *const *option = target->options; option != NULL && *option != NULL; option++)
		strings_add(ret, *option);
	strings_add(ret, "-oBatchMode=yes");
	strings_add(ret, "-oConnectTimeout=10");
	strings_add(ret, "-oServerAliveInterval=5");
	strings_add(ret, "-oServerAliveCountMax=3");
	strings_add(ret, "-oClearAllForwardings=yes");
	strings_add(ret, "-oRequestTTY=no");
	strings_add(ret, "-oRemoteCommand=none");
	strings_add(ret, "-oControlPersist=no");
	if (target->control != NULL) {
		text_print(&word, "-oControlPath=%s", target->control);
		strings_add(ret, word.bytes);
	}
	strings_add(ret,
		target->control != NULL && master ? "-oControlMaster=yes" : "-oControlMaster=no");
	if (target->port != 0) {
		text_clear(&word);
		text_print(&word, "-oPort=%u", target->port);
		strings_add(ret, word.bytes);
	}
	if (target->user[0] != '\0') {
		strings_add(ret, "-l");
		strings_add(ret, target->user);
	}
	ret->failed |= text_failed(&word);
	text_finish(&word);
}

static void add_quoted(struct text *command, const char *word)
{
	text_add_char(command, ' ');
	text_add_shell_quoted(command, word);
}

static void remote_command(
	const char *directory, const char *job, const struct image images[IMAGES], struct text *ret)
{
	char number[32];

	text_add(ret, "exec /bin/sh -c");
	add_quoted(ret, SCRIPT);
	add_quoted(ret, "sh");
	add_quoted(ret, directory);
	add_quoted(ret, job);
	for (size_t i = 0; i < IMAGES; i++) {
		add_quoted(ret, images[i].name);
		snprintf(number, sizeof(number), "%zu", images[i].n);
		add_quoted(ret, number);
		snprintf(number, sizeof(number), "%" PRIu32, images[i].checksum);
		add_quoted(ret, number);
	}
}

/* ---- programs ---- */

uint32_t posix_checksum(const char *bytes, size_t n)
{
	uint32_t table[256], crc = 0;
	size_t length = n;

	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i << 24;
		for (int bit = 0; bit < 8; bit++)
			value = value << 1 ^ (value & 0x80000000u ? 0x04c11db7u : 0);
		table[i] = value;
	}
	for (size_t i = 0; i < n; i++)
		crc = crc << 8 ^ table[(crc >> 24 ^ (unsigned char)bytes[i]) & 0xff];
	for (; length > 0; length >>= 8)
		crc = crc << 8 ^ table[(crc >> 24 ^ (uint32_t)length) & 0xff];
	return ~crc;
}

bool image_read(const char *path, const char *name, struct image *ret, struct tuner_error *err)
{
	struct text bytes = TEXT_EMPTY;

	*ret = (struct image){ 0 };
	if (!file_read(path, IMAGE_BYTES_MAX, &bytes, err))
		return tuner_fail_in(err, "what is copied to hosts that ssh reaches: ");
	ret->n = bytes.length;
	ret->bytes = text_take(&bytes);
	if (ret->bytes == NULL)
		return tuner_fail_memory(err);
	ret->checksum = posix_checksum(ret->bytes, ret->n);
	snprintf(ret->name, sizeof(ret->name), "%s-%016" PRIx64, name,
		hash_bytes(ret->bytes, ret->n));
	return true;
}

void image_finish(struct image *image)
{
	free(image->bytes);
	*image = (struct image){ 0 };
}

/* ---- the connection ---- */

bool link_open(struct ssh_link *link, const struct ssh_target *target, const char *directory,
	const char *job, const struct image images[IMAGES], struct tuner_error *err)
{
	struct strings words = { 0 };
	struct text command = TEXT_EMPTY;
	bool ok = false;

	tuner_assert(link->state == LINK_CLOSED);
	ssh_words(target, true, &words);
	strings_add(&words, "--");
	strings_add(&words, target->address);
	remote_command(directory, job, images, &command);
	strings_add(&words, command.bytes);
	char **arguments = text_failed(&command) ? NULL : strings_vector(&words);
	if (arguments == NULL)
		tuner_fail_memory(err);
	else
		ok = child_process_start(&link->ssh, arguments, true, err);
	if (ok) {
		link->state = LINK_GREETING;
		link->wire = (struct wire){ .in = link->ssh.out, .out = link->ssh.in };
		link->image = link->skipped = 0;
		link->dying_us = 0;
		link->alive_us = clock_monotonic_us();
		link->reason[0] = link->said[0] = '\0';
	}
	free(arguments);
	text_finish(&command);
	strings_finish(&words);
	return ok;
}

void link_break(struct ssh_link *link, const char *format, ...)
{
	va_list args;

	if (link->state == LINK_BROKEN)
		return;
	va_start(args, format);
	vsnprintf(link->reason, sizeof(link->reason), format, args);
	va_end(args);
	link->state = LINK_BROKEN;
}

/* What the script's own exit codes mean. */
static void explain_end(struct ssh_link *link)
{
	char why[COMPLAINT_BYTES];
	const int status = link->ssh.status;
	const int code = status >= 0 && (status & 0x7f) == 0 ? status >> 8 & 0xff : -1;

	child_process_explain(&link->ssh, "ssh", why, sizeof(why));
	if (code == 73)
		link_break(link, "its directory cannot be made: %.200s", why);
	else if (code == 74)
		link_break(link, "tuner-agent cannot be copied there: %.200s", why);
	else if (code == 126 || code == 127)
		link_break(link,
			"tuner-agent cannot be run there (is \"directory\" on a file system "
			"without exec?): %.120s",
			why);
	else if (link->ssh.complaint[0] == '\0' && link->said[0] != '\0')
		link_break(link, "%.100s: %.140s", why, link->said);
	else
		link_break(link, "%.250s", why);
}

/* ---- the greeting ---- */

/* A line of the inbox without its newline, cut to size; false if it is not whole. */
static bool take_line(struct ssh_link *link, char *ret, size_t size)
{
	struct buffer *inbox = &link->wire.inbox;
	const size_t n = buffer_size(inbox);
	const char *bytes = n > 0 ? inbox->memory + inbox->from : "";
	const char *end = memchr(bytes, '\n', n);

	if (end == NULL) {
		if (link->skipped + n > GREETING_SKIPPED_MAX)
			link_break(link, "it answers with something else than tuner-agent");
		return false;
	}
	const size_t length = (size_t)(end - bytes);
	snprintf(ret, size, "%.*s", (int)(length < size ? length : size - 1), bytes);
	if (length > 0 && length < size && ret[length - 1] == '\r')
		ret[length - 1] = '\0';
	buffer_take(inbox, length + 1);
	link->skipped += length + 1;
	return true;
}

static bool check_cpu(struct ssh_link *link, const char *theirs)
{
	struct utsname ours;

	if (uname(&ours) != 0 || strcmp(ours.machine, theirs) == 0)
		return true;
	link_break(link,
		"its CPU is %.40s, and this tuner's programs are for %.40s: build tuner on such a "
		"machine, and run that host's trials from there",
		theirs, ours.machine);
	return false;
}

static void greet(struct ssh_link *link, const struct image images[IMAGES])
{
	char line[160];

	while (link->state == LINK_GREETING && take_line(link, line, sizeof(line))) {
		if (strncmp(line, GREETING, strlen(GREETING)) != 0) {
			if (line[0] != '\0')
				snprintf(link->said, sizeof(link->said), "%s", line);
		} else if (check_cpu(link, line + strlen(GREETING))) {
			link->state = LINK_INSTALLING;
		}
	}
	while (link->state == LINK_INSTALLING && take_line(link, line, sizeof(line))) {
		if (link->image == IMAGES && strcmp(line, "ready") == 0) {
			link->state = LINK_OPEN;
		} else if (link->image < IMAGES && strcmp(line, "have") == 0) {
			link->image++;
		} else if (link->image < IMAGES && strcmp(line, "need") == 0) {
			const struct image *image = &images[link->image++];
			if (!buffer_add(&link->wire.outbox, image->bytes, image->n))
				link_break(link, "out of memory");
		} else {
			link_break(link, "it answers with something else than tuner-agent: %.100s",
				line);
		}
	}
}

/* ---- stepping ---- */

/* False: ssh has ended, and there is nothing more. */
static bool exchange(struct ssh_link *link)
{
	const size_t in = buffer_size(&link->wire.inbox);
	const size_t out = buffer_size(&link->wire.outbox);
	const bool open = wire_fill(&link->wire);

	/* A closed connection shows at the end of the input. */
	if (!wire_flush(&link->wire))
		buffer_take(&link->wire.outbox, buffer_size(&link->wire.outbox));
	if (buffer_size(&link->wire.inbox) != in || buffer_size(&link->wire.outbox) != out)
		link->alive_us = clock_monotonic_us();
	return open;
}

static void wait_for_end(struct ssh_link *link)
{
	const int64_t now_us = clock_monotonic_us();

	if (link->dying_us == 0)
		link->dying_us = now_us + DYING_US;
	if (child_process_ended(&link->ssh))
		explain_end(link);
	else if (now_us >= link->dying_us)
		link_break(link, "%s",
			link->ssh.complaint[0] ? link->ssh.complaint : "the connection was closed");
}

void link_step(struct ssh_link *link, const struct image images[IMAGES])
{
	if (link->state == LINK_CLOSED || link->state == LINK_BROKEN)
		return;
	child_process_ended(&link->ssh); /* reads its standard error, lest the pipe fill up */
	const bool open = link->dying_us == 0 && exchange(link);
	if (link->state != LINK_OPEN)
		greet(link, images);
	if (link->state == LINK_BROKEN)
		return;
	const int64_t silent_us = clock_monotonic_us() - link->alive_us;
	if (!open && link->state != LINK_OPEN)
		wait_for_end(link);
	else if (!open)
		link->dying_us = link->dying_us ? link->dying_us : clock_monotonic_us() + DYING_US;
	else if (silent_us > (link->state == LINK_OPEN ? SILENCE_US : GREETING_US))
		link_break(link, "it has been silent for %lld s", (long long)(silent_us / 1000000));
}

bool link_next(struct ssh_link *link, struct message *ret, size_t *ret_used)
{
	if (link->state != LINK_OPEN)
		return false;
	switch (message_read(&link->wire.inbox, ret, ret_used)) {
	case MESSAGE_READ:
		return true;
	case MESSAGE_BAD:
		link_break(link, "tuner-agent says what nobody understands");
		return false;
	default:
		if (link->dying_us != 0)
			wait_for_end(link);
		return false;
	}
}

void link_taken(struct ssh_link *link, size_t used)
{
	buffer_take(&link->wire.inbox, used);
}

void link_send(struct ssh_link *link, const struct message *message)
{
	if (link->state == LINK_OPEN && !message_write(&link->wire.outbox, message))
		link_break(link, "out of memory");
}

void link_close(struct ssh_link *link, bool gently)
{
	if (link->state == LINK_CLOSED)
		return;
	if (gently && link->ssh.in >= 0) {
		wire_flush(&link->wire);
		close(link->ssh.in); /* the agent ends, and ssh with it */
		link->ssh.in = -1;
		for (int i = 0; i < 50 && !child_process_ended(&link->ssh); i++)
			poll(NULL, 0, 10);
	}
	child_process_end(&link->ssh);
	wire_finish(&link->wire);
	link->state = LINK_CLOSED;
}
