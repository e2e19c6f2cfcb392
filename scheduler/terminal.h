/* Control sequences that terminals understand and readers of logs do not. */
#ifndef SCHEDULER_TERMINAL_H
#define SCHEDULER_TERMINAL_H

#include <stddef.h>

/* Copies `size` bytes without the escape sequences of ECMA-48: CSI (colours, cursor), OSC (titles,
 * links), the other string sequences, and two-byte escapes. A sequence never extends past a line
 * end; one that is cut off there is removed up to the line end, except that of an unfinished string
 * sequence only the introducer is removed, so that no text can vanish after a stray "ESC ]". Only
 * the seven-bit forms are recognized: the eight-bit ones are ordinary bytes of UTF-8.
 *
 * Returns the number of bytes in ret_bytes, at most `size`. ret_bytes may be `bytes` itself. */
size_t terminal_strip(const char *bytes, size_t size, char *ret_bytes);

#endif
