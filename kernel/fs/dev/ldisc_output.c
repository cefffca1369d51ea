/* SPDX-License-Identifier: MIT */
/* ldisc_output.c - N_TTY's way out: c_oflag, columns, echo.
 *
 * Echoes wait in a ring of their own while the output is stopped or full. An entry is a
 * byte (ECHO_RAW: put out as it is) or an order that needs the column as it is by then.
 * When the ring is full the oldest go. */
#include "fs/dev/pty.h"
#include "lib/string.h"

enum {
	ECHO_RAW = 0x100, /* | byte: no c_oflag, one column */
	ECHO_SET_CANON = 0x200,
	ECHO_BACK = 0x300,
	ECHO_ERASE_TAB = 0x400, /* | columns, | 0x80: counted from a tab */
	ECHO_KIND = 0xff00,
};

size_t ldisc_room(const struct pty_end *e)
{
	return e->is_stopped ? 0 : BACKLOG_SIZE - ldisc_backlog(e->link);
}

size_t ldisc_put(struct pty_end *e, const uint8_t *data, size_t size)
{
	return e->is_stopped ? 0 : ldisc_receive(e->link, data, size);
}

static void put_byte(struct pty_end *e, uint8_t c)
{
	(void)ldisc_put(e, &c, 1);
}

static bool out_newline(struct pty_end *e, size_t room)
{
	uint32_t o = e->termios.c_oflag;

	if (o & ONLRET)
		e->column = 0;
	if (o & ONLCR) {
		if (room < 2)
			return false;
		e->column = 0;
		e->canon_column = 0;
		(void)ldisc_put(e, (const uint8_t *)"\r\n", 2);
		return true;
	}
	e->canon_column = e->column;
	put_byte(e, '\n');
	return true;
}

static void out_return(struct pty_end *e)
{
	uint32_t o = e->termios.c_oflag;

	if ((o & ONOCR) && e->column == 0)
		return;
	if (o & OCRNL) {
		if (o & ONLRET) {
			e->column = 0;
			e->canon_column = 0;
		}
		put_byte(e, '\n');
		return;
	}
	e->column = 0;
	e->canon_column = 0;
	put_byte(e, '\r');
}

static bool out_tab(struct pty_end *e, size_t room)
{
	uint32_t spaces = 8 - (e->column & 7);

	if ((e->termios.c_oflag & TABDLY) != XTABS) {
		put_byte(e, '\t');
	} else {
		if (room < spaces)
			return false;
		(void)ldisc_put(e, (const uint8_t *)"        ", spaces);
	}
	e->column += spaces;
	return true;
}

/* One byte by the rules of c_oflag. False: no room. */
static bool out_byte(struct pty_end *e, uint8_t c)
{
	size_t room = ldisc_room(e);

	if (!room)
		return false;
	switch (c) {
	case '\n':
		return out_newline(e, room);
	case '\r':
		out_return(e);
		return true;
	case '\t':
		return out_tab(e, room);
	case '\b':
		if (e->column > 0)
			e->column--;
		break;
	default:
		if (ldisc_is_control(c))
			break;
		if ((e->termios.c_oflag & OLCUC) && c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		if (!ldisc_is_continuation(e, c))
			e->column++;
		break;
	}
	put_byte(e, c);
	return true;
}

/* How many bytes from data on need nothing but to be counted. */
static size_t plain_run(const uint8_t *data, size_t size)
{
	size_t n = 0;

	while (n < size && !ldisc_is_control(data[n]))
		n++;
	return n;
}

static size_t write_processed(struct pty_end *e, const uint8_t *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t run = e->termios.c_oflag & OLCUC
				     ? 0
				     : plain_run(data + done, size - done);

		if (run) {
			size_t put = ldisc_put(e, data + done, MIN(run, ldisc_room(e)));

			for (size_t i = 0; i < put; i++)
				e->column += !ldisc_is_continuation(e, data[done + i]);
			done += put;
			if (put < run)
				break;
		} else {
			if (!out_byte(e, data[done]))
				break;
			done++;
		}
	}
	return done;
}

size_t ldisc_write(struct pty_end *e, const uint8_t *data, size_t size)
{
	if (e->termios.c_oflag & OPOST)
		return write_processed(e, data, size);
	return ldisc_put(e, data, MIN(size, ldisc_room(e)));
}

/* ---- echo ---- */

static void echo_add(struct pty_end *e, uint32_t entry)
{
	if (e->echo_head - e->echo_tail == ECHO_SIZE)
		e->echo_tail++;
	e->echo[e->echo_head++ % ECHO_SIZE] = (uint16_t)entry;
}

void ldisc_echo(struct pty_end *e, uint8_t c)
{
	if ((e->termios.c_lflag & ECHOCTL) && ldisc_is_control(c) && c != '\t') {
		echo_add(e, ECHO_RAW | '^');
		echo_add(e, ECHO_RAW | (c ^ 0100));
	} else {
		echo_add(e, c);
	}
}

void ldisc_echo_raw(struct pty_end *e, uint8_t c)
{
	echo_add(e, c);
}

void ldisc_echo_mark_column(struct pty_end *e)
{
	echo_add(e, ECHO_SET_CANON);
}

void ldisc_echo_move_back(struct pty_end *e)
{
	echo_add(e, ECHO_BACK);
}

void ldisc_echo_erase_tab(struct pty_end *e, uint32_t columns, bool after_tab)
{
	echo_add(e, ECHO_ERASE_TAB | (columns & 7) | (after_tab ? 0x80 : 0));
}

static bool erase_tab(struct pty_end *e, uint32_t columns)
{
	uint32_t back;

	if (!(columns & 0x80))
		columns += e->canon_column;
	back = 8 - (columns & 7);
	if (ldisc_room(e) < back)
		return false;
	for (uint32_t i = 0; i < back; i++) {
		put_byte(e, '\b');
		if (e->column > 0)
			e->column--;
	}
	return true;
}

/* False: no room. */
static bool echo_one(struct pty_end *e, uint16_t entry)
{
	switch (entry & ECHO_KIND) {
	case ECHO_RAW:
		if (!ldisc_room(e))
			return false;
		put_byte(e, (uint8_t)entry);
		e->column++;
		return true;
	case ECHO_SET_CANON:
		e->canon_column = e->column;
		return true;
	case ECHO_BACK:
		if (e->column > 0)
			e->column--;
		return true;
	case ECHO_ERASE_TAB:
		return erase_tab(e, entry & 0xff);
	default:
		if (e->termios.c_oflag & OPOST)
			return out_byte(e, (uint8_t)entry);
		if (!ldisc_room(e))
			return false;
		put_byte(e, (uint8_t)entry);
		return true;
	}
}

void ldisc_echo_flush(struct pty_end *e)
{
	while (e->echo_tail != e->echo_head &&
	       echo_one(e, e->echo[e->echo_tail % ECHO_SIZE]))
		e->echo_tail++;
}
