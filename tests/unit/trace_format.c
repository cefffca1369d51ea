/* SPDX-License-Identifier: MIT */
/* unit: core/trace/format.c core/trace/structs.c core/trace/structs_signal.c */
/* unit: core/trace/structs_socket.c core/trace/special.c core/trace/special_print.c */
/* unit: core/trace/text.c core/trace/flags.c core/trace/flags_file.c */
/* unit: core/trace/flags_process.c core/trace/errors.c core/trace/direction.c */
/* unit: lib/printf.c lib/string.c */
/* trace_format.c - trace records as text: known lines, and that no record, however wrong,
 * makes the printer read or write where it must not. */
#include "../sys/test.h"

#include "core/trace/format.h"
#include "random.h"

#include <string.h>

/* The table without its handlers. */
const struct syscall syscall_rows[SYSCALL_LIMIT] = {
#define K(kind) ARG_##kind
#define ROW(number, label, ...)                                                          \
	[number] = {.name = #label, .nr = number, .kind = {__VA_ARGS__}},
#define SYS0(nr, name, st)			   ROW(nr, name, ARG_END)
#define SYS1(nr, name, st, k1, a1)		   ROW(nr, name, K(k1))
#define SYS2(nr, name, st, k1, a1, k2, a2)	   ROW(nr, name, K(k1), K(k2))
#define SYS3(nr, name, st, k1, a1, k2, a2, k3, a3) ROW(nr, name, K(k1), K(k2), K(k3))
#define SYS4(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4)                               \
	ROW(nr, name, K(k1), K(k2), K(k3), K(k4))
#define SYS5(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5)                       \
	ROW(nr, name, K(k1), K(k2), K(k3), K(k4), K(k5))
#define SYS6(nr, name, st, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5, k6, a6)               \
	ROW(nr, name, K(k1), K(k2), K(k3), K(k4), K(k5), K(k6))
#include "abi/syscalls.def"
};

/* A record and what follows it, in memory of just its size: the sanitizer sees the rest.
 */
static struct trace_record *record(uint8_t type, uint32_t nr, size_t chunks)
{
	size_t head = type == TRACE_ENTER ? TRACE_HEAD_ENTER : TRACE_HEAD_OTHER;
	struct trace_record *rec = calloc(1, MAX(head + chunks, sizeof(*rec)));

	rec->type = type;
	rec->nr = nr;
	rec->size = (uint32_t)(head + chunks);
	return rec;
}

static size_t print_call(char *buf, size_t size, const struct trace_record *enter,
			 const struct trace_record *leave)
{
	struct text t = {.buf = buf, .size = size};
	struct trace_view v;
	unsigned next;

	buf[0] = '\0';
	view_init(&v, enter, NULL);
	format_name(&t, &v);
	next = format_args(&t, &v, 0);
	if (leave) {
		view_init(&v, enter, leave);
		(void)format_args(&t, &v, next);
		text_add(&t, ") ");
		format_result(&t, &v);
	}
	CHECK(t.len < size && strlen(buf) == t.len);
	return t.len;
}

static void add_chunk(struct trace_record *rec, size_t at, uint8_t arg, const char *text)
{
	size_t head = rec->type == TRACE_ENTER ? TRACE_HEAD_ENTER : TRACE_HEAD_OTHER;
	struct trace_chunk *c = (struct trace_chunk *)((char *)rec + head + at);

	c->arg = arg;
	c->size = (uint16_t)strlen(text);
	memcpy(c + 1, text, c->size);
}

static void calls_are_lines(void)
{
	char buf[256];
	struct trace_record *enter = record(TRACE_ENTER, NR_openat, 24);
	struct trace_record *leave = record(TRACE_LEAVE, NR_openat, 0);

	enter->arg[0] = (uint64_t)-100;
	enter->arg[1] = 0x1000;
	enter->arg[2] = 02000000;
	add_chunk(enter, 0, 1, "a\n\"\0010b");
	leave->ret = -2;
	(void)print_call(buf, sizeof(buf), enter, NULL);
	CHECK(!strcmp(buf, "openat(AT_FDCWD, \"a\\n\\\"\\0010b\", O_RDONLY|O_CLOEXEC"));
	(void)print_call(buf, sizeof(buf), enter, leave);
	CHECK(!strcmp(buf,
		      "openat(AT_FDCWD, \"a\\n\\\"\\0010b\", O_RDONLY|O_CLOEXEC) = -1 "
		      "ENOENT (No such file or directory)"));
	free(enter);
	free(leave);
}

static void results_wait_for_the_end(void)
{
	char buf[256];
	struct trace_record *enter = record(TRACE_ENTER, NR_read, 0);
	struct trace_record *leave = record(TRACE_LEAVE, NR_read, 16);

	enter->arg[0] = 3;
	enter->arg[1] = 0x1000;
	enter->arg[2] = 99;
	leave->ret = 2;
	add_chunk(leave, 0, 1, "hi");
	(void)print_call(buf, sizeof(buf), enter, NULL);
	CHECK(!strcmp(buf, "read(3, "));
	(void)print_call(buf, sizeof(buf), enter, leave);
	CHECK(!strcmp(buf, "read(3, \"hi\", 99) = 2"));
	free(enter);
	free(leave);
}

static void unknown_calls_show_all_registers(void)
{
	char buf[256];
	struct trace_record *enter = record(TRACE_ENTER, UINT32_MAX, 0);
	struct trace_record *leave = record(TRACE_LEAVE, UINT32_MAX, 0);

	leave->ret = -38;
	(void)print_call(buf, sizeof(buf), enter, leave);
	CHECK(!strcmp(buf,
		      "syscall_0xffffffff(0, 0, 0, 0, 0, 0) = -1 ENOSYS (Function not "
		      "implemented)"));
	free(enter);
	free(leave);
}

static void chunks_beyond_the_record_are_not_there(void)
{
	struct trace_record *rec = record(TRACE_ENTER, NR_open, 8);
	struct trace_chunk *c = (struct trace_chunk *)((char *)rec + TRACE_HEAD_ENTER);

	c->size = 1;
	CHECK(record_chunk(rec, 0) == NULL);
	c->size = 0;
	CHECK(record_chunk(rec, 0) == c);
	rec->size -= 4;
	CHECK(record_chunk(rec, 0) == NULL);
	free(rec);
}

/* Chunks with right and wrong numbers, lengths and bytes. */
static void fill_random(struct trace_record *rec, size_t chunks)
{
	size_t head = rec->type == TRACE_ENTER ? TRACE_HEAD_ENTER : TRACE_HEAD_OTHER;
	uint8_t *bytes = (uint8_t *)rec + head;
	size_t at = 0;

	for (size_t i = 0; i < chunks; i++)
		bytes[i] = random_below(3) ? (uint8_t)random_below(256) : 0;
	while (at + sizeof(struct trace_chunk) <= chunks) {
		struct trace_chunk *c = (struct trace_chunk *)(bytes + at);
		size_t left = chunks - at - sizeof(*c);

		c->arg = (uint8_t)random_below(11);
		c->is_cut = random_below(2);
		c->size = (uint16_t)random_below(random_below(9) ? left + 1 : 65536);
		c->info = (uint32_t)random_below(random_below(4) ? 40 : UINT32_MAX);
		at += sizeof(*c) + ALIGN_UP((size_t)c->size, 8UL);
	}
}

static void random_records_do_no_harm(void)
{
	static char buf[65536];

	for (int round = 0; round < 60000; round++) {
		uint32_t nr = random_below(20) ? (uint32_t)random_below(SYSCALL_LIMIT)
					       : (uint32_t)random_below(UINT32_MAX);
		size_t in = 8 * random_below(80), out = 8 * random_below(80);
		struct trace_record *enter = record(TRACE_ENTER, nr, in);
		struct trace_record *leave = record(TRACE_LEAVE, nr, out);
		struct text t = {.buf = buf, .size = 1 + random_below(300)};

		for (int i = 0; i < 6; i++)
			enter->arg[i] = random_below(3) ? random_below(40) : random_u64();
		leave->ret = random_below(2) ? (int64_t)random_below(64)
					     : -(int64_t)random_below(600);
		fill_random(enter, in);
		fill_random(leave, out);
		(void)print_call(buf, sizeof(buf), enter, leave);
		(void)print_call(buf, 1 + random_below(120), enter, leave);
		leave->type = (uint8_t)(TRACE_SIGNAL + random_below(3));
		format_event(&t, leave);
		free(enter);
		free(leave);
	}
}

RUN(TEST(calls_are_lines), TEST(results_wait_for_the_end),
    TEST(unknown_calls_show_all_registers), TEST(chunks_beyond_the_record_are_not_there),
    TEST(random_records_do_no_harm))
