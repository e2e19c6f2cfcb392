/* A connection to a host: one `ssh`, the greeting that installs tuner-agent there, and then messages.
 *
 *     link_open -> link_step ... -> LINK_OPEN: messages -> link_step -> LINK_BROKEN -> link_close
 *
 * The remote command is parsed by whatever login shell the host has, so it is one line of /bin/sh
 * in single quotes, which every shell reads alike. Output of the shell's start-up files is
 * skipped. */
#ifndef SCHEDULER_SSH_LINK_H
#define SCHEDULER_SSH_LINK_H

#include "scheduler/wire.h"
#include "scheduler/child.h"
#include "scheduler/strings.h"

struct ssh_target {
	const char *address, *user; /* user "": as ssh's configuration says */
	unsigned port; /* 0: likewise */
	char *const *options; /* NULL: none */
	const char
		*control; /* socket through which other sessions share the connection; NULL: none */
};

/* "ssh" and its options, without the host; `master`: the connection that others share. */
void ssh_words(const struct ssh_target *target, bool master, struct strings *ret);

enum { IMAGES = 2 };

/* A program as it is copied to hosts: its name there is derived from its content, so that a host
 * may serve several builds at once. */
struct image {
	char *bytes;
	size_t n;
	char name[64];
	uint32_t checksum; /* POSIX cksum */
};

/* `name`: "agent", "supervise". The caller calls image_finish, also after a failure. */
TUNER_MUST_CHECK
bool image_read(const char *path, const char *name, struct image *ret, struct tuner_error *err);
void image_finish(struct image *image);

/* As cksum(1). */
uint32_t posix_checksum(const char *bytes, size_t n);

enum link_state {
	LINK_CLOSED,
	LINK_GREETING, /* ssh connects; the shell on the host has not answered yet */
	LINK_INSTALLING, /* it asks for the programs that it lacks */
	LINK_OPEN, /* the agent answers */
	LINK_BROKEN, /* reason: why */
};

struct ssh_link {
	enum link_state state;
	struct child_process ssh;
	struct wire wire;
	size_t image; /* INSTALLING: the next program */
	size_t skipped; /* GREETING: bytes that were not our protocol's */
	int64_t alive_us; /* when the state last advanced or a message arrived */
	int64_t dying_us; /* ssh's output has ended, and its exit is awaited until then; 0: not
			     ended */
	char said[160]; /* GREETING: the last line that was not our protocol's */
	char reason[256];
};

/* Starts ssh. Programs are installed in DIRECTORY/.tuner, which is made along with
 * DIRECTORY/JOB. */
TUNER_MUST_CHECK
bool link_open(struct ssh_link *link, const struct ssh_target *target, const char *directory,
	const char *job, const struct image images[IMAGES], struct tuner_error *err);

/* Reads and writes what it can without waiting. */
void link_step(struct ssh_link *link, const struct image images[IMAGES]);

/* The next message of an open link; false if there is none yet. A fault breaks the link. The
 * message is valid until link_taken. */
bool link_next(struct ssh_link *link, struct message *ret, size_t *ret_used);
void link_taken(struct ssh_link *link, size_t used);

void link_send(struct ssh_link *link, const struct message *message);

/* Breaks the link because of a fault that we have found ourselves. */
void link_break(struct ssh_link *link, const char *format, ...) TUNER_PRINTF(2, 3);

/* Ends ssh; if `gently`, it gets a moment to tell the host. */
void link_close(struct ssh_link *link, bool gently);

#endif
