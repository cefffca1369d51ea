/* SPDX-License-Identifier: MIT */
/* differ_memory_more.h - steps of differ_memory.c: accesses of its own and by calls,
 * fork, brk, System V memory, policies, userfaultfd. */
#pragma once
#include "differ_memory_calls.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA	     0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

/* ---- accesses ---- */

static uint64_t any_address(struct chance *c)
{
	uint64_t at = SEEN + below(c, ARENA_PAGES + 2 * ROOM) * PAGE;

	return percent(c, 80) ? at : at + below(c, PAGE / 8) * 8;
}

static void do_poke(struct chance *c)
{
	uint64_t at = percent(c, 80) ? any_page(c) : SEEN + below(c, ROOM) * PAGE;

	say_poke(at, (uint8_t)below(c, 256));
}

static void do_peek(struct chance *c)
{
	uint64_t at = any_address(c);
	uint64_t value = 0;
	bool is_done = TRIED(value = *(const volatile uint64_t *)at);

	say("peek %s ", at_text(at));
	if (is_done)
		say("%#lx\n", value);
	else
		say("%s\n", fault_name(at));
}

/* Only what can be read and begins with a return. */
static void do_exec(struct chance *c)
{
	uint64_t at = any_page(c);
	uint8_t first = 0;
	bool is_done;

	say("exec %s ", at_text(at));
	if (!TRIED(first = *(const volatile uint8_t *)at) || first != code_return) {
		say("no code\n");
		return;
	}
	is_done = TRIED(((void (*)(void))at)());
	say("%s\n", is_done ? "done" : fault_name(at));
}

static void do_mincore(struct chance *c)
{
	struct place p = any_place(c, 8);
	unsigned char vec[ARENA_PAGES + 1];
	bool is_bad = percent(c, 10);

	say_call("mincore", p);
	if (is_bad)
		say(" bad");
	done(syscall(SYS_mincore, p.at, p.size, is_bad ? (void *)ARENA_END : vec));
}

/* ---- what calls read and write there ---- */

static uint8_t outside[8 * PAGE];

/* What has been touched: to copy something there makes no stack grow inside. */
static struct place any_buffer(struct chance *c)
{
	struct place p = any_place(c, 4);

	if (percent(c, 50) && p.size > PAGE) {
		p.at += below(c, PAGE);
		p.size -= PAGE + below(c, PAGE);
	}
	for (uint64_t at = p.at; at >= p.at && at < p.at + p.size && at < SEEN_END;
	     at += PAGE)
		(void)TRIED((void)*(volatile uint8_t *)at);
	if (p.at >= SEEN && p.at + p.size < SEEN_END)
		(void)TRIED((void)*(volatile uint8_t *)(p.at + p.size));
	return p;
}

/* From a pipe: however it is, so much came that there is memory for. */
static void do_read_in(struct chance *c)
{
	struct place p = any_buffer(c);
	int ends[2];
	char rest;

	MUST(pipe2(ends, O_NONBLOCK) == 0);
	memset(outside, (int)below(c, 256), PAGE);
	MUST(write(ends[1], outside, PAGE) == PAGE);
	if (p.size > PAGE && p.size < 1UL << 40)
		p.size = PAGE;
	say_call("read", p);
	done(syscall(SYS_read, ends[0], p.at, p.size));
	(void)!read(ends[0], &rest, 1);
	close(ends[0]);
	close(ends[1]);
}

/* Into a pipe: files of Linux' grow even if nothing could be read. */
static void do_write_out(struct chance *c)
{
	struct place p = any_buffer(c);
	int ends[2];

	MUST(pipe2(ends, O_NONBLOCK) == 0);
	say_call("write", p);
	done(syscall(SYS_write, ends[1], p.at, p.size));
	close(ends[0]);
	close(ends[1]);
}

static void do_process_vm(struct chance *c)
{
	struct iovec local = {outside, 0};
	struct iovec remote[2];
	bool is_write = percent(c, 50);
	uint64_t hash = 0;
	int count = 1 + (int)below(c, 2);
	unsigned long flags = percent(c, 3);

	memset(outside, is_write ? (int)below(c, 256) : 0, sizeof(outside));
	say("process_vm_%sv(", is_write ? "write" : "read");
	for (int i = 0; i < count; i++) {
		struct place p = any_buffer(c);

		/* as much as there is here: Linux fetches all pages there first */
		remote[i] = (struct iovec){(void *)p.at, p.size};
		if (p.size < sizeof(outside) - local.iov_len)
			local.iov_len += p.size;
		say("%s %s, ", at_text(p.at), size_text(p.size));
	}
	say("%lu)", flags);
	done(syscall(is_write ? SYS_process_vm_writev : SYS_process_vm_readv, getpid(),
		     &local, 1, remote, count, flags));
	for (size_t i = 0; i < sizeof(outside); i++)
		hash = hash * 0x100000001b3 + outside[i];
	say("  read %#lx\n", hash);
}

/* ---- fork ---- */

/* What the child has of it, what it may do to it; the parent says what is left of that.
 */
static void do_fork(struct chance *c)
{
	pid_t pid;
	int status;

	say("fork\n");
	flush();
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		is_child = true;
		say_areas();
		say_pages();
		for (int i = 0; i < 6; i++) {
			say("  child ");
			say_poke(any_page(c), (uint8_t)below(c, 256));
		}
		say("  child ");
		do_munmap(c);
		say("  child ");
		do_madvise(c);
		say("  child ");
		do_mprotect(c);
		say_all();
		flush();
		_exit((int)(transcript_hash % 61));
	}
	status = wait_status(pid);
	say("  child ended with %#x\n", (unsigned int)status);
	say_pages();
}

/* ---- brk ---- */

static uint64_t brk_start;

static void brk_begin(void)
{
	brk_start = ((uint64_t)syscall(SYS_brk, 0) + PAGE - 1) & -(uint64_t)PAGE;
	MUST((uint64_t)syscall(SYS_brk, brk_start) == brk_start);
}

static void do_brk(struct chance *c)
{
	uint64_t by = below(c, 10 * PAGE) & (percent(c, 50) ? -(uint64_t)PAGE : -1UL);
	bool is_bad = percent(c, 10);
	uint64_t bad = percent(c, 50) ? 1UL << 63 : 0x1000;
	uint64_t at = (uint64_t)syscall(SYS_brk, is_bad ? bad : brk_start + by);
	bool is_done;

	say("brk(%s%#lx) = %+ld", is_bad ? "bad " : "+", is_bad ? bad : by,
	    (long)(at - brk_start));
	at = (at - 1) & -(uint64_t)PAGE;
	is_done = poke(at, 7);
	say(" poke %s\n", is_done ? "done" : fault_name(at));
}

/* ---- System V memory ---- */

static void do_shmat(struct chance *c)
{
	static const int flag_sets[] = {0,
					SHM_REMAP,
					SHM_REMAP,
					SHM_RDONLY | SHM_REMAP,
					SHM_EXEC | SHM_REMAP,
					SHM_RND,
					SHM_RND | SHM_REMAP};
	uint64_t size = (1 + below(c, 4)) * PAGE - (percent(c, 30) ? 100 : 0);
	int flags = ANY(c, flag_sets);
	uint64_t at = percent(c, 90) ? any_page(c) : any_address(c);
	int id = shmget(IPC_PRIVATE, size, 0600);
	long result;

	MUST(id >= 0);
	say("shmat(%s, %#x) of %s", at_text(at), (unsigned int)flags, size_text(size));
	result = syscall(SYS_shmat, id, at, flags);
	MUST(shmctl(id, IPC_RMID, NULL) == 0);
	put_back(done_at(result), size);
}

static void do_shmdt(struct chance *c)
{
	uint64_t last = any_page(c);
	bool is_there = percent(c, 85);
	char *text = read_proc("/proc/self/smaps");
	struct shown area;

	while (is_there && next_area(&text, &area))
		if (area.start >= SEEN && area.start < SEEN_END &&
		    strstr(area.name, "SYSV"))
			last = area.start - area.off;
	say("shmdt(%s)", at_text(last));
	done(syscall(SYS_shmdt, last));
}

/* ---- names, seals, policies ---- */

static void do_name(struct chance *c)
{
	static const char *const names[] = {"one", "two", "one", NULL, "bad[", ""};
	struct place p = any_place(c, 8);
	const char *name = ANY(c, names);

	say_call("PR_SET_VMA_ANON_NAME", p);
	say(" %s", name ? name : "none");
	done(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p.at, p.size, name));
}

static void do_mseal(struct chance *c)
{
	struct place p = any_place(c, 2);

	say_call("mseal", p);
	done(syscall(SYS_mseal_number, p.at, p.size, percent(c, 3)));
}

static void do_mempolicy(struct chance *c)
{
	static const unsigned long masks[] = {0, 1, 1, 1, 2, 3};
	struct place p = any_place(c, 8);
	int mode = (int)below(c, 8);
	unsigned long mask = ANY(c, masks);
	unsigned int flags = percent(c, 80) ? 0 : (unsigned int)below(c, 9);

	if (percent(c, 60)) {
		say_call("mbind", p);
		say(" %d, %lu, %u", mode, mask, flags);
		done(syscall(SYS_mbind, p.at, p.size, mode, &mask, 64UL, flags));
		return;
	}
	mode = -1;
	mask = 0;
	flags = (unsigned int)below(c, 8);
	say("get_mempolicy(%s, %u)", at_text(p.at), flags);
	done(syscall(SYS_get_mempolicy, &mode, &mask, 64UL, p.at, flags));
	say("  mode %d nodes %lu\n", mode, mask);
}

/* Which of them are there is not told, nor which is the page of zeroes. */
static void do_move_pages(struct chance *c)
{
	int count = 1 + (int)below(c, 4);
	void *pages[4];
	int nodes[4] = {0, 0, 0, 0};
	int status[4] = {99, 99, 99, 99};
	bool is_move = percent(c, 50);

	say("move_pages(");
	for (int i = 0; i < count; i++) {
		pages[i] = (void *)any_address(c);
		say("%s ", at_text((uint64_t)pages[i]));
	}
	say("%s)", is_move ? "to 0" : "");
	done(syscall(SYS_move_pages, 0, count, pages, is_move ? nodes : NULL, status, 2));
}

/* ---- userfaultfd ---- */

static int uffd = -1;

static bool uffd_begin(void)
{
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_SIGBUS};

	if (uffd >= 0)
		return true;
	uffd = (int)syscall(SYS_userfaultfd,
			    UFFD_USER_MODE_ONLY | O_CLOEXEC | O_NONBLOCK);
	return uffd >= 0 && ioctl(uffd, UFFDIO_API, &api) == 0;
}

static void uffd_fill(struct chance *c, struct place p)
{
	struct uffdio_copy copy = {.dst = p.at, .src = (uint64_t)outside, .len = p.size};
	struct uffdio_zeropage zero = {.range = {p.at, p.size}};
	bool is_copy = percent(c, 60);

	memset(outside, (int)below(c, 256), sizeof(outside));
	outside[0] = code_return;
	if (p.size > sizeof(outside) && p.size < 1UL << 40)
		copy.len = p.size = PAGE;
	say_call(is_copy ? "UFFDIO_COPY" : "UFFDIO_ZEROPAGE", p);
	done(is_copy ? ioctl(uffd, UFFDIO_COPY, &copy)
		     : ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
	say("  filled %ld\n", (long)(is_copy ? copy.copy : zero.zeropage));
}

static void do_uffd(struct chance *c)
{
	struct place p = any_place(c, 6);
	struct uffdio_register reg = {.range = {p.at, p.size}};
	struct uffdio_writeprotect wp = {.range = {p.at, p.size}};

	MUST(uffd_begin());
	switch (below(c, 8)) {
	case 0:
	case 1:
		reg.mode = 1 + below(c, 3);
		p = any_pages(c, 6);
		reg.range = (struct uffdio_range){p.at, p.size};
		if (!map(p, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0))
			break;
		say_call("UFFDIO_REGISTER", p);
		say(" %llu", reg.mode);
		done(ioctl(uffd, UFFDIO_REGISTER, &reg));
		break;
	case 2:
		say_call("UFFDIO_UNREGISTER", p);
		done(ioctl(uffd, UFFDIO_UNREGISTER, &reg.range));
		break;
	case 3:
	case 4:
		wp.mode = below(c, 2);
		say_call("UFFDIO_WRITEPROTECT", p);
		say(" %llu", wp.mode);
		done(ioctl(uffd, UFFDIO_WRITEPROTECT, &wp));
		break;
	case 5:
		if (percent(c, 70)) {
			say("UFFDIO_WAKE");
			done(ioctl(uffd, UFFDIO_WAKE, &reg.range));
			break;
		}
		say("close uffd");
		done(close(uffd));
		uffd = -1;
		break;
	default:
		uffd_fill(c, p);
		break;
	}
}
