/* Preloaded, it makes every file system one of a network, NFS. $NETWORK_FS_HOST is then the name of this machine. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static const long nfs = 0x6969;

int statfs(const char *path, struct statfs *ret)
{
	static int (*real)(const char *, struct statfs *);

	if (real == NULL)
		real = (int (*)(const char *, struct statfs *))dlsym(
			RTLD_NEXT, sizeof(off_t) == 8 ? "statfs64" : "statfs");
	const int status = real(path, ret);

	if (status == 0)
		ret->f_type = nfs;
	return status;
}

int gethostname(char *ret, size_t size)
{
	static int (*real)(char *, size_t);
	const char *const name = getenv("NETWORK_FS_HOST");

	if (real == NULL)
		real = (int (*)(char *, size_t))dlsym(RTLD_NEXT, "gethostname");
	if (name == NULL || strlen(name) >= size)
		return real(ret, size);
	strcpy(ret, name);
	return 0;
}
