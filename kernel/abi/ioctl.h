/* SPDX-License-Identifier: MIT */
/* ioctl.h - request numbers of ioctl(2): files and terminals. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/termios.h"

/* A request number is dir << 30 | size << 16 | type << 8 | nr. */
#define IOC_DIR(cmd)   (((cmd) >> 30) & 3)
#define IOC_SIZE(cmd)  (((cmd) >> 16) & 0x3fff)
#define IOC_TYPE(cmd)  (((cmd) >> 8) & 0xff)
#define IOC_NR(cmd)    ((cmd)&0xff)
#define IOC_READ_WRITE 3 /* dir */

/* Any descriptor. */
#define FIONREAD 0x541b
#define FIONBIO	 0x5421
#define FIOASYNC 0x5452
#define FIONCLEX 0x5450
#define FIOCLEX	 0x5451
#define FIOQSIZE 0x5460
#define FIFREEZE 0xc0045877U
#define FITHAW	 0xc0045878U
#define TIOCINQ	 FIONREAD

/* Files. */
struct linux_file_clone_range {
	int64_t src_fd;
	uint64_t src_offset, src_length, dest_offset;
};
struct linux_file_dedupe_range {
	uint64_t src_offset, src_length;
	uint16_t dest_count, reserved1;
	uint32_t reserved2;
}; /* dest_count of the next follow */
struct linux_file_dedupe_range_info {
	int64_t dest_fd;
	uint64_t dest_offset, bytes_deduped;
	int32_t status;
	uint32_t reserved;
};
#define FS_IOC_GETFLAGS	  0x80086601U
#define FS_IOC_SETFLAGS	  0x40086602
#define FS_IOC_FSGETXATTR 0x801c581fU
#define FS_IOC_FSSETXATTR 0x401c5820

#define FS_IMMUTABLE_FL 0x10
#define FS_APPEND_FL	0x20
#define FS_NODUMP_FL	0x40
#define FS_NOATIME_FL	0x80

#define FS_XFLAG_IMMUTABLE 0x8
#define FS_XFLAG_APPEND	   0x10
#define FS_XFLAG_NOATIME   0x40
#define FS_XFLAG_NODUMP	   0x80
#define FS_XFLAGS_MASK	   0x8001fffbU

struct linux_fsxattr {
	uint32_t fsx_xflags;
	uint32_t fsx_extsize;
	uint32_t fsx_nextents;
	uint32_t fsx_projid;
	uint32_t fsx_cowextsize;
	uint8_t fsx_pad[8];
};

/* file_getattr(2). */
struct linux_file_attr {
	uint64_t fa_xflags;
	uint32_t fa_extsize;
	uint32_t fa_nextents;
	uint32_t fa_projid;
	uint32_t fa_cowextsize;
};
#define FILE_ATTR_SIZE_VER0 24

/* Terminals. */
#define TCGETS	     0x5401
#define TCSETS	     0x5402
#define TCSETSW	     0x5403
#define TCSETSF	     0x5404
#define TCGETA	     0x5405
#define TCSETA	     0x5406
#define TCSETAW	     0x5407
#define TCSETAF	     0x5408
#define TCSBRK	     0x5409
#define TCXONC	     0x540a
#define TCFLSH	     0x540b
#define TCGETS2	     0x802c542aU
#define TCSETS2	     0x402c542bU
#define TCSETSW2     0x402c542cU
#define TCSETSF2     0x402c542dU
#define TCSBRKP	     0x5425
#define TIOCEXCL     0x540c
#define TIOCNXCL     0x540d
#define TIOCSCTTY    0x540e
#define TIOCGPGRP    0x540f
#define TIOCSPGRP    0x5410
#define TIOCOUTQ     0x5411
#define TIOCSTI	     0x5412
#define TIOCGWINSZ   0x5413
#define TIOCSWINSZ   0x5414
#define TIOCMGET     0x5415
#define TIOCMBIS     0x5416
#define TIOCMBIC     0x5417
#define TIOCMSET     0x5418
#define TIOCGSOFTCAR 0x5419
#define TIOCSSOFTCAR 0x541a
#define TIOCLINUX    0x541c
#define TIOCCONS     0x541d
#define TIOCPKT	     0x5420
#define TIOCNOTTY    0x5422
#define TIOCSETD     0x5423
#define TIOCGETD     0x5424
#define TIOCSBRK     0x5427
#define TIOCCBRK     0x5428
#define TIOCGSID     0x5429
#define TIOCGPTN     0x80045430U
#define TIOCSPTLCK   0x40045431
#define TIOCGDEV     0x80045432U
#define TIOCSIG	     0x40045436
#define TIOCVHANGUP  0x5437
#define TIOCGPKT     0x80045438U
#define TIOCGPTLCK   0x80045439U
#define TIOCGEXCL    0x80045440U
#define TIOCGPTPEER  0x5441
/* TIOCPKT's first byte. */
#define TIOCPKT_DATA	   0
#define TIOCPKT_FLUSHREAD  0x1
#define TIOCPKT_FLUSHWRITE 0x2
#define TIOCPKT_STOP	   0x4
#define TIOCPKT_START	   0x8
#define TIOCPKT_NOSTOP	   0x10
#define TIOCPKT_DOSTOP	   0x20
#define TIOCPKT_IOCTL	   0x40

/* Files. */
#define FIBMAP		  0x1
#define FIGETBSZ	  0x2
#define FICLONE		  0x40049409
#define FICLONERANGE	  0x4020940d
#define FIDEDUPERANGE	  0xc0189436U
#define FS_IOC_GETFLAGS	  0x80086601U
#define FS_IOC_SETFLAGS	  0x40086602
#define FS_IOC_GETVERSION 0x80087601U
#define FS_IOC_FSGETXATTR 0x801c581fU
#define FS_IOC_FSSETXATTR 0x401c5820
#define FS_IOC_FIEMAP	  0xc020660bU
#define BLKROGET	  0x125e
#define BLKGETSIZE	  0x1260
#define BLKFLSBUF	  0x1261
#define BLKSSZGET	  0x1268
#define BLKGETSIZE64	  0x80081272U

/* /dev/random. */
#define RNDGETENTCNT   0x80045200U
#define RNDADDTOENTCNT 0x40045201
#define RNDADDENTROPY  0x40085203
