/* SPDX-License-Identifier: MIT */
/* pty.h - pseudo-terminals (pty(7)): two ends, each with a line discipline of its own.
 *
 * What is written to one end is the other's input. Input first goes into a read buffer of
 * 4096 bytes, as N_TTY's rules say (ldisc_*.c); what finds no room there waits in the
 * backlog, and when that is full too the writer waits. The master's end is always raw.
 *
 * One lock guards a pair. Signals are sent with it held. References, counted in tty.refs:
 * each open file, the inode in devpts and the session that it controls. The pair leaves
 * devpts when the master closes. */
#pragma once
#include "abi/ioctl.h"
#include "abi/types.h"
#include "base/claim.h"
#include "base/lock.h"
#include "base/waitq.h"
#include "fs/dev/tty.h"
#include "lib/list.h"

struct file;
struct inode;
struct pty;
struct superblock;
struct uio;

enum {
	READ_BUF_SIZE = 4096,	     /* N_TTY_BUF_SIZE */
	BACKLOG_SIZE = 4 * 4096,     /* one page_alloc(2) */
	BACKLOG_WRITABLE = 2 * 4096, /* POLLOUT while less waits */
	ECHO_SIZE = 2048,	     /* of uint16_t: one page */
};

enum pty_side { PTY_MASTER, PTY_SLAVE };

struct pty_end {
	struct pty *pty;      /* const */
	struct pty_end *link; /* const: the other one */
	bool is_master;	      /* const */

	/* pty->lock */
	struct linux_termios2 termios;
	int files;
	uint64_t hangups;  /* a file that was opened at another count is dead */
	bool other_closed; /* no file is open on the other end any more */
	bool is_exclusive;
	bool is_stopped;    /* output: by VSTOP or tcflow */
	bool is_tcooff;	    /* by tcflow */
	bool is_packet;	    /* master: TIOCPKT */
	uint8_t pkt_status; /* slave: TIOCPKT_* that the master has not read */
	bool is_being_read;
	bool is_being_written;
	struct waitq read_wait;
	struct waitq write_wait;
	struct waitq turns;	 /* for is_being_read and is_being_written */
	struct list async_files; /* sigio.h */
	bool is_told_of_room;	 /* a write was cut short: SIGIO when there is room */

	/* The line discipline's; the counters run freely. */
	uint8_t *buf;			       /* READ_BUF_SIZE, then ECHO_SIZE * 2 */
	uint8_t *backlog;		       /* BACKLOG_SIZE */
	uint64_t line_end[READ_BUF_SIZE / 64]; /* bit: a line ends with this byte */
	uint32_t read_head, read_tail;
	uint32_t canon_head; /* end of the last whole line */
	uint32_t backlog_head, backlog_tail;
	uint16_t *echo;
	uint32_t echo_head, echo_tail;
	uint32_t column;       /* of the output */
	uint32_t canon_column; /* where the input line began */
	bool is_pushed;	       /* the last line was ended by leaving canonical mode */
	bool is_erasing;       /* between the \ and / of ECHOPRT */
	bool is_literal;       /* after VLNEXT */
	uint64_t special[256 / 64]; /* bytes that n_tty looks at */
};

/* Of a task that reads or writes: others wait until it is done. */
struct pty_turn {
	struct claim claim;
	struct pty_end *end;
	bool *is_taken; /* one of the end's is_being_... */
};

struct pty {
	struct tty tty;	       /* the slave as a controlling terminal */
	struct lock lock;      /* RANK_OBJECT */
	struct pty_end end[2]; /* enum pty_side */
	struct linux_winsize winsize;
	int index;
	bool is_locked;	       /* TIOCSPTLCK */
	struct superblock *sb; /* ref of the master's: its devpts */
};

extern const struct file_ops pty_ops;

static inline struct pty_end *pty_end_of_tty(struct tty *tty)
{
	return &container_of(tty, struct pty, tty)->end[PTY_SLAVE];
}

/* ---- pty.c ---- */

void pty_devices_register(void);
bool pty_is_hung_up(const struct file *f);
/* lock held. */
void pty_turn_begin(struct pty_turn *t, struct pty_end *e, bool *is_taken);
void pty_turn_end(struct pty_turn *t);
/* Hangs one end up: its files are dead, its session loses it. lock held. */
void pty_hang_up_locked(struct pty_end *e);
/* Puts TIOCPKT_* bits, minus others, where the master finds them. lock held. */
void pty_packet_locked(struct pty_end *slave, uint8_t set, uint8_t clear);
/* There is something to read; there is room to write. lock held. */
void pty_wake_readers_locked(struct pty_end *e);
void pty_wake_writers_locked(struct pty_end *e);
/* Output stops and goes on. lock held. */
void pty_stop_locked(struct pty_end *e);
void pty_start_locked(struct pty_end *e);

/* ---- pty_ioctl.c ---- */

long pty_ioctl(struct file *f, unsigned int cmd, uint64_t arg);

/* ---- pty_termios.c ---- */

/* The settings of a new end. */
void pty_termios_init(struct pty_end *e);
/* TTY_NOT_MINE: another request. */
long pty_termios_ioctl(struct pty_end *slave, unsigned int cmd, uint64_t arg);

/* ---- ldisc_input.c: lock held in all ---- */

void ldisc_init(struct pty_end *e);
/* The settings have changed from old (NULL: reset). */
void ldisc_set_termios(struct pty_end *e, const struct linux_termios2 *old);
/* Input: returns how much was taken. */
size_t ldisc_receive(struct pty_end *e, const uint8_t *data, size_t size);
/* Room came up in the read buffer, or the rules have changed. */
void ldisc_pump(struct pty_end *e);
/* Forgets what was typed, without and with the backlog. */
void ldisc_flush_input(struct pty_end *e);
static inline uint32_t ldisc_backlog(const struct pty_end *e)
{
	return e->backlog_tail - e->backlog_head;
}
void ldisc_flush_backlog(struct pty_end *e);

/* ---- ldisc_output.c: lock held in all ---- */

/* Bytes that the other end takes now. */
size_t ldisc_room(const struct pty_end *e);
/* As it is. Returns how much went out. */
size_t ldisc_put(struct pty_end *e, const uint8_t *data, size_t size);
/* By the rules of c_oflag. Returns how much of data was used up. */
size_t ldisc_write(struct pty_end *e, const uint8_t *data, size_t size);
void ldisc_echo(struct pty_end *e, uint8_t c); /* control bytes as ^X */
void ldisc_echo_raw(struct pty_end *e, uint8_t c);
void ldisc_echo_mark_column(struct pty_end *e);
void ldisc_echo_move_back(struct pty_end *e);
void ldisc_echo_erase_tab(struct pty_end *e, uint32_t columns, bool after_tab);
/* Puts out as much as there is room for. */
void ldisc_echo_flush(struct pty_end *e);

/* ---- ldisc_read.c ---- */

/* lock held. */
bool ldisc_has_input(const struct pty_end *e, bool is_poll);
uint32_t ldisc_input_count(const struct pty_end *e); /* FIONREAD */
ssize_t ldisc_read(struct pty_end *e, struct file *f, struct uio *u);

/* ---- what both parts ask ---- */

static inline bool ldisc_is_control(uint8_t c)
{
	return c < 32 || c == 127;
}

/* The second and later bytes of a character. */
static inline bool ldisc_is_continuation(const struct pty_end *e, uint8_t c)
{
	return (e->termios.c_iflag & IUTF8) && (c & 0xc0) == 0x80;
}

static inline bool ldisc_is_canonical(const struct pty_end *e)
{
	return (e->termios.c_lflag & (ICANON | EXTPROC)) == ICANON;
}

static inline uint8_t *ldisc_at(const struct pty_end *e, uint32_t at)
{
	return &e->buf[at % READ_BUF_SIZE];
}
