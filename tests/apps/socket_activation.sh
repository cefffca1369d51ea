#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 60
# A service that is started with its sockets open, as service managers do: LISTEN_FDS of them
# from 3 on, meant for LISTEN_PID. And what a service finds of the host beside them.
. "$(dirname "$0")/common"
need python3

# manager.py COUNT PROGRAM...: starts PROGRAM with what MADE says at 3 and following, talks to
# it through each of them, and ends it. pid=wrong: LISTEN_PID is another's.
cat >manager.py <<'END'
import fcntl, os, signal, socket, sys
home = os.getcwd()
made = os.environ["MADE"].split()
talk = []
kept = []
def make(kind):
    if kind == "tcp":
        s = socket.create_server(("127.0.0.1", 0))
        talk.append((s.family, s.type, s.getsockname()))
    elif kind == "tcp6":
        s = socket.create_server(("::1", 0), family=socket.AF_INET6)
        talk.append((s.family, s.type, s.getsockname()))
    elif kind == "udp":
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
        talk.append((s.family, s.type, s.getsockname()))
    elif kind in ("unix", "seqpacket", "dgram"):
        s = socket.socket(socket.AF_UNIX, {"unix": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM,
                                           "seqpacket": socket.SOCK_SEQPACKET}[kind])
        s.bind(kind)
        if kind != "dgram":
            s.listen()
            talk.append((s.family, s.type, home + "/" + kind))
    elif kind == "idle":  # neither listens nor is connected
        s = socket.socket(socket.AF_UNIX)
    elif kind == "idle-tcp":
        s = socket.socket()
    elif kind == "connected":
        s, peer = socket.socketpair()
        kept.append(peer)
    elif kind == "nonblock":
        s = socket.create_server(("127.0.0.1", 0))
        s.setblocking(False)
        talk.append((s.family, s.type, s.getsockname()))
    elif kind == "file":
        s = open("a file", "w+")
        s.write("in a file\n")
        s.seek(0)
    elif kind == "dir":
        return os.open(".", os.O_RDONLY)
    else:
        return -1
    return os.dup(s.fileno())
fds = [make(kind) for kind in made]
def lift(fd):
    if fd < 0:
        return -1
    high = fcntl.fcntl(fd, fcntl.F_DUPFD, 100)
    os.close(fd)
    return high
fds = [lift(fd) for fd in fds]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind("notify")
ready, go = os.pipe()
pid = os.fork()
if not pid:
    os.dup2(go, 1)
    os.closerange(3, 100)
    for i, fd in enumerate(fds):
        if fd >= 0:
            os.dup2(fd, 3 + i)
    os.closerange(100, 200)
    os.environ["LISTEN_FDS"] = str(len(made))
    os.environ["LISTEN_PID"] = "1" if os.environ.get("pid") == "wrong" else str(os.getpid())
    os.environ["NOTIFY_SOCKET"] = home + "/notify"
    os.execvp(sys.argv[1], sys.argv[1:])
os.close(go)
for fd in fds:
    if fd >= 0:
        os.close(fd)
with os.fdopen(ready) as out:
    for line in out:
        if line == "ready\n":
            break
        print(line, end="")
    else:
        print("ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        sys.exit()
    for family, type, address in talk:
        c = socket.socket(family, type)
        c.settimeout(20)
        try:
            c.connect(address)
            c.send(b"ping")
            print(c.recv(100))
        except ConnectionRefusedError:
            print("nobody listens")
    os.kill(pid, signal.SIGTERM)
    for line in out:
        print(line, end="")
print("ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
cat >service.py <<'END'
import errno, os, select, signal, socket, stat, sys
def bye(*_):
    print("bye")
    sys.stdout.flush()
    os._exit(7)
signal.signal(signal.SIGTERM, bye)
count = int(os.environ["LISTEN_FDS"])
print(count, "for me" if int(os.environ["LISTEN_PID"]) == os.getpid() else "for another")
listening = []
for fd in range(3, 3 + count):
    try:
        mode = os.fstat(fd).st_mode
    except OSError as e:
        print(fd, errno.errorcode[e.errno])
        continue
    if not stat.S_ISSOCK(mode):
        print(fd, oct(mode)[:-3], os.read(fd, 100))
        continue
    s = socket.socket(fileno=fd)
    name = s.getsockname()
    print(fd, s.family.name, s.type.name, s.proto, s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN),
          name[0] if s.family != socket.AF_UNIX else os.path.basename(name), os.get_blocking(fd),
          os.get_inheritable(fd))
    listening.append(s)
n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
try:
    n.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    print("notified")
except OSError as e:
    print("not notified:", errno.errorcode[e.errno])
print("ready", flush=True)
while True:
    for s in select.select(listening, [], [])[0]:
        if s.type == socket.SOCK_DGRAM:
            data, peer = s.recvfrom(100)
            s.sendto(data + b" datagram", peer)
            continue
        c, peer = s.accept()
        data, control, flags, _ = c.recvmsg(100, 100)
        c.send(data + b" " + s.type.name.encode())
        c.close()
END
SERVICE="$RUN python3 $PWD/service.py"

# manage NAME WANT
manage() {
	same "$1" "$2" "$(timeout 50 python3 manager.py $SERVICE 2>&1 | grep -v '^not notified: ECONNREFUSED$\|^notified$')"
	rm -f unix seqpacket dgram notify
}
export MADE
MADE="tcp udp tcp6 unix seqpacket"
manage "sockets of all kinds" "5 for me
3 AF_INET SOCK_STREAM 6 1 127.0.0.1 True True
4 AF_INET SOCK_DGRAM 17 0 127.0.0.1 True True
5 AF_INET6 SOCK_STREAM 6 1 ::1 True True
6 AF_UNIX SOCK_STREAM 0 1 unix True True
7 AF_UNIX SOCK_SEQPACKET 0 1 seqpacket True True
b'ping SOCK_STREAM'
b'ping datagram'
b'ping SOCK_STREAM'
b'ping SOCK_STREAM'
b'ping SOCK_SEQPACKET'
bye
ended with 7"
MADE="closed nonblock file closed tcp"
manage "gaps, a file, a socket that does not block" "5 for me
3 EBADF
4 AF_INET SOCK_STREAM 6 1 127.0.0.1 False True
5 0o100 b'in a file\\n'
6 EBADF
7 AF_INET SOCK_STREAM 6 1 127.0.0.1 True True
b'ping SOCK_STREAM'
b'ping SOCK_STREAM'
bye
ended with 7"

if [ -n "$RUN" ]; then
	MADE=tcp
	same "what is for another stays outside" "1 for another
3 EBADF" "$(pid=wrong timeout 50 python3 manager.py $RUN python3 -c '
import os
print(1, "for me" if int(os.environ["LISTEN_PID"]) == os.getpid() else "for another")
try:
    os.fstat(3)
except OSError:
    print("3 EBADF")' 2>&1 | grep -v '^ended')"
	rm -f notify
	for MADE in dir dgram idle; do
		same "a $MADE is refused, in one sentence" $'ended with 125\n1' \
			"$(timeout 50 python3 manager.py $SERVICE 2>err; wc -l <err)"
		rm -f dgram notify
	done
	if "$CARBYNE" run --net=none -- true 2>/dev/null; then
		for MADE in tcp udp tcp6 idle-tcp; do
			same "--net=none: $MADE is refused, in one sentence" $'ended with 125\n1' \
				"$(timeout 50 python3 manager.py "$CARBYNE" run --net=none -- true 2>err; wc -l <err)"
			rm -f notify
		done
		MADE="unix connected"
		same "--net=none: those of AF_UNIX are not" "ended with 0" \
			"$(timeout 50 python3 manager.py "$CARBYNE" run --net=none -- true 2>&1)"
		rm -f unix notify
		# the service closes its socket: neither the gate nor the forwarder has it
		MADE=unix
		mkdir -p volume
		same "--net=none: a socket that is closed is gone" $'nobody listens\nended with 143' \
			"$(timeout 50 python3 manager.py "$CARBYNE" run --net=none -p 80 -v "$PWD/volume:/volume:sock" -- python3 -c '
import os, time
os.close(3)
print("ready", flush=True)
time.sleep(50)' 2>&1 | grep -v "is published as")"
		rm -f unix notify
		same "--net=none: nor is the input of the host's network" "125 0" "$(python3 -c '
import socket, subprocess, sys
l = socket.create_server(("127.0.0.1", 0))
for c in socket.create_connection(l.getsockname()), socket.socketpair()[0]:
    print(subprocess.run(sys.argv[1:], stdin=c, stderr=subprocess.DEVNULL).returncode)
' "$CARBYNE" run --net=none -- true | tr '\n' ' ' | sed 's/ $//')"
	fi
	# sd_notify's socket is the host's: nothing of it is inside
	same "the manager is not notified" 1 \
		"$(MADE=tcp timeout 50 python3 manager.py $SERVICE 2>&1 | grep -c '^not notified: ECONNREFUSED')"
	rm -f notify
fi

# --- such a socket can be handed on, also when nobody takes it
cat >hand_on.py <<'END'
import array, os, socket
def rights(fds):
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
passed = socket.socket(fileno=3)
for _ in range(50):
    a, b = socket.socketpair()
    a.sendmsg([b"x"], rights([3, a.fileno(), b.fileno()]))
    if _ % 2:
        b.recv(1)
    a.close()
    b.close()  # looks for what is reached no more
a, b = socket.socketpair()
a.sendmsg([b"x"], rights([3]))
passed.close()
data, control, flags, _ = b.recvmsg(1, 100)
s = socket.socket(fileno=array.array("i", control[0][2][:4])[0])
print(s.family.name, os.path.basename(s.getsockname()))
print("ready", flush=True)
c, peer = s.accept()
a.sendmsg([b"x"], rights([c.fileno()]))
fd = array.array("i", b.recvmsg(1, 100)[1][0][2][:4])[0]
c.close()
c = socket.socket(fileno=fd)
c.send(c.recv(100) + b" handed on")
c.close()
END
MADE=unix
same "handed on" $'AF_UNIX unix\nb\'ping handed on\'' \
	"$(timeout 50 python3 manager.py $RUN python3 $PWD/hand_on.py 2>&1 | grep -v '^ended')"
rm -f unix notify

# --- names of hosts come from the host's files
both "resolv.conf and hosts" cat /etc/resolv.conf /etc/hosts /etc/nsswitch.conf
both "a name of the hosts file" getent ahosts localhost
both "the own name" python3 -c 'import socket; print(socket.gethostname())'
finish
