#!/bin/bash
# SPDX-License-Identifier: MIT
# Extended attributes and access control lists of the host's files: what is set on either side of a volume's wall
# the other side sees, and what the host does not let its user set is kept inside.
# native: skip
# timeout: 120
. "$(dirname "$0")/common"
need python3
mkdir v v/d plain

cat >v/x.py <<'END'
import os, struct, sys
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"

def acl(*entries):
    """(tag, perm, id) in the order of acl(5)."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)

def show(value):
    return " ".join("%x:%o:%d" % e for e in struct.iter_unpack("<HHI", value[4:]))

def get(name, key):
    try:
        value = os.getxattr(name, key)
        return show(value) if key.startswith("system.") else value.decode()
    except OSError as e:
        return os.strerror(e.errno)

NONE = 0xffffffff
def named(who, perm, mask):
    return acl((1, 6, NONE), (2, perm, who), (4, 0, NONE), (0x10, mask, NONE), (0x20, 0, NONE))
exec(sys.stdin.read())
END
host() { $PLAIN python3 v/x.py; }
guest() { "$CARBYNE" run --leaks "$@" -v "$PWD/v:/v" -w /v -- python3 /v/x.py; }
below() { "$CARBYNE" run --leaks "$@" -- python3 v/x.py; } # the directory it is started in, under memory

echo hello >v/f
host <<<'os.setxattr("v/f", "user.host", b"of the host")' || { echo "skip: no attributes here"; exit 77; }
same "the guest sees the host's attribute" "of the host" "$(guest <<<'print(get("f", "user.host"))')"
same "the guest's is stored" "user.guest user.host True" "$(guest <<<'
os.setxattr("f", "user.guest", b"of the guest")
os.setxattr("d", "user.dir", b"d")
print(*sorted(n for n in os.listxattr("f") if n != "security.selinux"), os.listxattr("d")[0] == "user.dir")')"
same "the host sees it" "of the guest d" "$(host <<<'print(get("v/f", "user.guest"), get("v/d", "user.dir"))')"
guest <<<'os.removexattr("f", "user.host"); os.setxattr("f", "user.guest", b"changed", os.XATTR_REPLACE)'
same "removed and changed" "No data available changed" "$(host <<<'print(get("v/f", "user.host"), get("v/f", "user.guest"))')"
host <<<'os.setxattr("v/f", "user.guest", b"by the host")'
same "flags look at what is there" "File exists No data available by the host" "$(guest <<<'
def err(f, *a):
    try:
        f(*a)
    except OSError as e:
        return os.strerror(e.errno)
print(err(os.setxattr, "f", "user.guest", b"x", os.XATTR_CREATE), err(os.setxattr, "f", "user.no", b"x", os.XATTR_REPLACE),
    get("f", "user.guest"))')"
same "removed and open" "kept of a removed file" "$(guest <<<'
fd = os.open("gone", os.O_RDWR | os.O_CREAT)
os.unlink("gone")
os.setxattr(fd, "user.a", b"kept of a removed file")
print(get(fd, "user.a"))')"

# What the host's user may not.
same "trusted and capabilities inside" "t c ['security.capability', 'trusted.t', 'user.guest']" "$(guest -u 0 <<<'
caps = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)
os.setxattr("f", "trusted.t", b"t")
os.setxattr("f", "security.capability", caps)
print(get("f", "trusted.t"), "c" if os.getxattr("f", "security.capability") == caps else "", sorted(os.listxattr("f")))')"
same "are not the host's" "['user.guest']" "$(host <<<'print([n for n in os.listxattr("v/f") if n != "security.selinux"])')"

# Access control lists.
host <<<'os.setxattr("v/f", ACCESS, named(os.getuid(), 4, 4))' || { echo "no lists here"; finish; }
me=$(id -u)
same "the host's list" "1:6:4294967295 2:4:$me 4:0:4294967295 10:4:4294967295 20:0:4294967295" "$(guest <<<'print(get("f", ACCESS))')"
same "the mode goes with it" "640" "$(guest <<<'print("%o" % (os.stat("f").st_mode & 0o7777))')"
guest <<<'os.setxattr("f", ACCESS, named(os.getuid(), 6, 6)); os.setxattr("d", DEFAULT, named(os.getuid(), 7, 7))'
same "the guest's list" "1:6:4294967295 2:6:$me 4:0:4294967295 10:6:4294967295 20:0:4294967295 660" \
	"$(host <<<'print(get("v/f", ACCESS), "%o" % (os.stat("v/f").st_mode & 0o7777))')"
new='
os.umask(0o077)
os.close(os.open(BASE + "d/new", os.O_CREAT | os.O_WRONLY, 0o666)); os.mkdir(BASE + "d/sub", 0o777)
for n in "new", "sub":
    print("%o" % os.stat(BASE + "d/" + n).st_mode, get(BASE + "d/" + n, ACCESS), get(BASE + "d/" + n, DEFAULT))
os.unlink(BASE + "d/new"); os.rmdir(BASE + "d/sub")'
want=$(host <<<"BASE = 'v/'$new")
same "a default list is inherited" "$want" "$(guest <<<"BASE = ''$new")"
cp -r v plain/v && host <<<'os.setxattr("plain/v/d", DEFAULT, named(os.getuid(), 7, 7)); os.setxattr("plain/v/f", "user.a", b"below")'
same "as below memory" "$want" "$(below <<<"BASE = 'plain/v/'$new")"
same "a change copies them all" "below above 1:6:4294967295" "$(below <<<'
os.setxattr("plain/v/f", ACCESS, named(os.getuid(), 6, 6))
os.setxattr("plain/v/f", "user.b", b"above")
print(get("plain/v/f", "user.a"), get("plain/v/f", "user.b"), get("plain/v/f", ACCESS).split()[0])')"
same "and not the host" "below No data available" "$(host <<<'print(get("plain/v/f", "user.a"), get("plain/v/f", "user.b"))')"
guest <<<'os.removexattr("f", ACCESS); os.removexattr("d", DEFAULT)'
same "lists are removed" "No data available No data available" "$(host <<<'print(get("v/f", ACCESS), get("v/d", DEFAULT))')"

# They decide who may do what inside.
if [ -n "$OWNERS" ]; then
	chmod 755 . v && chmod 700 v/f
	host <<<'os.setxattr("v/f", ACCESS, named(1234, 4, 4))'
	try='
for flags in os.O_RDONLY, os.O_RDWR:
    try:
        os.close(os.open("f", flags))
        print("yes", end=" ")
    except OSError as e:
        print(os.strerror(e.errno), end=" ")'
	same "who is named may read" "yes Permission denied " "$(guest -u 1234:5 <<<"$try")"
	same "nobody else" "Permission denied Permission denied " "$(guest -u 1235:5 <<<"$try")"
	same "but root" "yes yes " "$(guest -u 0 <<<"$try")"
	cp -a v plain/w
	same "below memory too" "yes Permission denied " "$(below -u 1234:5 <<<"os.chdir('plain/w')$try")"
	chmod 644 v/f
	host <<<'os.setxattr("v/f", ACCESS, acl((1, 6, NONE), (2, 0, 1234), (4, 4, NONE), (0x10, 4, NONE), (0x20, 4, NONE)))'
	same "a list may also deny" "Permission denied Permission denied " "$(guest -u 1234:5 <<<"$try")"
	same "one of many" "yes Permission denied " "$(guest -u 1235:5 <<<"$try")"

	# A program of the host's that has capabilities there has them inside.
	cp "$(command -v cat)" v/cat && cp "$(command -v cat)" plain/cat
	python3 v/x.py <<<'for f in "v/cat", "plain/cat": os.setxattr(f, "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0))'
	effective() { sed -n 's/^CapEff:[[:space:]]*//p'; }
	same "capabilities of a program" 0000000000000400 \
		"$("$CARBYNE" run --leaks -u 1234:5 -v "$PWD/v:/v" -- /v/cat /proc/self/status | effective)"
	same "below memory" 0000000000000400 "$("$CARBYNE" run --leaks -u 1234:5 -- plain/cat /proc/self/status | effective)"
	same "until it is changed" 0000000000000000 \
		"$("$CARBYNE" run --leaks -- sh -c 'echo >>plain/cat; exec setpriv --reuid 1234 --clear-groups plain/cat /proc/self/status' | effective)"
fi
finish
