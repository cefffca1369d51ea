/* SPDX-License-Identifier: MIT */
/* output.c - the trace's text on its way to a host descriptor.
 *
 * A reader that is slow must not stop the first host process, which also brings signals:
 * pipes and terminals get no more at once than they are sure to take. When the reader has
 * gone, what would follow is dropped. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "abi/stat.h"
#include "base/page.h"
#include "core/trace/internal.h"
#include "host/host.h"
#include "lib/string.h"
#include "time/clock.h"

#define OUTPUT_SIZE (256UL << 10)
#define LINE_ROOM   (64UL << 10) /* the longest line is shorter */

static struct text text;
static bool is_file; /* takes all at once */
static bool is_gone; /* nobody reads */
long output_line_start;

int output_init(void)
{
	struct linux_statx st = {0};

	text.buf = page_alloc(page_order_for(OUTPUT_SIZE));
	if (!text.buf)
		return -ENOMEM;
	text.size = OUTPUT_SIZE;
	if (!host_statx(trace_options.fd, "", AT_EMPTY_PATH, STATX_TYPE, &st))
		is_file = S_ISREG(st.stx_mode);
	is_gone = trace_options.fd < 0;
	return 0;
}

struct text *output_text(void)
{
	return &text;
}

bool output_has_room(void)
{
	return text.size - text.len >= LINE_ROOM;
}

static bool is_writable(nsec_t deadline)
{
	struct linux_pollfd p = {.fd = trace_options.fd, .events = POLLOUT};

	return is_file || host_poll(&p, 1, deadline) > 0;
}

static void forget(size_t size)
{
	memmove(text.buf, text.buf + size, text.len - size);
	text.len -= size;
	output_line_start -= (long)size;
}

bool output_flush(void)
{
	size_t sent = 0;

	while (sent < text.len && !is_gone) {
		size_t size = text.len - sent;
		long n;

		if (!is_writable(0))
			break;
		if (!is_file)
			size = MIN(size, (size_t)PIPE_BUF);
		n = host_pwrite(trace_options.fd, text.buf + sent, size, -1);
		if (n == -EINTR || n == -EAGAIN)
			break;
		if (n <= 0)
			is_gone = true;
		else
			sent += MIN((size_t)n, size);
	}
	if (is_gone)
		sent = text.len;
	forget(sent);
	return text.len == 0;
}

void output_wait(void)
{
	(void)is_writable(clock_now(CLOCK_MONOTONIC) + NSEC_PER_SEC / 10);
}
