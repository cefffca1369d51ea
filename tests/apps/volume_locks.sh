#!/bin/bash
# SPDX-License-Identifier: MIT
# Locks on files of a volume hold on both sides of its wall: fcntl's and flock's.
# native: skip
# timeout: 120
. "$(dirname "$0")/common"
need python3
mkdir v v/d
echo 0123456789 >v/f

cat >v/l.py <<'END'
import errno, fcntl, os, signal, struct, sys, time

def ofd(fd, cmd, kind, start=0, size=0):
    """fcntl of F_OFD_*: (type, start, length, pid) of the answer."""
    l = fcntl.fcntl(fd, cmd, struct.pack("hhqqixxxx", kind, 0, start, size, 0))
    kind, _, start, size, pid = struct.unpack("hhqqixxxx", l)
    return kind, start, size, pid
SET, WAIT, GET = 37, 38, 36
SETLK, SETLKW, GETLK = fcntl.F_SETLK, fcntl.F_SETLKW, fcntl.F_GETLK
R, W, U = fcntl.F_RDLCK, fcntl.F_WRLCK, fcntl.F_UNLCK

def err(f, *a):
    try:
        f(*a)
        return "got it"
    except OSError as e:
        return errno.errorcode[e.errno]

def until(name):
    end = time.time() + 20
    while not os.path.exists(name):
        assert time.time() < end, name
        time.sleep(0.005)

def tell(name):
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY))

def child(f):
    pid = os.fork()
    if pid == 0:
        f()
        os._exit(0)
    return pid
exec(sys.stdin.read())
END
host() { (cd v && exec python3 l.py); }
guest() { "$CARBYNE" run --leaks -v "$PWD/v:/v" -w /v -- python3 /v/l.py; }
clean() { rm -f v/held v/release v/done; }

# hold PROGRAM: the host holds what the program locks until v/release is there.
hold() {
	clean
	host <<<"fd = os.open('f', os.O_RDWR); dir = os.open('d', os.O_RDONLY)
$1
tell('held'); until('release')" &
	holder=$!
	while [ ! -e v/held ]; do sleep 0.01; done
}
release() { touch v/release; wait "$holder"; }

open='fd = os.open("f", os.O_RDWR)
'
hold 'ofd(fd, SET, W, 10, 5); fcntl.flock(dir, fcntl.LOCK_EX)'
same "what the host holds the guest does not get" "EAGAIN EAGAIN got it (1, 10, 5, -1) EAGAIN" "$(guest <<<"$open"'
print(err(ofd, fd, SETLK, W, 0, 11), err(ofd, fd, SET, R, 14, 1), err(ofd, fd, SETLK, W, 15, 0), ofd(fd, GETLK, W),
    err(fcntl.flock, os.open("d", os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB))')"
guest <<<"$open"'
def waits(got, f):
    child(lambda: (f(), tell(got)))
waits("got1", lambda: ofd(fd, SETLKW, W, 0, 0))
waits("got2", lambda: ofd(os.open("f", os.O_RDWR), WAIT, R, 12, 1))
waits("got3", lambda: fcntl.flock(os.open("d", os.O_RDONLY), fcntl.LOCK_EX))
time.sleep(0.3)
print(*(os.path.exists(n) for n in ("got1", "got2", "got3")))
signal.signal(signal.SIGALRM, lambda *a: 1 / 0)
signal.setitimer(signal.ITIMER_REAL, 0.1)
try:
    ofd(fd, SETLKW, W)
except ZeroDivisionError:
    print("interrupted")
tell("done")
for n in "got1", "got2", "got3":
    until(n)
    os.wait()
print("all")' >out &
waiter=$!
while [ ! -e v/done ]; do sleep 0.01; done
release
wait "$waiter"
same "who waits is interrupted, or gets it" "False False False interrupted all" "$(tr '\n' ' ' <out | sed 's/ $//')"
rm -f v/got?

# The guest holds, the host looks.
ask() { host <<<"fd = os.open('f', os.O_RDWR); dir = os.open('d', os.O_RDONLY)
print($1)"; }
step() { # step NAME WANT EXPRESSION: then the guest goes on
	while [ ! -e "v/held$1" ]; do sleep 0.01; done
	same "$2" "$3" "$(ask "$4")"
	touch "v/go$1"
}
guest <<<"$open"'
def step(n):
    tell("held%d" % n)
    until("go%d" % n)
dir = os.open("d", os.O_RDONLY)
ofd(fd, SETLK, W, 0, 10)
fcntl.flock(dir, fcntl.LOCK_SH)
step(1)
# a child has the descriptor, not the lock: closing it there changes nothing
os.waitpid(child(lambda: os.close(fd)), 0)
step(2)
# another process has a part of it, once it is a read lock
def share():
    other = os.open("f", os.O_RDONLY)
    ofd(other, SETLK, R, 4, 2)
    tell("shared")
    until("end")
ofd(fd, SETLK, R, 0, 10)
pid = child(share)
until("shared")
fcntl.flock(os.open("d", os.O_RDONLY), fcntl.LOCK_SH)
step(3)
ofd(fd, SETLK, U)
fcntl.flock(dir, fcntl.LOCK_UN)
step(4)
tell("end")
os.waitpid(pid, 0)
step(5)
# through another descriptor of the same process, closing any of which drops it all
other = os.open("f", os.O_RDONLY)
ofd(fd, SETLK, W, 0, 1)
ofd(other, SETLK, R, 0, 1)
ofd(fd, SETLK, W, 0, 1)
step(6)
os.close(other)
step(7)
# killed, with locks
def die():
    ofd(os.open("f", os.O_RDWR), SET, W)
    fcntl.flock(os.open("f", os.O_RDWR), fcntl.LOCK_EX)
    os.kill(os.getpid(), signal.SIGKILL)
os.waitpid(child(die), 0)
step(8)
# what one may only read is locked by both
ro = os.open("f", os.O_RDONLY)
ofd(ro, SET, R, 5, 2)
ofd(fd, SETLK, W, 0, 2)
step(9)
os.close(fd)
step(10)
os.close(ro)
fd = os.open("f", os.O_RDWR)
os.unlink("f")
ofd(fd, SETLK, W)
step(11)
' &
nb='fcntl.LOCK_NB'
step 1 "the guest's locks are the host's" "(1, 0, 10, -1) EAGAIN got it" \
	"ofd(fd, GET, W), err(fcntl.flock, dir, fcntl.LOCK_EX | $nb), err(fcntl.flock, dir, fcntl.LOCK_SH | $nb)" 2>/dev/null
step 2 "a child does not drop them" "(1, 0, 10, -1)" "ofd(fd, GET, W)"
step 3 "they become weaker" "got it EAGAIN EAGAIN" \
	"err(ofd, fd, SET, R, 0, 10), err(ofd, fd, SET, W, 0, 1), err(fcntl.flock, dir, fcntl.LOCK_EX | $nb)"
step 4 "what another process has stays" "(0, 4, 2, -1) got it got it EAGAIN EAGAIN" \
	"ofd(fd, GET, W), err(ofd, fd, SET, W, 0, 4), err(ofd, fd, SET, W, 6, 0), err(ofd, fd, SET, W, 4, 1), err(fcntl.flock, dir, fcntl.LOCK_EX | $nb)"
step 5 "until it ends" "got it" "err(ofd, fd, SET, W)"
step 6 "one owner, two descriptors" "(1, 0, 1, -1)" "ofd(fd, GET, R)"
step 7 "closing one" "got it" "err(ofd, fd, SET, W)"
step 8 "what the killed had is free" "got it got it" "err(ofd, fd, SET, W), err(fcntl.flock, fd, fcntl.LOCK_EX | $nb)"
step 9 "through a weaker descriptor first" "(1, 0, 2, -1) (0, 5, 2, -1) got it" \
	"ofd(fd, GET, R, 0, 6), ofd(fd, GET, W, 3, 0), err(ofd, fd, SET, R, 2, 0)"
step 10 "which stays" "(0, 5, 2, -1) got it" "ofd(fd, GET, W), err(ofd, fd, SET, W, 0, 5)"
while [ ! -e v/held11 ]; do sleep 0.01; done
touch v/go11
wait
same "nothing is left" "got it got it" "$(echo >v/f; ask "err(ofd, fd, SET, W), err(fcntl.flock, fd, fcntl.LOCK_EX | $nb)")"

# A volume that is a file.
echo >file
"$CARBYNE" run --leaks -v "$PWD/v:/v" -v "$PWD/file:/file" -w /v -- python3 /v/l.py <<<'
fds = [os.open("/file", os.O_RDWR) for i in range(2)]
ofd(fds[0], SET, W, 0, 1)
fcntl.flock(fds[0], fcntl.LOCK_EX)
print(err(ofd, fds[1], SET, W, 0, 1), err(fcntl.flock, fds[1], fcntl.LOCK_SH | fcntl.LOCK_NB))
tell("one")
until("two")
os.close(fds[0])
print(err(fcntl.flock, fds[1], fcntl.LOCK_SH | fcntl.LOCK_NB))
fcntl.flock(fds[1], fcntl.LOCK_UN)
tell("three")
until("four")' >out &
while [ ! -e v/one ]; do sleep 0.01; done
file="fd = os.open('../file', os.O_RDWR)
print(err(ofd, fd, SET, W, 0, 1), err(fcntl.flock, fd, fcntl.LOCK_SH | fcntl.LOCK_NB), err(ofd, fd, SET, W, 1, 0))"
same "a file of its own" "EAGAIN EAGAIN got it" "$(host <<<"$file")"
touch v/two
while [ ! -e v/three ]; do sleep 0.01; done
same "which is given up" "got it got it got it" "$(host <<<"$file")"
touch v/four
wait
same "inside" "EAGAIN EAGAIN got it" "$(tr '\n' ' ' <out | sed 's/ $//')"

# Both sides at once, many times: no update is lost.
clean
echo 0 >v/count
count='
fd = os.open("count", os.O_RDWR)
for i in range(150):
    how = i % 3
    if how == 0:
        fcntl.lockf(fd, fcntl.LOCK_EX)
    elif how == 1:
        ofd(fd, WAIT, W)
    else:
        fcntl.lockf(fd, fcntl.LOCK_EX, 1, 0)
    n = int(os.pread(fd, 20, 0))
    os.pwrite(fd, str(n + 1).encode(), 0)
    if how == 1:
        ofd(fd, SET, U)
    else:
        fcntl.lockf(fd, fcntl.LOCK_UN)'
host <<<"$count" &
host <<<"$count" &
guest <<<"pids = []
def work():
    exec('''$count''')
for i in range(3):
    child(work)
for i in range(3):
    assert os.wait()[1] == 0"
wait
same "no update is lost" 750 "$(cat v/count)"
finish
