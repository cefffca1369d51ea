#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# What changes in the host's network is told to who listens, as by `ip monitor`. The network
# that changes is one made for this test.
. "$(dirname "$0")/common"
need ip

if [ -z "${INSIDE-}" ]; then
	rights=-n
	[ "$(id -u)" = 0 ] || rights=-rn
	unshare $rights true 2>/dev/null || exit 77
	INSIDE=yes exec unshare $rights "$0"
fi
"$CARBYNE" run -- true || exit 77

cat >listen.py <<'END'
import os, select, socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.bind((0, 0x1 | 0x10 | 0x40))  # links, addresses and routes of IPv4
open("up", "w").close()
seen = []
while "end" not in seen:
    data, peer = s.recvfrom(65536)
    assert peer[0] == 0 and peer[1] in (0x1, 0x10, 0x40), peer
    kind = struct.unpack_from("=IH", data)[1]
    name = {16: "link", 20: "address", 21: "address-gone", 24: "route", 25: "route-gone"}[kind]
    if name == "address-gone":
        name = "end"
    seen.append(name)
print(*sorted(set(seen)))
END
rm -f up
timeout 30 "$CARBYNE" run -v "$PWD:$PWD" -- python3 listen.py >out 2>&1 &
for _ in $(seq 100); do [ -e up ] && break; sleep 0.1; done
ip link set lo up
ip address add 10.9.8.7/32 dev lo
ip address del 10.9.8.7/32 dev lo
wait $!
same "links, addresses and routes" "address end link route" "$(sed 's/ route-gone//' out)"

ip link set lo down
timeout 30 "$CARBYNE" run -v "$PWD:$PWD" -- bash -c ': >told; ip monitor link >told & until grep "lo:.*UP" told >lines; do sleep 0.1; done; kill %1; head -n 1 lines | wc -l' >out 2>&1 &
# Again and again: when it has begun to listen it does not say.
while kill -0 $! 2>/dev/null; do
	ip link set lo up
	sleep 0.1
	ip link set lo down
done
wait $!
same "ip monitor" 1 "$(cat out)"

same "interfaces come and go" "lo" "$("$CARBYNE" run -- ls /sys/class/net)"
finish
