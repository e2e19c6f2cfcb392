/* readdir, with errors of the disk. For one file of a test program. */
#ifndef TESTS_FAILING_READDIR_H
#define TESTS_FAILING_READDIR_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

/* The n-th call from now on finds a disk that does not work; 0: none does. */
static unsigned readdir_fails_at;

struct dirent *readdir(DIR *stream)
{
	static struct dirent *(*real)(DIR *);

	if (real == NULL)
		real = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir64");
	if (real == NULL)
		real = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");
	if (readdir_fails_at > 0 && --readdir_fails_at == 0) {
		errno = EIO;
		return NULL;
	}
	return real(stream);
}

#endif
