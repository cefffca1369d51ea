/* SPDX-License-Identifier: MIT */
/* ldisc_input.c - N_TTY's way in: c_iflag, signals, editing of lines (termios(3)).
 *
 * As on Linux, VEOF is kept in the buffer as a 0 with its line_end bit; a canonical line
 * that fills the buffer loses what comes after its 4095th byte; VDISCARD and IMAXBEL do
 * nothing. A pty has no breaks and no parity errors: of PARMRK the doubled \377 is left.
 */
#include "abi/poll.h"
#include "abi/signal.h"
#include "fs/dev/pty.h"
#include "fs/poll.h"
#include "lib/string.h"

/* ---- settings ---- */

static void special_add(struct pty_end *e, uint8_t c)
{
	e->special[c / 64] |= 1ULL << (c % 64);
}

static bool is_special(const struct pty_end *e, uint8_t c)
{
	return e->special[c / 64] >> (c % 64) & 1;
}

static void special_set(struct pty_end *e)
{
	const struct linux_termios2 *t = &e->termios;
	uint32_t l = t->c_lflag;

	memset(e->special, 0, sizeof(e->special));
	if (t->c_iflag & (IGNCR | ICRNL))
		special_add(e, '\r');
	if (t->c_iflag & INLCR)
		special_add(e, '\n');
	if (l & ICANON) {
		static const uint8_t plain[] = {VERASE, VKILL, VEOF, VEOL};
		static const uint8_t extended[] = {VWERASE, VLNEXT, VEOL2};

		special_add(e, '\n');
		for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
			special_add(e, t->c_cc[plain[i]]);
		for (size_t i = 0; (l & IEXTEN) && i < ARRAY_SIZE(extended); i++)
			special_add(e, t->c_cc[extended[i]]);
		if ((l & (IEXTEN | ECHO)) == (IEXTEN | ECHO))
			special_add(e, t->c_cc[VREPRINT]);
	}
	if (t->c_iflag & IXON) {
		special_add(e, t->c_cc[VSTART]);
		special_add(e, t->c_cc[VSTOP]);
	}
	if (l & ISIG) {
		special_add(e, t->c_cc[VINTR]);
		special_add(e, t->c_cc[VQUIT]);
		special_add(e, t->c_cc[VSUSP]);
	}
	e->special[0] &= ~1ULL; /* 0: disabled */
}

static bool is_raw(const struct pty_end *e)
{
	const struct linux_termios2 *t = &e->termios;

	return !(t->c_iflag & (ISTRIP | IUCLC | IGNCR | ICRNL | INLCR | IXON | PARMRK)) &&
	       !(t->c_lflag & (ICANON | ISIG | ECHO));
}

/* ---- the buffer ---- */

static void line_end_set(struct pty_end *e, uint32_t at)
{
	at %= READ_BUF_SIZE;
	e->line_end[at / 64] |= 1ULL << (at % 64);
}

static void put(struct pty_end *e, uint8_t c)
{
	*ldisc_at(e, e->read_head++) = c;
}

static void put_marked(struct pty_end *e, uint8_t c)
{
	if (c == 0xff && (e->termios.c_iflag & PARMRK))
		put(e, c);
	put(e, c);
}

static void finish_line(struct pty_end *e, uint8_t c)
{
	line_end_set(e, e->read_head);
	put(e, c);
	e->canon_head = e->read_head;
	pty_wake_readers_locked(e);
}

void ldisc_flush_input(struct pty_end *e)
{
	e->read_head = 0;
	e->read_tail = 0;
	e->canon_head = 0;
	e->is_erasing = false;
	e->is_literal = false;
	e->is_pushed = false;
	memset(e->line_end, 0, sizeof(e->line_end));
	if (!e->is_master)
		pty_packet_locked(e, TIOCPKT_FLUSHREAD, 0);
}

void ldisc_flush_backlog(struct pty_end *e)
{
	e->backlog_head = e->backlog_tail;
	pty_wake_writers_locked(e->link);
}

void ldisc_init(struct pty_end *e)
{
	e->read_head = 0;
	e->read_tail = 0;
	e->canon_head = 0;
	special_set(e);
}

void ldisc_set_termios(struct pty_end *e, const struct linux_termios2 *old)
{
	if (!old || ((old->c_lflag ^ e->termios.c_lflag) & (ICANON | EXTPROC))) {
		memset(e->line_end, 0, sizeof(e->line_end));
		if (!(e->termios.c_lflag & ICANON) || e->read_head == e->read_tail) {
			e->canon_head = e->read_tail;
			e->is_pushed = false;
		} else {
			/* What was typed before is a line now. */
			line_end_set(e, e->read_head - 1);
			e->canon_head = e->read_head;
			e->is_pushed = true;
		}
		e->is_erasing = false;
		e->is_literal = false;
	}
	special_set(e);
	if (old && (old->c_iflag & IXON) && !(e->termios.c_iflag & IXON) &&
	    !e->is_tcooff) {
		pty_start_locked(e);
		ldisc_echo_flush(e);
	}
	waitq_wake_all(&e->write_wait, 0);
	waitq_wake_all(&e->read_wait, 0);
	ldisc_pump(e);
}

/* ---- erasing ---- */

static void finish_erasing(struct pty_end *e)
{
	if (e->is_erasing) {
		ldisc_echo_raw(e, '/');
		e->is_erasing = false;
	}
}

/* The tab at read_head went: back to where it began. */
static void echo_tab_gone(struct pty_end *e)
{
	uint32_t columns = 0;
	bool after_tab = false;

	for (uint32_t at = e->read_head; at != e->canon_head;) {
		uint8_t c = *ldisc_at(e, --at);

		if (c == '\t') {
			after_tab = true;
			break;
		}
		if (ldisc_is_control(c))
			columns += e->termios.c_lflag & ECHOCTL ? 2 : 0;
		else if (!ldisc_is_continuation(e, c))
			columns++;
	}
	ldisc_echo_erase_tab(e, columns, after_tab);
}

static void echo_rubout(struct pty_end *e)
{
	ldisc_echo_raw(e, '\b');
	ldisc_echo_raw(e, ' ');
	ldisc_echo_raw(e, '\b');
}

/* A character of count bytes at read_head, the first of them c, went. */
static void echo_erased(struct pty_end *e, uint8_t c, uint32_t count, bool one)
{
	uint32_t l = e->termios.c_lflag;

	if (l & ECHOPRT) {
		if (!e->is_erasing)
			ldisc_echo_raw(e, '\\');
		e->is_erasing = true;
		ldisc_echo(e, c);
		for (uint32_t i = 1; i < count; i++) {
			ldisc_echo_raw(e, *ldisc_at(e, e->read_head + i));
			ldisc_echo_move_back(e);
		}
	} else if (one && !(l & ECHOE)) {
		ldisc_echo(e, e->termios.c_cc[VERASE]);
	} else if (c == '\t') {
		echo_tab_gone(e);
	} else {
		if (ldisc_is_control(c) && (l & ECHOCTL))
			echo_rubout(e);
		if (!ldisc_is_control(c) || (l & ECHOCTL))
			echo_rubout(e);
	}
}

static bool is_word(uint8_t c)
{
	uint8_t lower = c | 0x20;

	/* Linux takes Latin-1's letters for letters. */
	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
	       (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

/* The first byte of the character before read_head: its place. */
static uint32_t char_before(const struct pty_end *e)
{
	uint32_t head = e->read_head;

	do {
		head--;
	} while (ldisc_is_continuation(e, *ldisc_at(e, head)) && head != e->canon_head);
	return head;
}

static void erase_chars(struct pty_end *e, bool one, bool word)
{
	bool seen_word = false;

	while (e->read_head != e->canon_head) {
		uint32_t head = char_before(e);
		uint32_t count = e->read_head - head;
		uint8_t c = *ldisc_at(e, head);

		if (ldisc_is_continuation(e, c))
			break;
		if (word && is_word(c))
			seen_word = true;
		else if (word && seen_word)
			break;
		e->read_head = head;
		if (e->termios.c_lflag & ECHO)
			echo_erased(e, c, count, one);
		if (one)
			break;
	}
	if (e->read_head == e->canon_head && (e->termios.c_lflag & ECHO))
		finish_erasing(e);
}

static void erase(struct pty_end *e, uint8_t c)
{
	const uint8_t *cc = e->termios.c_cc;
	uint32_t l = e->termios.c_lflag;
	bool one = c == cc[VERASE];
	bool word = !one && c == cc[VWERASE];

	if (e->read_head == e->canon_head)
		return;
	if (!one && !word &&
	    (l & (ECHO | ECHOK | ECHOKE | ECHOE)) != (ECHO | ECHOK | ECHOKE | ECHOE)) {
		e->read_head = e->canon_head;
		if (!(l & ECHO))
			return;
		finish_erasing(e);
		ldisc_echo(e, cc[VKILL]);
		if (l & ECHOK)
			ldisc_echo_raw(e, '\n');
		return;
	}
	erase_chars(e, one, word);
}

/* ---- bytes with a meaning ---- */

static bool take_flow(struct pty_end *e, uint8_t c)
{
	if (c == e->termios.c_cc[VSTART]) {
		pty_start_locked(e);
		ldisc_echo_flush(e);
		return true;
	}
	if (c == e->termios.c_cc[VSTOP]) {
		pty_stop_locked(e);
		return true;
	}
	return false;
}

static bool take_signal(struct pty_end *e, uint8_t c)
{
	const uint8_t *cc = e->termios.c_cc;
	int signo;

	if (c == cc[VINTR])
		signo = SIGINT;
	else if (c == cc[VQUIT])
		signo = SIGQUIT;
	else if (c == cc[VSUSP])
		signo = SIGTSTP;
	else
		return false;
	if (!e->is_master)
		tty_signal(&e->pty->tty, signo);
	if (!(e->termios.c_lflag & NOFLSH)) {
		e->echo_tail = e->echo_head;
		ldisc_flush_backlog(e->link);
		pty_packet_locked(e, TIOCPKT_FLUSHWRITE, 0);
		ldisc_flush_input(e);
	}
	if (e->termios.c_iflag & IXON)
		pty_start_locked(e);
	if (e->termios.c_lflag & ECHO)
		ldisc_echo(e, c);
	ldisc_echo_flush(e);
	return true;
}

static void reprint(struct pty_end *e, uint8_t c)
{
	finish_erasing(e);
	ldisc_echo(e, c);
	ldisc_echo_raw(e, '\n');
	for (uint32_t at = e->canon_head; at != e->read_head; at++)
		ldisc_echo(e, *ldisc_at(e, at));
}

/* VEOL, VEOL2. */
static void take_eol(struct pty_end *e, uint8_t c)
{
	if (e->termios.c_lflag & ECHO) {
		if (e->canon_head == e->read_head)
			ldisc_echo_mark_column(e);
		ldisc_echo(e, c);
	}
	if (c == 0xff && (e->termios.c_iflag & PARMRK))
		put(e, c);
	finish_line(e, c);
}

static void take_literal_next(struct pty_end *e)
{
	e->is_literal = true;
	if (!(e->termios.c_lflag & ECHO))
		return;
	finish_erasing(e);
	if (e->termios.c_lflag & ECHOCTL) {
		ldisc_echo_raw(e, '^');
		ldisc_echo_raw(e, '\b');
	}
}

static bool take_canonical(struct pty_end *e, uint8_t c)
{
	const uint8_t *cc = e->termios.c_cc;
	uint32_t l = e->termios.c_lflag;

	if (c == cc[VERASE] || c == cc[VKILL] || (c == cc[VWERASE] && (l & IEXTEN))) {
		erase(e, c);
	} else if (c == cc[VLNEXT] && (l & IEXTEN)) {
		take_literal_next(e);
	} else if (c == cc[VREPRINT] && (l & ECHO) && (l & IEXTEN)) {
		reprint(e, c);
	} else if (c == '\n') {
		if (l & (ECHO | ECHONL))
			ldisc_echo_raw(e, '\n');
		finish_line(e, c);
	} else if (c == cc[VEOF]) {
		finish_line(e, 0);
	} else if (c == cc[VEOL] || (c == cc[VEOL2] && (l & IEXTEN))) {
		take_eol(e, c);
	} else {
		return false;
	}
	return true;
}

/* ---- any byte ---- */

static void any_byte_starts(struct pty_end *e)
{
	if (e->is_stopped && !e->is_tcooff &&
	    (e->termios.c_iflag & (IXON | IXANY)) == (IXON | IXANY)) {
		pty_start_locked(e);
		ldisc_echo_flush(e);
	}
}

static void take_plain(struct pty_end *e, uint8_t c)
{
	if (e->termios.c_lflag & ECHO) {
		finish_erasing(e);
		if (e->canon_head == e->read_head)
			ldisc_echo_mark_column(e);
		ldisc_echo(e, c);
	}
	put_marked(e, c);
}

static void take_special(struct pty_end *e, uint8_t c)
{
	uint32_t i = e->termios.c_iflag;
	uint32_t l = e->termios.c_lflag;

	if ((i & IXON) && take_flow(e, c))
		return;
	if ((l & ISIG) && take_signal(e, c))
		return;
	any_byte_starts(e);
	if (c == '\r') {
		if (i & IGNCR)
			return;
		if (i & ICRNL)
			c = '\n';
	} else if (c == '\n' && (i & INLCR)) {
		c = '\r';
	}
	if ((l & ICANON) && take_canonical(e, c))
		return;
	if (c == '\n' && (l & ECHO)) {
		finish_erasing(e);
		ldisc_echo_raw(e, c);
		put(e, c);
	} else {
		take_plain(e, c);
	}
}

static uint8_t mapped(const struct pty_end *e, uint8_t c)
{
	if (e->termios.c_iflag & ISTRIP)
		c &= 0x7f;
	if ((e->termios.c_iflag & IUCLC) && (e->termios.c_lflag & IEXTEN) && c >= 'A' &&
	    c <= 'Z')
		c = (uint8_t)(c - 'A' + 'a');
	return c;
}

static void take(struct pty_end *e, uint8_t c)
{
	c = mapped(e, c);
	if (e->is_literal) {
		e->is_literal = false;
		any_byte_starts(e);
		take_plain(e, c);
	} else if (e->termios.c_lflag & EXTPROC) {
		put(e, c);
	} else if (is_special(e, c)) {
		take_special(e, c);
	} else {
		any_byte_starts(e);
		take_plain(e, c);
	}
}

/* ---- many bytes ---- */

/* How many bytes may be taken now. A canonical line that fills the buffer goes on being
 * edited: its last byte is overwritten. */
static size_t room(struct pty_end *e)
{
	int32_t left = READ_BUF_SIZE - (int32_t)(e->read_head - e->read_tail);

	if (e->termios.c_iflag & PARMRK)
		left = (left + 2) / 3;
	left--;
	if (left > 0)
		return (size_t)left;
	if (!(e->termios.c_lflag & ICANON) || e->canon_head != e->read_tail)
		return 0;
	if (left < 0)
		e->read_head--;
	return 1;
}

static void take_raw(struct pty_end *e, const uint8_t *data, size_t size)
{
	size_t first = MIN(size, READ_BUF_SIZE - e->read_head % READ_BUF_SIZE);

	memcpy(ldisc_at(e, e->read_head), data, first);
	memcpy(e->buf, data + first, size - first);
	e->read_head += (uint32_t)size;
}

static size_t take_many(struct pty_end *e, const uint8_t *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t left = room(e);
		size_t n = MIN(size - done, left);

		if (!n)
			break;
		if (is_raw(e)) {
			take_raw(e, data + done, n);
		} else {
			for (size_t i = 0; i < n; i++)
				take(e, data[done + i]);
			ldisc_echo_flush(e);
		}
		done += n;
	}
	if (done && !ldisc_is_canonical(e) && e->read_head != e->read_tail)
		pty_wake_readers_locked(e);
	return done;
}

void ldisc_pump(struct pty_end *e)
{
	uint32_t before = ldisc_backlog(e);

	while (ldisc_backlog(e)) {
		uint32_t at = e->backlog_head % BACKLOG_SIZE;
		uint32_t span = MIN(ldisc_backlog(e), BACKLOG_SIZE - at);
		size_t n = take_many(e, e->backlog + at, span);

		e->backlog_head += (uint32_t)n;
		if (n < span)
			break;
	}
	if (before >= BACKLOG_WRITABLE && ldisc_backlog(e) < BACKLOG_WRITABLE) {
		ldisc_echo_flush(e->link);
		pty_wake_writers_locked(e->link);
	}
}

size_t ldisc_receive(struct pty_end *e, const uint8_t *data, size_t size)
{
	size_t done = ldisc_backlog(e) ? 0 : take_many(e, data, size);

	while (done < size && ldisc_backlog(e) < BACKLOG_SIZE)
		e->backlog[e->backlog_tail++ % BACKLOG_SIZE] = data[done++];
	return done;
}
