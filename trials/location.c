#include "trials/location.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const struct {
	unsigned long magic;
	const char *name;
} network_file_systems[] = {
	{ 0x6969, "NFS" },
	{ 0xff534d42, "CIFS" },
	{ 0xfe534d42, "SMB" },
	{ 0x517b, "SMB" },
	{ 0x01021997, "9p" },
	{ 0x00c36400, "Ceph" },
	{ 0x0bd00bd3, "Lustre" },
	{ 0x47504653, "GPFS" },
	{ 0x19830326, "BeeGFS" },
	{ 0x5346414f, "AFS" },
	{ 0x6b414653, "AFS" },
	{ 0x73757245, "Coda" },
	{ 0xaad7aaea, "PanFS" },
	{ 0x20030528, "OrangeFS" },
	{ 0x564c, "NCP" },
	{ 0xbacbacbc, "VMware's shared folders" },
};

const char *location_network_name(unsigned long magic)
{
	for (size_t i = 0; i < sizeof network_file_systems / sizeof *network_file_systems; i++)
		if (network_file_systems[i].magic == magic)
			return network_file_systems[i].name;
	return NULL;
}

static bool check_directory(const char *path, const char *directory, bool write,
	const char **ret_network, struct tuner_error *err)
{
	struct stat status;
	struct statfs fs;

	if (stat(directory, &status) != 0)
		return tuner_fail(err, TUNER_USAGE, "%s: the directory %s cannot be used: %s", path,
			directory, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return tuner_fail(err, TUNER_USAGE, "%s: %s is not a directory", path, directory);
	if (statfs(directory, &fs) != 0)
		return tuner_fail_errno(err, errno, "%s: statfs", directory);
	/* f_type is signed; on some machines 32-bit numbers are sign-extended. */
	*ret_network = location_network_name((unsigned long)fs.f_type & 0xffffffff);
	if (write && faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0)
		return tuner_fail(err, TUNER_USAGE,
			"%s: the directory %s cannot be written to (%s); name another place with "
			"--db",
			path, directory, strerror(errno));
	return true;
}

static bool check_file(const char *path, bool write, struct tuner_error *err)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return errno == ENOENT ||
		       tuner_fail(err, TUNER_USAGE, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return tuner_fail(err, TUNER_USAGE, "%s: this is not a file", path);
	if (write && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
		return tuner_fail(err, TUNER_USAGE,
			"%s: this file cannot be written to (%s); name another one with --db", path,
			strerror(errno));
	return true;
}

bool location_check(const char *path, bool write, const char **ret_network, struct tuner_error *err)
{
	char *const directory = path_directory(path);
	const bool ok = directory ? check_directory(path, directory, write, ret_network, err)
				  : tuner_fail_memory(err);

	free(directory);
	return ok && check_file(path, write, err);
}

/* Absolute, with the directory's links followed. location_check refuses what is not a directory. */
static char *resolve_name(const char *path)
{
	char *const directory = path_directory(path);
	char *const real = directory ? realpath(directory, NULL) : NULL;
	char *const ret = real ? path_join(real, path_name(path)) : directory ? strdup(path) : NULL;

	free(directory);
	free(real);
	return ret;
}

bool location_resolve(const char *path, char **ret, struct tuner_error *err)
{
	struct stat status;

	if (lstat(path, &status) != 0 || !S_ISLNK(status.st_mode)) {
		*ret = resolve_name(path);
		return *ret || tuner_fail_memory(err);
	}
	*ret = realpath(path, NULL);
	if (*ret)
		return true;
	return errno == ENOMEM ? tuner_fail_memory(err)
			       : tuner_fail(err, TUNER_USAGE, "%s: this link leads nowhere: %s",
					 path, strerror(errno));
}
