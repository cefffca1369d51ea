#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 60
# The host's table of descriptors, which all programs of a sandbox share, is full: that is as if
# Linux's were. Who waits to be accepted stays in the queue.
. "$(dirname "$0")/common"

cat >full.py <<'END'
import errno, os, socket, sys

def listener(family, shared=False):
    s = socket.socket(family)
    if shared:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind("\0full" if family == socket.AF_UNIX else ("127.0.0.1", 0))
    s.listen(5)
    return s

def connected(s):
    c = socket.socket(s.family)
    c.connect(s.getsockname())
    c.send(b"x")
    return c

def accept(s):
    try:
        return s.accept()[0].recv(1)
    except OSError as e:
        return errno.errorcode[e.errno]

shared = listener(socket.AF_INET, True)
memory = listener(socket.AF_INET)
unix = listener(socket.AF_UNIX)
late = [listener(socket.AF_INET, True), listener(socket.AF_INET)]
with_one = [connected(s) for s in (shared, memory, unix)]
fill = []
try:
    while True:
        fill.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
except OSError as e:
    print("socket:", errno.errorcode[e.errno], len(fill) > 50)
for blocking in False, True:
    for s in [shared] + late:
        s.setblocking(blocking)
        print("full:", accept(s))
# These need none of the host's.
print("full:", accept(unix), accept(memory))
fill = None
print("empty:", accept(shared))
END
same "a full table" "socket: ENFILE True
full: ENFILE
full: ENFILE
full: ENFILE
full: ENFILE
full: ENFILE
full: ENFILE
full: b'x' b'x'
empty: b'x'" "$(
	ulimit -n 256
	$RUN python3 full.py 2>&1
)"
finish
