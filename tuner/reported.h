/* What to say about a metric that no trial has reported, from those that trials did report. */
#ifndef TUNER_REPORTED_H
#define TUNER_REPORTED_H

#include "base/text.h"
#include "trials/health.h"

bool reported_has(const struct metric_names *names, const char *metric);

/* Adds the name unless it is already there. False without memory. */
bool reported_add(struct metric_names *names, const char *metric);

/* Appends `did you mean "loss"?` if a name is near, else `there are loss, latency`; nothing if
 * there are no names. */
void reported_guess(const struct metric_names *names, const char *metric, struct text *ret);

#endif
