#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# node: worker threads, children, timers, streams, crypto, files, an http server with its client.
. "$(dirname "$0")/programs"
need node

js() { # js NAME: the program on standard input is a case
	prog "node" "cat >script.js <<'END'
$(cat)
END
HOME=\$PWD node script.js"
}

prog node 'node -e "console.log(1 + 1, process.platform, process.arch)"; node -p "[1,2,3].map(x => x * x)"; node -e "process.exit(5)"; echo $?; node -e "throw new Error(1)" 2>&1 | grep -c "^Error: 1"; node --version | cut -c 1; echo "console.log(\"stdin\")" | node; { node -e "process.kill(process.pid, \"SIGKILL\")"; } 2>/dev/null; echo $?; node nosuch.js 2>/dev/null; echo $?; node -e "console.log(os.cpus().length > 0, os.totalmem() > 0, os.tmpdir(), os.uptime() > 0)"; node -e "setTimeout(() => console.log(\"late\"), 20); console.log(\"early\")"'
js <<'END'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (isMainThread) {
	const shared = new Int32Array(new SharedArrayBuffer(4));
	let done = 0, sum = 0;
	for (let i = 0; i < 4; i++) {
		const w = new Worker(__filename, { workerData: { i, shared } });
		w.on('message', m => { sum += m; });
		w.on('exit', c => { if (++done == 4) console.log('workers', sum, shared[0], c); });
	}
} else {
	for (let k = 0; k < 1000; k++) Atomics.add(workerData.shared, 0, 1);
	let s = 0;
	for (let k = 0; k < 3e6; k++) s = (s + k * workerData.i) % 1000;
	Atomics.wait(workerData.shared, 0, -1, 1);
	parentPort.postMessage(s);
}
END
js <<'END'
const cp = require('child_process');
console.log(cp.execSync('echo sync').toString().trim());
const c = cp.spawn('cat'); let got = 0;
c.stdout.on('data', d => got += d.length);
c.on('close', (code, sig) => {
	console.log('cat', got, code, sig);
	const k = cp.spawn('sleep', ['10']);
	k.on('exit', (code, sig) => {
		console.log('sleep', code, sig);
		const f = cp.fork(__filename + '.child.js');
		f.on('message', m => { console.log('message', m); f.send('bye'); });
		f.on('exit', code => {
			console.log('forked', code);
			cp.exec('exit 3', e => console.log('exec', e.code));
			cp.spawn('/nonexistent').on('error', e => console.log(e.code));
			let n = 0;
			for (let i = 0; i < 20; i++) cp.spawn('true').on('exit', () => { if (++n == 20) console.log('all twenty'); });
			console.log(cp.spawnSync('sleep', ['10'], { timeout: 100 }).error.code);
		});
	});
	k.kill();
});
c.stdin.end('x'.repeat(1000000));
require('fs').writeFileSync(__filename + '.child.js', 'process.send({ a: [1] }); process.on("message", m => process.exit(m === "bye" ? 4 : 5));');
END
js <<'END'
let n = 0; const order = [];
setImmediate(() => order.push('immediate'));
process.nextTick(() => order.push('tick'));
Promise.resolve().then(() => order.push('promise'));
setImmediate(() => setTimeout(() => order.push('timeout'), 10));
const t = setInterval(() => { if (++n == 50) { clearInterval(t); console.log('ticks', n, order.join()); } }, 2);
process.on('SIGUSR2', () => console.log('signal'));
setTimeout(() => process.kill(process.pid, 'SIGUSR2'), 30);
process.on('exit', c => console.log('exit', c));
const { setTimeout: sleep } = require('timers/promises');
(async () => { await sleep(5); for await (const _ of require('timers/promises').setInterval(3)) { if (n > 20) break; } console.log('awaited'); })();
END
js <<'END'
const fs = require('fs'), { pipeline } = require('stream/promises'), zlib = require('zlib'), crypto = require('crypto');
const { Transform, Readable } = require('stream');
(async () => {
	await fs.promises.mkdir('a/b', { recursive: true });
	await Promise.all([...Array(100).keys()].map(i => fs.promises.writeFile('a/b/' + i, 'x'.repeat(i))));
	console.log((await fs.promises.readdir('a/b')).length, (await fs.promises.stat('a/b/77')).size);
	await fs.promises.writeFile('big', crypto.randomBytes(5000000));
	await pipeline(fs.createReadStream('big'), zlib.createGzip({ level: 1 }), fs.createWriteStream('big.gz'));
	await pipeline(fs.createReadStream('big.gz'), zlib.createGunzip(), fs.createWriteStream('big2'));
	const hash = async f => { const h = crypto.createHash('sha256'); await pipeline(fs.createReadStream(f), h); return h.digest('hex'); };
	console.log(await hash('big') === await hash('big2'));
	let s = 0;
	await pipeline(Readable.from([1, 2, 3]), new Transform({ objectMode: true, transform(c, e, d) { d(null, c * 2); } }), async it => { for await (const x of it) s += x; });
	console.log('stream', s);
	await fs.promises.rename('a/b/1', 'a/one'); await fs.promises.symlink('one', 'a/link'); console.log(await fs.promises.readlink('a/link'));
	await fs.promises.chmod('a/one', 0o600); console.log((fs.statSync('a/one').mode & 0o777).toString(8));
	await fs.promises.rm('a', { recursive: true }); console.log(fs.existsSync('a'));
	await fs.promises.open('nosuch').catch(e => console.log(e.code));
	const h = await fs.promises.open('f', 'w+'); await h.write('hello'); await h.truncate(3); console.log((await h.read(Buffer.alloc(10), 0, 10, 0)).bytesRead); await h.sync(); await h.close();
})();
END
js <<'END'
const crypto = require('crypto');
console.log(crypto.createHash('sha256').update('x').digest('hex'));
console.log(crypto.pbkdf2Sync('p', 's', 1000, 16, 'sha512').toString('hex'));
const k = crypto.scryptSync('p', 's', 32), iv = Buffer.alloc(12);
const c = crypto.createCipheriv('aes-256-gcm', k, iv); const e = Buffer.concat([c.update('secret'), c.final()]);
const d = crypto.createDecipheriv('aes-256-gcm', k, iv); d.setAuthTag(c.getAuthTag()); console.log(d.update(e, null, 'utf8') + d.final('utf8'));
crypto.generateKeyPair('ec', { namedCurve: 'P-256' }, (err, pub, priv) => {
	priv = priv || pub;
	console.log(err, crypto.randomBytes(16).length, crypto.randomUUID().length);
});
let n = 0; for (let i = 0; i < 8; i++) crypto.scrypt('a' + i, 's', 16, () => { if (++n == 8) console.log('eight scrypts'); });
crypto.webcrypto.subtle.digest('SHA-1', Buffer.from('a')).then(d => console.log(Buffer.from(d).toString('hex')));
END
js <<'END'
const http = require('http'), net = require('net'), dgram = require('dgram');
const s = http.createServer((q, r) => { let n = 0; q.on('data', d => n += d.length); q.on('end', () => { r.setHeader('x-test', '1'); r.end(q.method + q.url + n); }); });
s.listen(0, '127.0.0.1', async () => {
	const port = s.address().port, agent = new http.Agent({ keepAlive: true, maxSockets: 5 });
	const get = (path, body) => new Promise((ok, no) => {
		const q = http.request({ port, host: '127.0.0.1', path, agent, method: body ? 'POST' : 'GET' }, r => { let t = ''; r.on('data', d => t += d); r.on('end', () => ok([r.statusCode, r.headers['x-test'], t].join())); });
		q.on('error', no); q.end(body);
	});
	console.log(await get('/a'), await get('/b', 'x'.repeat(3000000)));
	console.log(new Set(await Promise.all([...Array(200)].map(() => get('/many')))));
	console.log(await (await fetch('http://127.0.0.1:' + port + '/fetch')).text());
	await fetch('http://127.0.0.1:1/').catch(e => console.log(e.cause ? e.cause.code || e.cause.message : e));
	agent.destroy(); s.close();
	net.connect(1, '127.0.0.1').on('error', e => console.log(e.code));
	const u = net.createServer(c => c.pipe(c)).listen(process.cwd() + '/sock', () => {
		const c = net.connect(process.cwd() + '/sock'); let n = 0;
		c.on('data', d => { n += d.length; if (n == 500000) c.end(); });
		c.on('close', () => { console.log('unix', n); u.close(); });
		c.write('y'.repeat(500000));
	});
	const d = dgram.createSocket('udp4'); d.bind(0, '127.0.0.1', () => d.send('dgram', d.address().port, '127.0.0.1'));
	d.on('message', m => { console.log('' + m); d.close(); });
});
END
js <<'END'
const cluster = require('cluster'), http = require('http');
if (cluster.isPrimary) {
	let up = 0; const seen = [];
	for (let i = 0; i < 2; i++) cluster.fork();
	cluster.on('listening', async (w, a) => {
		if (++up < 2) return;
		for (let i = 0; i < 10; i++) seen.push(await (await fetch('http://127.0.0.1:' + a.port)).text());
		console.log(seen.join());
		for (const id in cluster.workers) cluster.workers[id].kill();
	});
	cluster.on('exit', (w, c, s) => console.log('worker', c, s));
} else http.createServer((q, r) => { r.setHeader('connection', 'close'); r.end('ok'); }).listen(0, '127.0.0.1');
END
finish_programs
