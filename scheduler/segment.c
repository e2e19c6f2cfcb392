#include "scheduler/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void segment_name(int64_t start, char ret[SEGMENT_NAME_MAX])
{
	snprintf(ret, SEGMENT_NAME_MAX, OUTPUT_SEGMENT_FORMAT, (long long)start);
}

bool segment_start(const char *name, int64_t *ret)
{
	char again[SEGMENT_NAME_MAX];
	long long start;

	if (sscanf(name, OUTPUT_SEGMENT_PREFIX "%20lld" OUTPUT_SEGMENT_SUFFIX, &start) != 1 ||
		start < 0)
		return false;
	segment_name(start, again);
	*ret = start;
	return strcmp(name, again) == 0;
}

bool segment_newest_size(int directory, int64_t *ret)
{
	struct stat info;
	const bool is_there = fstatat(directory, ATTEMPT_OUTPUT, &info, 0) == 0;

	*ret = is_there ? info.st_size : 0;
	return is_there || errno == ENOENT;
}

int64_t segment_max(int64_t log_max_bytes)
{
	const int64_t half = log_max_bytes / 2;

	if (log_max_bytes <= 0)
		return INT64_MAX;
	return half > SEGMENT_BYTES_MIN ? half : SEGMENT_BYTES_MIN;
}
