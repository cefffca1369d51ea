/* SPDX-License-Identifier: MIT */
/* calls: setsockopt mmap munmap poll sendto */
/* packet_ring: rings of packet sockets, of all three versions, to receive in and to send
 * from; what the guest writes there must not lead the kernel astray. */
#include "packet_net.h"

#include <limits.h>

#define BLOCK 4096U

static struct tpacket_req3 geometry(unsigned block, unsigned blocks, unsigned frame)
{
	return (struct tpacket_req3){
		.tp_block_size = block,
		.tp_block_nr = blocks,
		.tp_frame_size = frame,
		.tp_frame_nr = frame ? block / frame * blocks : 0,
	};
}

static int ring_make(int fd, int which, const struct tpacket_req3 *req)
{
	int version = packet_option_get(fd, PACKET_VERSION);

	return setsockopt(fd, SOL_PACKET, which, req,
			  version == TPACKET_V3 ? sizeof(*req)
						: sizeof(struct tpacket_req));
}

static int ring_end(int fd, int which)
{
	struct tpacket_req3 none = {0};

	return ring_make(fd, which, &none);
}

static uint8_t *ring_map(int fd, size_t size)
{
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* ---- what may be asked for ---- */

static void geometry_is_checked(void)
{
	static const struct {
		unsigned block, blocks, frame, frames;
	} bad[] = {
		{0, 1, 2048, 2},
		{4095, 1, 2048, 1},
		{4096 + 2048, 1, 2048, 3},
		{0x80000000U, 1, 2048, 1},
		{4096, 1, 16, 256},
		{4096, 1, 48, 85},
		{4096, 1, 2040, 2},
		{4096, 1, 8192, 0},
		{4096, 1, 2048, 1},
		{4096, 1, 2048, 3},
		{4096, 0, 2048, 1},
		{4096, 0x80000000U, 2048, 0},
		{8192, 0x80000001U, 2048, 4},
	};
	struct tpacket_req3 req;
	int fd = packet_socket(SOCK_RAW, 0);

	for (int version = TPACKET_V1; version <= TPACKET_V3; version++) {
		CHECK(packet_option(fd, PACKET_VERSION, version) == 0);
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			req = (struct tpacket_req3){.tp_block_size = bad[i].block,
						    .tp_block_nr = bad[i].blocks,
						    .tp_frame_size = bad[i].frame,
						    .tp_frame_nr = bad[i].frames};
			FAILS(EINVAL, ring_make(fd, PACKET_RX_RING, &req));
			FAILS(EINVAL, ring_make(fd, PACKET_TX_RING, &req));
		}
		FAILS(EINVAL, setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req,
					 sizeof(struct tpacket_req) - 1));
	}
	FAILS(EINVAL, setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req,
				 sizeof(struct tpacket_req)));
	/* A part of the guest's own that leaves no room in a block (CVE-2017-7308). */
	for (unsigned size = 4096 - 48 - 68 + 1; size; size <<= 1) {
		req = geometry(BLOCK, 2, 2048);
		req.tp_sizeof_priv = size;
		FAILS(EINVAL, ring_make(fd, PACKET_RX_RING, &req));
	}
	req.tp_sizeof_priv = 0x7fffffff;
	FAILS(EINVAL, ring_make(fd, PACKET_RX_RING, &req));
	req.tp_sizeof_priv = 0xffffffff;
	FAILS(EINVAL, ring_make(fd, PACKET_RX_RING, &req));
	/* Sending knows no blocks. */
	req = geometry(BLOCK, 2, 2048);
	req.tp_retire_blk_tov = 1;
	FAILS(EINVAL, ring_make(fd, PACKET_TX_RING, &req));
	CHECK(close(fd) == 0);
}

static void options_wait_for_the_rings_end(void)
{
	struct tpacket_req3 req = geometry(BLOCK, 2, 2048);
	int fd = packet_socket(SOCK_RAW, 0);

	CHECK(ring_make(fd, PACKET_RX_RING, &req) == 0);
	FAILS(EBUSY, ring_make(fd, PACKET_RX_RING, &req));
	FAILS(EBUSY, packet_option(fd, PACKET_VERSION, TPACKET_V2));
	FAILS(EBUSY, packet_option(fd, PACKET_RESERVE, 16));
	FAILS(EBUSY, packet_option(fd, PACKET_LOSS, 1));
	FAILS(EBUSY, packet_option(fd, PACKET_VNET_HDR, 1));
	CHECK(packet_option(fd, PACKET_TX_HAS_OFF, 1) == 0);
	CHECK(packet_option_get(fd, PACKET_TX_HAS_OFF) == 0);
	CHECK(ring_end(fd, PACKET_RX_RING) == 0);
	CHECK(ring_end(fd, PACKET_RX_RING) == 0);
	CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V2) == 0);
	CHECK(packet_option(fd, PACKET_RESERVE, 4096) == 0);
	FAILS(EINVAL, ring_make(fd, PACKET_RX_RING, &req));
	CHECK(packet_option(fd, PACKET_RESERVE, 0x7fffffff) == 0);
	FAILS(EINVAL, ring_make(fd, PACKET_RX_RING, &req));
	CHECK(close(fd) == 0);
}

/* ---- mapping ---- */

static void mapping_is_the_whole(void)
{
	struct tpacket_req3 req = geometry(BLOCK, 3, 2048);
	int fd = packet_socket(SOCK_RAW, 0);
	int un = socket(AF_UNIX, SOCK_STREAM, 0);
	uint8_t *p;

#define MAP(size, off) mmap(NULL, size, PROT_READ, MAP_SHARED, fd, off)
	FAILS(EINVAL, MAP(BLOCK, 0));
	FAILS(ENODEV, mmap(NULL, BLOCK, PROT_READ, MAP_SHARED, un, 0));
	CHECK(ring_make(fd, PACKET_RX_RING, &req) == 0);
	FAILS(EINVAL, MAP(BLOCK, 0));
	FAILS(EINVAL, MAP(4 * BLOCK, 0));
	FAILS(EINVAL, MAP(3 * BLOCK, BLOCK));
	p = MAP(3 * BLOCK, 0);
	CHECK(p != MAP_FAILED && p[0] == 0 && p[3 * BLOCK - 1] == 0);
	FAILS(EBUSY, ring_end(fd, PACKET_RX_RING));
	FAILS(EBUSY, ring_make(fd, PACKET_TX_RING, &req));
	CHECK(munmap(p, BLOCK) == 0);
	FAILS(EBUSY, ring_end(fd, PACKET_RX_RING));
	CHECK(munmap(p + BLOCK, 2 * BLOCK) == 0);
	CHECK(ring_make(fd, PACKET_TX_RING, &req) == 0);
	FAILS(EINVAL, MAP(3 * BLOCK, 0));
	p = MAP(6 * BLOCK, 0);
	CHECK(p != MAP_FAILED);
	CHECK(munmap(p, 6 * BLOCK) == 0);
	CHECK(ring_end(fd, PACKET_RX_RING) == 0);
	p = MAP(3 * BLOCK, 0);
	CHECK(p != MAP_FAILED);
	CHECK(close(fd) == 0 && close(un) == 0);
	CHECK(p[0] == 0); /* the mapping has the socket */
	CHECK(munmap(p, 3 * BLOCK) == 0);
}

static void child_has_it_too(void)
{
	struct tpacket_req3 req = geometry(BLOCK, 2, 2048);
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int out = packet_socket(SOCK_RAW, 0);
	struct tpacket_hdr *h;
	int to_child[2];
	pid_t pid;
	char c;

	CHECK(pipe(to_child) == 0);
	CHECK(ring_make(fd, PACKET_RX_RING, &req) == 0);
	h = (void *)ring_map(fd, 2 * BLOCK);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(close(fd) == 0);
		CHECK(read(to_child[0], &c, 1) == 1);
		CHECK(h->tp_status & TP_STATUS_USER);
		CHECK(h->tp_len == 60);
		h->tp_status = TP_STATUS_KERNEL;
		_exit(0);
	}
	CHECK(munmap(h, 2 * BLOCK) == 0);
	FAILS(EBUSY, ring_end(fd, PACKET_RX_RING));
	frame_send_new(out, 60, 0);
	CHECK(write(to_child[1], "x", 1) == 1);
	CHECK(child_wait(pid) == 0);
	CHECK(ring_end(fd, PACKET_RX_RING) == 0);
	CHECK(close(fd) == 0 && close(out) == 0);
	CHECK(close(to_child[0]) == 0 && close(to_child[1]) == 0);
}

/* ---- receiving, versions 1 and 2 ---- */

struct seen {
	unsigned status, len, snaplen, mac, net;
	struct sockaddr_ll *from;
};

static struct seen look(const uint8_t *frame, int version)
{
	const struct tpacket_hdr *h1 = (const void *)frame;
	const struct tpacket2_hdr *h2 = (const void *)frame;

	if (version == TPACKET_V1)
		return (struct seen){(unsigned)h1->tp_status,
				     h1->tp_len,
				     h1->tp_snaplen,
				     h1->tp_mac,
				     h1->tp_net,
				     (void *)(frame + 32)};
	return (struct seen){h2->tp_status, h2->tp_len, h2->tp_snaplen,
			     h2->tp_mac,    h2->tp_net, (void *)(frame + 32)};
}

static void give_back(uint8_t *frame, int version)
{
	if (version == TPACKET_V1)
		((struct tpacket_hdr *)(void *)frame)->tp_status = TP_STATUS_KERNEL;
	else
		((struct tpacket2_hdr *)(void *)frame)->tp_status = TP_STATUS_KERNEL;
}

static void receive_all_round(int version)
{
	struct tpacket_req3 req = geometry(BLOCK, 2, 1024); /* 8 frames */
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int out = packet_socket(SOCK_RAW, 0);
	struct tpacket_stats stats;
	uint8_t *ring;

	CHECK(packet_option(fd, PACKET_VERSION, version) == 0);
	CHECK(ring_make(fd, PACKET_RX_RING, &req) == 0);
	ring = ring_map(fd, 2 * BLOCK);
	CHECK(!is_readable(fd, 0));
	for (unsigned i = 0; i < 20; i++) {
		uint8_t *frame = ring + i % 8 * 1024;
		struct seen s;

		frame_send_new(out, 100 + i, (uint8_t)i);
		CHECK(is_readable(fd, 0));
		s = look(frame, version);
		CHECK(s.status == TP_STATUS_USER);
		CHECK(s.len == 100 + i && s.snaplen == 100 + i);
		CHECK(s.mac == 66 && s.net == 80);
		CHECK(frame[s.net] == i &&
		      frame[s.net + 85 + i] == (uint8_t)(85 + 2 * i));
		CHECK(s.from->sll_family == AF_PACKET && s.from->sll_ifindex == LO_INDEX);
		CHECK(s.from->sll_protocol == htons(PROTO_TEST) &&
		      s.from->sll_pkttype == PACKET_HOST && s.from->sll_halen == 6);
		give_back(frame, version);
		CHECK(!is_readable(fd, 0));
	}
	/* The ring is full with 8. */
	for (unsigned i = 0; i < 10; i++)
		frame_send_new(out, 60, 0);
	stats = packet_stats(fd);
	CHECK(stats.tp_packets == 30 && stats.tp_drops == 2);
	for (unsigned i = 0; i < 8; i++)
		CHECK(look(ring + i * 1024, version).status & TP_STATUS_USER);
	FAILS(EAGAIN, recv(fd, ring, 1, MSG_DONTWAIT));
	CHECK(munmap(ring, 2 * BLOCK) == 0);
	CHECK(close(fd) == 0 && close(out) == 0);
}

static void version_1_receives(void)
{
	receive_all_round(TPACKET_V1);
}

static void version_2_receives(void)
{
	receive_all_round(TPACKET_V2);
}

static void long_frames_are_cut_and_copied(void)
{
	struct tpacket_req3 req = geometry(BLOCK, 2, 1024);
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int out = packet_socket(SOCK_RAW, 0);
	static uint8_t buf[4096];
	uint8_t *ring;
	struct seen s;

	CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V2) == 0);
	CHECK(ring_make(fd, PACKET_RX_RING, &req) == 0);
	ring = ring_map(fd, 2 * BLOCK);
	frame_send_new(out, 2000, 7);
	s = look(ring, TPACKET_V2);
	CHECK(s.status == TP_STATUS_USER && s.len == 2000 && s.snaplen == 1024 - 66);
	FAILS(EAGAIN, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	CHECK(packet_option(fd, PACKET_COPY_THRESH, 1) == 0);
	frame_send_new(out, 2000, 8);
	s = look(ring + 1024, TPACKET_V2);
	CHECK(s.status == (TP_STATUS_USER | TP_STATUS_COPY) && s.snaplen == 1024 - 66);
	CHECK(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 2000 && buf[14] == 8);
	frame_send_new(out, 900, 9);
	CHECK(look(ring + 2048, TPACKET_V2).status == TP_STATUS_USER);
	CHECK(munmap(ring, 2 * BLOCK) == 0);
	CHECK(close(fd) == 0 && close(out) == 0);
}

static void reserve_and_vnet_header_move_the_frame(void)
{
	struct tpacket_req3 req = geometry(BLOCK, 2, 2048);
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int dgram = packet_socket(SOCK_DGRAM, PROTO_TEST);
	int out = packet_socket(SOCK_RAW, 0);
	uint8_t *ring;
	uint8_t *other;
	struct seen s;

	CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V2) == 0);
	CHECK(packet_option(dgram, PACKET_VERSION, TPACKET_V2) == 0);
	CHECK(packet_option(fd, PACKET_RESERVE, 100) == 0);
	CHECK(packet_option(fd, PACKET_VNET_HDR, 1) == 0);
	CHECK(ring_make(fd, PACKET_RX_RING, &req) == 0);
	CHECK(ring_make(dgram, PACKET_RX_RING, &req) == 0);
	ring = ring_map(fd, 2 * BLOCK);
	other = ring_map(dgram, 2 * BLOCK);
	memset(ring, 0xee, 2 * BLOCK);
	give_back(ring, TPACKET_V2);
	frame_send_new(out, 100, 3);
	s = look(ring, TPACKET_V2);
	CHECK(s.net == 80 + 100 + 10 && s.mac == s.net - 14);
	CHECK(ring[s.net] == 3);
	for (int i = 0; i < 10; i++)
		CHECK(ring[s.mac - 10 + (unsigned)i] == 0);
	s = look(other, TPACKET_V2);
	CHECK(s.net == 80 && s.mac == 80 && s.len == 86 && other[80] == 3);
	CHECK(munmap(ring, 2 * BLOCK) == 0 && munmap(other, 2 * BLOCK) == 0);
	CHECK(close(fd) == 0 && close(out) == 0 && close(dgram) == 0);
}

/* So much is set aside that no frame fits (CVE-2020-14386): nothing is written beyond. */
static void reserve_up_to_the_end(void)
{
	struct tpacket_req3 req = geometry(16 * BLOCK, 1, 16 * BLOCK);
	int out = packet_socket(SOCK_RAW, 0);

	for (unsigned reserve = 65536 - 128; reserve <= 65536 - 52; reserve++) {
		int fd = packet_socket(SOCK_RAW, PROTO_TEST);
		struct tpacket_stats stats;

		CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V2) == 0);
		CHECK(packet_option(fd, PACKET_VNET_HDR, 1) == 0);
		CHECK(packet_option(fd, PACKET_RESERVE, (int)reserve) == 0);
		CHECK(ring_make(fd, PACKET_RX_RING, &req) == 0);
		frame_send_new(out, 60, 0);
		stats = packet_stats(fd);
		CHECK(stats.tp_packets == 1);
		CHECK(stats.tp_drops == (reserve + 80 + 10 > 65535));
		CHECK(close(fd) == 0);
	}
	CHECK(close(out) == 0);
}

/* ---- receiving, version 3 ---- */

static struct tpacket_block_desc *block_of(uint8_t *ring, unsigned n, unsigned size)
{
	return (void *)(ring + n * size);
}

static struct tpacket3_hdr *first_of(struct tpacket_block_desc *b)
{
	return (void *)((uint8_t *)b + b->hdr.bh1.offset_to_first_pkt);
}

static void blocks_fill_up(void)
{
	struct tpacket_req3 req = geometry(2 * BLOCK, 3, 2048);
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int out = packet_socket(SOCK_RAW, 0);
	struct tpacket_stats_v3 stats;
	socklen_t len = sizeof(stats);
	unsigned next = 0;
	uint8_t *ring;

	req.tp_retire_blk_tov = 60000;
	req.tp_sizeof_priv = 13;
	CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V3) == 0);
	CHECK(ring_make(fd, PACKET_RX_RING, &req) == 0);
	ring = ring_map(fd, 6 * BLOCK);
	CHECK(block_of(ring, 0, 2 * BLOCK)->version == TPACKET_V3);
	CHECK(block_of(ring, 0, 2 * BLOCK)->hdr.bh1.seq_num == 1);
	CHECK(block_of(ring, 0, 2 * BLOCK)->offset_to_priv == 48);
	for (unsigned i = 0; i < 60; i++) {
		frame_send_new(out, 500, (uint8_t)i);
		/* 8192 - 64 bytes for 13 of 584. */
		CHECK(is_readable(fd, 0) == (i >= 13));
	}
	CHECK(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0);
	CHECK(len == sizeof(stats));
	CHECK(stats.tp_packets == 60 && stats.tp_drops == 60 - 39);
	CHECK(stats.tp_freeze_q_cnt == 1);
	for (unsigned n = 0; n < 3; n++) {
		struct tpacket_block_desc *b = block_of(ring, n, 2 * BLOCK);
		struct tpacket3_hdr *h = first_of(b);
		unsigned count = b->hdr.bh1.num_pkts;

		CHECK(b->hdr.bh1.block_status & TP_STATUS_USER);
		CHECK(!(b->hdr.bh1.block_status & TP_STATUS_BLK_TMO));
		CHECK(b->hdr.bh1.seq_num == n + 1);
		CHECK(b->hdr.bh1.offset_to_first_pkt == 64);
		CHECK(count == 13);
		CHECK(b->hdr.bh1.blk_len == 64 + count * 584);
		for (unsigned i = 0; i < count; i++) {
			struct sockaddr_ll *from = (void *)((uint8_t *)h + 48);

			CHECK(h->tp_len == 500 && h->tp_snaplen == 500);
			CHECK(h->tp_mac == 82 && h->tp_net == 96);
			CHECK(h->tp_status == TP_STATUS_USER);
			CHECK(((uint8_t *)h)[h->tp_net] == next++);
			CHECK(from->sll_protocol == htons(PROTO_TEST));
			CHECK(h->tp_next_offset == (i + 1 < count ? 584 : 0));
			h = (void *)((uint8_t *)h + h->tp_next_offset);
		}
		b->hdr.bh1.block_status = TP_STATUS_KERNEL;
	}
	frame_send_new(out, 500, 0xaa); /* it goes on */
	CHECK(block_of(ring, 0, 2 * BLOCK)->hdr.bh1.num_pkts == 1);
	CHECK(block_of(ring, 0, 2 * BLOCK)->hdr.bh1.seq_num == 4);
	CHECK(munmap(ring, 6 * BLOCK) == 0);
	CHECK(close(fd) == 0 && close(out) == 0);
}

static void block_is_told_when_its_time_is_up(void)
{
	struct tpacket_req3 req = geometry(BLOCK, 4, 2048);
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int out = packet_socket(SOCK_RAW, 0);
	uint8_t *ring;

	CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V3) == 0);
	for (unsigned timeout = 0; timeout <= 20; timeout += 20) {
		req.tp_retire_blk_tov = timeout;
		CHECK(ring_make(fd, PACKET_RX_RING, &req) == 0);
		ring = ring_map(fd, 4 * BLOCK);
		for (unsigned n = 0; n < 6; n++) {
			struct tpacket_block_desc *b = block_of(ring, n % 4, BLOCK);

			CHECK(!is_readable(fd, 0));
			frame_send_new(out, 60, (uint8_t)n);
			CHECK(is_readable(fd, 10000));
			CHECK(b->hdr.bh1.block_status ==
			      (TP_STATUS_USER | TP_STATUS_BLK_TMO));
			CHECK(b->hdr.bh1.num_pkts == 1);
			CHECK(first_of(b)->tp_len == 60);
			CHECK(b->hdr.bh1.ts_last_pkt.ts_sec >=
			      b->hdr.bh1.ts_first_pkt.ts_sec);
			b->hdr.bh1.block_status = TP_STATUS_KERNEL;
		}
		CHECK(munmap(ring, 4 * BLOCK) == 0);
		CHECK(ring_end(fd, PACKET_RX_RING) == 0);
	}
	CHECK(close(fd) == 0 && close(out) == 0);
}

static void block_holds_what_is_longer(void)
{
	struct tpacket_req3 req = geometry(BLOCK, 4, 2048);
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int out = packet_socket(SOCK_RAW, 0);
	struct tpacket3_hdr *h;
	uint8_t *ring;

	req.tp_retire_blk_tov = 60000;
	CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V3) == 0);
	CHECK(ring_make(fd, PACKET_RX_RING, &req) == 0);
	ring = ring_map(fd, 4 * BLOCK);
	frame_send_new(out, 60000, 1);
	frame_send_new(out, 60000, 2);
	/* The first block was closed without any. */
	CHECK(block_of(ring, 0, BLOCK)->hdr.bh1.block_status & TP_STATUS_USER);
	CHECK(block_of(ring, 0, BLOCK)->hdr.bh1.num_pkts == 0);
	CHECK(block_of(ring, 1, BLOCK)->hdr.bh1.num_pkts == 1);
	h = first_of(block_of(ring, 1, BLOCK));
	CHECK(h->tp_len == 60000 && h->tp_snaplen == 4096 - 48 - 82);
	CHECK(((uint8_t *)h)[h->tp_net] == 1);
	CHECK(munmap(ring, 4 * BLOCK) == 0);
	CHECK(close(fd) == 0 && close(out) == 0);
}

/* ---- sending ---- */

static unsigned payload_of(int version)
{
	return version == TPACKET_V3 ? 48 : 32;
}

static void request(uint8_t *frame, int version, unsigned len)
{
	struct tpacket_hdr *h1 = (void *)frame;
	struct tpacket2_hdr *h2 = (void *)frame;
	struct tpacket3_hdr *h3 = (void *)frame;

	if (version == TPACKET_V1) {
		h1->tp_len = len;
		h1->tp_status = TP_STATUS_SEND_REQUEST;
	} else if (version == TPACKET_V2) {
		h2->tp_len = len;
		h2->tp_status = TP_STATUS_SEND_REQUEST;
	} else {
		h3->tp_len = len;
		h3->tp_next_offset = 0;
		h3->tp_status = TP_STATUS_SEND_REQUEST;
	}
}

static unsigned status_of(uint8_t *frame, int version)
{
	return version == TPACKET_V3 ? ((struct tpacket3_hdr *)(void *)frame)->tp_status
				     : look(frame, version).status;
}

/* Frames that have left are the guest's again, at once or a moment later. */
static void wait_until_free(uint8_t *frame, int version)
{
	for (int i = 0; i < 20000; i++) {
		if ((status_of(frame, version) & ~(TP_STATUS_TS_SOFTWARE)) ==
		    TP_STATUS_AVAILABLE)
			return;
		usleep(1000);
	}
	CHECK(!"sent");
}

static void send_all_round(int version)
{
	struct tpacket_req3 req = geometry(BLOCK, 2, 1024);
	int fd = packet_socket(SOCK_RAW, 0);
	int in = packet_socket(SOCK_RAW, PROTO_TEST);
	static uint8_t buf[4096];
	uint8_t *ring;
	unsigned n = 0;

	CHECK(packet_option(fd, PACKET_VERSION, version) == 0);
	CHECK(ring_make(fd, PACKET_TX_RING, &req) == 0);
	ring = ring_map(fd, 2 * BLOCK);
	FAILS(ENXIO, send(fd, NULL, 0, 0));
	CHECK(packet_bind(fd, 0) == 0);
	CHECK(send(fd, NULL, 0, 0) == 0);
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 3; i++) {
			uint8_t *frame = ring + (n + i) % 8 * 1024;

			frame_fill(frame + payload_of(version), 100 + i, PROTO_TEST,
				   (uint8_t)(n + i));
			request(frame, version, 100 + i);
		}
		CHECK(send(fd, NULL, 0, 0) == 303);
		for (unsigned i = 0; i < 3; i++, n++) {
			CHECK(recv(in, buf, sizeof(buf), 0) == 100 + (ssize_t)i);
			CHECK(buf[14] == n && buf[13] == (PROTO_TEST & 0xff));
			wait_until_free(ring + n % 8 * 1024, version);
		}
	}
	CHECK(munmap(ring, 2 * BLOCK) == 0);
	CHECK(close(fd) == 0 && close(in) == 0);
}

static void all_versions_send(void)
{
	for (int version = TPACKET_V1; version <= TPACKET_V3; version++)
		send_all_round(version);
}

static void bad_frames_stop_the_sending(void)
{
	struct tpacket_req3 req = geometry(BLOCK, 2, 1024);
	struct sockaddr_ll to = packet_address(LO_INDEX, PROTO_TEST);
	int fd = packet_socket(SOCK_RAW, 0);
	uint8_t *ring;

	CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V2) == 0);
	CHECK(ring_make(fd, PACKET_TX_RING, &req) == 0);
	ring = ring_map(fd, 2 * BLOCK);
	request(ring, TPACKET_V2, 1024 - 32 + 1);
	FAILS(EMSGSIZE, sendto(fd, NULL, 0, 0, (void *)&to, sizeof(to)));
	CHECK(status_of(ring, TPACKET_V2) == TP_STATUS_WRONG_FORMAT);
	request(ring, TPACKET_V2, 0xffffffff);
	FAILS(EPERM, sendto(fd, NULL, 0, 0, (void *)&to, sizeof(to)));
	request(ring, TPACKET_V2, 13);
	FAILS(EINVAL, sendto(fd, NULL, 0, 0, (void *)&to, sizeof(to)));
	request(ring, TPACKET_V2, 60);
	to.sll_ifindex = 99;
	FAILS(ENXIO, sendto(fd, NULL, 0, 0, (void *)&to, sizeof(to)));
	to.sll_ifindex = LO_INDEX;
	CHECK(sendto(fd, NULL, 0, 0, (void *)&to, sizeof(to)) == 60);
	CHECK(munmap(ring, 2 * BLOCK) == 0);
	CHECK(ring_end(fd, PACKET_TX_RING) == 0);
	/* Or they are left out. */
	CHECK(packet_option(fd, PACKET_LOSS, 1) == 0);
	CHECK(ring_make(fd, PACKET_TX_RING, &req) == 0);
	ring = ring_map(fd, 2 * BLOCK);
	request(ring, TPACKET_V2, 0xffffffff);
	request(ring + 1024, TPACKET_V2, 70);
	CHECK(sendto(fd, NULL, 0, 0, (void *)&to, sizeof(to)) == 70);
	CHECK(status_of(ring, TPACKET_V2) == TP_STATUS_AVAILABLE);
	CHECK(munmap(ring, 2 * BLOCK) == 0);
	CHECK(close(fd) == 0);
}

static void set_mtu(int mtu)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_mtu = mtu};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(fd >= 0 && ioctl(fd, SIOCSIFMTU, &r) == 0);
	CHECK(close(fd) == 0);
}

/* Whatever the device's MTU is. */
static void frames_have_an_end(void)
{
	struct tpacket_req3 req = geometry(1U << 20, 1, 1U << 20);
	int fd = packet_socket(SOCK_RAW, 0);
	int in = packet_socket(SOCK_RAW, ETH_P_ALL);
	uint8_t *ring;

	set_mtu(INT_MAX);
	CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V2) == 0);
	CHECK(ring_make(fd, PACKET_TX_RING, &req) == 0);
	ring = ring_map(fd, req.tp_block_size);
	CHECK(packet_bind(fd, 0) == 0);
	request(ring, TPACKET_V2, (1U << 20) - 64);
	CHECK(send(fd, NULL, 0, 0) == -1);
	CHECK(status_of(ring, TPACKET_V2) == TP_STATUS_WRONG_FORMAT);
	CHECK(!is_readable(in, 0));
	set_mtu(65536);
	CHECK(munmap(ring, req.tp_block_size) == 0);
	CHECK(close(fd) == 0 && close(in) == 0);
}

static void sender_says_where_the_frame_is(void)
{
	struct tpacket_req3 req = geometry(BLOCK, 2, 1024);
	int fd = packet_socket(SOCK_RAW, 0);
	int in = packet_socket(SOCK_RAW, PROTO_TEST);
	static uint8_t buf[4096];
	struct tpacket2_hdr *h;
	uint8_t *ring;

	CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V2) == 0);
	CHECK(packet_option(fd, PACKET_TX_HAS_OFF, 1) == 0);
	CHECK(ring_make(fd, PACKET_TX_RING, &req) == 0);
	CHECK(packet_bind(fd, PROTO_TEST) == 0);
	ring = ring_map(fd, 2 * BLOCK);
	h = (void *)ring;
	frame_fill(ring + 500, 60, PROTO_TEST, 0x33);
	h->tp_mac = 31;
	request(ring, TPACKET_V2, 60);
	FAILS(EINVAL, send(fd, NULL, 0, 0));
	h->tp_mac = 1024 - 59;
	request(ring, TPACKET_V2, 60);
	FAILS(EINVAL, send(fd, NULL, 0, 0));
	h->tp_mac = 500;
	request(ring, TPACKET_V2, 60);
	CHECK(send(fd, NULL, 0, 0) == 60);
	CHECK(recv(in, buf, sizeof(buf), 0) == 60 && buf[14] == 0x33);
	CHECK(munmap(ring, 2 * BLOCK) == 0);
	CHECK(close(fd) == 0 && close(in) == 0);
}

static void both_rings_lie_one_after_the_other(void)
{
	struct tpacket_req3 rx = geometry(2 * BLOCK, 2, 2048);
	struct tpacket_req3 tx = geometry(BLOCK, 1, 2048);
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	uint8_t *ring;

	CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V2) == 0);
	CHECK(packet_bind(fd, 0) == 0);
	CHECK(ring_make(fd, PACKET_TX_RING, &tx) == 0);
	CHECK(ring_make(fd, PACKET_RX_RING, &rx) == 0);
	ring = ring_map(fd, 5 * BLOCK);
	frame_fill(ring + 4 * BLOCK + 32, 60, PROTO_TEST, 0x44);
	request(ring + 4 * BLOCK, TPACKET_V2, 60);
	CHECK(send(fd, NULL, 0, 0) == 60);
	CHECK(is_readable(fd, 20000));
	CHECK(look(ring, TPACKET_V2).len == 60 && ring[80] == 0x44);
	CHECK(munmap(ring, 5 * BLOCK) == 0);
	/* What is in one stays when the other goes. */
	CHECK(ring_end(fd, PACKET_TX_RING) == 0);
	ring = ring_map(fd, 4 * BLOCK);
	CHECK(look(ring, TPACKET_V2).len == 60 && ring[80] == 0x44);
	CHECK(munmap(ring, 4 * BLOCK) == 0);
	CHECK(close(fd) == 0);
}

/* ---- ill will ---- */

static void scribble(uint8_t *ring, size_t size, unsigned *seed)
{
	for (size_t i = 0; i < 64; i++) {
		*seed = *seed * 1103515245 + 12345;
		ring[(*seed >> 8) % size] = (uint8_t)(*seed >> 24);
	}
	*seed = *seed * 1103515245 + 12345;
	if (*seed & 0x10000)
		memset(ring, (int)(*seed >> 24), size);
}

static void rubbish_leads_nobody_astray(void)
{
	int in = packet_socket(SOCK_DGRAM, 0);
	unsigned seed = 1;

	for (int version = TPACKET_V1; version <= TPACKET_V3; version++) {
		struct tpacket_req3 req = geometry(BLOCK, 4, 1024);
		int fd = packet_socket(SOCK_RAW, PROTO_TEST);
		uint8_t *ring;

		CHECK(packet_option(fd, PACKET_VERSION, version) == 0);
		CHECK(packet_option(fd, PACKET_TX_HAS_OFF, 1) == 0);
		CHECK(packet_bind(fd, 0) == 0);
		CHECK(ring_make(fd, PACKET_TX_RING, &req) == 0);
		if (version == TPACKET_V3)
			req.tp_retire_blk_tov = 1;
		CHECK(ring_make(fd, PACKET_RX_RING, &req) == 0);
		ring = ring_map(fd, 8 * BLOCK);
		for (int i = 0; i < 300; i++) {
			struct sockaddr_ll to = packet_address(LO_INDEX, PROTO_TEST);

			scribble(ring, 8 * BLOCK, &seed);
			request(ring + 4 * BLOCK + i % 16 * 1024, version, seed % 3000);
			(void)!send(fd, NULL, 0, MSG_DONTWAIT);
			CHECK(sendto(in, ring, seed % 2000, 0, (void *)&to, sizeof(to)) >=
			      0);
			(void)is_readable(fd, 0);
		}
		CHECK(munmap(ring, 8 * BLOCK) == 0);
		CHECK(close(fd) == 0);
	}
	CHECK(close(in) == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(geometry_is_checked),
		TEST(options_wait_for_the_rings_end),
		TEST(mapping_is_the_whole),
		TEST(child_has_it_too),
		TEST(version_1_receives),
		TEST(version_2_receives),
		TEST(long_frames_are_cut_and_copied),
		TEST(reserve_and_vnet_header_move_the_frame),
		TEST(reserve_up_to_the_end),
		TEST(blocks_fill_up),
		TEST(block_is_told_when_its_time_is_up),
		TEST(block_holds_what_is_longer),
		TEST(all_versions_send),
		TEST(bad_frames_stop_the_sending),
		TEST(frames_have_an_end),
		TEST(sender_says_where_the_frame_is),
		TEST(both_rings_lie_one_after_the_other),
		TEST(rubbish_leads_nobody_astray),
	};

	enter_network();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
