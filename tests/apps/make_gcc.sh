#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# A C program of thirty files, made by make -j4 with gcc, then run.
. "$(dirname "$0")/common"
need gcc make

mkdir src
for i in $(seq 1 30); do
	cat >src/f$i.c <<END
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "all.h"
static int cmp(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
long f$i(long x)
{
	int v[64];
	for (int i = 0; i < 64; i++)
		v[i] = (int)((x * (i + $i) * 7919) % 1000);
	qsort(v, 64, sizeof(v[0]), cmp);
	return v[$i] + (long)strlen("number $i");
}
END
	echo "long f$i(long x);" >>src/all.h
done
{
	echo '#include <stdio.h>'
	echo '#include "all.h"'
	echo 'int main(void) { long s = 0;'
	for i in $(seq 1 30); do echo "s = s * 31 % 1000003 + f$i(s + $i);"; done
	echo 'printf("%ld\n", s); return 0; }'
} >src/main.c
cat >src/Makefile <<'END'
CFLAGS = -O2 -g -Wall -Wextra
OBJS = $(sort $(patsubst %.c,%.o,$(wildcard *.c)))
prog: $(OBJS)
	$(CC) -o $@ $(OBJS)
%.o: %.c all.h
	$(CC) $(CFLAGS) -c -o $@ $<
clean:
	rm -f $(OBJS) prog
END
cp -a src native
make -s -C native -j4 prog || { echo "skip: it cannot be made natively"; exit 77; }
same "make, and the program" "$(native/prog)" "$($RUN bash -c 'w=$(mktemp -d); cp -a src $w/ && make -s -C $w/src -j4 prog && $w/src/prog')"
same "nothing left to do" "make: 'prog' is up to date." "$($RUN bash -c 'w=$(mktemp -d); cp -a src $w/; cd $w/src; make -s -j4 prog; make prog')"
same "a change makes one file anew" 2 "$($RUN bash -c 'w=$(mktemp -d); cp -a src $w/; cd $w/src; make -s -j4 prog; sleep 0.1; touch f3.c; make prog | grep -c "^cc"')"
same "an error stops make" "2" "$($RUN bash -c 'w=$(mktemp -d); cp -a src $w/; cd $w/src; echo "int x = ;" >f9.c; make -s -j4 prog >/dev/null 2>&1; echo $?')"
same "threads and sanitizers link" "ok" "$($RUN bash -c 'cd "$(mktemp -d)"; echo "#include <pthread.h>
#include <stdio.h>
static void *f(void *p) { return p; }
int main(void) { pthread_t t; pthread_create(&t, 0, f, 0); pthread_join(t, 0); puts(\"ok\"); }" >t.c; gcc -pthread t.c -o t && ./t')"
finish
