/* Runs a program in a kernel, or on a file system, that lacks some system calls, by a filter (seccomp) that it and all that it starts
 * inherits, static programs too:
 *
 *     without_calls flock:ENOLCK pidfd_open:ENOSYS -- PROGRAM [ARGUMENT...]
 *
 * Exit status 77 if that is not allowed here. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct call {
	const char *name;
	int number;
} calls[] = {
	{ "close_range", SYS_close_range },
	{ "faccessat", SYS_faccessat },
	{ "faccessat2", SYS_faccessat2 },
	{ "flock", SYS_flock },
	{ "linkat", SYS_linkat },
	{ "pidfd_open", SYS_pidfd_open },
	{ "pidfd_send_signal", SYS_pidfd_send_signal },
};

static const struct fault {
	const char *name;
	int number;
} faults[] = {
	{ "ENOENT", ENOENT },
	{ "ENOLCK", ENOLCK },
	{ "ENOSYS", ENOSYS },
	{ "EPERM", EPERM },
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Two instructions: if it is this call, return the error. */
static int add(const char *word, struct sock_filter *ret)
{
	const size_t length = strcspn(word, ":");
	const char *fault = word + length + (word[length] == ':');

	for (size_t i = 0; i < COUNT(calls); i++)
		for (size_t j = 0; j < COUNT(faults); j++)
			if (strlen(calls[i].name) == length &&
				strncmp(calls[i].name, word, length) == 0 &&
				strcmp(faults[j].name, fault) == 0) {
				ret[0] = (struct sock_filter)BPF_JUMP(
					BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1);
				ret[1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					SECCOMP_RET_ERRNO | (unsigned)faults[j].number);
				return 2;
			}
	fprintf(stderr, "without_calls: \"%s\" is not known\n", word);
	return 0;
}

int main(int argc, char **argv)
{
	struct sock_filter filter[2 * COUNT(calls) * COUNT(faults) + 2] = { BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
	unsigned short n = 1;
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const int more = n + 3u < COUNT(filter) ? add(argv[i], filter + n) : 0;
		if (more == 0)
			return 64;
		n = (unsigned short)(n + more);
	}
	if (i + 1 >= argc)
		return 64;
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = { .len = n, .filter = filter };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
		perror("without_calls");
		return 77;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}
