/* SPDX-License-Identifier: MIT */
/* layout.c - keeps the kernel's address range free.
 *
 * The range begins 64 GiB below the top of user addresses and is 16 GiB long. The host
 *puts the stack within 16 GiB of the top, and never there; but mmap_base, from where
 *libraries and the vDSO are placed downwards, is top - clamp(stack limit + 16 GiB +
 *guard, 128 MiB, 5/6 of all) - random, with random up to 1 TiB (vm.mmap_rnd_bits = 28) or
 *16 TiB (32), so that about one start in sixty finds the range taken. Without
 *randomisation and with a stack limit of 8 MiB mmap_base is 136 MiB or less below the
 *top. (An unlimited stack means the legacy layout, which grows upwards from a third of
 *all: never near.) */
#include "layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/boot.h"
#include "message.h"

static const char again_name[] = "CARBYNE_LAYOUT"; /* value: the soft stack limit */
static const uint64_t small_stack = 8UL << 20;

static _Noreturn void run_again(struct limits *l, char **argv)
{
	char value[32];
	struct limits low = *l;

	(void)snprintf(value, sizeof value, "%" PRIu64, l->of[RLIMIT_STACK][0]);
	if (low.of[RLIMIT_STACK][0] > small_stack)
		low.of[RLIMIT_STACK][0] = small_stack;
	limits_restore(&low);
	if (setenv(again_name, value, 1) == 0 && personality(ADDR_NO_RANDOMIZE) >= 0)
		execv("/proc/self/exe", argv);
	fail("the kernel's address range is taken, and running again failed: %s",
	     strerror(errno));
}

void layout_reserve(struct limits *l, char **argv)
{
	const char *stack = getenv(again_name);
	size_t size = BOOT_PARAMS_ADDR + BOOT_AREA_SIZE - KERNEL_TEXT_BASE;

	if (stack) {
		l->of[RLIMIT_STACK][0] = strtoull(stack, NULL, 10);
		unsetenv(again_name);
	}
	/* The host's processes shall not run without randomisation or with readable =
	 * executable because the caller does. */
	(void)personality(PER_LINUX);
	if (mmap((void *)KERNEL_TEXT_BASE, size, PROT_NONE, /* NOLINT: a fixed address */
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
		 0) != MAP_FAILED)
		return;
	if (errno == EEXIST && !stack)
		run_again(l, argv);
	if (errno == ENOMEM)
		fail("the limit on address space (ulimit -v) is too low: %zu GiB are "
		     "wanted",
		     (size >> 30) + 1);
	fail("cannot reserve the kernel's address range: %s", strerror(errno));
}

void layout_find_vdso(struct vdso_place *out)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];

	memset(out, 0, sizeof *out);
	while (f && fgets(line, sizeof line, f)) {
		uint64_t start, end;
		char *name = strchr(line, '[');

		if (!name || sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			continue;
		if (!strncmp(name, "[vvar", 5)) {
			if (!out->vvar_addr)
				out->vvar_addr = start;
			out->vvar_size = end - out->vvar_addr;
		} else if (!strncmp(name, "[vdso]", 6)) {
			out->vdso_addr = start;
			out->vdso_size = end - start;
		}
	}
	if (f)
		(void)fclose(f);
}
