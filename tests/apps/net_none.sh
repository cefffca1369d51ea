#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 120
# --net=none: servers and their clients in one sandbox, and no socket of the host's.
. "$(dirname "$0")/common"
. "$(dirname "$0")/../descendants"
need python3

cat >all.py <<'END'
import multiprocessing, os, socket, threading
kinds = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]

def serve(c):
    while data := c.recv(65536):
        c.sendall(data)

def listen(s):
    while True:
        threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()

def echo(u):
    while True:
        data, peer = u.recvfrom(65536)
        u.sendto(data, peer)

def talk(family, address, port, uport, out):
    good = 0
    u = socket.socket(family, socket.SOCK_DGRAM)
    u.connect((address, uport))
    for i in range(20):
        with socket.create_connection((address, port)) as c:
            c.sendall(b"x" * 1000 * i + b"y")
            got = b""
            while len(got) < 1000 * i + 1:
                got += c.recv(65536)
        u.send(b"%d" % i)
        good += got.endswith(b"y") and u.recv(100) == b"%d" % i
    out.put(good)

out = multiprocessing.Queue()
children = []
for family, address in kinds:
    s = socket.create_server((address, 0), family=family)
    u = socket.socket(family, socket.SOCK_DGRAM)
    u.bind((address, 0))
    threading.Thread(target=listen, args=(s,), daemon=True).start()
    threading.Thread(target=echo, args=(u,), daemon=True).start()
    for i in range(4):
        child = multiprocessing.Process(target=talk, args=(family, address, s.getsockname()[1],
                                                          u.getsockname()[1], out))
        child.start()
        children.append(child)
print(sum(out.get() for child in children), flush=True)
open("done", "w").close()
while not os.path.exists("seen"):
    import time
    time.sleep(0.02)
END

"$CARBYNE" run --net=none -v "$PWD:/mnt" -w /mnt -- python3 all.py >out 2>&1 &
sandbox=$!
for _ in {1..1500}; do
	[ -e done ] && break
	kill -0 $sandbox 2>/dev/null || break
	sleep 0.02
done
# Each process sees the sockets of its own network namespace there.
here=$(readlink /proc/self/ns/net)
tables=0
sockets=0
for pid in $sandbox $(descendants $sandbox); do
	there=$(readlink "/proc/$pid/ns/net" 2>/dev/null)
	[ -n "$there" ] && [ "$there" != "$here" ] || continue
	tables=$((tables + 1))
	for table in tcp tcp6 udp udp6 raw raw6 icmp icmp6; do
		sockets=$((sockets + $(tail -n +2 "/proc/$pid/net/$table" 2>/dev/null | wc -l)))
	done
done
touch seen
wait $sandbox || fail "the sandbox ended with $?"
same "servers and clients" 160 "$(cat out)"
if [ "$tables" != 0 ]; then
	same "no socket of the host's" 0 "$sockets"
elif [ "$(id -u)" = 0 ]; then
	fail "no process of the sandbox was seen"
fi
finish
