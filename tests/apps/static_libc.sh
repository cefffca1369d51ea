#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs of other libraries and links: musl, static and dynamic; busybox.
. "$(dirname "$0")/common"
need gcc
source=$(cd "$(dirname "$0")/.." && pwd)/sys/static/hello.c
flags="-O1 -D_GNU_SOURCE -pthread"
want="hello from pid > 0: 1, 2 arguments"

for how in "-static" "-static-pie -fPIE" "-no-pie -fno-pie" "-pie -fPIE"; do
	gcc $flags $how "$source" -o glibc && same "glibc $how" "$want" "$($RUN ./glibc a b)"
done
if command -v musl-gcc >/dev/null; then
	for how in -static "-static -no-pie -fno-pie" "-static-pie -fPIE"; do
		musl-gcc $flags $how "$source" -o musl 2>/dev/null &&
			same "musl $how" "$want" "$($RUN ./musl a b)"
	done
	musl-gcc $flags "$source" -o musl && same "musl, dynamic" "$want" "$($RUN ./musl a b)"
	same "the musl loader as a program" "$want" "$($RUN /lib/ld-musl-x86_64.so.1 ./musl a b)"
fi
same "the glibc loader as a program" "$want" "$($RUN /lib64/ld-linux-x86-64.so.2 ./glibc a b)"

if command -v busybox >/dev/null; then
	bb=$(command -v busybox)
	same "busybox sh" $'10\nsub\nhere 3\n7' "$($RUN "$bb" sh -c 'seq 1 10 | wc -l; (echo sub)
cat <<END
here $((1 + 2))
END
sh -c "exit 7"; echo $?')"
	same "busybox: applets by exec" same "$($RUN "$bb" sh -c 'd=$(mktemp -d); cd $d; '"$bb"' seq 1 50000 >f
		'"$bb"' sort -n f | '"$bb"' md5sum >a; '"$bb"' md5sum <f >b; '"$bb"' cmp a b && echo same')"
	same "busybox: background jobs" $'0\ndone' "$($RUN "$bb" sh -c 'sleep 1 & wait $!; echo $?; echo done')"
	both "busybox find" "$bb" find /usr/share/perl5 -type f
fi
finish
