#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
# What ip, ss, netstat and languages' libraries say of the network: the same as on the host.
. "$(dirname "$0")/programs"

prog ip 'ip -br addr; ip -br link; ip -o link show lo; ip -4 -br addr show dev lo; ip route; ip -6 route; ip route show table local; ip rule; ip -6 rule; ip route get 127.0.0.1; ip route get ::1; ip route get 127.0.0.1 from 127.0.0.1; ip link show nosuch0; echo $?; ip -j -br link | head -c 40; echo; ip neigh show dev lo; ip route show cache; ip -V | cut -d , -f 1'
prog python3 'python3 -c "
import socket
print(socket.if_nameindex())
print(socket.getaddrinfo(\"localhost\", 80, type=socket.SOCK_STREAM))
print(socket.if_nametoindex(\"lo\"))"; sed 1,2d /proc/net/dev | cut -d : -f 1; cat /proc/net/if_inet6 | sort; cut -f 1-4,8 /proc/net/route; ls /sys/class/net; cat /sys/class/net/*/address'
cat >server.py <<'END'
import os, socket, subprocess, sys
l = socket.create_server(("127.0.0.1", 0))
c = socket.create_connection(l.getsockname())
a, _ = l.accept()
u = socket.socket(socket.AF_UNIX)
u.bind("\0net-tools-%d" % os.getpid())
u.listen(5)
port = l.getsockname()[1]
command = sys.argv[1].replace("PORT", str(port)).replace("PID", str(os.getpid()))
text = subprocess.run(command, shell=True, capture_output=True, text=True).stdout
text = text.replace(str(c.getsockname()[1]), "CLIENT").replace(str(port), "PORT")
pid = str(os.getpid())
print(" ".join(text.replace("pid=" + pid, "pid=PID").replace(pid + "/", "PID/").split()))
END
server=$PWD/server.py
prog ss "cp $server .; python3 server.py 'ss -Htln sport = :PORT'; python3 server.py 'ss -Htlnp sport = :PORT'; python3 server.py 'ss -Htn dport = :PORT'; python3 server.py 'ss -Hxln | grep -c net-tools-PID'; ss -Htln sport = :1; ss -V | cut -d , -f 1"
command -v netstat >/dev/null && prog netstat "cp $server .; python3 server.py 'netstat -tln | grep :PORT'; python3 server.py 'netstat -tlnp 2>/dev/null | grep :PORT'; netstat -i | cut -c 1-16; netstat -rn"
finish_programs
