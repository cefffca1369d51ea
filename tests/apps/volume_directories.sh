#!/bin/bash
# SPDX-License-Identifier: MIT
# A directory of the host with so many names that it is read in portions: nothing in it is missed.
# native: skip
# timeout: 120
. "$(dirname "$0")/common"
need python3
mkdir v v/d

cat >x.py <<'END'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)

class Handle(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_char * 128)]

def handle_of(name):
    h, mount = Handle(bytes=128), ctypes.c_int()
    assert libc.name_to_handle_at(-100, name.encode(), ctypes.byref(h), ctypes.byref(mount), 0) == 0
    return bytes(h).hex()

def by_handle(text):
    at = os.open("/v", os.O_RDONLY | os.O_DIRECTORY)
    fd = libc.open_by_handle_at(at, ctypes.byref(Handle.from_buffer_copy(bytes.fromhex(text))), os.O_RDONLY)
    return os.read(fd, 100).decode() if fd >= 0 else os.strerror(ctypes.get_errno())
exec(sys.stdin.read())
END
guest() { "$CARBYNE" run --leaks -u 0 -v "$PWD/v:/v" -- python3 x.py; }

for ((i = 0; i < 5000; i++)); do echo "$i" >"v/d/f$i"; done
for i in 0 2500 4999; do
	handle=$(guest <<<"print(handle_of('/v/d/f$i'))")
	same "found by its handle, by a kernel that knows no name: $i" "$i" "$(guest <<<"print(by_handle('$handle'), end='')")"
done
same "beneath an overlay" "5000 0 1 True" "$(guest <<<'
os.chdir("/tmp")
for d in "m", "t":
    os.mkdir(d)
def mount(kind, at, options):
    assert libc.mount(b"x", at, kind, 0, options) == 0, os.strerror(ctypes.get_errno())
mount(b"tmpfs", b"t", b"")
os.mkdir("t/u"), os.mkdir("t/w")
mount(b"overlay", b"m", b"lowerdir=/v/d,upperdir=t/u,workdir=t/w")
names = os.listdir("m")
for n in names:
    os.unlink("m/" + n)
left = len(os.listdir("m"))
open("m/new", "w")
print(len(names), left, len(os.listdir("m")), len(os.listdir("/v/d")) == 5000)')"
same "beneath the root" "5000 3800 0 False" "$("$CARBYNE" run --leaks -- python3 x.py <<<'
names = os.listdir("v/d")
for n in names[:1200]:
    os.unlink("v/d/" + n)
left = len(os.listdir("v/d"))
for n in names[1200:]:
    os.unlink("v/d/" + n)
rest = len(os.listdir("v/d"))
os.rmdir("v/d")
print(len(names), left, rest, os.path.exists("v/d"))')"
finish
