/* SPDX-License-Identifier: MIT */
/* timeout: 180 */
/*
 * differ_memory.c - memory calls in an arena of fixed addresses, and what can be seen of
 * it: see differ.h and differ_memory_state.h. Left out is what docs/compat.md says
 * differs: MAP_HUGETLB, addresses above 0x7feffffff000, what the host may take away at
 * any time (MADV_FREE and MAP_DROPPABLE only by name).
 *
 * Never called: MADV_HWPOISON, MADV_SOFT_OFFLINE, which would take the machine's pages.
 */
#include "differ_memory_calls.h"
#include "differ_memory_more.h"

static const struct kind kinds[] = {
	{"mmap", 200, do_mmap, NULL},
	{"munmap", 50, do_munmap, NULL},
	{"mprotect", 110, do_mprotect, NULL},
	{"pkey_mprotect", 10, do_pkey_mprotect, NULL},
	{"mremap", 70, do_mremap, NULL},
	{"madvise", 110, do_madvise, NULL},
	{"free", 0, do_free, NULL},
	{"droppable", 0, do_droppable, "droppable"},
	{"guard", 25, do_guard, "guard"},
	{"process_madvise", 12, do_process_madvise, "process_madvise"},
	{"msync", 20, do_msync, NULL},
	{"mincore", 10, do_mincore, NULL},
	{"mlock", 30, do_mlock, NULL},
	{"mlockall", 4, do_mlockall, NULL},
	{"memlock", 6, do_limit_memlock, NULL},
	{"limits", 5, do_limits, NULL},
	{"remap_file_pages", 15, do_remap_file_pages, NULL},
	{"mseal", 2, do_mseal, "mseal"},
	{"brk", 15, do_brk, NULL},
	{"poke", 110, do_poke, NULL},
	{"peek", 40, do_peek, NULL},
	{"exec", 20, do_exec, NULL},
	{"ftruncate", 30, do_truncate, NULL},
	{"fallocate", 30, do_fallocate, NULL},
	{"pwrite", 40, do_write, NULL},
	{"seal", 4, do_seal, NULL},
	{"renew", 12, do_renew, NULL},
	{"look", 20, do_look, NULL},
	{"read_in", 20, do_read_in, NULL},
	{"write_out", 20, do_write_out, NULL},
	{"process_vm", 30, do_process_vm, NULL},
	{"shmat", 15, do_shmat, NULL},
	{"shmdt", 10, do_shmdt, NULL},
	{"fork", 15, do_fork, NULL},
	{"name", 12, do_name, "anon_name"},
	{"mempolicy", 15, do_mempolicy, "numa"},
	{"move_pages", 10, do_move_pages, "numa"},
	{"uffd", 0, do_uffd, "uffd"},
};

static void begin(struct chance *c)
{
	volatile char stack[256 << 10];

	/* So deep is the stack for good: it would count when it grows. */
	for (size_t i = 0; i < sizeof(stack); i += PAGE)
		stack[i] = 1;
	(void)c;
	faults_begin();
	files_begin();
	brk_begin();
	(void)read_proc("/proc/self/smaps");
	sizes_begin();
}

static void observe(long step, bool is_last)
{
	if (is_last || *only_steps || step % 16 == 15)
		say_all();
	else if (step % 4 == 3)
		say_areas();
}

static void probe_features(void)
{
	uint64_t at = ARENA;
	unsigned long mask = 1;

	MUST(mmap((void *)at, PAGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (void *)at);
	if (madvise((void *)at, PAGE, GUARD_INSTALL) == 0)
		say("guard,");
	if (syscall(SYS_process_madvise, PIDFD_SELF_PROCESS, NULL, 0, MADV_COLD, 0) == 0)
		say("process_madvise,");
	if (syscall(SYS_get_mempolicy, NULL, &mask, 64, NULL, 0) == 0)
		say("numa,");
	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, PAGE, "x") == 0)
		say("anon_name,");
	if (syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY) >= 0)
		say("uffd,");
	if (mmap(NULL, PAGE, PROT_READ, MAP_DROPPABLE_TYPE | MAP_ANONYMOUS, -1, 0) !=
	    MAP_FAILED)
		say("droppable,");
	if (syscall(SYS_mseal_number, at, PAGE, 0) == 0)
		say("mseal,");
}

int main(int argc, char **argv)
{
	static const struct differ d = {.kinds = kinds,
					.kind_count = sizeof(kinds) / sizeof(kinds[0]),
					.begin = begin,
					.observe = observe,
					.probe = probe_features,
					.default_features = "anon_name,mseal,droppable"};

	return differ_main(&d, argc, argv);
}
