#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
# What mounts as root: a container image built layer by layer over overlayfs, mount, umount and findmnt of
# util-linux, pivot_root and switch_root. Natively in a mount namespace of its own.
. "$(dirname "$0")/common"
[ "$(id -u)" = 0 ] || { echo "skip: only root mounts"; exit 77; }
OWN="unshare -m --propagation private"
[ -z "$RUN" ] || OWN=

# both NAME SCRIPT: it must say the same natively and inside.
both() {
	local want got
	want=$(unshare -m --propagation private bash -c "$begin$2" 2>&1 </dev/null)
	got=$(timeout 60 $RUN $OWN bash -c "$begin$2" 2>&1 </dev/null)
	same "$1" "$want" "$got"
}

begin='export LC_ALL=C; mkdir -p t; mount -t tmpfs -o mode=755 tests t && cd t || exit; HERE=$PWD
mounts() { findmnt -R -n -r -o "${1-TARGET,FSTYPE,FS-OPTIONS}" "$HERE" | sed "s:$HERE:T:g" | sort; }
xattrs() { getfattr -h -R -d -m "trusted.overlay.(opaque|redirect|whiteout|metacopy)" --absolute-names "$@"; }
'

# Each step is a layer: what it changes over those below it.
both 'an image is built in layers' '
root() { # a small system
	mkdir -p $1/{bin,etc,tmp,proc,dev,usr/lib,var/cache/old}
	cp /bin/busybox $1/bin/
	ldd /bin/busybox | grep -o "/[^ ]*" | while read -r f; do mkdir -p "$1${f%/*}"; cp -L "$f" "$1$f"; done
	for p in sh ls cat mkdir rm mv ln chmod echo touch find sort cp rmdir stat wc chown; do ln -s busybox $1/bin/$p; done
	echo "root:x:0:0::/:/bin/sh" >$1/etc/passwd
	echo v1 >$1/etc/version; echo stale >$1/var/cache/old/data
}
root 0
below=0; n=0
step() {
	n=$((n + 1)); mkdir $n work m
	mount -t overlay -o "lowerdir=$below,upperdir=$n,workdir=work" overlay m || exit
	mount -t proc proc m/proc && mount -t tmpfs tmpfs m/tmp && mount --bind /dev m/dev || exit
	PATH=/bin chroot m /bin/sh -e -c "$1"; echo "step $n: $?"
	umount m/dev m/tmp m/proc && umount m && rm -rf work m || exit
	below=$n:$below
}
step "echo v2 >/etc/version; mkdir /opt; echo app >/opt/app; chmod 750 /opt/app; ln /opt/app /opt/alias"
step "rm -r /var/cache; mkdir -p /var/cache/new; echo fresh >/var/cache/new/data; touch /tmp/lost"
step "mv /opt/app /opt/prog; ln -s prog /opt/app; rm /etc/version; chown 5:6 /opt; cat /proc/self/comm"
step "mkdir -p /a/b/c; echo 1 >/a/b/c/one; mv /a /aa; rmdir /var/cache/old 2>/dev/null || echo 3 >/aa/b/three"
for i in 1 2 3 4; do
	echo "layer $i"; (cd $i; find . -mindepth 1 -printf "%P %y %m %U:%G %s\n" | sed "s/\( d .*\) [0-9]*$/\1/" | sort)
done
xattrs 1 2 3 4 | sort
mkdir m; mount -t overlay -o "ro,lowerdir=$below" image m; mounts
(cd m; find etc opt var aa tmp -printf "%p %y %m %n\n" | sed "s/\( d [0-7]*\) .*/\1/" | sort; cat opt/app aa/b/c/one var/cache/new/data; touch x)
tar --xattrs --xattrs-include="trusted.*" -C 2 -cf 2.tar . && mkdir 2again && tar --xattrs --xattrs-include="trusted.*" -C 2again -xpf 2.tar
umount m; mount -t overlay -o lowerdir=4:3:2again:1:0 image m; find m/var | sort
'

both 'mount, umount and findmnt' '
mkdir a b c d; mount -t tmpfs -o size=1m,nosuid one a; mkdir a/in; mount -t tmpfs two a/in; echo x >a/in/f
mount --bind a b; ls b/in | wc -l; mount --rbind a c; cat c/in/f; mounts
mount -o remount,bind,ro b; touch b/x; touch a/x && echo fine; mount -o remount,ro a; touch a/y
mount -o remount,rw a; mount --make-shared a; mount --bind a d; mkdir a/new; mount -t tmpfs three a/new
mounts TARGET,PROPAGATION; mount --make-slave d; mounts TARGET,PROPAGATION; umount a/new
umount a; echo $?; umount -R a; umount -l c; exec 3<d; umount d; echo $?; umount -l d; exec 3<&-
umount b; umount b; mounts; mount --move a/x y; mkdir e f; mount -t tmpfs e e; touch e/e; mount --move e f
ls f; mount --make-unbindable f; mount --bind f e; mount -t tmpfs -o nosuchoption x e; mount -t bogus x e
mount -o noexec,nodev,noatime -t tmpfs x e; mounts TARGET,VFS-OPTIONS; cp /bin/true e; e/true; echo $?
mount -t proc p d; ls d/self/comm; mount -t sysfs s a; [ -d a/kernel ] && echo sys; umount a d; mounts TARGET
mount --bind e/true b 2>&1 | tail -n 1 | cut -d " " -f 3-; touch file; mount --bind e/true file; stat -c %s file e/true | uniq | wc -l
umount file; mountpoint -q e; echo $?; mountpoint -q b; echo $?
'

both 'overlays by hand' '
mkdir -p low/dir up work m; echo low >low/f; echo in >low/dir/f
mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work m; mounts
echo more >>m/f; rm m/dir/f; mv m/dir m/moved; find up -printf "%P %y\n" | sort; xattrs up
mount -o remount,ro m; touch m/x; umount m
mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work,redirect_dir=on m; mkdir m/dir; mv m/moved m/dir/
find m -printf "%P %y\n" | sort; cat m/f; rm -rf m/*; ls -A m; find up -printf "%P %y\n" | sort
umount m; mount -t overlay overlay -o lowerdir=low m 2>&1 | grep -c "wrong fs type"
mount -t overlay overlay -o lowerdir=low:low m 2>&1 | grep -c "levels of symbolic links"
'

both 'another root' '
mkdir -p new/{bin,proc,old,etc}; mount --bind new new; cp /bin/busybox new/bin/; ln -s busybox new/bin/sh
ldd /bin/busybox | grep -o "/[^ ]*" | while read -r f; do mkdir -p "new${f%/*}"; cp -L "$f" "new$f"; done
echo inside >new/etc/where; mount -t proc proc new/proc
cd new; pivot_root . old; cd /
exec chroot . /bin/sh -c "export PATH=/bin; busybox cat /etc/where; busybox ls /; busybox ls /old | busybox grep -c usr
busybox umount -l /old; busybox ls -A /old; busybox grep -c . /proc/self/mountinfo; busybox cut -d \" \" -f 5 /proc/self/mountinfo; busybox mkdir /x; busybox mount -t tmpfs none /x; busybox umount /x && echo gone"
'

exit $((failures != 0))
