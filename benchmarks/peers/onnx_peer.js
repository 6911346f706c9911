#!/usr/bin/env node
/* ONNX Runtime as a peer of reshed-bench: one process that holds the ensemble and runs it on request.
 *
 *     onnx_peer.js --image X.npy --threads N MEMBER.onnx...
 *
 * Lines in and out are those of torch_peer.py. NODE_PATH says where onnxruntime-node is installed. */
'use strict';
const fs = require('fs');
const readline = require('readline');
const {Worker, isMainThread, parentPort, workerData} = require('worker_threads');
const ort = require('onnxruntime-node');

const settings = threads => ({
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
});

/* A float32 .npy of two dimensions. */
function readNpy(path) {
    const b = fs.readFileSync(path), wide = b[6] > 1;
    const length = wide ? b.readUInt32LE(8) : b.readUInt16LE(8), start = (wide ? 12 : 10) + length;
    const head = b.toString('latin1', wide ? 12 : 10, start);
    const shape = /'shape': \((\d+), (\d+)\)/.exec(head);
    if (b.toString('latin1', 1, 6) !== 'NUMPY' || !/'descr': '<f4'/.test(head) || !/'fortran_order': False/.test(head) || !shape)
        throw new Error(`${path}: not a float32 .npy [H,W]`);
    const dims = [Number(shape[1]), Number(shape[2])], data = new Float32Array(dims[0] * dims[1]);
    for (let i = 0; i < data.length; i++) data[i] = b.readFloatLE(start + 4 * i);
    return {dims, data};
}

function writeNpy(path, dims, arrays) {
    let head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')}), }`;
    head = head.padEnd(Math.ceil((head.length + 11) / 64) * 64 - 11) + '\n';
    const prefix = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, head.length & 255, head.length >> 8]);
    const body = arrays.map(a => Buffer.from(a.buffer, a.byteOffset, a.byteLength));
    fs.writeFileSync(path, Buffer.concat([prefix, Buffer.from(head, 'latin1'), ...body]));
}

/* The members of this thread. */
class Members {
    static async load(paths, threads, image) {
        const m = new Members();
        m.sessions = [];
        for (const p of paths) m.sessions.push(await ort.InferenceSession.create(p, settings(threads)));
        m.feed = {image: new ort.Tensor('float32', image.data, [1, 1, ...image.dims])};
        return m;
    }
    async run() {
        const out = [];
        for (const s of this.sessions) out.push((await s.run(this.feed)).probability);
        return out;
    }
}

/* Members side by side, each on one thread of its own: member i belongs to thread i mod n. */
class SideBySide {
    static async load(paths, threads, image) {
        const s = new SideBySide();
        s.members = paths.length;
        s.workers = [];
        for (let t = 0; t < Math.min(threads, paths.length); t++) {
            const mine = paths.filter((_, i) => i % threads === t);
            s.workers.push(new Worker(__filename, {workerData: {paths: mine, image}}));
        }
        await s.ask('load');
        return s;
    }
    ask(what) {
        return Promise.all(this.workers.map(w => new Promise((done, failed) => {
            w.once('message', done);
            w.once('error', failed);
            w.postMessage(what);
        })));
    }
    async run() {
        await this.ask('run');
    }
    /* Outputs stay in the threads until they are wanted, so that copying them is not timed. */
    async outputs() {
        const parts = await this.ask('outputs'), n = parts.length;
        return Array.from({length: this.members}, (_, i) => parts[i % n][Math.floor(i / n)]);
    }
    async end() {
        for (const w of this.workers) await w.terminate();
    }
}

async function worker() {
    let members, out;
    parentPort.on('message', async what => {
        if (what === 'load') members = await Members.load(workerData.paths, 1, workerData.image);
        if (what === 'run') out = await members.run();
        parentPort.postMessage(what === 'outputs' ? out.map(o => ({dims: o.dims, data: o.data})) : what);
    });
}

async function timed(run) {
    const cpu = process.cpuUsage(), wall = process.hrtime.bigint(), out = await run();
    const seconds = Number(process.hrtime.bigint() - wall) / 1e9, used = process.cpuUsage(cpu);
    return {out, seconds, cpu_seconds: (used.user + used.system) / 1e6};
}

/* The best seconds of each run; in turn, so that whatever else the machine does hits all alike. */
async function fastest(runs, rounds) {
    const best = {};
    for (const [name, run] of Object.entries(runs)) {
        await run();
        best[name] = Infinity;
    }
    for (let i = 0; i < rounds; i++)
        for (const [name, run] of Object.entries(runs)) best[name] = Math.min(best[name], (await timed(run)).seconds);
    return best;
}

const say = fields => fs.writeSync(1, JSON.stringify(fields) + '\n');

async function main() {
    const args = process.argv.slice(2);
    const option = name => args.splice(args.indexOf(name), 2)[1];
    const image = readNpy(option('--image')), threads = Number(option('--threads')), paths = args;
    const inTurn = 'members in turn', sideBySide = 'members side by side';
    const few = paths.slice(0, threads), runs = {}, together = await Members.load(few, threads, image);
    runs[inTurn] = () => together.run();
    let apart;
    if (threads > 1 && paths.length > 1) {
        apart = await SideBySide.load(few, threads, image);
        runs[sideBySide] = () => apart.run();
    }
    const tried = await fastest(runs, 4);
    if (apart) await apart.end();
    const config = tried[sideBySide] < tried[inTurn] ? sideBySide : inTurn;
    const all = await (config === sideBySide ? SideBySide : Members).load(paths, threads, image);
    let out = await all.run();
    say({
        name: 'ONNX Runtime',
        version: ort.env.versions.node || ort.env.versions.common,
        config,
        tried: Object.entries(tried).map(([k, v]) => `${k} ${(v / few.length).toFixed(4)} s`).join('; '),
    });
    for await (const line of readline.createInterface({input: process.stdin})) {
        const [what, ...rest] = line.split(' ');
        if (what === 'run') {
            const t = await timed(() => all.run());
            out = t.out;
            say({seconds: t.seconds, cpu_seconds: t.cpu_seconds});
        } else if (what === 'save') {
            const path = rest.join(' '), maps = all.outputs ? await all.outputs() : out;
            writeNpy(path, [maps.length, ...maps[0].dims.slice(1)], maps.map(o => o.data));
            say({saved: path});
        } else {
            break;
        }
    }
    process.exit(0);
}

if (isMainThread)
    main().catch(e => {
        console.error(`onnx_peer: ${e.message}`);
        process.exit(1);
    });
else
    worker();
