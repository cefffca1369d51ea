#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 120
# Socket files of a volume that is given with `sock`: programs inside reach servers outside,
# and the other way round.
. "$(dirname "$0")/common"

cat >server.py <<'END'
import array, os, socket, sys, threading
kind, path = sys.argv[1], sys.argv[2]
type = {"stream": socket.SOCK_STREAM, "seqpacket": socket.SOCK_SEQPACKET, "dgram": socket.SOCK_DGRAM}[kind]
s = socket.socket(socket.AF_UNIX, type)
s.bind(path)
def stream(c):
    data = b""
    while True:
        piece = c.recv(1 << 20)
        if not piece:
            break
        data += piece
    # A descriptor goes with the answer: nobody must get it.
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))]
    c.sendmsg([data[:1]], rights if "RIGHTS" in os.environ else [])
    c.sendall(data[1:][::-1])
    c.close()
def seqpacket(c):
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1]))]
    while True:
        data = c.recv(1 << 20)
        if not data:
            break
        c.sendmsg([data[::-1]], rights if "RIGHTS" in os.environ and len(data) == 3 else [])
    c.close()
if kind != "dgram":
    s.listen(100)
open(path + ".up", "w").close()
if kind == "dgram":
    while True:
        data, peer = s.recvfrom(1 << 20)
        with open(path + ".got", "ab") as f:
            f.write(data + b"\n")
        try:
            if peer:
                s.sendto(data[::-1], peer)
        except ConnectionRefusedError:  # who sends one and goes
            pass
while True:
    threading.Thread(target=globals()[kind], args=(s.accept()[0],), daemon=True).start()
END
cat >client.py <<'END'
import array, asyncio, errno, select, socket, sys
kind, path = sys.argv[1], sys.argv[2]
data = bytes(range(256)) * int(sys.argv[3] if len(sys.argv) > 3 else 1)
def name(f):
    try:
        f()
        return "0"
    except OSError as e:
        return "EOPNOTSUPP" if e.errno == errno.EOPNOTSUPP else errno.errorcode[e.errno]
def exchange(c):
    c.sendall(data)
    c.shutdown(socket.SHUT_WR)
    got, rights, lost = b"", 0, 0
    while True:
        piece, control, flags, _ = c.recvmsg(65536, 1000)
        rights += len(control)
        lost += flags == socket.MSG_CTRUNC
        assert flags in (0, socket.MSG_CTRUNC)
        if not piece:
            return (got == data[:1] + data[1:][::-1] and not rights), lost
        got += piece
if kind == "stream":
    c = socket.socket(socket.AF_UNIX)
    c.connect(path)
    assert path.endswith(c.getpeername()) and name(lambda: c.connect(path)) == "EISCONN"
    if len(sys.argv) > 4:
        fds = array.array("i", [0])
        print(name(lambda: c.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])))
    p = select.epoll()
    p.register(c)
    assert p.poll(5)[0][1] == select.EPOLLOUT
    print(*exchange(c))
elif kind == "asyncio":
    async def one():
        r, w = await asyncio.open_unix_connection(path)
        w.write(data)
        w.write_eof()
        got = await r.read()
        w.close()
        return got == data[:1] + data[1:][::-1]
    async def many():
        return await asyncio.gather(*[one() for _ in range(40)])
    print(set(asyncio.run(many())))
elif kind == "seqpacket":
    c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    c.connect(path)
    for n in (1, 3, 1000, 50000):
        c.send(data[:n])
        got, control, flags, _ = c.recvmsg(1 << 20, 1000)
        assert got == data[:n][::-1] and not control
        if flags & socket.MSG_CTRUNC:
            print("lost with", n)
    print(True)
elif kind == "dgram":
    c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    c.settimeout(10)
    c.connect(path)
    for text in (b"one", b"two"):
        c.send(text)
        assert c.recv(100) == text[::-1]
    d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    d.sendto(b"READY=1", path)  # as sd_notify does it
    print(True)
elif kind == "error":
    type = socket.SOCK_DGRAM if len(sys.argv) > 4 else socket.SOCK_STREAM
    print(name(lambda: socket.socket(socket.AF_UNIX, type).connect(path)))
END
cat >full.py <<'END'
import os, socket, sys, time
path = sys.argv[1]
s = socket.socket(socket.AF_UNIX)
s.bind(path)
s.listen(2)
open(path + ".up", "w").close()
end = time.time() + 60
while not os.path.exists(path + ".go") and time.time() < end:
    time.sleep(0.01)
s.settimeout(4)
try:
    while True:
        s.accept()
except TimeoutError:
    pass
END
mkdir -p v
up() {
	for _ in $(seq 200); do [ -e "$1.up" ] && return; sleep 0.1; done
	echo "not ok: no server at $1"
	exit 1
}
inside() { timeout 60 "$CARBYNE" run -v "$PWD/v:/v:sock" -v "$PWD:$PWD" "$@" 2>&1; }

# --- servers outside
servers=
for kind in stream seqpacket dgram; do
	RIGHTS=1 python3 server.py $kind v/$kind </dev/null &
	servers="$servers $!"
	up v/$kind
done
same "a stream" $'EOPNOTSUPP\nTrue 1' "$(inside -- python3 client.py stream /v/stream 100 rights)"
same "a large one" "True 1" "$(inside -- python3 client.py stream /v/stream 20000)"
same "forty at once, asyncio" "{True}" "$(inside -- python3 client.py asyncio /v/stream 50)"
same "packets" $'lost with 3\nTrue' "$(inside -- python3 client.py seqpacket /v/seqpacket 300)"
same "datagrams" True "$(inside -- python3 client.py dgram /v/dgram)"
for _ in $(seq 50); do grep -q READY v/dgram.got && break; sleep 0.1; done
same "a notification arrives" READY=1 "$(grep -a READY v/dgram.got)"
if gcc -w -O1 -pthread -o connect "$SRC/tests/apps/socket_files_connect.c"; then
	cp connect v
	for run in "" inside; do
		dir=v
		[ -z "$run" ] || dir=/v
		same "who waits already: $run" 0 "$($run ${run:+--} ./connect waiters $dir/dgram)"
		same "another peer: $run" "0 1 early cba 1 1" "$($run ${run:+--} ./connect peer $dir/dgram)"
		rm -f v/full*
		python3 full.py v/full </dev/null &
		up v/full
		same "a full queue: $run" "1 1 1 1 0 1" "$($run ${run:+--} ./connect full $dir/full)"
		wait $!
	done
fi
same "the wrong type" EPROTOTYPE "$(inside -- python3 client.py error /v/stream 1 dgram)"
same "no such file" ENOENT "$(inside -- python3 client.py error /v/none)"
touch v/plain
same "a plain file" ECONNREFUSED "$(inside -- python3 client.py error /v/plain)"
same "without sock" ECONNREFUSED "$(timeout 60 "$CARBYNE" run -v "$PWD/v:/v" -v "$PWD:$PWD" -- python3 client.py error /v/stream)"
kill $servers
wait $servers 2>/dev/null
same "the server is gone" ECONNREFUSED "$(inside -- python3 client.py error /v/stream)"

# --- servers inside
for kind in stream seqpacket; do
	rm -f v/$kind v/$kind.up
	"$CARBYNE" run -v "$PWD/v:/v:sock" -v "$PWD:$PWD" -- sh -c "python3 server.py $kind /v/$kind & sleep 0.5; while [ ! -e /v/end ]; do [ -e /v/own ] && { python3 client.py $kind /v/$kind 2 >/v/own.told; rm /v/own; }; sleep 0.1; done" </dev/null >inside.log 2>&1 &
	sandbox=$!
	up v/$kind
	want=True
	[ $kind = stream ] && want="True 0"
	same "$kind: a server inside, a client outside" "$want" "$(timeout 60 python3 client.py $kind v/$kind 300)"
	[ $kind = stream ] && same "forty at once" "{True}" "$(timeout 60 python3 client.py asyncio v/stream 10)"
	touch v/own
	for _ in $(seq 100); do [ -e v/own ] || break; sleep 0.1; done
	same "$kind: beside one inside" "$want" "$(cat v/own.told)"
	touch v/end
	wait $sandbox
	rm -f v/end
	same "$kind: the end of the sandbox" ECONNREFUSED "$(python3 client.py error v/$kind)"
done
# --- a server that takes its time: nobody is turned away
cat >late.py <<'END'
import os, socket, sys, time
COUNT = 600
if sys.argv[1] == "server":
    s = socket.socket(socket.AF_UNIX)
    s.bind("/v/late")
    s.listen(1000)
    open("/v/late.up", "w").close()
    while not os.path.exists("/v/go"):
        time.sleep(0.1)
    kept = [s.accept()[0] for _ in range(COUNT)]
    for c in kept:
        c.sendall(b"welcome")
        c.close()
else:
    kept = [socket.socket(socket.AF_UNIX) for _ in range(COUNT)]
    for c in kept:
        c.settimeout(30)
        c.connect("v/late")
    open("v/go", "w").close()
    print({c.recv(100) for c in kept})
END
"$CARBYNE" run -v "$PWD/v:/v:sock" -v "$PWD:$PWD" -- python3 late.py server </dev/null >inside.log 2>&1 &
sandbox=$!
up v/late
same "a server inside that accepts late" "{b'welcome'}" "$(timeout 60 python3 late.py client)"
wait $sandbox
same "it has had them all" "" "$(cat inside.log)"

# --- a second bind() makes no second door, and leaves nothing
cat >twice.py <<'END'
import errno, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind("/v/once")
for _ in range(3):
    try:
        s.bind("/v/again")
        print("bound again")
    except OSError as e:
        print(errno.errorcode[e.errno], os.path.exists("/v/again"))
s.listen()
open("/v/once.up", "w").close()
c = s.accept()[0]
c.send(c.recv(100)[::-1])
END
"$CARBYNE" run -v "$PWD/v:/v:sock" -v "$PWD:$PWD" -- timeout 60 python3 twice.py </dev/null >twice.log 2>&1 &
sandbox=$!
up v/once
same "bound once, a client outside" cba "$(timeout 60 python3 -c '
import socket
c = socket.socket(socket.AF_UNIX)
c.connect("v/once")
c.send(b"abc")
print(c.recv(100).decode())')"
wait $sandbox
same "a second bind is refused" $'EINVAL False\nEINVAL False\nEINVAL False' "$(cat twice.log)"
status "sock is for directories" 125 "$CARBYNE" run -v "$PWD/client.py:/x:sock" -- true
finish
