/* teach.js - drawing walls on a frame, for reshed-train tune: lines that follow the nearest edge,
 * brush, eraser, regions to ignore; undo; saved through the program. */
import { state, on, get, postLabels, tell } from './link.js';
import { maps, frame } from './data.js';
import { view, enlarge } from './view.js';
import { setTool, addLayer, redraw } from './maps.js';
import { costs, nearestEdge, path, straight, disc, inside, thin } from './snap.js';
import { toast } from './steer.js';
import { $, make, say } from './text.js';

const wall = 1, ignore = 2;
let labels = new Uint8Array(0), layer = null, undo = [], redo = [], kind = 'line', cost = null, unsaved = false;
let open = null; /* the line or region that is being drawn: {nodes, pixels, preview} */
let stroke = null, of = ''; /* the frame that the labels are of */

const active = () => document.body.dataset.mode === 'teach';

/* ------------------------------------------------------------------------------------- changes */
function prepare() {
    const n = frame.rows * frame.cols;
    if (labels.length === n && layer && of === place()) return;
    of = place();
    unsaved = false;
    labels = new Uint8Array(n);
    layer = make('canvas', { width: String(frame.cols), height: String(frame.rows) });
    undo = [];
    redo = [];
    open = stroke = cost = null;
    restore();
}

/* An edit is the pixels that it changed, with their values before and after. */
function change(pixels, value, keepWalls = false) {
    const seen = new Set(), at = [], before = [];
    for (const i of pixels) {
        if (seen.has(i) || labels[i] === value || (keepWalls && labels[i] === wall)) continue;
        seen.add(i);
        at.push(i);
        before.push(labels[i]);
        labels[i] = value;
    }
    return { at, before, after: at.map(() => value) };
}
function commit(step) {
    if (!step.at.length) return;
    undo.push(step);
    if (undo.length > 500) undo.shift();
    redo = [];
    unsaved = true;
    show();
}
function back() {
    if (open?.nodes.length > 1) return dropNode();
    if (open) { open = null; return show(); }
    swap(undo, redo, 'before');
}
const forth = () => swap(redo, undo, 'after');
function swap(from, to, which) {
    const s = from.pop();
    if (!s) return;
    s.at.forEach((i, k) => { labels[i] = s[which][k]; });
    to.push(s);
    unsaved = true;
    show();
}

function show() {
    if (!layer) return;
    const ink = layer.getContext('2d'), px = ink.createImageData(frame.cols, frame.rows), out = new Uint32Array(px.data.buffer);
    let walls = 0, ignored = 0;
    for (let r = 0, i = 0; r < frame.rows; r++)
        for (let c = 0; c < frame.cols; c++, i++) {
            if (labels[i] === wall) { walls++; out[i] = 0xff14a0ff; } /* orange, bytes r g b a */
            else if (labels[i] === ignore) { ignored++; out[i] = (r + c) % 4 < 2 ? 0xb0e8d060 : 0x60e8d060; }
        }
    ink.putImageData(px, 0, 0);
    say($('teach-count'), `${walls} pixels of wall, ${ignored} to ignore${unsaved ? ', not saved' : ''}`);
    $('undo').disabled = !undo.length && !open;
    $('redo').disabled = !redo.length;
    $('finish').hidden = !open;
    keep();
    redraw();
}

/* Labels that are not saved outlive a reload of the page. */
const place = () => `labels-${state.source?.name}-${state.source?.started}-${frame.rows}x${frame.cols}`;
let keepTimer = 0;
function keep() {
    clearTimeout(keepTimer);
    const where = of;
    keepTimer = setTimeout(() => {
        if (where !== of) return;
        const runs = [];
        for (let i = 0; i < labels.length;) {
            let j = i;
            while (j < labels.length && labels[j] === labels[i]) j++;
            runs.push(labels[i], j - i);
            i = j;
        }
        try { sessionStorage.setItem(where, JSON.stringify({ runs, unsaved })); } catch { /* too many: then a reload loses them */ }
    }, 300);
}
async function restore() {
    try {
        const kept = JSON.parse(sessionStorage.getItem(of));
        if (kept) {
            for (let k = 0, i = 0; k < kept.runs.length; k += 2) { labels.fill(kept.runs[k], i, i + kept.runs[k + 1]); i += kept.runs[k + 1]; }
            unsaved = kept.unsaved;
            return show();
        }
    } catch { /* none */ }
    if (!state.labels?.label) return show();
    try {
        const mine = of, bytes = new Uint8Array(await (await get('labels')).arrayBuffer()), n = labels.length;
        if (mine === of && bytes.length === 2 * n && !undo.length) for (let i = 0; i < n; i++) labels[i] = bytes[n + i] ? ignore : bytes[i] ? wall : 0;
    } catch { /* none */ }
    show();
}

/* ------------------------------------------------------------------------------------- tools */
const size = () => Number($('teach-size').value);
const snapping = e => $('teach-snap').checked && !e.altKey;
function edges() {
    if (!cost) cost = costs(frame.rows, frame.cols, maps.get('probability')?.data, maps.get('amplitude')?.data || [...maps.values()][0].data);
    return cost;
}
const clampSpot = s => ({ row: Math.min(frame.rows - 1, Math.max(0, s.row)), col: Math.min(frame.cols - 1, Math.max(0, s.col)) });

function node(s, e) {
    const p = clampSpot(s);
    return snapping(e) && kind === 'line' ? nearestEdge(edges(), frame.rows, frame.cols, p.row, p.col, 4) : Math.round(p.row) * frame.cols + Math.round(p.col);
}
const between = (a, b, e) => kind === 'line' && snapping(e) ? path(edges(), frame.rows, frame.cols, a, b) : straight(frame.cols, a, b);

/* True when it is one more. */
function addNode(s, e) {
    const n = node(s, e), before = open ? open.nodes.length : 0;
    if (!open) open = { nodes: [n], parts: [] };
    else if (n !== open.nodes[open.nodes.length - 1]) {
        open.parts.push(between(open.nodes[open.nodes.length - 1], n, e));
        open.nodes.push(n);
    }
    open.preview = null;
    show();
    return open.nodes.length > before;
}
function dropNode() {
    open.nodes.pop();
    open.parts.pop();
    open.preview = null;
    show();
}
function finish() {
    if (!open) return;
    const done = open;
    open = null;
    if (kind === 'ignore') {
        if (done.nodes.length > 2) commit(change(inside(frame.rows, frame.cols, done.nodes.map(n => [Math.floor(n / frame.cols), n % frame.cols])), ignore));
    } else {
        const all = [], width = size() > 4 ? 1 : 0;
        for (const i of done.parts.flat()) disc(frame.rows, frame.cols, Math.floor(i / frame.cols), i % frame.cols, width, all);
        commit(change(all, wall));
    }
    show();
}

function brush(s) {
    const last = stroke.last || s, n = Math.max(1, Math.ceil(Math.hypot(s.row - last.row, s.col - last.col))), all = [];
    for (let k = 0; k <= n; k++)
        disc(frame.rows, frame.cols, last.row + (s.row - last.row) * k / n, last.col + (s.col - last.col) * k / n,
            kind === 'erase' ? size() : size() / 2 - 0.5, all);
    const c = change(all, kind === 'erase' ? 0 : wall);
    stroke.at.push(...c.at);
    stroke.before.push(...c.before);
    stroke.after.push(...c.after);
    stroke.last = s;
    show();
}

const tool = {
    press(s, e) {
        if (kind === 'look') return false;
        if (kind === 'line' || kind === 'ignore') {
            this.added = addNode(s, e);
            this.free = kind === 'ignore';
        } else {
            stroke = { at: [], before: [], after: [] };
            brush(clampSpot(s));
        }
        return true;
    },
    drag(s, e) {
        if (stroke) brush(clampSpot(s));
        else if (this.free && open) {
            const n = node(s, e), last = open.nodes[open.nodes.length - 1];
            if (Math.hypot(Math.floor(n / frame.cols) - Math.floor(last / frame.cols), n % frame.cols - last % frame.cols) * s.pixel > 5) addNode(s, e);
        }
    },
    release() {
        if (stroke) {
            const { at, before, after } = stroke;
            stroke = null;
            commit({ at, before, after });
        }
        this.free = this.added = false;
    },
    cancel() {
        if (stroke) for (let k = stroke.at.length - 1; k >= 0; k--) labels[stroke.at[k]] = stroke.before[k];
        stroke = null;
        if (this.added && open) {
            if (open.nodes.length > 1) dropNode();
            else open = null;
        }
        this.free = this.added = false;
        show();
    },
    hover(s, e) {
        if (!open) return redraw();
        const n = node(s, e), last = open.nodes[open.nodes.length - 1];
        open.preview = n === last ? null : between(last, n, e);
        redraw();
    },
    double() { finish(); },
    key(e, s) {
        if (e.key === 'Enter' || e.key === ' ') {
            if (kind === 'look') return false;
            if (kind === 'brush' || kind === 'erase') { this.press(s, e); this.release(); }
            else if (open && e.key === 'Enter' && node(s, e) === open.nodes[open.nodes.length - 1]) finish();
            else addNode(s, e);
        } else if (e.key === 'Backspace' && open) { if (open.nodes.length > 1) dropNode(); else { open = null; show(); } }
        else if (e.key === 'Escape' && open) finish();
        else return false;
        return true;
    },
    draw() {},
};

addLayer(({ ink, at, big, place: p, pixel }, m) => {
    if (!active() || !layer) return;
    ink.imageSmoothingEnabled = false;
    if (big || m.name === 'overlay') {
        ink.globalAlpha = Number($('teach-opacity').value) / 100;
        ink.drawImage(layer, p.x, p.y, p.w, p.h);
        ink.globalAlpha = 1;
    }
    if (!big) return;
    if (open) {
        const spots = list => list.map(i => at(Math.floor(i / frame.cols), i % frame.cols));
        for (const [part, dash] of [...open.parts.map(x => [x, []]), ...(open.preview ? [[open.preview, [4, 3]]] : [])]) {
            ink.beginPath();
            spots(part).forEach(([x, y], i) => ink[i ? 'lineTo' : 'moveTo'](x, y));
            ink.setLineDash([]);
            ink.lineWidth = 4; ink.strokeStyle = 'rgba(0,0,0,.6)'; ink.stroke();
            ink.setLineDash(dash);
            ink.lineWidth = 2; ink.strokeStyle = kind === 'ignore' ? '#60d0e8' : '#ffb040'; ink.stroke();
        }
        ink.setLineDash([]);
        for (const [x, y] of spots(open.nodes)) {
            ink.fillStyle = '#fff';
            ink.fillRect(x - 3, y - 3, 6, 6);
            ink.lineWidth = 1; ink.strokeStyle = '#000'; ink.strokeRect(x - 3, y - 3, 6, 6);
        }
    }
    if ((kind === 'brush' || kind === 'erase') && view.row >= 0) {
        ink.beginPath();
        ink.arc(...at(view.row, view.col), Math.max(1, (kind === 'erase' ? size() + 0.5 : size() / 2) * pixel), 0, 7);
        ink.lineWidth = 1; ink.strokeStyle = '#fff'; ink.stroke();
    }
});

/* ------------------------------------------------------------------------------------- panel */
export function setKind(k) {
    finish();
    kind = k;
    for (const b of document.querySelectorAll('#teach-tools button')) b.setAttribute('aria-pressed', String(b.dataset.kind === k));
    setTool(active() ? tool : null);
}

function fromMap() {
    const p = maps.get('probability');
    if (!p) return;
    const threshold = Number($('teach-threshold').value), mask = new Uint8Array(labels.length);
    for (let i = 0; i < mask.length; i++) mask[i] = p.data[i] > threshold ? 1 : 0;
    thin(mask, frame.rows, frame.cols);
    const off = [], set = [];
    for (let i = 0; i < mask.length; i++) {
        if (mask[i] && labels[i] !== ignore) set.push(i);
        else if (labels[i] === wall) off.push(i);
    }
    const a = change(off, 0), b = change(set, wall);
    commit({ at: [...a.at, ...b.at], before: [...a.before, ...b.before], after: [...a.after, ...b.after] });
}

async function save() {
    finish();
    const n = labels.length, bytes = new Uint8Array(2 * n);
    for (let i = 0; i < n; i++) { bytes[i] = labels[i] === wall ? 1 : 0; bytes[n + i] = labels[i] === ignore ? 1 : 0; }
    $('teach-save').setAttribute('aria-busy', 'true');
    try {
        state.labels = await postLabels(bytes);
        unsaved = false;
        tell(['labels']);
        toast(`saved as ${state.labels.label}`);
    } catch (e) {
        toast(e.message, true);
    }
    $('teach-save').removeAttribute('aria-busy');
    show();
}

function saved() {
    const l = state.labels;
    $('teach-saved').hidden = !l?.label;
    if (!l?.label) return;
    say($('teach-files'), [l.label, l.ignore].filter(Boolean).join(', '));
    say($('teach-command'), l.command || '');
}

export function teach(yes) {
    finish();
    document.body.dataset.mode = yes ? 'teach' : 'watch';
    $('teach').hidden = !yes;
    $('tabs').hidden = yes;
    $('mode-watch').setAttribute('aria-pressed', String(!yes));
    $('mode-teach').setAttribute('aria-pressed', String(yes));
    if (yes) {
        prepare();
        cost = null;
        if (!view.big || view.big === 'overlay') enlarge(maps.has('amplitude') ? 'amplitude' : [...maps.keys()][0]);
        const may = !!state.viewer?.may_steer || state.source?.kind !== 'scan';
        $('teach-save').disabled = !may;
        $('teach-save').title = may ? 'Save beside the session' : 'Only the address with the steering token may save';
        $('teach-map').disabled = !maps.has('probability');
        show();
    }
    setTool(yes ? tool : null);
    tell(['mode']);
}

export function teachKey(e) {
    if (!active()) return false;
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'z') { if (e.shiftKey) forth(); else back(); return true; }
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'y') { forth(); return true; }
    if (e.ctrlKey || e.metaKey) return false;
    const k = { l: 'line', b: 'brush', e: 'erase', i: 'ignore', v: 'look' }[e.key];
    if (k) setKind(k);
    else if (e.key === 'Escape' && open) finish();
    else if (e.key === '[' || e.key === ']') $('teach-size').value = String(size() + (e.key === ']' ? 1 : -1));
    else return false;
    redraw();
    return true;
}

export function listen() {
    for (const b of document.querySelectorAll('#teach-tools button')) b.onclick = () => setKind(b.dataset.kind);
    $('mode-watch').onclick = () => teach(false);
    $('mode-teach').onclick = () => teach(true);
    $('undo').onclick = back;
    $('redo').onclick = forth;
    $('finish').onclick = finish;
    $('teach-map').onclick = fromMap;
    $('teach-clear').onclick = () => commit(change(labels.keys(), 0));
    $('teach-save').onclick = save;
    $('teach-copy').onclick = async () => {
        try { await navigator.clipboard.writeText($('teach-command').textContent); toast('copied'); } catch { getSelection().selectAllChildren($('teach-command')); }
    };
    $('teach-opacity').oninput = redraw;
    $('teach-threshold').oninput = () => say($('teach-threshold-value'), Number($('teach-threshold').value).toFixed(2));
    on(['labels'], saved);
    on(['arranged'], () => { layer = null; if (active()) prepare(); });
    /* Another region of the scan: a frame of its own, of the same size or not. */
    on(['source', 'frame'], () => { if (active() && layer && of !== place()) prepare(); });
    on(['pixels'], () => { cost = null; });
}
