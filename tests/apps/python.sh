#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# python3: threads, subprocess, multiprocessing, sqlite3, ctypes, files.
. "$(dirname "$0")/common"
py=/usr/bin/python3
need $py

# script NAME WANT: runs the python program on standard input as a file
script() {
	cat >"$PWD/script.py"
	same "$1" "$2" "$($RUN $py "$PWD/script.py" 2>&1)"
}

both "start and version" $py -c 'import sys; print(sys.version, sys.executable, sys.path)'
both "the standard library" $py -c 'import json, re, decimal, hashlib, struct, zlib, datetime, random, email, xml.dom.minidom, unittest, asyncio, http.client; print(hashlib.sha256(b"x").hexdigest(), zlib.crc32(b"abc"), decimal.Decimal(1) / 7)'

script "threads" "8 40000 [0, 1, 4, 9, 16, 25, 36, 49]" <<'END'
import threading, queue, concurrent.futures
n = 0
lock = threading.Lock()
def work():
    global n
    for _ in range(5000):
        with lock:
            n += 1
ts = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in ts]; [t.join() for t in ts]
with concurrent.futures.ThreadPoolExecutor(4) as e:
    print(len(ts), n, list(e.map(lambda x: x * x, range(8))))
END
script "queues, events, timers" "100 True fired" <<'END'
import threading, queue
q = queue.Queue(5); got = []
def eat():
    for _ in range(100): got.append(q.get())
t = threading.Thread(target=eat); t.start()
for i in range(100): q.put(i)
t.join()
e = threading.Event(); fired = []
threading.Timer(0.05, lambda: (fired.append("fired"), e.set())).start()
print(len(got), e.wait(5), fired[0])
END
script "subprocess" "$(printf 'hello 3 -9\nHELLO\n1000000\ntimed out')" <<'END'
import subprocess, signal
a = subprocess.run(["echo", "hello"], capture_output=True, text=True)
b = subprocess.run("exit 3", shell=True)
c = subprocess.Popen(["sleep", "10"]); c.kill()
print(a.stdout.strip(), b.returncode, c.wait())
print(subprocess.run(["tr", "a-z", "A-Z"], input="hello", capture_output=True, text=True).stdout)
p = subprocess.run(["cat"], input=b"x" * 1000000, capture_output=True)
print(len(p.stdout))
try:
    subprocess.run(["sleep", "10"], timeout=0.2)
except subprocess.TimeoutExpired:
    print("timed out")
END
for how in fork spawn forkserver; do
	script "multiprocessing with $how" "[0, 1, 4, 9, 16] 60 hello" <<END
import multiprocessing as mp
def square(x): return x * x
def add(v, n):
    for _ in range(n):
        with v.get_lock(): v.value += 1
def say(q): q.put("hello")
if __name__ == "__main__":
    c = mp.get_context("$how")
    with c.Pool(2) as p: r = p.map(square, range(5))
    v = c.Value("i", 0)
    ps = [c.Process(target=add, args=(v, 20)) for _ in range(3)]
    [p.start() for p in ps]; [p.join() for p in ps]
    q = c.Queue(); p = c.Process(target=say, args=(q,)); p.start(); s = q.get(); p.join()
    print(r, v.value, s)
END
done
script "shared memory" "b'shared'" <<'END'
from multiprocessing import shared_memory
import os
s = shared_memory.SharedMemory(create=True, size=4096)
pid = os.fork()
if pid == 0:
    s.buf[:6] = b"shared"; os._exit(0)
os.waitpid(pid, 0)
print(bytes(s.buf[:6])); s.close(); s.unlink()
END
script "sqlite3" "(10000, 49995000) [('name5',)] integrity ok 2" <<'END'
import sqlite3, tempfile, os
d = tempfile.mkdtemp(); f = os.path.join(d, "db")
c = sqlite3.connect(f)
c.execute("pragma journal_mode=wal")
c.execute("create table t (id integer primary key, n integer, s text)")
with c: c.executemany("insert into t (n, s) values (?, ?)", ((i, "name%d" % i) for i in range(10000)))
o = sqlite3.connect(f)
r = o.execute("select count(*), sum(n) from t").fetchone()
s = o.execute("select s from t where n = 5").fetchall()
o.close(); c.execute("pragma journal_mode=delete")
ok = c.execute("pragma integrity_check").fetchone()[0]
with c: c.execute("delete from t where n >= 2")
print(r, s, "integrity", ok, c.execute("select count(*) from t").fetchone()[0])
END
script "ctypes" "5 [1, 2, 3] 120" <<'END'
import ctypes
libc = ctypes.CDLL(None)
A = ctypes.c_int * 3; a = A(3, 1, 2)
F = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
libc.qsort(a, 3, 4, F(lambda x, y: x[0] - y[0]))
G = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
f = G(lambda n: 1 if n < 2 else n * f(n - 1))
print(libc.strlen(b"hello"), list(a), f(5))
END
script "mmap, fcntl, select, signal" "b'WORLD' True caught 3" <<'END'
import mmap, fcntl, select, signal, os, tempfile, time
f = tempfile.TemporaryFile(); f.write(b"hello world"); f.flush()
m = mmap.mmap(f.fileno(), 0); m[6:11] = b"WORLD"; f.seek(6); x = f.read()
fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
r, w = os.pipe(); os.write(w, b"x")
y = select.select([r], [], [], 1)[0] == [r]
got = []
signal.signal(signal.SIGALRM, lambda *a: got.append("caught"))
signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(0.3)
p = os.fork()
if p == 0: os._exit(3)
print(x, y, got[0], os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]))
END
script "asyncio with a child" "a b out" <<'END'
import asyncio
async def main():
    async def say(s, t):
        await asyncio.sleep(t); return s
    r = await asyncio.gather(say("a", 0.05), say("b", 0.01))
    p = await asyncio.create_subprocess_exec("echo", "out", stdout=asyncio.subprocess.PIPE)
    print(*r, (await p.communicate())[0].decode().strip())
asyncio.run(main())
END
script "asyncio with sockets" "$(printf "400 ['unix', 'tcp']\nudp\nsignalled\nTimeoutError\n[b'0', b'1', b'4']")" <<'END'
import asyncio, os, signal, tempfile
async def serve(r, w):
    while line := await r.readline():
        w.write(line); await w.drain()
    w.close()
async def talk(connect, n=10):
    r, w = await connect()
    for i in range(n):
        w.write(b"%d\n" % i); assert await r.readline() == b"%d\n" % i
    w.close(); await w.wait_closed()
    return n
async def main():
    path = os.path.join(tempfile.mkdtemp(), "s")
    unix = await asyncio.start_unix_server(serve, path)
    tcp = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = tcp.sockets[0].getsockname()[1]
    ways = {"unix": lambda: asyncio.open_unix_connection(path),
            "tcp": lambda: asyncio.open_connection("127.0.0.1", port)}
    print(sum(await asyncio.gather(*(talk(w) for w in ways.values() for _ in range(20)))), list(ways))
    unix.close(); tcp.close()
    loop = asyncio.get_running_loop(); got = loop.create_future()
    class P(asyncio.DatagramProtocol):
        def datagram_received(self, data, addr): got.set_result(data.decode())
    t, _ = await loop.create_datagram_endpoint(P, local_addr=("127.0.0.1", 0))
    t.sendto(b"udp", t.get_extra_info("sockname")); print(await got); t.close()
    e = asyncio.Event(); loop.add_signal_handler(signal.SIGUSR1, e.set)
    os.kill(os.getpid(), signal.SIGUSR1); await asyncio.wait_for(e.wait(), 5); print("signalled")
    try: await asyncio.wait_for(asyncio.sleep(10), 0.05)
    except asyncio.TimeoutError as x: print(type(x).__name__)
    ps = [await asyncio.create_subprocess_shell(f"echo -n $(({i} * {i}))", stdout=-1) for i in range(3)]
    print([(await p.communicate())[0] for p in ps])
asyncio.run(main())
END
script "sockets" "b'over a pair' 1 ['x', 'y'] timed out" <<'END'
import array, os, selectors, socket, threading
a, b = socket.socketpair(); a.sendall(b"over a pair"); x = b.recv(100)
r, w = os.pipe()
a.sendmsg([b"f"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [w]))])
_, anc, _, _ = b.recvmsg(1, 100); os.write(array.array("i", anc[0][2])[0], b"!"); y = len(os.read(r, 10))
s = socket.create_server(("127.0.0.1", 0))
def say(t):
    with socket.create_connection(s.getsockname()) as c: c.sendall(t)
ts = [threading.Thread(target=say, args=(t,)) for t in (b"x", b"y")]
[t.start() for t in ts]; got = []
sel = selectors.DefaultSelector(); sel.register(s, selectors.EVENT_READ)
while len(got) < 2:
    for k, _ in sel.select(5):
        if k.fileobj is s:
            c, _ = s.accept(); sel.register(c, selectors.EVENT_READ)
        elif d := k.fileobj.recv(10): got.append(d.decode())
        else: sel.unregister(k.fileobj)
b.settimeout(0.05)
try: b.recv(1)
except socket.timeout as e: print(x, y, sorted(got), e)
END
venv() {
	same "venv $*" $'1\nvenv-works\nFalse' "$($RUN bash -c 'cd "$(mktemp -d)"; '"$py"' -m venv "$@" v && . v/bin/activate && cd / || exit
		python -c "import sys; print(int(sys.prefix != sys.base_prefix))"; python -c "print(\"venv-works\")"
		python -c "import os, sys; print(os.path.samefile(sys.prefix, \"/usr\"))"' bash "$@" 2>&1)"
}
venv --without-pip
venv --without-pip --copies --system-site-packages
if $py -c 'import ensurepip' 2>/dev/null; then
	same "venv with pip" pip "$($RUN bash -c 'cd "$(mktemp -d)"; '"$py"' -m venv v && v/bin/pip --version | cut -d " " -f 1' 2>&1)"
fi
script "files and walks" "(30, 30, 465) True" <<'END'
import os, tempfile, pathlib, shutil
d = pathlib.Path(tempfile.mkdtemp())
for i in range(30):
    p = d / str(i % 3) / str(i); p.parent.mkdir(exist_ok=True); p.write_text("x" * (i + 1))
shutil.copytree(d, str(d) + "2")
n = sum(len(f) for _, _, f in os.walk(str(d) + "2"))
s = sum(p.stat().st_size for p in d.rglob("*") if p.is_file())
shutil.rmtree(d)
print((n, 30, s), not d.exists())
END
both "compile everything of a package" $py -c 'import compileall, tempfile, shutil, sys, os; d = tempfile.mkdtemp() + "/j"; shutil.copytree(os.path.dirname(__import__("json").__file__), d); print(bool(compileall.compile_dir(d, quiet=1)))'
status "an exception" 1 $RUN $py -c 'raise ValueError'
status "sys.exit" 42 $RUN $py -c 'import sys; sys.exit(42)'
status "death of its own hand" 139 $RUN bash -c "$py -c 'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)'"
finish
