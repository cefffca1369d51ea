/* SPDX-License-Identifier: MIT */
/* pty_termios.c - a pseudo-terminal's settings: tcgetattr, tcsetattr and their kin. */
#include "abi/errno.h"
#include "abi/signal.h"
#include "fs/dev/pty.h"
#include "lib/string.h"
#include "mm/usercopy.h"

enum { IBSHIFT = 16 };

static const struct linux_termios2 slave_settings = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = {[VINTR] = 3,
		 [VQUIT] = 034,
		 [VERASE] = 0177,
		 [VKILL] = 025,
		 [VEOF] = 4,
		 [VMIN] = 1,
		 [VSTART] = 021,
		 [VSTOP] = 023,
		 [VSUSP] = 032,
		 [VREPRINT] = 022,
		 [VDISCARD] = 017,
		 [VWERASE] = 027,
		 [VLNEXT] = 026},
	.c_in_speed = 38400,
	.c_out_speed = 38400,
};

void pty_termios_init(struct pty_end *e)
{
	e->termios = slave_settings;
	if (e->is_master) {
		e->termios.c_iflag = 0;
		e->termios.c_oflag = 0;
		e->termios.c_lflag = 0;
	}
}

/* ---- speeds ---- */

static uint32_t speed_of(uint32_t baud, uint32_t other)
{
	static const uint32_t low[] = {0,   50,	  75,	110,  134,  150,  200,	 300,
				       600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
	static const uint32_t high[] = {
		0,	 57600,	  115200,  230400,  460800,  500000,  576000,  921600,
		1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000};

	baud &= CBAUD;
	if (baud == BOTHER)
		return other;
	return baud & BOTHER ? high[baud & 15] : low[baud];
}

static void speeds_set(struct linux_termios2 *t)
{
	uint32_t in = (t->c_cflag >> IBSHIFT) & CBAUD;

	t->c_out_speed = speed_of(t->c_cflag, t->c_out_speed);
	t->c_in_speed = in == B0 ? t->c_out_speed : speed_of(in, t->c_in_speed);
}

/* ---- setting ---- */

static bool has_usual_flow(const struct linux_termios2 *t)
{
	return (t->c_iflag & IXON) && t->c_cc[VSTOP] == 023 && t->c_cc[VSTART] == 021;
}

/* TIOCPKT tells of these changes. */
static void tell_master(struct pty_end *e, const struct linux_termios2 *old)
{
	bool before = has_usual_flow(old);
	bool now = has_usual_flow(&e->termios);
	uint8_t set = 0;
	uint8_t clear = 0;

	if (before != now) {
		set = now ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP;
		clear = TIOCPKT_DOSTOP | TIOCPKT_NOSTOP;
	}
	if ((old->c_lflag | e->termios.c_lflag) & EXTPROC)
		set |= TIOCPKT_IOCTL;
	if (set)
		pty_packet_locked(e, set, clear);
}

static void settings_change(struct pty_end *e, struct linux_termios2 *t, bool flush)
{
	struct linux_termios2 old = e->termios;

	if (flush) {
		ldisc_flush_backlog(e);
		ldisc_flush_input(e);
	}
	speeds_set(t);
	t->c_cflag = (t->c_cflag & ~(uint32_t)(CSIZE | PARENB)) | CS8 | CREAD;
	e->termios = *t;
	tell_master(e, &old);
	ldisc_set_termios(e, &old);
}

/* struct termio: half of each word. */
struct termio {
	uint16_t flags[4];
	uint8_t c_line;
	uint8_t c_cc[8];
};

static int termio_get(struct linux_termios2 *t, uint64_t arg)
{
	uint32_t *words[4] = {&t->c_iflag, &t->c_oflag, &t->c_cflag, &t->c_lflag};
	struct termio old;

	if (COPY_IN(&old, arg))
		return -EFAULT;
	for (size_t i = 0; i < 4; i++)
		*words[i] = (*words[i] & 0xffff0000) | old.flags[i];
	t->c_line = old.c_line;
	memcpy(t->c_cc, old.c_cc, sizeof(old.c_cc));
	return 0;
}

static int termio_put(const struct linux_termios2 *t, uint64_t arg)
{
	struct termio old = {
		.flags = {(uint16_t)t->c_iflag, (uint16_t)t->c_oflag,
			  (uint16_t)t->c_cflag, (uint16_t)t->c_lflag},
		.c_line = t->c_line,
	};

	memcpy(old.c_cc, t->c_cc, sizeof(old.c_cc));
	return COPY_OUT(arg, &old);
}

/* size: of the form of termios, 0 for termio. */
static long set(struct pty_end *e, uint64_t arg, size_t size, bool flush)
{
	struct linux_termios2 t;
	int err = tty_check(&e->pty->tty, SIGTTOU);

	if (err)
		return err;
	lock_take(&e->pty->lock);
	t = e->termios;
	lock_drop(&e->pty->lock);
	err = size ? copy_from_user(&t, arg, size) : termio_get(&t, arg);
	if (err)
		return -EFAULT;
	lock_take(&e->pty->lock);
	settings_change(e, &t, flush);
	lock_drop(&e->pty->lock);
	return 0;
}

static long set_soft_carrier(struct pty_end *e, uint64_t arg)
{
	uint32_t on;

	if (get_user_u32(&on, arg))
		return -EFAULT;
	lock_take(&e->pty->lock);
	e->termios.c_cflag &= ~(uint32_t)CLOCAL;
	if (on)
		e->termios.c_cflag |= CLOCAL;
	lock_drop(&e->pty->lock);
	return 0;
}

static long get(struct pty_end *e, unsigned int cmd, uint64_t arg)
{
	struct linux_termios2 t;

	lock_take(&e->pty->lock);
	t = e->termios;
	lock_drop(&e->pty->lock);
	switch (cmd) {
	case TCGETS:
		return copy_to_user(arg, &t, sizeof(struct linux_termios));
	case TCGETS2:
		return COPY_OUT(arg, &t);
	case TCGETA:
		return termio_put(&t, arg);
	default:
		return put_user_u32(arg, !!(t.c_cflag & CLOCAL));
	}
}

long pty_termios_ioctl(struct pty_end *slave, unsigned int cmd, uint64_t arg)
{
	switch (cmd) {
	case TCGETS:
	case TCGETS2:
	case TCGETA:
	case TIOCGSOFTCAR:
		return get(slave, cmd, arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set(slave, arg, sizeof(struct linux_termios), cmd == TCSETSF);
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return set(slave, arg, sizeof(struct linux_termios2), cmd == TCSETSF2);
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
		return set(slave, arg, 0, cmd == TCSETAF);
	case TIOCSSOFTCAR:
		return set_soft_carrier(slave, arg);
	default:
		return TTY_NOT_MINE;
	}
}
