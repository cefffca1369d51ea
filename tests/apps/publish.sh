#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 120
# Ports of a sandbox without a network that the host's reach: -p.
. "$(dirname "$0")/common"

"$CARBYNE" run --net=none -- true 2>/dev/null || exit 77 # no network namespaces here

cat >server.py <<'END'
import os, socket, sys, threading
kind, port, address = sys.argv[1], int(sys.argv[2]), sys.argv[3]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
if kind == "udp":
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind((address, port))
    open("up", "w").close()
    while True:
        data, peer = s.recvfrom(65536)
        s.sendto(b"%d:" % peer[1] + data, peer)
s = socket.create_server((address, port), family=family, backlog=100)
open("up", "w").close()
def serve(c):
    try:
        c.setsockopt(socket.SOL_SOCKET, 68, 0)  # SO_DETACH_REUSEPORT_BPF: has none
    except OSError:
        pass
    if kind == "count":  # tells how much has come when the other side has said all
        n = 0
        while True:
            data = c.recv(1 << 20)
            if not data:
                break
            n += len(data)
        c.sendall(b"%d" % n)
    elif kind == "source":  # talks until nobody listens
        try:
            while True:
                c.sendall(bytes(65536))
        except OSError as e:
            open("source-ended", "w").write(type(e).__name__)
    c.close()
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
END
cat >client.py <<'END'
import socket, struct, sys, threading, time
kind, port = sys.argv[1], int(sys.argv[2])
address = sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1"
family = socket.AF_INET6 if ":" in address else socket.AF_INET
def connect():
    c = socket.socket(family)
    c.settimeout(20)
    c.connect((address, port))
    return c
def count(n):
    c = connect()
    c.sendall(bytes(n))
    c.shutdown(socket.SHUT_WR)
    answer = c.recv(100)
    return answer == b"%d" % n and c.recv(1) == b""
if kind == "count":
    print(count(int(sys.argv[4])))
elif kind == "many":
    good = []
    threads = [threading.Thread(target=lambda i=i: good.append(count(i * 1000))) for i in range(60)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    print(len(good), all(good))
elif kind == "crowd":  # all are there before the first says a word
    crowd = [connect() for i in range(60)]
    good = 0
    for c in crowd:
        c.sendall(b"word")
        c.shutdown(socket.SHUT_WR)
        good += c.recv(100) == b"4" and c.recv(1) == b""
    print(good)
elif kind == "reset":
    c = connect()
    c.recv(10)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
elif kind == "slow":  # a sender that nobody reads from is held up
    c = connect()
    time.sleep(1)
    print(len(c.recv(1000)))
elif kind == "refused":
    try:
        c = connect()
        print(c.recv(1))
    except OSError as e:
        print(type(e).__name__)
elif kind == "udp":
    ports = set()
    for i in range(2):  # two senders, whose answers find back
        u = socket.socket(family, socket.SOCK_DGRAM)
        u.settimeout(10)
        for text in (b"one", b"two", b"x" * 8000):
            u.sendto(text, (address, port))
            answer, peer = u.recvfrom(65536)
            inner, got = answer.split(b":")
            assert got == text and peer[:2] == (address, port), (answer, peer)
            ports.add(inner)
    print(len(ports))
END
# starts PORT-OPTIONS -- SERVER-ARGUMENTS: a sandbox that serves until it is ended
starts() {
	rm -f up
	${limited-} "$CARBYNE" run --net=none -v "$PWD:$PWD" "$@" 2>err &
	sandbox=$!
	for _ in $(seq 600); do
		[ -e up ] && return
		sleep 0.1
	done
	echo "not ok: the server did not start: $(cat err)"
	exit 1
}
ends() {
	kill $sandbox
	wait $sandbox
}

# --- connections
p=$(free_port)
starts -p "$p:80" -u 0 -- python3 server.py count 80 0.0.0.0
same "bytes in, a half-close, the answer" True "$(python3 client.py count $p 127.0.0.1 3000000)"
same "a client that says nothing" True "$(python3 client.py count $p 127.0.0.1 0)"
same "sixty at once" "60 True" "$(python3 client.py many $p)"
[ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 &&
	same "IPv6 outside" True "$(python3 client.py count $p ::1 1000)"
same "the port is in use" 1 "$("$CARBYNE" run --net=none -p "$p:80" -- true 2>&1 | grep -c "cannot listen on port $p of the host: Address")"
ends
same "the end of the sandbox frees the port" ConnectionRefusedError "$(python3 client.py refused $p)"

# --- few descriptors (root gets more): those that find none wait
p=$(free_port)
limited='prlimit --nofile=200:200' starts -p "$p:80" -u 0 -- python3 server.py count 80 0.0.0.0
same "sixty that take turns" 60 "$(python3 client.py crowd $p 2>&1)"
ends

p=$(free_port)
starts -p "127.0.0.1:$p:8000" -- python3 server.py source 8000 127.0.0.1
same "a reader that is slow" 1000 "$(python3 client.py slow $p)"
rm -f source-ended
python3 client.py reset $p
for _ in $(seq 600); do
	[ -s source-ended ] && break
	sleep 0.1
done
# which of the two depends on whether it waits in a call just then
same "a reset arrives" yes "$(grep -qx -e ConnectionResetError -e BrokenPipeError source-ended && echo yes)"
ends

starts -p 8000 -- python3 server.py count 8000 ::
p=$(sed -n 's/.*port 8000.tcp is published as //p' err)
same "a port of the host's choice, told" True "$(python3 client.py count "$p" 127.0.0.1 500)"
ends

p=$(free_port)
starts -p "$p:8000" -- python3 server.py count 8001 127.0.0.1
same "nobody listens inside" ConnectionResetError "$(python3 client.py refused $p)"
ends

p=$(free_port)
starts -p "$p-$((p + 1)):8000-8001" -- python3 server.py count 8001 127.0.0.1
same "the second of a range" True "$(python3 client.py count $((p + 1)) 127.0.0.1 10)"
ends

# --- datagrams
p=$(free_port)
starts -p "$p:5353/udp" -- python3 server.py udp 5353 0.0.0.0
same "two senders of datagrams" 2 "$(python3 client.py udp $p)"
ends

# --- who may have the low ports is as on Linux
same "root may" ok "$("$CARBYNE" run --net=none -u 0 -- python3 -c 'import socket; socket.create_server(("", 80)); print("ok")')"
same "others may not" PermissionError "$("$CARBYNE" run --net=none -u 1234:1234 -- python3 -c '
import socket
try: socket.create_server(("", 80))
except OSError as e: print(type(e).__name__)')"

# --- what is refused
refuses() {
	local name=$1 got=0
	shift
	"$CARBYNE" run "$@" -- true >out 2>err </dev/null || got=$?
	same "$name" "125 1" "$got $(wc -l <err)"
}
refuses "with the host's network" -p 80:80
for text in x 80:x 80:80/sctp 1-3:1-2 0 70000 3-1 1.2.3:80:80 ::1:80:80 a:b:c:80 '' 80:; do
	refuses "-p $text" --net=none -p "$text"
done
finish
