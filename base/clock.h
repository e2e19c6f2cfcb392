/* The clocks. Microseconds throughout. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Since 1970, UTC; may jump. For what people read and what goes into the database. */
int64_t clock_wall_us(void);

/* Since boot, sleep included (CLOCK_BOOTTIME); never goes back. For all waits and durations. */
int64_t clock_monotonic_us(void);

/* CPU time of this thread: the cost of a calculation, however busy the machine is. */
int64_t clock_thread_us(void);

#endif
