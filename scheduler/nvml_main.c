/* tuner-nvml: answers questions about this machine's GPUs, as nvidia-smi would, with NVIDIA's library held open.
 *
 * One word per line on standard input (gpu_source.h): gpus, samples, processes, listing. The answer
 * is the lines of nvml.h, and a last one: "end", or "fail WHY". Before the first question it prints
 * "end" when the library is ready, or exits after "fail WHY" if the library cannot be used, or
 * "none" if there is none. It may hang in the driver: callers limit their wait and then kill it. It
 * dies with the thread that started it. */
#include "scheduler/nvml.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

/* False: nobody reads our output. */
static bool answer(const struct nvml *nvml, const char *question)
{
	char why[NVML_WHY_MAX] = "it is not known what is asked";
	bool ok = false;

	if (strcmp(question, "gpus") == 0)
		ok = nvml_print_gpus(nvml, stdout, why);
	else if (strcmp(question, "samples") == 0)
		ok = nvml_print_samples(nvml, stdout, why);
	else if (strcmp(question, "processes") == 0)
		ok = nvml_print_processes(nvml, stdout, why);
	else if (strcmp(question, "listing") == 0)
		ok = nvml_print_listing(nvml, stdout, why);
	if (ok)
		puts("end");
	else
		printf("fail %s\n", why);
	return fflush(stdout) == 0;
}

int main(void)
{
	char why[NVML_WHY_MAX], question[32];
	struct nvml *nvml = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	nvml_open(&nvml, why);
	if (nvml != NULL)
		puts("end");
	else if (why[0] == '\0')
		puts("none");
	else
		printf("fail %s\n", why);
	bool heard = fflush(stdout) == 0 && nvml != NULL;
	while (heard && fgets(question, sizeof(question), stdin) != NULL) {
		question[strcspn(question, "\n")] = '\0';
		heard = answer(nvml, question);
	}
	nvml_close(nvml);
	return 0;
}
