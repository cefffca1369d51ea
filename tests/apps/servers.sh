#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# Servers inside with clients outside, and the other way round: they start, serve, and end by
# their signal, with their own status and nobody left.
. "$(dirname "$0")/common"
need curl python3
export PATH=$PATH:/usr/sbin
dir=$PWD
chmod 755 .

# cross NAME SIGNAL SERVER CLIENT: what the client prints and how the server ends: natively,
# with the server inside, with the client inside, each in a fresh directory. Both find PORT.
cross() {
	local name=$1 want
	command -v "${3%% *}" >/dev/null || { echo "skip: no ${3%% *}"; return; }
	want=$(talk "$2" "" "$3" "" "$4")
	if [ -z "$RUN" ]; then
		case $want in
		*never*) fail "$name: $want" ;;
		*) echo "ok: $name" ;;
		esac
		return
	fi
	same "$name inside" "$want" "$(talk "$2" "$RUN" "$3" "" "$4")"
	same "$name's client inside" "$want" "$(talk "$2" "" "$3" "$RUN" "$4")"
}

# talk SIGNAL PREFIX SERVER PREFIX CLIENT. In a session of its own: Apache ends its process group.
talk() {
	local server status=0
	local port
	port=$(free_port)
	export PORT=$port
	rm -rf work && mkdir work
	[ "$(id -u)" != 0 ] || chmod 777 work
	cp ./*.py work 2>/dev/null
	cd work || exit 1
	(cd "$dir" && exec setsid $2 bash -c "cd '$dir'; $prelude exec $3") >../server.log 2>&1 &
	server=$!
	await_port "$port" || { echo never; cat ../server.log; }
	timeout 60 $4 bash -c "$5" 2>&1 </dev/null
	kill "-$1" "$server"
	wait "$server" || status=$?
	echo "server ended with $status"
	(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && echo "somebody still listens"
	cd ..
}

# --- redis: its children write both kinds of files
prelude='mkdir redis-$PORT; cd redis-$PORT;'
cross redis TERM 'redis-server --port $PORT --bind 127.0.0.1 --save "" --appendonly yes --daemonize no' '
c() { redis-cli -p $PORT "$@"; }
c debug populate 20000 key 100; c set a 1; c incr a; c bgsave
until c info persistence | grep -q rdb_bgsave_in_progress:0; do sleep 0.02; done
c bgrewriteaof
until c info persistence | grep -q aof_rewrite_in_progress:0; do sleep 0.02; done
c info persistence | grep -E "last_bgsave_status|last_bgrewrite_status" | tr -d "\r"; c dbsize
for p in 1 16; do redis-benchmark -p $PORT -q -P $p -n 4000 -c 20 -t set,get,lpush,lrange_100 2>&1 | tr "\r" "\n" | grep -c "requests per second"; done
for i in 1 2 3 4; do redis-cli -p $PORT -r 200 incr n >/dev/null & done; wait; c get n
head -c 3000000 /dev/zero | tr "\0" x | redis-cli -p $PORT -x set big; c strlen big; c get big | md5sum'

# --- nginx: workers, a reload, and a graceful end
web='head -c 100000 /dev/zero | tr "\0" z >page; echo small >small;'
prelude="mkdir nginx-\$PORT; cd nginx-\$PORT; $web"'
cat >conf <<END
daemon off; worker_processes 2; pid pid; error_log err;
events { worker_connections 256; }
http { access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
server { listen 127.0.0.1:$PORT; root $PWD; sendfile on; } }
END
chmod -R a+rX .;'
get='
u=http://127.0.0.1:$PORT
curl -s $u/small; curl -s $u/page | md5sum; curl -s -o /dev/null -w "%{http_code}\n" $u/nothing
curl -s -r 10-19 $u/page; echo; curl -sI $u/page | grep -i ^content-length | tr -d "\r"
for i in 1 2 3 4 5 6; do curl -s "$u/page?[1-30]" | md5sum & done; wait
curl -s -Z $u/page $u/small $u/page -o /dev/null -o s -o /dev/null 2>/dev/null; cat s
curl -s --max-time 20 --limit-rate 400k $u/page | md5sum'
cross nginx QUIT 'nginx -p $PWD -c $PWD/conf -g "user root;"' "$get"

# --- Apache, a process for each connection
prelude="mkdir apache-\$PORT; cd apache-\$PORT; $web"'
cat >conf <<END
ServerRoot $PWD
ServerName localhost
Listen 127.0.0.1:$PORT
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
PidFile $PWD/pid
ErrorLog $PWD/err
DocumentRoot $PWD
StartServers 3
User www-data
Group www-data
END
chmod -R a+rX .;'
cross apache TERM 'apache2 -D FOREGROUND -f $PWD/conf' "$get"

# --- memcached: threads, each with connections of its own
prelude=
cross memcached TERM 'memcached -l 127.0.0.1 -p $PORT -t 3 $([ $(id -u) != 0 ] || echo -u nobody)' '
cat >client.py <<END
import os, socket, threading
def client(n):
    s = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
    f = s.makefile("rwb")
    for i in range(200):
        value = b"%d" % (n * i) * 50
        f.write(b"set k%d 0 0 %d\r\n%s\r\nget k%d\r\n" % (n, len(value), value, n))
        f.flush()
        assert f.readline() == b"STORED\r\n"
        assert f.readline() == b"VALUE k%d 0 %d\r\n" % (n, len(value))
        assert f.readline() == value + b"\r\n" and f.readline() == b"END\r\n"
    s.close()
all = [threading.Thread(target=client, args=(n,)) for n in range(1, 9)]
for t in all: t.start()
for t in all: t.join()
s = socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))).makefile("rwb")
s.write(b"stats\r\n")
s.flush()
for line in s:
    if line.split()[1:2] in ([b"cmd_get"], [b"get_misses"], [b"curr_items"]): print(line)
    if line == b"END\r\n": break
END
python3 client.py'

# --- a thousand connections at once, in one process
cat >many.py <<'END'
import asyncio, os, resource, signal, sys
port, count = int(os.environ["PORT"]), 1000
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
async def echo(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()
async def serve():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with await asyncio.start_server(echo, "127.0.0.1", port, backlog=1024):
        await stop.wait()
    sys.exit(5)
async def one(i, here, all_here):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    here.append(i)
    if len(here) == count:
        all_here.set()
    await all_here.wait()
    for k in range(4):
        writer.write(b"%d %d\n" % (i, k))
        assert await reader.readline() == b"%d %d\n" % (i, k)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    return i
async def clients():
    here, all_here = [], asyncio.Event()
    print(sum(await asyncio.gather(*[one(i, here, all_here) for i in range(count)])))
asyncio.run(serve() if sys.argv[1] == "serve" else clients())
END
prelude=
cross python3 TERM "python3 many.py serve" "python3 many.py clients; python3 many.py clients"
finish
