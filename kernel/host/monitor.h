/* SPDX-License-Identifier: MIT */
/* monitor.h - what the kernel may ask the monitor: about the host's network, and about
 * the memory of the sandbox's own host processes.
 *
 * Not one more host call: a question is written into memory that both see, and a byte
 * into a pipe says so. The monitor (launcher/network.c, pages.c) puts the question to the
 * host itself, from fields of its own message, and copies the answer back. It answers
 * what any program of the host may ask: which interfaces, addresses, routes and
 * neighbours there are; and what a process may read of itself in /proc/self/pagemap and
 * status. Plain C, included by launcher/ too. */
#pragma once
#include <stdint.h>

enum {
	MONITOR_ANSWER_MAX = (2 << 20) - 8192,
	MONITOR_NOTICES_SIZE = 1 << 16,
	MONITOR_TIMEOUT_SECONDS = 5, /* whoever waits longer is on his own */
	MONITOR_RANGES = 16,
};

enum monitor_question {
	MONITOR_DUMP = 1,   /* all messages of type and family */
	MONITOR_ROUTE = 2,  /* the route that a packet would take */
	MONITOR_LISTEN = 3, /* from now on, changes are to be told as notices */
	MONITOR_PAGES = 4,  /* what a host process has in some ranges */
	/* The peak of a host process' resident memory: counted from now on. */
	MONITOR_RESET_PEAK = 5,
};

/* Which fields of a route question were given. */
enum monitor_route_field {
	MONITOR_ROUTE_DST = 1 << 0,
	MONITOR_ROUTE_SRC = 1 << 1,
	MONITOR_ROUTE_IIF = 1 << 2,
	MONITOR_ROUTE_OIF = 1 << 3,
	MONITOR_ROUTE_MARK = 1 << 4,
	MONITOR_ROUTE_IP_PROTO = 1 << 5,
	MONITOR_ROUTE_SPORT = 1 << 6,
	MONITOR_ROUTE_DPORT = 1 << 7,
};

struct monitor_query {
	uint32_t question; /* enum monitor_question */
	uint32_t type;	   /* DUMP: RTM_GET… */
	uint32_t family;   /* below 256 */
	/* ROUTE */
	uint32_t fields; /* enum monitor_route_field */
	uint32_t flags;	 /* RTM_F_… */
	uint32_t tos;
	uint32_t iif, oif, mark;
	uint8_t ip_proto;
	uint8_t sport[2], dport[2]; /* big-endian */
	uint8_t dst[16], src[16];
	/* PAGES, RESET_PEAK */
	int32_t pid;	      /* as the sandbox's host processes know it */
	uint32_t wants;	      /* PAGES: enum monitor_want */
	uint32_t range_count; /* PAGES */
	struct {
		uint64_t start, end; /* addresses of pages; ascending */
	} range[MONITOR_RANGES];
};

/* What takes longer. */
enum monitor_want {
	MONITOR_WANT_FIGURES = 1 << 0, /* those of the whole process */
	MONITOR_WANT_EXCLUSIVE = 1 << 1,
	MONITOR_WANT_SHARES = 1 << 2, /* with figures */
};

/* Of a page of a host process. */
enum monitor_page {
	MONITOR_PAGE_PRESENT = 1 << 0,
	MONITOR_PAGE_SWAPPED = 1 << 1,
	MONITOR_PAGE_FILE = 1 << 2,	 /* of a file or of shared memory */
	MONITOR_PAGE_EXCLUSIVE = 1 << 3, /* if asked for: mapped once in the whole host */
	MONITOR_PAGE_ZERO = 1 << 4,	 /* that all share which have only been read */
	MONITOR_PAGE_HUGE = 1 << 5,
	MONITOR_PAGE_GUARD = 1 << 6, /* MADV_GUARD_INSTALL; swapped too */
};

struct monitor_run {
	uint64_t start;
	uint32_t pages;
	uint32_t bits; /* enum monitor_page: not 0 */
};

/* The answer to PAGES. */
struct monitor_pages {
	uint64_t
		next; /* how far it has looked: the last end, if there was not too much */
	/* Of the whole process, in KiB, if asked for. */
	uint64_t resident, peak, anon, swapped;
	/* The parts of it that are this one's, where others have a page as well. */
	uint64_t anon_share, file_share, shared_memory_share;
	uint64_t count;
	struct monitor_run run[]; /* ascending */
};

/* One change, as the host told it: netlink messages to a group. Each begins at a multiple
 * of 8 bytes. */
struct monitor_notice {
	uint32_t size; /* of the messages that follow */
	uint32_t group;
};

struct monitor_box {
	/* A ring: bytes ever put by the monitor, which then kicks the first host process,
	 * and ever taken. Both atomic. */
	uint64_t notices_put, notices_taken;
	uint32_t notices_lost; /* atomic: there was no room for some */
	uint8_t notices[MONITOR_NOTICES_SIZE] __attribute__((aligned(8)));
	uint32_t asked;	   /* atomic: the number of the latest question */
	uint32_t answered; /* atomic: the latest that was answered; a futex word */
	struct monitor_query query;
	int32_t error;			  /* 0 or -errno, as the host says */
	uint32_t size;			  /* of data */
	uint8_t data[MONITOR_ANSWER_MAX]; /* netlink messages, as the host made them */
};
