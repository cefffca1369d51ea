#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 120
# Single destinations that a sandbox without a network may reach: --allow-connect.
. "$(dirname "$0")/common"
. "$(dirname "$0")/../descendants"

"$CARBYNE" run --net=none -- true 2>/dev/null || exit 77 # no network namespaces here

# Servers outside: one that answers with what came, backwards, and one of datagrams.
cat >server.py <<'END'
import os, socket, threading
t = socket.create_server(("127.0.0.1", 0))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("127.0.0.1", 0))
free = socket.socket()
free.bind(("127.0.0.1", 0))  # so that nobody else has it: and nobody listens there
closed = free.getsockname()[1]
def datagrams():
    while True:
        data, peer = u.recvfrom(65536)
        u.sendto(data[::-1], peer)
threading.Thread(target=datagrams, daemon=True).start()
def serve(c):
    data = b""
    while True:
        piece = c.recv(1 << 20)
        if not piece:
            break
        data += piece
    c.sendall(data[::-1])
    c.close()
with open("ports.new", "w") as f:
    f.write("%d %d %d" % (t.getsockname()[1], u.getsockname()[1], closed))
os.rename("ports.new", "ports")
while True:
    threading.Thread(target=serve, args=(t.accept()[0],), daemon=True).start()
END
cat >client.py <<'END'
import asyncio, errno, fcntl, os, select, signal, socket, sys
kind, port = sys.argv[1], int(sys.argv[2])
address = ("127.0.0.1", port)
data = bytes(range(256)) * int(sys.argv[3] if len(sys.argv) > 3 else 1)
def name(e):
    return errno.errorcode[e] if e else "0"
def exchange(c):
    c.sendall(data)
    c.shutdown(socket.SHUT_WR)
    got = b""
    while True:
        piece = c.recv(65536)
        if not piece:
            return got == data[::-1]
        got += piece
c = socket.socket()
if kind == "plain":
    c.settimeout(None)
    c.connect(address)
    assert c.getpeername() == address and c.getsockname()[0] == "127.0.0.1" and c.getsockname()[1]
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    assert c.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    try:
        c.connect(address)
    except OSError as e:
        assert e.errno == errno.EISCONN
    print(exchange(c))
elif kind == "waiting":  # as event loops do it
    c.setblocking(False)
    e = c.connect_ex(address)
    assert e == errno.EINPROGRESS, e
    p = select.poll()
    p.register(c, select.POLLOUT)
    assert p.poll(10000)
    assert c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    try:
        c.recv(10)
        print("data from nowhere")
    except BlockingIOError:
        pass
    c.setblocking(True)
    print(exchange(c))
elif kind == "asyncio":
    async def one():
        r, w = await asyncio.open_connection(*address)
        w.write(data)
        w.write_eof()
        got = await r.read()
        w.close()
        return got == data[::-1]
    async def many():
        return await asyncio.gather(*[one() for _ in range(50)])
    print(set(asyncio.run(many())))
elif kind == "error":
    print(name(c.connect_ex(address)), name(c.connect_ex(address)))
elif kind == "late-error":
    c.setblocking(False)
    first = c.connect_ex(address)
    p = select.poll()
    p.register(c, select.POLLOUT)
    p.poll(10000)
    print(name(first), name(c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)),
          name(c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))
elif kind == "udp":
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.settimeout(10)
    u.connect(address)
    for n in (1, 3, 1000):
        u.send(data[:n])
        got, peer = u.recvfrom(65536)
        assert got == data[:n][::-1] and peer == address, (got, peer)
    print(True)
elif kind == "udp-sendto":  # by a socket that is not connected
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.settimeout(10)
    for n in (1, 3, 1000):
        assert u.sendto(data[:n], address) == len(data[:n])
        got, peer = u.recvfrom(65536)
        assert got == data[:n][::-1] and peer == address, (got, peer)
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.bind(("127.0.0.1", 0))
    u.sendto(b"own", own.getsockname())
    assert own.recvfrom(10) == (b"own", ("127.0.0.1", u.getsockname()[1]))
    print(True)
elif kind == "mapped":  # IPv4 by a socket of IPv6
    c = socket.socket(socket.AF_INET6)
    c.connect(("::ffff:127.0.0.1", port))
    assert c.getpeername()[:2] == ("::ffff:127.0.0.1", port)
    assert c.getsockname()[0] == "::ffff:127.0.0.1" and c.getsockname()[1]
    print(exchange(c))
elif kind == "mapped-udp":
    u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    u.settimeout(10)
    u.connect(("::ffff:127.0.0.1", port))
    u.send(b"abc")
    print(u.recv(10) == b"cba")
elif kind == "mapped-error":
    c = socket.socket(socket.AF_INET6)
    print(name(c.connect_ex(("::ffff:127.0.0.1", port))))
elif kind == "mixed":  # addresses of the other family, and mapped ones where there must be none
    import ctypes, struct
    libc = ctypes.CDLL(None, use_errno=True)
    in4 = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + bytes((127, 0, 0, 1)) + bytes(20)
    in6 = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0) + bytes(10) + b"\xff\xff" + bytes((127, 0, 0, 1)) + bytes(4)
    def raw(s, a):
        return "0" if libc.connect(s.fileno(), a, 28) == 0 else name(ctypes.get_errno())
    only = socket.socket(socket.AF_INET6)
    only.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    print(raw(c, in6), raw(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), in6),
          raw(socket.socket(socket.AF_INET6), in4), raw(only, in6), raw(c, in4))
elif kind == "signals":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
    fcntl.fcntl(c, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(c, fcntl.F_SETFL, fcntl.fcntl(c, fcntl.F_GETFL) | os.O_ASYNC)
    c.connect(address)
    while signal.sigtimedwait([signal.SIGIO], 0.3):
        pass  # of the connection itself
    c.sendall(data)
    c.shutdown(socket.SHUT_WR)
    got = signal.sigtimedwait([signal.SIGIO], 20)
    print(got is not None and c.recv(65536) == data[::-1])
elif kind == "dead":  # the host process of one that asks is killed
    go_r, go_w = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(go_r, 1)
        c.connect(address)
        os._exit(0)
    print("ready", flush=True)
    sys.stdin.readline()
    os.write(go_w, b"x")
    print(os.WTERMSIG(os.waitpid(child, 0)[1]), flush=True)
    sys.stdin.readline()
    c.connect(address)
    print(exchange(c), flush=True)
elif kind == "own":  # a server of the sandbox's own, beside
    s = socket.create_server(("127.0.0.1", 0))
    c.connect(s.getsockname())
    a, _ = s.accept()
    a.sendall(b"own")
    print(c.recv(10).decode())
END
python3 server.py &
server=$!
for _ in $(seq 100); do [ -e ports ] && break; sleep 0.1; done
read -r tcp udp closed <ports
run() { "$CARBYNE" run --net=none -v "$PWD:$PWD" "$@"; }
client() { timeout 60 "$CARBYNE" run --net=none -v "$PWD:$PWD" --allow-connect "127.0.0.1:$tcp" --allow-connect "127.0.0.0/8:$udp" --allow-connect "127.0.0.1:$closed" -- python3 client.py "$@" 2>&1; }

same "a connection" True "$(client plain "$tcp" 1)"
same "a larger one" True "$(client plain "$tcp" 20000)"
same "without blocking" True "$(client waiting "$tcp" 10)"
same "fifty at once, asyncio" "{True}" "$(client asyncio "$tcp" 100)"
same "signals for what comes" True "$(client signals "$tcp")"
same "nobody listens there" "ECONNREFUSED ECONNREFUSED" "$(client error "$closed")"
same "nobody listens there, told later" "EINPROGRESS ECONNREFUSED 0" "$(client late-error "$closed")"
same "datagrams" True "$(client udp "$udp")"
same "datagrams by name" True "$(client udp-sendto "$udp")"
same "the sandbox's own loopback" own "$(client own 1)"
same "another port is not open" ECONNREFUSED "$(run --allow-connect "127.0.0.1:$closed" -- python3 client.py error "$tcp" | cut -d ' ' -f 1)"
same "another address is not open" ECONNREFUSED "$(run --allow-connect "127.0.0.2:$tcp" -- python3 client.py error "$tcp" | cut -d ' ' -f 1)"
same "nothing without the option" ECONNREFUSED "$(run -- python3 client.py error "$tcp" | cut -d ' ' -f 1)"
same "IPv4 by a socket of IPv6" True "$(client mapped "$tcp")"
same "datagrams so" True "$(client mapped-udp "$udp")"
same "families that do not fit" "EAFNOSUPPORT EAFNOSUPPORT EAFNOSUPPORT ENETUNREACH 0" "$(client mixed "$tcp")"
same "all of IPv6 is not IPv4" ECONNREFUSED "$(run --allow-connect '[::]/0:*' -- python3 client.py mapped-error "$tcp")"
same "IPv4 in the form of IPv6" True "$(run --allow-connect "[::ffff:127.0.0.0]/104:$tcp" -- python3 client.py plain "$tcp")"
same "and by a socket of IPv6" True "$(run --allow-connect "[::ffff:127.0.0.1]:$tcp" -- python3 client.py mapped "$tcp")"
same "all ports" True "$(run --allow-connect '127.0.0.1/32:*' -- python3 client.py plain "$tcp")"
same "a range" True "$(run --allow-connect "127.0.0.1:$((tcp - 1))-$((tcp + 1))" -- python3 client.py plain "$tcp")"

# Somebody of the host kills a process that has asked the gate, and not been answered.

# The launcher's one child that waits in an epoll.
gate_of() {
	local child
	for child in $(cat "/proc/$1/task/$1/children"); do
		! ls -l "/proc/$child/fd" 2>/dev/null | grep -q eventpoll || echo "$child"
	done
}
mkfifo orders answers
"$CARBYNE" run --net=none -v "$PWD:$PWD" --allow-connect "127.0.0.1:$tcp" -- python3 client.py dead "$tcp" <orders >answers 2>errors &
sandbox=$!
exec 8>orders 9<answers
read -r -t 60 -u 9 word
sleep 0.2
victim=$(descendants $sandbox | sort -n | tail -n 1)
gate=$(gate_of $sandbox)
kill -STOP $gate
echo go >&8
sleep 0.5
kill -KILL "$victim"
read -r -t 60 -u 9 signal
kill -CONT $gate
echo go >&8
read -r -t 30 -u 9 result
same "who asks after one that was killed asking" "ready 9 True" "$word $signal ${result-}"
kill $sandbox 2>/dev/null
wait $sandbox
kill $server

refuses() {
	local name=$1 got=0
	shift
	"$CARBYNE" run "$@" -- true >out 2>err </dev/null || got=$?
	same "$name" "125 1" "$got $(wc -l <err)"
}
refuses "with the host's network" --allow-connect 127.0.0.1:80
for text in x 127.0.0.1 127.0.0.1: 127.0.0.1:0 127.0.0.1:70000 127.0.0.1:9-8 127.0.0.1/33:80 ::1:80 '[::1]/129:80' name:80; do
	refuses "--allow-connect $text" --net=none --allow-connect "$text"
done
finish
