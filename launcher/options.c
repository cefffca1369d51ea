/* SPDX-License-Identifier: MIT */
/* options.c - decodes the command line of `carbyne run` and `carbyne trace`. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/boot.h"
#include "gate.h"
#include "message.h"
#include "publish.h"

enum {
	OPTION_TMPFS = 256,
	OPTION_ROOTFS,
	OPTION_ENV_FILE,
	OPTION_HOSTNAME,
	OPTION_REPORT,
	OPTION_STATS,
	OPTION_LEAKS,
	OPTION_NO_PATCH,
	OPTION_MEMORY,
	OPTION_NET,
	OPTION_ALLOW_CONNECT,
};

static const struct option long_options[] = {
	{"volume", required_argument, NULL, 'v'},
	{"tmpfs", required_argument, NULL, OPTION_TMPFS},
	{"rootfs", required_argument, NULL, OPTION_ROOTFS},
	{"env", required_argument, NULL, 'e'},
	{"env-file", required_argument, NULL, OPTION_ENV_FILE},
	{"workdir", required_argument, NULL, 'w'},
	{"user", required_argument, NULL, 'u'},
	{"hostname", required_argument, NULL, OPTION_HOSTNAME},
	{"report", no_argument, NULL, OPTION_REPORT},
	{"stats", no_argument, NULL, OPTION_STATS},
	{"leaks", no_argument, NULL, OPTION_LEAKS},
	{"no-patch", no_argument, NULL, OPTION_NO_PATCH},
	{"memory", required_argument, NULL, OPTION_MEMORY},
	{"net", required_argument, NULL, OPTION_NET},
	{"publish", required_argument, NULL, 'p'},
	{"allow-connect", required_argument, NULL, OPTION_ALLOW_CONNECT},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char help_text[] =
	"usage: carbyne run [options] [--] program [argument...]\n"
	"       carbyne trace [-f file] [-c] [options] [--] program [argument...]\n"
	"\n"
	"  -v, --volume HOST:GUEST[:ro,sock]\n"
	"                                show a directory or file of the host\n"
	"      --tmpfs PATH              an empty directory, in memory\n"
	"      --rootfs DIR              another root than the host's\n"
	"  -e, --env NAME[=VALUE]        set a variable\n"
	"      --env-file FILE           set variables, one NAME=VALUE a line\n"
	"  -w, --workdir PATH            start in this directory\n"
	"  -u, --user USER[:GROUP]       names or numbers\n"
	"      --hostname NAME           what uname says\n"
	"      --net host|none           the host's network (default), or loopback "
	"alone\n"
	"  -p, --publish [[ADDR:]HOST:]GUEST[/udp]\n"
	"                                with --net none: the host's port HOST leads in\n"
	"      --allow-connect ADDR[/PREFIX]:PORT\n"
	"                                with --net none: this may be connected to\n"
	"      --memory SIZE             most memory for the programs (k, m, g, t)\n"
	"      --report                  name the system calls that are not there\n"
	"      --stats                   count system calls by the path they came\n"
	"      --leaks                   name kernel objects that were not freed\n"
	"      --no-patch                take the slow path for every system call\n"
	"  -h, --help                    this text\n"
	"\n"
	"carbyne trace writes a line for each system call. It takes also:\n"
	"  -f FILE                       write to FILE instead of stderr\n"
	"  -c                            only count: a table at the end\n"
	"  -e trace=SET                  only these calls: names and classes (%file, "
	"%process,\n"
	"                                %network …), with commas; ! before all: the "
	"others\n"
	"  -t, -tt, -ttt                 the time of day, with microseconds, as seconds\n"
	"  -r                            the time since the line before\n"
	"  -T                            how long each call took\n"
	"\n"
	"The root is read-only below a layer in memory: programs may write anywhere and\n"
	"change nothing, but in -v directories. See carbyne(1).\n";

static struct volume *volume_add(struct options *o)
{
	struct volume *grown =
		reallocarray(o->volumes, o->volume_count + 1, sizeof *grown);

	if (!grown)
		fail("out of memory");
	o->volumes = grown;
	grown += o->volume_count++;
	memset(grown, 0, sizeof *grown);
	return grown;
}

static void volume_modes(struct volume *v, char *modes, const char *text)
{
	for (char *rest, *mode = strtok_r(modes, ",", &rest); mode;
	     mode = strtok_r(NULL, ",", &rest)) {
		if (!strcmp(mode, "ro"))
			v->is_read_only = true;
		else if (!strcmp(mode, "sock"))
			v->has_sockets = true;
		else if (strcmp(mode, "rw") != 0 && strcasecmp(mode, "z") != 0)
			fail("-v %s: the modes are ro, rw and sock, not %s", text, mode);
	}
}

/* A copy of text, cut at its first colon; *rest is what follows, NULL without colon. */
static char *cut_at_colon(const char *text, char **rest)
{
	char *copy = strdup(text);

	*rest = copy ? strchr(copy, ':') : NULL;
	if (*rest)
		*(*rest)++ = '\0';
	return copy;
}

static void parse_volume(struct options *o, const char *text)
{
	struct volume *v = volume_add(o);
	char *guest, *modes = NULL;
	char *host = cut_at_colon(text, &guest);
	struct stat st;

	if (guest)
		guest = cut_at_colon(guest, &modes);
	if (!host || !*host || !guest)
		fail("-v %s: HOST:GUEST[:ro] is wanted", text);
	if (modes)
		volume_modes(v, modes, text);
	if (guest[0] != '/')
		fail("-v %s: the path inside must be absolute", text);
	if (!guest[strspn(guest, "/")])
		fail("-v %s: the path inside is the root (try --rootfs)", text);
	if (stat(host, &st) < 0)
		fail("-v %s: %s: %s", text, host, strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		fail("-v %s: %s is neither a directory nor a plain file", text, host);
	v->host = host;
	v->guest = guest;
	v->is_file = !S_ISDIR(st.st_mode);
	if (v->has_sockets && v->is_file)
		fail("-v %s: sock is for directories", text);
}

static void parse_tmpfs(struct options *o, const char *text)
{
	struct volume *v = volume_add(o);
	char *modes;
	char *path = cut_at_colon(text, &modes);

	if (modes)
		volume_modes(v, modes, text);
	v->has_sockets = false;
	if (!path || path[0] != '/')
		fail("--tmpfs %s: the path must be absolute", text);
	if (!path[strspn(path, "/")])
		fail("--tmpfs %s: the path is the root", text);
	v->guest = path;
}

static void parse_env(const char *text, const char *option)
{
	const char *equals = strchr(text, '=');
	char *name = equals ? strndup(text, (size_t)(equals - text)) : NULL;

	if (equals == text || text[0] == '\0')
		fail("%s %s: NAME or NAME=VALUE is wanted", option, text);
	if (!equals)
		return; /* the caller's, which is there already */
	if (!name || setenv(name, equals + 1, 1) != 0)
		fail("out of memory");
	free(name);
}

static void parse_env_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!f)
		fail("--env-file %s: %s", path, strerror(errno));
	while ((len = getline(&line, &size, f)) >= 0) {
		if (len > 0 && line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (line[0] != '\0' && line[0] != '#')
			parse_env(line, "--env-file");
	}
	if (ferror(f))
		fail("--env-file %s: %s", path, strerror(errno));
	free(line);
	(void)fclose(f);
}

static uint64_t parse_memory(const char *text)
{
	static const char units[] = "kmgt";
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (end == text || errno || text[0] == '-')
		fail("--memory %s: a number is wanted, with k, m, g or t", text);
	const char *unit = *end ? strchr(units, *end | 0x20) : NULL;
	unsigned int shift = 0;
	if (unit) {
		shift = (unsigned int)(unit - units + 1) * 10;
		end++;
	}
	if (*end == 'b' || *end == 'B')
		end++;
	if (*end || value == 0 || value > (UINT64_MAX >> 1) >> shift)
		fail("--memory %s: not a size", text);
	return value << shift;
}

static bool parse_net(const char *text)
{
	if (!strcmp(text, "none"))
		return true;
	if (strcmp(text, "host") != 0)
		fail("--net %s: host or none is wanted", text);
	return false;
}

static void check_rootfs(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		fail("--rootfs %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		fail("--rootfs %s: not a directory", path);
}

static _Noreturn void help(void)
{
	size_t len = sizeof help_text - 1;

	_exit(write(STDOUT_FILENO, help_text, len) == (ssize_t)len ? 0
								   : STATUS_OWN_FAILURE);
}

static void parse_long(struct options *o, int option, const char *value)
{
	switch (option) {
	case OPTION_TMPFS:
		parse_tmpfs(o, value);
		break;
	case OPTION_ROOTFS:
		check_rootfs(value);
		o->rootfs = value;
		break;
	case OPTION_ENV_FILE:
		parse_env_file(value);
		break;
	case OPTION_ALLOW_CONNECT:
		gate_parse(o, value);
		break;
	case OPTION_HOSTNAME:
		if (strlen(value) > 64)
			fail("--hostname %s: longer than 64 bytes", value);
		o->hostname = value;
		break;
	case OPTION_NET:
		o->has_own_network = parse_net(value);
		break;
	case OPTION_REPORT:
		o->boot_flags |= BOOT_REPORT;
		break;
	case OPTION_STATS:
		o->boot_flags |= BOOT_STATS;
		break;
	case OPTION_LEAKS:
		o->boot_flags |= BOOT_LEAKS;
		break;
	case OPTION_NO_PATCH:
		o->boot_flags |= BOOT_NO_PATCH;
		break;
	default:
		o->memory = parse_memory(value);
	}
}

/* -t, then -tt, then -ttt, as strace has them. */
static void more_time(struct options *o)
{
	if (o->trace_flags & TRACE_MICROSECONDS)
		o->trace_flags |= TRACE_EPOCH;
	if (o->trace_flags & TRACE_TIME)
		o->trace_flags |= TRACE_MICROSECONDS;
	o->trace_flags |= TRACE_TIME;
}

/* The options that carbyne trace has more. */
static bool parse_trace(struct options *o, int option, const char *value)
{
	switch (option) {
	case 'f':
	case 'o':
		o->trace_file = value;
		return true;
	case 'c':
		o->trace_flags |= TRACE_SUMMARY;
		return true;
	case 't':
		more_time(o);
		return true;
	case 'r':
		o->trace_flags |= TRACE_RELATIVE;
		return true;
	case 'T':
		o->trace_flags |= TRACE_SPENT;
		return true;
	case 'e':
		if (!(o->boot_flags & BOOT_TRACE) || strncmp(value, "trace=", 6) != 0)
			return false;
		trace_set_parse(&o->trace_set, value);
		return true;
	default:
		return false;
	}
}

static void parse_one(struct options *o, int option, char *const *argv, const char *value)
{
	switch (option) {
	case 'v':
		parse_volume(o, value);
		break;
	case 'e':
		parse_env(value, "-e");
		break;
	case 'w':
		if (value[0] != '/')
			fail("-w %s: the path must be absolute", value);
		o->work_dir = value;
		break;
	case 'u':
		o->user = value;
		break;
	case 'p':
		publish_parse(o, value);
		break;
	case 'h':
		help();
	case ':':
		fail("option %s wants a value (try carbyne run --help)",
		     argv[optind - 1]);
	case '?':
		if (optopt && optopt < OPTION_TMPFS)
			fail("unknown option -%c (try carbyne run --help)", optopt);
		fail("unknown option %s (try carbyne run --help)", argv[optind - 1]);
	default:
		parse_long(o, option, value);
	}
}

void options_parse(struct options *o, bool is_trace, int argc, char **argv)
{
	const char *letters = is_trace ? "+:v:e:w:u:p:hf:o:ctrT" : "+:v:e:w:u:p:h";
	int option;

	memset(o, 0, sizeof *o);
	trace_set_fill(&o->trace_set);
	if (is_trace)
		o->boot_flags |= BOOT_TRACE;
	opterr = 0;
	while ((option = getopt_long(argc, argv, letters, long_options, NULL)) != -1)
		if (!parse_trace(o, option, optarg))
			parse_one(o, option, argv, optarg);
	if (optind >= argc)
		fail("no program given (try carbyne run --help)");
	if (o->published_count && !o->has_own_network)
		fail("-p %s: wants --net=none: with the host's network the program's "
		     "ports are the host's already",
		     o->published->text);
	if (o->rule_count && !o->has_own_network)
		fail("--allow-connect: wants --net=none: with the host's network all "
		     "that the caller reaches is open");
	o->argv = argv + optind;
}
