/* SPDX-License-Identifier: MIT */
/* lo_get.c - the route to an address, in a network in memory: as it would be used. */
#include "abi/errno.h"
#include "abi/rtnetlink.h"
#include "lib/string.h"
#include "net/lo.h"
#include "net/net_ns.h"
#include "net/netlink/internal.h"
#include "net/netlink/lo_route.h"
#include "process/user_ns.h"

enum { CACHE_SIZE = 32 }; /* struct rta_cacheinfo */

static void put_answer(struct netlink_request *r, const struct linux_rtmsg *m,
		       const struct lo_route *route, const uint8_t dst[16])
{
	static const uint8_t cache[CACHE_SIZE] = {2}; /* references */
	static const uint8_t none[16];
	bool is4 = m->rtm_family == AF_INET;
	size_t width = is4 ? 4 : 16;
	size_t start = netlink_message_begin(&r->out, RTM_NEWROUTE, 0, r);

	netlink_buffer_put(&r->out, m, sizeof(*m));
	netlink_attribute_u32(&r->out, RTA_TABLE, m->rtm_table);
	netlink_attribute(&r->out, RTA_DST, dst, width);
	if (is4) {
		netlink_attribute_u32(&r->out, RTA_OIF, LO_INDEX);
		netlink_attribute(&r->out, RTA_PREFSRC, route->source, width);
		netlink_attribute_u32(&r->out, RTA_UID, uid_out(current_creds()->uid));
	} else {
		netlink_attribute(&r->out, RTA_SRC, none, width);
		netlink_attribute(&r->out, RTA_PREFSRC, route->source, width);
		netlink_attribute_u32(&r->out, RTA_PRIORITY, route->metric);
		netlink_attribute_u32(&r->out, RTA_OIF, LO_INDEX);
	}
	netlink_attribute(&r->out, RTA_CACHEINFO, cache, sizeof(cache));
	if (!is4)
		netlink_attribute_u8(&r->out, RTA_PREF, 0);
	netlink_message_end(&r->out, start);
}

int netlink_lo_get_route(struct netlink_request *r)
{
	static const uint8_t self4[4] = {127, 0, 0, 1};
	size_t size;
	const struct linux_rtmsg *m = netlink_payload(r, &size);
	struct lo_route route = {.table = RT_TABLE_LOCAL, .type = RTN_LOCAL};
	struct linux_rtmsg answer;
	uint8_t dst[16] = {0};
	const void *at;
	bool is4;
	size_t len;
	int err = 0;

	if (size < sizeof(*m))
		return -EINVAL;
	is4 = m->rtm_family == AF_INET;
	at = netlink_find_attribute(m, size, sizeof(*m), RTA_DST, &len);
	if (at && len >= (is4 ? 4 : 16))
		memcpy(dst, at, is4 ? 4 : 16);
	if (is4 && !memcmp(dst, route.dst, 4)) { /* 0.0.0.0 is the host itself, always */
		memcpy(dst, self4, sizeof(self4));
		memcpy(route.source, self4, sizeof(self4));
	} else {
		err = lo_route_find(&r->from->net->lo, m->rtm_family, dst, &route);
	}
	if (err)
		return err;
	answer = (struct linux_rtmsg){
		.rtm_family = m->rtm_family,
		.rtm_dst_len = is4 ? 32 : 128,
		.rtm_src_len = is4 ? 0 : 128,
		.rtm_table = route.table,
		.rtm_protocol = is4 ? 0 : RTPROT_KERNEL,
		.rtm_type = route.type,
	};
	if (is4)
		answer.rtm_flags = RTM_F_CLONED | RTCF_LOCAL;
	if (is4 && route.type == RTN_BROADCAST)
		answer.rtm_flags |= RTCF_BROADCAST;
	if (is4 && !(m->rtm_flags & RTM_F_LOOKUP_TABLE))
		answer.rtm_table = RT_TABLE_MAIN;
	put_answer(r, &answer, &route, dst);
	return 0;
}
