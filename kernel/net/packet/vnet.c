/* SPDX-License-Identifier: MIT */
/* vnet.c - the header in front of a frame that says what is left to do with it
 * (PACKET_VNET_HDR): its checksum, its division into packets.
 *
 * Limits against Linux: nothing is divided; the loopback device carries what it is given,
 * as Linux's does. */
#include "abi/errno.h"
#include "lib/string.h"
#include "net/packet/internal.h"

enum { SUM_SIZE = 2, TCP_SIZE = 20, UDP_SIZE = 8 };

int packet_vnet_check(struct linux_virtio_net_hdr *h, size_t size)
{
	uint32_t end = (uint32_t)h->csum_start + h->csum_offset + SUM_SIZE;

	if ((h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) && end > h->hdr_len)
		h->hdr_len = (uint16_t)end;
	return h->hdr_len > size ? -EINVAL : 0;
}

/* The size of the header of what is to be divided; 0: of no kind that is known. */
static uint32_t header_of(uint8_t gso_type)
{
	switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return TCP_SIZE;
	case VIRTIO_NET_HDR_GSO_UDP:
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return UDP_SIZE;
	default:
		return 0;
	}
}

static int import_sum(struct lo_frame *f, const struct linux_virtio_net_hdr *h,
		      uint32_t header)
{
	uint32_t need = h->csum_start + MAX(header, (uint32_t)h->csum_offset + SUM_SIZE);

	if (!(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return 0;
	if (need > f->size)
		return -EINVAL;
	f->lacks_sum = true;
	f->sum_start = h->csum_start;
	f->sum_off = h->csum_offset;
	return 0;
}

int packet_vnet_import(struct lo_frame *f, const struct linux_virtio_net_hdr *h)
{
	bool is_divided = h->gso_type != VIRTIO_NET_HDR_GSO_NONE;
	uint32_t header = is_divided ? header_of(h->gso_type) : 0;
	int err;

	if (is_divided && (!header || !h->gso_size))
		return -EINVAL;
	err = import_sum(f, h, header);
	if (err)
		return err;
	if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID)
		f->is_sum_right = true;
	/* What fits into one packet is not divided. */
	if (is_divided && f->size > (uint32_t)h->hdr_len + h->gso_size) {
		f->gso_type = h->gso_type;
		f->gso_size = h->gso_size;
		f->header_size = h->hdr_len;
	}
	return 0;
}

void packet_vnet_export(struct linux_virtio_net_hdr *h, const struct lo_frame *f,
			uint32_t start)
{
	memset(h, 0, sizeof(*h));
	if (f->gso_type) {
		h->gso_type = f->gso_type;
		h->gso_size = f->gso_size;
		h->hdr_len =
			(uint16_t)(f->header_size > start ? f->header_size - start : 0);
	}
	if (f->lacks_sum) {
		h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->csum_start = (uint16_t)(f->sum_start - start);
		h->csum_offset = f->sum_off;
	} else if (f->is_sum_right) {
		h->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
}
