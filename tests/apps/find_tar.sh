#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# find over the host's tree; tar with gzip and xz, there and back.
. "$(dirname "$0")/common"
need find tar gzip xz

both "find: every name" bash -c 'find /usr/share /usr/lib -xdev 2>&1 | sort | md5sum'
both "find: kinds, sizes, owners" bash -c 'find /usr/bin -printf "%p %y %s %m '"${OWNERS:+%U %G }"'%n %T@\n" 2>&1 | sort | md5sum'
both "find -newer, -size, -name" bash -c 'find /usr/bin -size +1M -name "*[a-f]*" -type f | sort'
both "find -exec" bash -c 'find /etc -maxdepth 1 -name "*.conf" -exec basename {} \; 2>/dev/null | sort'
same "find -delete" 0 "$($RUN bash -c 'd=$(mktemp -d) && cd "$d" || exit; for i in {1..300}; do mkdir -p d$((i % 10)); >d$((i % 10))/$i; done
	find "$d" -type f -delete; find "$d" -type f | wc -l')"
same "find sees every kind" "d f l p" "$($RUN bash -c 'cd "$(mktemp -d)"; mkdir d; >f; ln -s f l; mkfifo p
	echo $(find . -mindepth 1 -printf "%y\n" | sort)')"

for z in gz:z xz:J plain:; do
	same "tar (${z%:*}) there and back" same "$($RUN bash -c 'cd "$(mktemp -d)"; flag='"${z#*:}"'
		mkdir a; cp -a /usr/share/perl5 a/; ln -s x a/l; ln a/perl5/* a/ 2>/dev/null; mkfifo a/p
		XZ_OPT=-0 tar -c${flag}f t a && mkdir b && tar -x${flag}f t -C b && diff -r --no-dereference a/perl5 b/a/perl5 &&
		[ -p b/a/p ] && [ "$(readlink b/a/l)" = x ] && echo same')"
done
same "tar through a pipe" same "$($RUN bash -c 'cd "$(mktemp -d)"; mkdir b; tar -C /usr/share -cf - perl5 | tar -C b -xf -; diff -r /usr/share/perl5 b/perl5 && echo same')"
both "a listing of an archive of the host" bash -c 'tar -C /usr/include -cf - linux | tar -tvf - | sort | md5sum'
same "gzip and xz of 20 MB" "same same" "$($RUN bash -c 'cd "$(mktemp -d)"; seq 2500000 >f; gzip -k f; xz -0 -k -T2 f
	gzip -dc f.gz | cmp - f && echo -n "same "; xz -dc f.xz | cmp - f && echo same')"
same "a damaged archive" 2 "$($RUN bash -c 'cd "$(mktemp -d)"; echo junk >t; tar -xf t 2>/dev/null; echo $?')"
finish
