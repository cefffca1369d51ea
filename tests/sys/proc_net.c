/* SPDX-License-Identifier: MIT */
/* net */
/* calls: read ioctl */
/* proc_net: /proc/net and /sys/class/net tell of the interfaces what sockets tell. */
#include "fixture.h"

#include <dirent.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int lines_with(const char *path, const char *word)
{
	FILE *f = fopen(path, "r");
	char line[512];
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, word) != NULL;
	CHECK(fclose(f) == 0);
	return n;
}

static void text_of(char *out, size_t size, const char *link, const char *name)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", link, name);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	n = read(fd, out, size - 1);
	CHECK(n > 0 && close(fd) == 0);
	out[n] = 0;
}

static void loopback(void)
{
	char text[64];

	CHECK(lines_with("/proc/net/dev", "lo:") == 1);
	text_of(text, sizeof(text), "lo", "address");
	CHECK(strcmp(text, "00:00:00:00:00:00\n") == 0);
	text_of(text, sizeof(text), "lo", "type");
	CHECK(strcmp(text, "772\n") == 0);
	text_of(text, sizeof(text), "lo", "operstate");
	CHECK(strcmp(text, "unknown\n") == 0);
	text_of(text, sizeof(text), "lo", "statistics/rx_bytes");
	CHECK(text[0] >= '0' && text[0] <= '9');
	text_of(text, sizeof(text), "lo", "uevent");
	CHECK(strcmp(text, "INTERFACE=lo\nIFINDEX=1\n") == 0);
	FAILS(ENOENT, open("/sys/class/net/nosuch0/mtu", O_RDONLY));
}

/* Every interface that a socket knows, and no other. */
static void all_agree(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), count = 0, shown = 0;
	struct if_nameindex *list = if_nameindex();
	char text[64], want[64], word[IF_NAMESIZE + 1];
	DIR *d = opendir("/sys/class/net");
	struct dirent *e;

	CHECK(fd >= 0 && list && d);
	for (; list[count].if_index; count++) {
		struct ifreq r = {0};

		snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", list[count].if_name);
		text_of(text, sizeof(text), r.ifr_name, "ifindex");
		snprintf(want, sizeof(want), "%u\n", list[count].if_index);
		CHECK(strcmp(text, want) == 0);
		CHECK(ioctl(fd, SIOCGIFMTU, &r) == 0);
		text_of(text, sizeof(text), r.ifr_name, "mtu");
		snprintf(want, sizeof(want), "%d\n", r.ifr_mtu);
		CHECK(strcmp(text, want) == 0);
		snprintf(word, sizeof(word), "%s:", r.ifr_name);
		CHECK(lines_with("/proc/net/dev", word) == 1);
	}
	while ((e = readdir(d)))
		shown += e->d_name[0] != '.';
	CHECK(shown == count && lines_with("/proc/net/dev", ":") == count);
	closedir(d);
	if_freenameindex(list);
	CHECK(close(fd) == 0);
}

static void tables_have_their_heads(void)
{
	CHECK(lines_with("/proc/net/route", "Iface\tDestination") == 1);
	CHECK(lines_with("/proc/net/arp", "HW address") == 1);
	CHECK(lines_with("/proc/net/unix", "RefCount") == 1);
	CHECK(lines_with("/proc/net/tcp", "local_address") == 1);
}

RUN(TEST(loopback), TEST(all_agree), TEST(tables_have_their_heads))
