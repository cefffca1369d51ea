/* SPDX-License-Identifier: MIT */
/* differ_memory_calls.h - steps of differ_memory.c: the calls that map and protect. */
#pragma once
#include "differ_memory_place.h"

#include <sys/uio.h>

#define GUARD_INSTALL	   102
#define GUARD_REMOVE	   103
#define MAP_DROPPABLE_TYPE 8
#define SYS_mseal_number   462
#define PIDFD_SELF_PROCESS (-10001)

/* ---- mmap, munmap ---- */

static int any_map_flags(struct chance *c)
{
	static const int types[] = {MAP_PRIVATE, MAP_PRIVATE, MAP_PRIVATE,
				    MAP_SHARED,	 MAP_SHARED,  MAP_SHARED_VALIDATE};
	static const int more[] = {MAP_LOCKED,
				   MAP_POPULATE,
				   MAP_POPULATE,
				   MAP_NORESERVE,
				   MAP_NORESERVE,
				   MAP_GROWSDOWN,
				   MAP_STACK,
				   MAP_NONBLOCK,
				   MAP_DENYWRITE,
				   MAP_EXECUTABLE,
				   MAP_POPULATE | MAP_NONBLOCK};
	int flags = percent(c, 97) ? ANY(c, types) : (int)below(c, 8);

	if (percent(c, 50))
		flags |= MAP_ANONYMOUS;
	flags |= percent(c, 75) ? MAP_FIXED : percent(c, 50) ? MAP_FIXED_NOREPLACE : 0;
	if (percent(c, 30))
		flags |= ANY(c, more);
	return flags;
}

/* What the kernel has put elsewhere goes again. */
static void put_back(long result, uint64_t size)
{
	if (result != -1 && ((uint64_t)result < SEEN || (uint64_t)result >= SEEN_END))
		(void)munmap((void *)result, size);
}

static bool map(struct place p, int prot, int flags, int which, uint64_t off)
{
	long result;

	say_call("mmap", p);
	say(" %#x, %#x, %s, %#lx", (unsigned int)prot, (unsigned int)flags,
	    flags & MAP_ANONYMOUS ? "none" : file_names[which], off);
	result = syscall(SYS_mmap, p.at, p.size, prot, flags,
			 flags & MAP_ANONYMOUS ? -1 : files[which], off);
	put_back(done_at(result), p.size);
	return result != -1;
}

static void do_mmap(struct chance *c)
{
	struct place p = any_place(c, 16);
	int prot = any_prot(c);
	int flags = any_map_flags(c);
	int which = any_file(c);
	uint64_t off = below(c, 7) * PAGE;

	if (percent(c, 1))
		prot |= percent(c, 50) ? 0x100 : PROT_GROWSDOWN;
	if (which == EVENT || which == PIPE) /* EPERM since Linux 6.17 */
		prot &= ~PROT_EXEC;
	if (which == ZERO && (flags & MAP_TYPE) == MAP_PRIVATE) /* has no name inside */
		flags |= MAP_ANONYMOUS;
	if (!(flags & MAP_ANONYMOUS) && (prot & PROT_EXEC)) /* else mlock(2) is vague */
		prot |= PROT_READ;
	if (which == ZERO) /* is of no meaning, but shown */
		off = 0;
	/* the kernel inside wants room for its own above what it may have to patch */
	if ((flags & MAP_TYPE) == MAP_PRIVATE && !(flags & MAP_ANONYMOUS))
		flags |= MAP_FIXED;
	if (percent(c, 2))
		off = percent(c, 50) ? off + 1 + below(c, PAGE - 1) : -below(c, 9) * PAGE;
	(void)map(p, prot, flags, which, off);
}

static void do_droppable(struct chance *c)
{
	(void)map(any_pages(c, 16), any_prot(c),
		  MAP_DROPPABLE_TYPE | MAP_ANONYMOUS | MAP_FIXED, 0, 0);
}

static void do_munmap(struct chance *c)
{
	struct place p = any_place(c, 8);

	say_call("munmap", p);
	done(syscall(SYS_munmap, p.at, p.size));
}

/* ---- mprotect ---- */

static int any_new_prot(struct chance *c)
{
	int prot = any_prot(c);

	if (percent(c, 4))
		prot |= percent(c, 50) ? PROT_GROWSDOWN : PROT_GROWSUP;
	if (percent(c, 1))
		prot |= percent(c, 50) ? 0x8 : 0x100;
	return prot;
}

static void do_mprotect(struct chance *c)
{
	struct place p = any_place(c, 16);
	int prot = any_new_prot(c);

	say_call("mprotect", p);
	say(" %#x", (unsigned int)prot);
	done(syscall(SYS_mprotect, p.at, p.size, prot));
}

static void do_pkey_mprotect(struct chance *c)
{
	struct place p = any_place(c, 16);
	int prot = any_new_prot(c);
	int key = percent(c, 90) ? -1 : percent(c, 50) ? 17 : -2;

	say_call("pkey_mprotect", p);
	say(" %#x, %d", (unsigned int)prot, key);
	done(syscall(SYS_pkey_mprotect, p.at, p.size, prot, key));
}

/* ---- mremap ---- */

/* One area, whatever lies beside it and whatever has become of its pages (see
 * differ_memory_state.h): new, and with what it is to have in it. */
static bool map_one_area(struct chance *c, struct place p)
{
	int flags = MAP_FIXED | (percent(c, 60) ? MAP_PRIVATE : MAP_SHARED);
	int which = any_store(c);
	int prot = percent(c, 80) ? PROT_READ | PROT_WRITE : PROT_READ;

	if (percent(c, 60))
		flags |= MAP_ANONYMOUS;
	if (!map(p, prot, flags, which, below(c, 4) * PAGE))
		return false;
	for (uint64_t at = p.at; at < p.at + p.size; at += PAGE)
		if (percent(c, 50)) {
			say("  ");
			say_poke(at, (uint8_t)below(c, 256));
		}
	say("  hole");
	done(munmap((void *)(p.at + p.size), PAGE));
	return true;
}

static int any_remap_flags(struct chance *c)
{
	static const int flags[] = {0,
				    MREMAP_MAYMOVE,
				    MREMAP_MAYMOVE | MREMAP_FIXED,
				    MREMAP_MAYMOVE | MREMAP_FIXED,
				    MREMAP_MAYMOVE | MREMAP_FIXED,
				    MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP};

	return percent(c, 96) ? ANY(c, flags) : (int)below(c, 16);
}

/* Where it moves to if it is to move and nobody says where is elsewhere: it comes back.
 */
static void remap(struct place from, uint64_t size, int flags, uint64_t to)
{
	long result = syscall(SYS_mremap, from.at, from.size, size, flags, to);

	done_at(result);
	if (result == -1 || ((uint64_t)result >= SEEN && (uint64_t)result < SEEN_END))
		return;
	say("  back");
	done_at(syscall(SYS_mremap, result, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
			from.at));
}

static void do_mremap(struct chance *c)
{
	struct place from = any_pages(c, 8);
	uint64_t size = (1 + below(c, 8)) * PAGE;
	int flags = any_remap_flags(c);
	uint64_t to = any_page(c);

	if (!map_one_area(c, from))
		return;
	if (percent(c, 50) || (flags & MREMAP_DONTUNMAP))
		size = from.size;
	if (flags & MREMAP_DONTUNMAP) /* Linux goes on counting what it locks no more */
		MUST(munlock((void *)from.at, from.size) == 0);
	switch (below(c, 24)) {
	case 0:
		from.size = 0;
		break;
	case 1: /* not a move of more than there is: Linux 6.17 takes that */
		from.size += PAGE;
		size += size == from.size ? PAGE : 0;
		break;
	case 2:
		size = percent(c, 50) ? 0 : 1UL << 63;
		break;
	case 3:
		to += 1;
		break;
	case 4:
		from.at += 1;
		break;
	case 5:
		size -= 1 + below(c, PAGE - 1);
		break;
	case 6:
		from.at += PAGE;
		from.size -= from.size > PAGE ? PAGE : 0;
		break;
	case 7:
		to = percent(c, 50) ? -(uint64_t)PAGE : 0x7ffffffff000;
		break;
	default:
		break;
	}
	say_call("  mremap", from);
	say(" %s, %#x, %s", size_text(size), (unsigned int)flags, at_text(to));
	remap(from, size, flags, to);
}

static void do_remap_file_pages(struct chance *c)
{
	struct place p = any_place(c, 8);
	int prot = percent(c, 90) ? 0 : PROT_READ;
	uint64_t page = percent(c, 95) ? below(c, 8) : -1UL;
	int flags = percent(c, 95) ? 0 : MAP_NONBLOCK;

	if (percent(c, 60)) {
		(void)map(any_pages(c, 8), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			  any_store(c), 0);
		say("  ");
	}
	say_call("remap_file_pages", p);
	say(" %d, %#lx, %#x", prot, page, (unsigned int)flags);
	done(syscall(SYS_remap_file_pages, p.at, p.size, prot, page, flags));
}

/* ---- advice ---- */

static const int advices[] = {MADV_NORMAL,
			      MADV_RANDOM,
			      MADV_SEQUENTIAL,
			      MADV_WILLNEED,
			      MADV_DONTNEED,
			      MADV_DONTNEED,
			      MADV_DONTNEED,
			      MADV_REMOVE,
			      MADV_REMOVE,
			      MADV_DONTFORK,
			      MADV_DOFORK,
			      MADV_WIPEONFORK,
			      MADV_KEEPONFORK,
			      MADV_DONTDUMP,
			      MADV_DODUMP,
			      MADV_COLD,
			      MADV_PAGEOUT,
			      22 /* POPULATE_READ */,
			      23 /* POPULATE_WRITE */,
			      24 /* DONTNEED_LOCKED */,
			      25 /* COLLAPSE */,
			      5,
			      7,
			      26,
			      -1};

static void advise(struct place p, int advice)
{
	say_call("madvise", p);
	say(" %d", advice);
	done(syscall(SYS_madvise, p.at, p.size, advice));
}

static void do_madvise(struct chance *c)
{
	struct place p = any_place(c, 16);

	advise(p, ANY(c, advices));
}

static void do_guard(struct chance *c)
{
	struct place p = any_place(c, 8);

	advise(p, percent(c, 50) ? GUARD_INSTALL : GUARD_REMOVE);
}

static void do_free(struct chance *c)
{
	advise(any_pages(c, 8), MADV_FREE);
}

static void do_process_madvise(struct chance *c)
{
	static const int some[] = {MADV_COLD, MADV_WILLNEED, MADV_DONTNEED, MADV_NORMAL,
				   -1};
	struct iovec parts[3];
	struct place p;
	int count = 1 + (int)below(c, 3);
	int advice = ANY(c, some);
	unsigned int flags = percent(c, 5);

	say("process_madvise(");
	for (int i = 0; i < count; i++) {
		p = any_place(c, 4);
		parts[i] = (struct iovec){(void *)p.at, p.size};
		say("%s %s, ", at_text(p.at), size_text(p.size));
	}
	say("%d, %u)", advice, flags);
	done(syscall(SYS_process_madvise, PIDFD_SELF_PROCESS, parts, count, advice,
		     flags));
}

static void do_msync(struct chance *c)
{
	static const int modes[] = {MS_SYNC,
				    MS_ASYNC,
				    MS_INVALIDATE,
				    MS_SYNC | MS_INVALIDATE,
				    MS_SYNC | MS_ASYNC,
				    8,
				    0};
	struct place p = any_place(c, 16);
	int flags = ANY(c, modes);

	say_call("msync", p);
	say(" %d", flags);
	done(syscall(SYS_msync, p.at, p.size, flags));
}

/* ---- what is locked ---- */

static void do_mlock(struct chance *c)
{
	struct place p = any_place(c, 8);
	uint64_t which = below(c, 6);
	unsigned int flags = percent(c, 90) ? MLOCK_ONFAULT : 2;

	say_call(which < 2 ? "mlock" : which < 3 ? "mlock2" : "munlock", p);
	if (which < 2)
		done(syscall(SYS_mlock, p.at, p.size));
	else if (which < 3)
		done(syscall(SYS_mlock2, p.at, p.size, flags));
	else
		done(syscall(SYS_munlock, p.at, p.size));
}

/* Not MCL_CURRENT: how much of the program there is differs. */
static void do_mlockall(struct chance *c)
{
	static const int modes[] = {
		MCL_FUTURE, MCL_FUTURE | MCL_ONFAULT, 0, 0, 0, MCL_ONFAULT, 8};
	int flags = ANY(c, modes);

	say("mlockall(%d)", flags);
	done(flags ? mlockall(flags) : munlockall());
}

static void do_limit_memlock(struct chance *c)
{
	struct rlimit limit;
	uint64_t pages = below(c, 12);

	MUST(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	limit.rlim_cur = pages * PAGE;
	say("RLIMIT_MEMLOCK %lu pages", pages);
	done(setrlimit(RLIMIT_MEMLOCK, &limit));
}

/* So much more than now, or whatever it takes. */
static void do_limits(struct chance *c)
{
	bool is_data = percent(c, 50);
	const char *text = read_proc("/proc/self/status");
	uint64_t now =
		(uint64_t)proc_number(text, is_data ? "VmData:" : "VmSize:") * 1024;
	uint64_t pages = below(c, 24);
	bool is_none = percent(c, 50);
	struct rlimit limit;
	int which = is_data ? RLIMIT_DATA : RLIMIT_AS;

	MUST(getrlimit(which, &limit) == 0);
	limit.rlim_cur = is_none ? limit.rlim_max : now + pages * PAGE;
	say("%s %+ld pages", is_data ? "RLIMIT_DATA" : "RLIMIT_AS",
	    is_none ? -1 : (long)pages);
	done(setrlimit(which, &limit));
}
