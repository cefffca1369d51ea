#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# What the host changes in a volume is seen inside at once, whatever a walk has assumed: a program
# inside looks at names that it has looked at before, and must see what is seen outside.
. "$(dirname "$0")/common"
need /usr/bin/python3

mkdir volume
cat >look.py <<'END'
import os, stat, sys

def guarded(f):
    try:
        return f()
    except OSError as e:
        return e.strerror

def read(p):
    fd = os.open(p, os.O_RDONLY)
    try:
        return os.read(fd, 100)
    finally:
        os.close(fd)

def attributes(p):
    s = os.lstat(p)
    return stat.S_IFMT(s.st_mode), s.st_ino, s.st_nlink, 0 if stat.S_ISDIR(s.st_mode) else s.st_size

def there(p):
    fd = os.open(p, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return sorted(os.listdir(fd)), attributes(p)
    finally:
        os.close(fd)

NAMES = ["a/b/c/f", "a/b/c/g", "a/b/c", "a/b", "a", "a/b/c/no", "a/l/c/f", "a/l", "a/b/../b/c/f", "a/b/c/",
         "a/b/c/.", "a/b/c/..", "a/b//c/./f", "x/b/c/f", "a/b/f", "a/b/l/f", "a/b/l", "z/f", "a/b/c/f/", "a/b/c/d/e/f"]

def look():
    """Everything that the names tell, twice: the second time from what is cached."""
    result = []
    for again in range(2):
        for name in NAMES:
            result += [(name, guarded(lambda: attributes(name)), guarded(lambda: os.stat(name).st_ino),
                        guarded(lambda: read(name)), guarded(lambda: os.readlink(name)),
                        guarded(lambda: there(name)), os.access(name, os.R_OK))]
    return result

if __name__ == "__main__":
    os.chdir(sys.argv[1])
    for line in sys.stdin:
        print(repr(look()), flush=True)
END
cat >drive.py <<'END'
import os, shutil, subprocess, sys, time
import look

inside = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
os.chdir("volume")
failures = 0

def write(path, text):
    with open(path, "w") as f:
        f.write(text)

def make(top, text):
    os.makedirs(top + "/b/c")
    write(top + "/b/c/f", text)
    write(top + "/b/c/g", text + "g")
    os.symlink("b", top + "/l")

def compare(what):
    global failures
    inside.stdin.write("\n")
    inside.stdin.flush()
    want, got = look.look(), eval(inside.stdout.readline())
    if want == got:
        return
    failures += 1
    print("not ok:", what)
    for w, g in zip(want, got):
        if w != g:
            print("  want", w, "\n  got ", g)

def exchange(one, other):
    os.rename(one, "swap")
    os.rename(other, one)
    os.rename("swap", other)

def link_of(path, target):
    os.rename(path, path + ".old")
    os.symlink(target, path)

def steps():
    yield "nothing", lambda: None
    yield "a tree", lambda: make("a", "one")
    yield "another tree", lambda: make("x", "other")
    yield "trees exchanged", lambda: exchange("a", "x")
    yield "and back", lambda: exchange("a", "x")
    yield "a directory in the middle moved away", lambda: os.rename("a/b", "a/away")
    yield "and another one there", lambda: shutil.copytree("x/b", "a/b")
    yield "the same file by another way", lambda: (os.unlink("a/b/c/f"), os.link("a/away/c/f", "a/b/c/f"))
    yield "a link in the middle", lambda: link_of("a/b", "away")
    yield "a link at the top", lambda: link_of("a", "x")
    yield "back to directories", lambda: (os.unlink("a"), os.rename("a.old", "a"), os.unlink("a/b"),
                                          os.rename("a/b.old", "a/b"))
    yield "a file longer", lambda: write("a/b/c/g", "much longer than it was")
    yield "a file shorter", lambda: os.truncate("a/b/c/g", 2)
    yield "a file replaced", lambda: (write("new", "new"), os.rename("new", "a/b/c/g"))
    yield "a name that was not there", lambda: write("a/b/c/no", "now")
    yield "gone again", lambda: os.unlink("a/b/c/no")
    yield "a file instead of a directory", lambda: (shutil.rmtree("a/b/c"), write("a/b/c", "file"))
    yield "nothing there", lambda: os.unlink("a/b/c")
    yield "deeper directories", lambda: (os.makedirs("a/b/c/d/e"), write("a/b/c/d/e/f", "deep"))
    yield "moved with all below", lambda: os.rename("a", "z")
    yield "all gone", lambda: shutil.rmtree("z")
    yield "as at first", lambda: (shutil.rmtree("x"), make("a", "two"))
    if os.geteuid():
        yield "closed", lambda: os.chmod("a/b", 0)
        yield "open again", lambda: os.chmod("a/b", 0o755)

for what, change in steps():
    change()
    compare(what)
    time.sleep(0.01)
inside.stdin.close()
inside.wait()
print(f"ok: {failures} failures" if not failures and inside.returncode == 0 else "not ok")
END
same "the sandbox sees what the host does" "ok: 0 failures" \
	"$(/usr/bin/python3 drive.py "$CARBYNE" run --leaks -v "$PWD/volume:/mnt" -v "$PWD/look.py:/look.py" -w / -- /usr/bin/python3 /look.py /mnt 2>&1)"

# What was read inside is closed outside after a second: a lease for writing is had by him alone who has the file open.
cat >lease.py <<'END'
import fcntl, os, subprocess, sys, time

inside = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
said = inside.stdout.readline()
fd = os.open("volume/leased", os.O_RDWR)
deadline = time.monotonic() + 20
while True:
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        break
    except BlockingIOError:
        if time.monotonic() > deadline:
            sys.exit("not ok: it is still open")
        time.sleep(0.05)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
inside.communicate("\n")
print("ok", said.strip())
END
echo leased >volume/leased
same "a file that was closed is closed outside" "ok leased" \
	"$(/usr/bin/python3 lease.py "$CARBYNE" run --leaks -v "$PWD/volume:/mnt" -w /mnt -- /bin/sh -c 'for i in 1 2 3; do cat leased >/tmp/x; done; cat leased; read line' 2>&1)"
finish
