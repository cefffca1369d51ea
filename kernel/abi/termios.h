/* SPDX-License-Identifier: MIT */
/* termios.h - terminal settings and window size. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define LINUX_NCCS 19 /* libc's NCCS is 32 */

struct linux_termios {
	uint32_t c_iflag;
	uint32_t c_oflag;
	uint32_t c_cflag;
	uint32_t c_lflag;
	uint8_t c_line;
	uint8_t c_cc[LINUX_NCCS];
};

_Static_assert(sizeof(struct linux_termios) == 36, "struct termios");

struct linux_termios2 {
	uint32_t c_iflag;
	uint32_t c_oflag;
	uint32_t c_cflag;
	uint32_t c_lflag;
	uint8_t c_line;
	uint8_t c_cc[LINUX_NCCS];
	uint32_t c_in_speed;
	uint32_t c_out_speed;
};

_Static_assert(sizeof(struct linux_termios2) == 44, "struct termios2");

struct linux_winsize {
	uint16_t ws_row;
	uint16_t ws_col;
	uint16_t ws_xpixel;
	uint16_t ws_ypixel;
};

/* c_cc */
#define VINTR	 0
#define VQUIT	 1
#define VERASE	 2
#define VKILL	 3
#define VEOF	 4
#define VTIME	 5
#define VMIN	 6
#define VSWTC	 7
#define VSTART	 8
#define VSTOP	 9
#define VSUSP	 10
#define VEOL	 11
#define VREPRINT 12
#define VDISCARD 13
#define VWERASE	 14
#define VLNEXT	 15
#define VEOL2	 16

/* c_iflag */
#define IGNBRK	01
#define BRKINT	02
#define IGNPAR	04
#define PARMRK	010
#define INPCK	020
#define ISTRIP	040
#define INLCR	0100
#define IGNCR	0200
#define ICRNL	0400
#define IUCLC	01000
#define IXON	02000
#define IXANY	04000
#define IXOFF	010000
#define IMAXBEL 020000
#define IUTF8	040000

/* c_oflag */
#define OPOST  01
#define OLCUC  02
#define ONLCR  04
#define OCRNL  010
#define ONOCR  020
#define ONLRET 040
#define OFILL  0100
#define OFDEL  0200
#define TABDLY 014000
#define XTABS  014000

/* c_cflag */
#define CBAUD	010017
#define B0	0
#define B9600	015
#define B19200	016
#define B38400	017
#define BOTHER	010000
#define CSIZE	060
#define CS5	0
#define CS6	020
#define CS7	040
#define CS8	060
#define CSTOPB	0100
#define CREAD	0200
#define PARENB	0400
#define PARODD	01000
#define HUPCL	02000
#define CLOCAL	04000
#define CRTSCTS 020000000000

/* c_lflag */
#define ISIG	01
#define ICANON	02
#define XCASE	04
#define ECHO	010
#define ECHOE	020
#define ECHOK	040
#define ECHONL	0100
#define NOFLSH	0200
#define TOSTOP	0400
#define ECHOCTL 01000
#define ECHOPRT 02000
#define ECHOKE	04000
#define FLUSHO	010000
#define PENDIN	040000
#define IEXTEN	0100000
#define EXTPROC 0200000

/* tcflow, tcflush */
#define TCOOFF	  0
#define TCOON	  1
#define TCIOFF	  2
#define TCION	  3
#define TCIFLUSH  0
#define TCOFLUSH  1
#define TCIOFLUSH 2
