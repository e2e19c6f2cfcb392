/* A connection to a host: one `ssh`, the greeting that installs tuner-agent there, and then messages.
 *
 *     link_open -> link_step ... -> LINK_OPEN: messages -> link_step -> LINK_BROKEN -> link_close
 *
 * The remote command is parsed by whatever login shell the host has; so it is one line of /bin/sh in
 * single quotes, which every shell reads alike. What the shell's start-up files print before is skipped. */
#ifndef SCHEDULER_SSH_LINK_H
#define SCHEDULER_SSH_LINK_H

#include "scheduler/wire.h"
#include "scheduler/child.h"
#include "scheduler/strings.h"

struct ssh_target {
	const char *address, *user; /* user "": as ssh's configuration says */
	unsigned port; /* 0: likewise */
	char *const *options; /* NULL: none */
	const char *
		control; /* socket through which other sessions use the connection; NULL: none do */
};

/* "ssh" and its options, without the host; `master`: the connection that others use. */
void ssh_words(const struct ssh_target *target, bool master, struct strings *ret);

enum { IMAGES = 2 };

/* A program as it is copied to hosts: its name there says what it holds, so that hosts may serve several
 * builds at once. */
struct image {
	char *bytes;
	size_t n;
	char name[64];
	uint32_t checksum; /* POSIX cksum */
};

/* `name`: "agent", "supervise". The caller finishes it, after a failure, too. */
TUNER_MUST_CHECK
bool image_read(const char *path, const char *name, struct image *ret, struct tuner_error *err);
void image_finish(struct image *image);

/* As cksum(1). */
uint32_t posix_checksum(const char *bytes, size_t n);

enum link_state {
	LINK_CLOSED,
	LINK_GREETING, /* ssh connects; the shell on the host has not spoken yet */
	LINK_INSTALLING, /* it asks for programs, or not */
	LINK_OPEN, /* the agent speaks */
	LINK_BROKEN, /* reason: why */
};

struct ssh_link {
	enum link_state state;
	struct child_process ssh;
	struct wire wire;
	size_t image; /* INSTALLING: the one that is next */
	size_t skipped; /* GREETING: bytes that were not for us */
	int64_t alive_us; /* when it last moved on, or a message came */
	int64_t dying_us; /* its output has ended; its own end is waited for until then; 0: not yet */
	char said[160]; /* GREETING: the last line that was not for us */
	char reason[256];
};

/* Programs are installed in DIRECTORY/.tuner, which is made with DIRECTORY/JOB. */
TUNER_MUST_CHECK
bool link_open(struct ssh_link *link, const struct ssh_target *target, const char *directory,
	const char *job, const struct image images[IMAGES], struct tuner_error *err);

/* Reads and writes what goes. */
void link_step(struct ssh_link *link, const struct image images[IMAGES]);

/* The next message of an open link; false if there is none yet. A fault breaks it. The message is valid
 * until link_taken. */
bool link_next(struct ssh_link *link, struct message *ret, size_t *ret_used);
void link_taken(struct ssh_link *link, size_t used);

void link_send(struct ssh_link *link, const struct message *message);

/* What cannot go on from here on: a fault that we have found ourselves. */
void link_break(struct ssh_link *link, const char *format, ...) TUNER_PRINTF(2, 3);

/* Ends ssh; it gets a moment to tell the host if `gently`. */
void link_close(struct ssh_link *link, bool gently);

#endif
