#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
# curl against servers of python3 and node in the same sandbox, over the loopback.
. "$(dirname "$0")/programs"
need curl python3

server='seq 20000 >f; mkdir d; echo inner >d/g
	python3 -u -c "
import http.server, sys
class H(http.server.SimpleHTTPRequestHandler):
    protocol_version = \"HTTP/1.1\"
    def log_message(self, *a): pass
    def do_POST(self):
        b = self.rfile.read(int(self.headers[\"Content-Length\"]))
        b = b[::-1]
        self.send_response(200); self.send_header(\"Content-Length\", str(len(b))); self.end_headers(); self.wfile.write(b)
s = http.server.ThreadingHTTPServer((\"127.0.0.1\", 0), H)
open(\"port.new\", \"w\").write(str(s.server_port)); import os; os.rename(\"port.new\", \"port\")
s.serve_forever()" & s=$!; disown
	trap "kill -9 $s; cd /; rm -rf \"$PWD\"" EXIT
	until [ -s port ]; do sleep 0.02; done; u=http://127.0.0.1:$(<port)
	'
prog curl "$server"'curl -s $u/f | cmp - f; curl -s -o g -w "%{http_code} %{size_download} %{content_type} %{num_connects}\n" $u/f; cmp f g; curl -s -w "%{http_code}\n" -o /dev/null $u/nosuch; curl -sI $u/f | grep -i ^content-length | tr -d "\r"; curl -s -d "a=1&b=2" $u/; echo; curl -s --data-binary @f $u/ | wc -c; curl -s $u/f $u/d/g -w "%{num_connects} " -o /dev/null -o /dev/null; curl -s -L $u/d | grep -c href; curl -s --limit-rate 10M $u/f | md5sum; curl -s -Z $u/f $u/f $u/d/g -o a -o b -o c 2>/dev/null; cmp a f; cmp b f; cat c; curl -s -m 5 http://127.0.0.1:1/; echo $?; curl -sv $u/d/g 2>&1 | grep -E "^\* Connected|^> GET|^< HTTP" | normal "s/port [0-9]+/port P/; s/\r//"; for i in 1 2 3 4 5 6 7 8; do curl -s $u/f | md5sum & done | sort -u'
prog curl "$server"'curl -s --unix-socket nosuch http://x/; echo $?; for i in {1..8}; do curl -s "$u/f?[1-20]" | md5sum & p="$p $!"; done; wait $p; head -c 20000000 /dev/zero >big; curl -s $u/big | md5sum; curl -s --data-binary @big $u/ | md5sum; curl -s -T f $u/put -w "%{http_code}" -o /dev/null; echo; curl -s -r 5-9 $u/f | wc -c; (exec 3<>/dev/tcp/127.0.0.1/$(<port); printf "GET /d/g HTTP/1.0\r\n\r\n" >&3; tail -n 1 <&3)'
finish_programs
