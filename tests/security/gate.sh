#!/bin/bash
# SPDX-License-Identifier: MIT
# gate.sh - the gate does what the command line allows, whatever is asked of it: see gate.c.
# native: skip
set -u
program=$BUILD/tests/security/gate
"$CARBYNE" run --net=none -- true 2>/dev/null || exit 77
mkdir -p volume/d other secret
ln -s ../secret volume/out
ln -s ../secret/server volume/link
echo >volume/plain
cat >servers.py <<'END'
import os, socket
kept = []
for path in ("volume/server", "other/server", "secret/server"):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(1000)
    kept.append(s)
t = socket.create_server(("127.0.0.1", 0), backlog=1000)
full = socket.create_server(("127.0.0.1", 0), backlog=0)
with open("port.new", "w") as f:
    f.write("%d %d" % (t.getsockname()[1], full.getsockname()[1]))
os.rename("port.new", "port")
while True:
    t.accept()
END
python3 servers.py &
servers=$!
for _ in $(seq 600); do [ -e port ] && break; sleep 0.1; done
read -r port full <port
cp "$program" prog
"$CARBYNE" run --net=none --allow-connect "127.0.0.1:$port" --allow-connect "127.0.0.1:$full" -v "$PWD/volume:/v:sock" -v "$PWD/other:/o" -v "$PWD:$PWD:ro" -e PORT="$port" -e FULL="$full" -- ./prog
status=$?
kill $servers
exit $status
