#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# A static program by Debian's golang: goroutines, the collector, children, signals, the network.
. "$(dirname "$0")/programs"
need go

cat >main.go <<'END'
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func goroutines() {
	var wg sync.WaitGroup
	var n int64
	ch := make(chan int, 10)
	for i := 0; i < 1000; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			for j := 0; j < 100; j++ {
				atomic.AddInt64(&n, 1)
				if j%10 == 0 {
					runtime.Gosched()
				}
			}
			ch <- i
		}(i)
	}
	sum := 0
	for i := 0; i < 1000; i++ {
		sum += <-ch
	}
	wg.Wait()
	fmt.Println("goroutines", n, sum)
}

func preempted() {
	runtime.GOMAXPROCS(1)
	var stop int32
	go func() {
		time.Sleep(20 * time.Millisecond)
		atomic.StoreInt32(&stop, 1)
	}()
	for atomic.LoadInt32(&stop) == 0 {
	}
	runtime.GOMAXPROCS(4)
	fmt.Println("a loop is preempted")
}

type node struct {
	left, right *node
}

func tree(d int) *node {
	if d == 0 {
		return &node{}
	}
	return &node{tree(d - 1), tree(d - 1)}
}

func (n *node) count() int {
	if n.left == nil {
		return 1
	}
	return 1 + n.left.count() + n.right.count()
}

func collector() {
	debug.SetGCPercent(20)
	total := 0
	var wg sync.WaitGroup
	var mu sync.Mutex
	for g := 0; g < 4; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < 15; i++ {
				c := tree(12).count()
				mu.Lock()
				total += c
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	debug.FreeOSMemory()
	fmt.Println("collector", total, m.NumGC > 3)
}

func children() {
	out, err := exec.Command("echo", "from", "a", "child").Output()
	must(err)
	fmt.Print(string(out))
	c := exec.Command("tr", "a-z", "A-Z")
	c.Stdin = bytes.NewReader(bytes.Repeat([]byte("hello\n"), 20000))
	out, err = c.Output()
	must(err)
	fmt.Println(len(out), string(out[:5]))
	err = exec.Command("sh", "-c", "exit 7").Run()
	fmt.Println(err)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	fmt.Println(exec.CommandContext(ctx, "sleep", "10").Run())
	var wg sync.WaitGroup
	for i := 0; i < 20; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			must(exec.Command("true").Run())
		}()
	}
	wg.Wait()
	_, err = exec.Command("/nonexistent").Output()
	fmt.Println(err)
}

func signals() {
	ch := make(chan os.Signal, 10)
	signal.Notify(ch, syscall.SIGUSR1, syscall.SIGHUP)
	must(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	fmt.Println("signal", <-ch)
	defer func() { fmt.Println("recovered:", recover()) }()
	var p *int
	*p = 1
}

func timers() {
	t := time.NewTicker(5 * time.Millisecond)
	n := 0
	timeout := time.After(2 * time.Second)
	for n < 10 {
		select {
		case <-t.C:
			n++
		case <-timeout:
			fmt.Println("late")
			return
		}
	}
	fmt.Println("ticks", n)
}

func files() {
	dir, err := os.MkdirTemp("", "go")
	must(err)
	defer os.RemoveAll(dir)
	for i := 0; i < 50; i++ {
		must(os.WriteFile(filepath.Join(dir, fmt.Sprint("f", i)), make([]byte, i*100), 0o600))
	}
	var sizes []int
	must(filepath.Walk(dir, func(_ string, i os.FileInfo, err error) error {
		if err == nil && i.Mode().IsRegular() {
			sizes = append(sizes, int(i.Size()))
		}
		return err
	}))
	sort.Ints(sizes)
	fmt.Println("files", len(sizes), sizes[49])
	_, err = os.Open(filepath.Join(dir, "nosuch"))
	fmt.Println(os.IsNotExist(err))
	r, w, err := os.Pipe()
	must(err)
	must(r.SetReadDeadline(time.Now().Add(20 * time.Millisecond)))
	_, err = r.Read(make([]byte, 1))
	fmt.Println("pipe", os.IsTimeout(err))
	w.Close()
	r.Close()
}

func echo(network, address string) {
	l, err := net.Listen(network, address)
	must(err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	var wg sync.WaitGroup
	var n int64
	for i := 0; i < 20; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			c, err := net.Dial(network, l.Addr().String())
			must(err)
			defer c.Close()
			r := bufio.NewReader(c)
			for j := 0; j < 50; j++ {
				fmt.Fprintln(c, i, j)
				s, err := r.ReadString('\n')
				must(err)
				if s == fmt.Sprintln(i, j) {
					atomic.AddInt64(&n, 1)
				}
			}
			c.SetReadDeadline(time.Now().Add(time.Millisecond))
			if _, err = r.ReadByte(); !os.IsTimeout(err) {
				fmt.Println("no time limit:", err)
			}
		}(i)
	}
	wg.Wait()
	l.Close()
	fmt.Println(network, n)
}

func web() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.Method, r.URL.Path, len(b))
	})}
	go s.Serve(l)
	for i := 0; i < 3; i++ {
		r, err := http.Post("http://"+l.Addr().String()+"/x", "text/plain", bytes.NewReader(make([]byte, 100000)))
		must(err)
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		fmt.Println(r.StatusCode, string(b))
	}
	must(s.Shutdown(context.Background()))
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(err)
	c, err := net.Dial("udp", u.LocalAddr().String())
	must(err)
	c.Write([]byte("datagram"))
	b := make([]byte, 100)
	k, _, err := u.ReadFrom(b)
	must(err)
	fmt.Println(string(b[:k]))
	_, err = net.DialTimeout("tcp", "127.0.0.1:1", time.Second)
	fmt.Println(err)
}

func main() {
	all := map[string]func(){
		"goroutines": goroutines, "preempted": preempted, "collector": collector,
		"children": children, "signals": signals, "timers": timers, "files": files,
		"unix": func() { echo("unix", filepath.Join(os.TempDir(), fmt.Sprint("go.", os.Getpid(), ".sock"))) },
		"tcp":  func() { echo("tcp", "127.0.0.1:0") }, "web": web,
		"exit": func() { os.Exit(3) }, "panic": func() { panic("at the disco") },
		"deadlock": func() { select {} },
	}
	for _, name := range os.Args[1:] {
		all[name]()
	}
}
END
# The sandbox sees the host's root read-only, but /tmp is its own: the program lies elsewhere.
where=$(mktemp -d -p /var/tmp)
chmod 755 "$where"
trap 'rm -rf "$where"' EXIT
CGO_ENABLED=0 GOCACHE=$PWD/cache GO111MODULE=off GOFLAGS=-p=2 go build -o "$where/prog" main.go || fail "go build"
chmod 755 "$where/prog"
file "$where/prog" 2>/dev/null | grep -q 'statically linked' || fail "a static program"
for what in goroutines preempted collector children signals timers files unix tcp web exit deadlock; do
	prog go "$where/prog $what"
done
prog go "$where/prog panic 2>&1 | head -n 1; GODEBUG=asyncpreemptoff=1 $where/prog goroutines; GOMAXPROCS=1 $where/prog goroutines collector children"
prog go 'go version; go env GOOS GOARCH'
finish_programs
