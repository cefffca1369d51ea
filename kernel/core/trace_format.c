/* SPDX-License-Identifier: MIT */
/* trace_format.c - a system call as a line of text, in strace's manner. */
#include "core/trace_format.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "core/trace_flags.h"
#include "lib/printf.h"

#include <stdarg.h>

enum style {
	STYLE_DEC,
	STYLE_UNSIGNED,
	STYLE_HEX,
	STYLE_OCTAL,
	STYLE_POINTER,
	STYLE_STRING,
	STYLE_ID,
	STYLE_DIRFD,
	STYLE_NAMES,
};

static const struct {
	uint8_t style;
	uint8_t size; /* of the argument's type */
	bool is_signed;
} kinds[ARG_KINDS] = {
#define KIND(kind, type, style)                                                          \
	[ARG_##kind] = {STYLE_##style, sizeof(type), (type)-1 < (type)1},
#include "abi/arg_kinds.def"
};

/* clang-format off */
#define E(err, message) [err] = { #err, message }
static const struct {
	const char *name;
	const char *message;
} errors[] = {
	E(EPERM, "Operation not permitted"),
	E(ENOENT, "No such file or directory"),
	E(ESRCH, "No such process"),
	E(EINTR, "Interrupted system call"),
	E(EIO, "Input/output error"),
	E(ENXIO, "No such device or address"),
	E(E2BIG, "Argument list too long"),
	E(ENOEXEC, "Exec format error"),
	E(EBADF, "Bad file descriptor"),
	E(ECHILD, "No child processes"),
	E(EAGAIN, "Resource temporarily unavailable"),
	E(ENOMEM, "Cannot allocate memory"),
	E(EACCES, "Permission denied"),
	E(EFAULT, "Bad address"),
	E(ENOTBLK, "Block device required"),
	E(EBUSY, "Device or resource busy"),
	E(EEXIST, "File exists"),
	E(EXDEV, "Invalid cross-device link"),
	E(ENODEV, "No such device"),
	E(ENOTDIR, "Not a directory"),
	E(EISDIR, "Is a directory"),
	E(EINVAL, "Invalid argument"),
	E(ENFILE, "Too many open files in system"),
	E(EMFILE, "Too many open files"),
	E(ENOTTY, "Inappropriate ioctl for device"),
	E(ETXTBSY, "Text file busy"),
	E(EFBIG, "File too large"),
	E(ENOSPC, "No space left on device"),
	E(ESPIPE, "Illegal seek"),
	E(EROFS, "Read-only file system"),
	E(EMLINK, "Too many links"),
	E(EPIPE, "Broken pipe"),
	E(EDOM, "Numerical argument out of domain"),
	E(ERANGE, "Numerical result out of range"),
	E(EDEADLK, "Resource deadlock avoided"),
	E(ENAMETOOLONG, "File name too long"),
	E(ENOLCK, "No locks available"),
	E(ENOSYS, "Function not implemented"),
	E(ENOTEMPTY, "Directory not empty"),
	E(ELOOP, "Too many levels of symbolic links"),
	E(ENOMSG, "No message of desired type"),
	E(EIDRM, "Identifier removed"),
	E(ECHRNG, "Channel number out of range"),
	E(EL2NSYNC, "Level 2 not synchronized"),
	E(EL3HLT, "Level 3 halted"),
	E(EL3RST, "Level 3 reset"),
	E(ELNRNG, "Link number out of range"),
	E(EUNATCH, "Protocol driver not attached"),
	E(ENOCSI, "No CSI structure available"),
	E(EL2HLT, "Level 2 halted"),
	E(EBADE, "Invalid exchange"),
	E(EBADR, "Invalid request descriptor"),
	E(EXFULL, "Exchange full"),
	E(ENOANO, "No anode"),
	E(EBADRQC, "Invalid request code"),
	E(EBADSLT, "Invalid slot"),
	E(EBFONT, "Bad font file format"),
	E(ENOSTR, "Device not a stream"),
	E(ENODATA, "No data available"),
	E(ETIME, "Timer expired"),
	E(ENOSR, "Out of streams resources"),
	E(ENONET, "Machine is not on the network"),
	E(ENOPKG, "Package not installed"),
	E(EREMOTE, "Object is remote"),
	E(ENOLINK, "Link has been severed"),
	E(EADV, "Advertise error"),
	E(ESRMNT, "Srmount error"),
	E(ECOMM, "Communication error on send"),
	E(EPROTO, "Protocol error"),
	E(EMULTIHOP, "Multihop attempted"),
	E(EDOTDOT, "RFS specific error"),
	E(EBADMSG, "Bad message"),
	E(EOVERFLOW, "Value too large for defined data type"),
	E(ENOTUNIQ, "Name not unique on network"),
	E(EBADFD, "File descriptor in bad state"),
	E(EREMCHG, "Remote address changed"),
	E(ELIBACC, "Can not access a needed shared library"),
	E(ELIBBAD, "Accessing a corrupted shared library"),
	E(ELIBSCN, ".lib section in a.out corrupted"),
	E(ELIBMAX, "Attempting to link in too many shared libraries"),
	E(ELIBEXEC, "Cannot exec a shared library directly"),
	E(EILSEQ, "Invalid or incomplete multibyte or wide character"),
	E(ERESTART, "Interrupted system call should be restarted"),
	E(ESTRPIPE, "Streams pipe error"),
	E(EUSERS, "Too many users"),
	E(ENOTSOCK, "Socket operation on non-socket"),
	E(EDESTADDRREQ, "Destination address required"),
	E(EMSGSIZE, "Message too long"),
	E(EPROTOTYPE, "Protocol wrong type for socket"),
	E(ENOPROTOOPT, "Protocol not available"),
	E(EPROTONOSUPPORT, "Protocol not supported"),
	E(ESOCKTNOSUPPORT, "Socket type not supported"),
	E(EOPNOTSUPP, "Operation not supported"),
	E(EPFNOSUPPORT, "Protocol family not supported"),
	E(EAFNOSUPPORT, "Address family not supported by protocol"),
	E(EADDRINUSE, "Address already in use"),
	E(EADDRNOTAVAIL, "Cannot assign requested address"),
	E(ENETDOWN, "Network is down"),
	E(ENETUNREACH, "Network is unreachable"),
	E(ENETRESET, "Network dropped connection on reset"),
	E(ECONNABORTED, "Software caused connection abort"),
	E(ECONNRESET, "Connection reset by peer"),
	E(ENOBUFS, "No buffer space available"),
	E(EISCONN, "Transport endpoint is already connected"),
	E(ENOTCONN, "Transport endpoint is not connected"),
	E(ESHUTDOWN, "Cannot send after transport endpoint shutdown"),
	E(ETOOMANYREFS, "Too many references: cannot splice"),
	E(ETIMEDOUT, "Connection timed out"),
	E(ECONNREFUSED, "Connection refused"),
	E(EHOSTDOWN, "Host is down"),
	E(EHOSTUNREACH, "No route to host"),
	E(EALREADY, "Operation already in progress"),
	E(EINPROGRESS, "Operation now in progress"),
	E(ESTALE, "Stale file handle"),
	E(EUCLEAN, "Structure needs cleaning"),
	E(ENOTNAM, "Not a XENIX named type file"),
	E(ENAVAIL, "No XENIX semaphores available"),
	E(EISNAM, "Is a named type file"),
	E(EREMOTEIO, "Remote I/O error"),
	E(EDQUOT, "Disk quota exceeded"),
	E(ENOMEDIUM, "No medium found"),
	E(EMEDIUMTYPE, "Wrong medium type"),
	E(ECANCELED, "Operation canceled"),
	E(ENOKEY, "Required key not available"),
	E(EKEYEXPIRED, "Key has expired"),
	E(EKEYREVOKED, "Key has been revoked"),
	E(EKEYREJECTED, "Key was rejected by service"),
	E(EOWNERDEAD, "Owner died"),
	E(ENOTRECOVERABLE, "State not recoverable"),
	E(ERFKILL, "Operation not possible due to RF-kill"),
};
/* clang-format on */

const char *errno_name(int err)
{
	return err > 0 && err < (int)ARRAY_SIZE(errors) ? errors[err].name : NULL;
}

const char *errno_message(int err)
{
	return err > 0 && err < (int)ARRAY_SIZE(errors) ? errors[err].message : NULL;
}

/* ---------------------------------------------------------- text that is cut */

struct text {
	char *buf;
	size_t size;
	size_t len;
};

static void text_add(struct text *t, const char *format, ...) PRINTF(2, 3);

static void text_add(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	t->len += kvscnprintf(t->buf + t->len, t->size - t->len, format, args);
	va_end(args);
}

static void text_add_char(struct text *t, unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		text_add(t, "\\%c", c);
		return;
	case '\n':
		text_add(t, "\\n");
		return;
	case '\t':
		text_add(t, "\\t");
		return;
	case '\r':
		text_add(t, "\\r");
		return;
	default:
		/* Three digits always, so that a digit may follow. */
		text_add(t, c >= 0x20 && c < 0x7f ? "%c" : "\\%03o", c);
	}
}

static void text_add_string(struct text *t, const char *s)
{
	text_add(t, "\"");
	for (; *s; s++)
		text_add_char(t, (unsigned char)*s);
	text_add(t, "\"");
}

static void text_add_pointer(struct text *t, uint64_t addr)
{
	if (addr == 0)
		text_add(t, "NULL");
	else
		text_add(t, "%#llx", (unsigned long long)addr);
}

/* ----------------------------------------------------------------- arguments */

/* As the handler sees the register: cut to its type, and its sign extended. */
static uint64_t arg_value(uint8_t kind, uint64_t reg)
{
	if (kinds[kind].size == sizeof(uint64_t))
		return reg;
	return kinds[kind].is_signed ? (uint64_t)(int32_t)reg : (uint32_t)reg;
}

static void add_names(struct text *t, uint8_t kind, uint64_t value)
{
	const struct flag_set *set = trace_flags_find(kind);

	if (!set) {
		text_add(t, "%#llx", (unsigned long long)value);
		return;
	}
	if (set->field != UINT64_MAX && kinds[kind].size == sizeof(uint32_t))
		value = (uint32_t)value; /* flags have no sign */
	t->len += trace_flags_format(t->buf + t->len, t->size - t->len, set, value);
}

static void add_dirfd(struct text *t, int fd)
{
	if (fd == AT_FDCWD)
		text_add(t, "AT_FDCWD");
	else
		text_add(t, "%d", fd);
}

static void add_arg(struct text *t, uint8_t kind, uint64_t reg, const char *string)
{
	uint64_t value = arg_value(kind, reg);
	bool is_minus_one = (uint32_t)value == UINT32_MAX;

	switch ((enum style)kinds[kind].style) {
	case STYLE_DEC:
		text_add(t, "%lld", (long long)value);
		break;
	case STYLE_UNSIGNED:
		text_add(t, "%llu", (unsigned long long)value);
		break;
	case STYLE_HEX:
		if (kinds[kind].size == sizeof(uint32_t))
			value = (uint32_t)value;
		text_add(t, "%#llx", (unsigned long long)value);
		break;
	case STYLE_OCTAL:
		text_add(t, "%#llo", (unsigned long long)value);
		break;
	case STYLE_ID:
		text_add(t, is_minus_one ? "-1" : "%llu", (unsigned long long)value);
		break;
	case STYLE_DIRFD:
		add_dirfd(t, (int)value);
		break;
	case STYLE_NAMES:
		add_names(t, kind, value);
		break;
	case STYLE_STRING:
		if (string) {
			text_add_string(t, string);
			break;
		}
		__attribute__((fallthrough));
	case STYLE_POINTER:
		text_add_pointer(t, value);
		break;
	}
}

/* The mode after open flags that create nothing is not an argument. */
static bool is_unused_mode(const struct syscall *s, const uint64_t arg[6], size_t i)
{
	return i > 0 && i < 6 && s->kind[i] == ARG_MODE && s->kind[i - 1] == ARG_OFLAGS &&
	       !(arg[i - 1] & (O_CREAT | __O_TMPFILE));
}

size_t trace_format_entry(char *buf, size_t size, const struct syscall *s,
			  const uint64_t arg[6], const char *path0, const char *path1)
{
	struct text t = {.buf = buf, .size = size};
	const char *const string[] = {path0, path1};
	size_t strings = 0;

	text_add(&t, "%s(", s->name);
	for (size_t i = 0; i < 6 && s->kind[i] != ARG_END; i++) {
		const char *str = NULL;

		if (is_unused_mode(s, arg, i))
			break;
		if (kinds[s->kind[i]].style == STYLE_STRING &&
		    strings < ARRAY_SIZE(string))
			str = string[strings++];
		if (i > 0)
			text_add(&t, ", ");
		add_arg(&t, s->kind[i], arg[i], str);
	}
	text_add(&t, ")");
	return t.len;
}

/* -------------------------------------------------------------------- result */

static bool returns_address(const struct syscall *s)
{
	return s->nr == NR_mmap || s->nr == NR_brk || s->nr == NR_mremap ||
	       s->nr == NR_shmat || s->nr == NR_map_shadow_stack;
}

size_t trace_format_result(char *buf, size_t size, const struct syscall *s, long ret)
{
	struct text t = {.buf = buf, .size = size};
	int err = ret < 0 && ret >= -MAX_ERRNO ? (int)-ret : 0;
	const char *name = errno_name(err);

	/* An exit does not return, and the guest never sees a restart code. */
	if (s->nr == NR_exit || s->nr == NR_exit_group || (err && !name))
		text_add(&t, "= ?");
	else if (name)
		text_add(&t, "= -1 %s (%s)", name, errno_message(err));
	else if (returns_address(s) && ret != 0)
		text_add(&t, "= %#lx", (unsigned long)ret);
	else if (s->nr == NR_umask)
		text_add(&t, "= %#lo", (unsigned long)ret);
	else
		text_add(&t, "= %ld", ret);
	return t.len;
}
