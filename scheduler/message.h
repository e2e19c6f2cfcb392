/* The protocol between tuner and its agent on a host, over any two byte streams.
 *
 *     uint32 length | uint8 kind | int64 attempt | int64 number | directory | key | bytes
 *
 * Numbers are little-endian; `length` counts what follows it. The last three are each a uint32
 * length and that many bytes. Every kind has all fields; unused ones are 0 or empty. A message that
 * is too long, of an unknown kind, or whose lengths do not add up is bad: the other side is then
 * not one of ours, and nothing more is read from it.
 *
 *     tuner -> agent
 *     START   attempt, number: output known so far, directory, key, bytes: a tree (entry_*)
 *             to be taken over from there, or if nothing has run there, to be started
 *     ADOPT   the same without bytes; nothing is started
 *     SIGNAL  attempt, number: as backend_ops.signal
 *     FORGET  attempt: report nothing more about it
 *     PING    number
 *     WATCH   number: time between two reports on the host's GPUs, in microseconds
 *     CLAIM   key: a GPU's UUID, bytes: the claiming job (gpu_lock.h); answered by CLAIMED
 *     RELEASE key: the UUID of a GPU that was claimed
 *
 *     agent -> tuner
 *     HELLO   number: MESSAGE_VERSION, directory: the agent's own, absolute; bytes: facts (entry_*)
 *     STARTED attempt, bytes: the file `started`
 *     OUTPUT  attempt, number: offset of the first byte, bytes
 *     EXIT    attempt, number: 1 if there are results to fetch; bytes: exit.json. All output came before
 *     LOST    attempt, number: as with EXIT; bytes: why. Nothing of it is left running
 *     FAILED  attempt, bytes: why. Nothing of it has run
 *     PONG    number
 *     GPUS    number: 1 if asked after the last EXIT, LOST or FAILED was sent; bytes: a report
 *             (gpu_report.h). None is put behind one that waits
 *     CLAIMED number: enum gpu_claim, key: the UUID, bytes: who has it, or why it cannot be locked */
#ifndef SCHEDULER_MESSAGE_H
#define SCHEDULER_MESSAGE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
	MESSAGE_VERSION = 2,
	MESSAGE_BYTES_MAX = 12 << 20, /* a launch file has at most 8 MiB */
	MESSAGE_OUTPUT_MAX = 64 << 10,
	MESSAGE_DIRECTORY_MAX = 4096,
	MESSAGE_KEY_MAX = 64,
};

enum message_kind {
	MESSAGE_START = 1,
	MESSAGE_ADOPT,
	MESSAGE_SIGNAL,
	MESSAGE_FORGET,
	MESSAGE_PING,
	MESSAGE_WATCH,
	MESSAGE_CLAIM,
	MESSAGE_RELEASE,
	MESSAGE_HELLO = 65,
	MESSAGE_STARTED,
	MESSAGE_OUTPUT,
	MESSAGE_EXIT,
	MESSAGE_LOST,
	MESSAGE_FAILED,
	MESSAGE_PONG,
	MESSAGE_GPUS,
	MESSAGE_CLAIMED,
};

/* `bytes` of a message that was read points into the buffer; directory and key are terminated
 * copies. */
struct message {
	enum message_kind kind;
	int64_t attempt, number;
	char directory[MESSAGE_DIRECTORY_MAX], key[MESSAGE_KEY_MAX];
	const char *bytes;
	size_t n;
};

/* A queue of bytes: filled at the end, taken from the front. All zero is an empty one. */
struct buffer {
	char *memory;
	size_t from, to, capacity;
};

/* Makes room for n more bytes, at memory + to. False without memory. */
bool buffer_reserve(struct buffer *buffer, size_t n);
bool buffer_add(struct buffer *buffer, const void *bytes, size_t n);
void buffer_take(struct buffer *buffer, size_t n);
size_t buffer_size(const struct buffer *buffer);
void buffer_finish(struct buffer *buffer);

/* False without memory, or if the message is too long. */
bool message_write(struct buffer *to, const struct message *message);

enum message_read {
	MESSAGE_READ, /* a message of *ret_used bytes, to be taken from the buffer after use */
	MESSAGE_PART, /* more bytes are needed */
	MESSAGE_BAD,
};
enum message_read message_read(const struct buffer *from, struct message *ret, size_t *ret_used);

/* ---- entries: what a message's bytes hold where they are a list ---- */

enum entry_kind { ENTRY_DIRECTORY = 'd', ENTRY_FILE = 'f', ENTRY_LINK = 'l', ENTRY_FACT = 'v' };

struct entry {
	enum entry_kind kind;
	char name[512]; /* for files and links: path below the attempt's directory */
	const char *bytes; /* content, target or value */
	size_t n;
};

bool entry_write(
	struct buffer *to, enum entry_kind kind, const char *name, const void *bytes, size_t n);

/* Reads the entry at *at and moves *at past it. False at the end, where *at is n, and for an
 * invalid entry, where it is not. */
bool entry_read(const char *bytes, size_t n, size_t *at, struct entry *ret);

/* Whether the path stays below its starting directory: relative, without empty components, "." or
 * "..". */
bool path_is_below(const char *path);

#endif
