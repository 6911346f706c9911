/* data.js - the maps' values: fetched row by row, coloured, and what is made of two of them. */
import { state, on, tell, rows } from './link.js';
import { table } from './colour.js';

/* name -> {name, title, unit, kind, there, data, scale, image, dirty} in the order of the page. */
export const maps = new Map();
export const frame = { rows: 0, cols: 0, width: 1, height: 1, states: new Uint8Array(0) };

const defaults = {
    value: { palette: 'sea', mode: 'percentile', low: 0.5, high: 99.5 },
    angle: { palette: 'ring', mode: 'hand', low: -180, high: 180, auto: true },
    probability: { palette: 'leaf', mode: 'hand', low: 0, high: 1 },
    variance: { palette: 'ember', mode: 'percentile', low: 0, high: 99.5 },
    overlay: { palette: 'grey', mode: 'percentile', low: 0.5, high: 99.5 },
    doubt: { palette: 'ember', mode: 'hand', low: 0, high: 1 },
};
const wanted = ['amplitude', 'phase', 'frequency', 'q', 'probability', 'variance'];
const group = m => m.kind === 'probability' || m.kind === 'variance' ? 'net' : 'line';

function blank(m) {
    const n = frame.rows * frame.cols, old = maps.get(m.name);
    const settings = old?.settings || { ...(m.name === 'amplitude' ? { ...defaults.value, palette: 'grey' } : defaults[m.kind] || defaults.value), ...stored(m.name) };
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, frame.cols);
    canvas.height = Math.max(1, frame.rows);
    const ink = canvas.getContext('2d');
    return { ...m, settings, data: new Float32Array(n).fill(NaN), range: [0, 1], canvas, ink,
        pixels: n ? ink.createImageData(frame.cols, frame.rows) : null, from: 0, to: frame.rows };
}

function stored(name) {
    try { return JSON.parse(localStorage.getItem('scale-' + name)) || {}; } catch { return {}; }
}
export function store(m) {
    try { localStorage.setItem('scale-' + m.name, JSON.stringify(m.settings)); } catch { /* not kept then */ }
}

/* Angles are shown in degrees. */
export const shownUnit = m => m.kind === 'angle' ? '°' : m.unit;
const toShown = 180 / Math.PI;

function arrange() {
    if (!state.frame || !state.maps) return;
    const f = state.frame;
    Object.assign(frame, { rows: f.rows, cols: f.cols, width: f.width > 0 ? f.width : f.cols,
        height: f.height > 0 ? f.height : f.rows, metric: f.width > 0 && f.height > 0 });
    if (frame.states.length !== f.rows) frame.states = new Uint8Array(f.rows);
    const there = new Map(state.maps.filter(m => m.there).map(m => [m.name, m]));
    const list = [...wanted.filter(n => there.has(n)), ...[...there.keys()].filter(n => !wanted.includes(n))].map(n => there.get(n));
    const map = there.get('probability'), ground = there.get('amplitude');
    if (map && ground) list.push({ name: 'overlay', title: 'Walls on amplitude', unit: ground.unit, kind: 'overlay', of: ['amplitude', 'probability'] });
    if (map) list.push({ name: 'doubt', title: 'Doubt', unit: '', kind: 'doubt', of: ['probability'],
        hint: 'Doubt 4·p·(1−p): 1 where the mean probability is one half, 0 where the ensemble is sure' });
    const names = list.map(m => m.name).join();
    if (!names) return tell(['arranged']);
    if (names === [...maps.keys()].join() && [...maps.values()].every(m => m.data.length === f.rows * f.cols)) return;
    const made = list.map(blank);
    maps.clear();
    for (const m of made) maps.set(m.name, m);
    tell(['arranged']);
}

function setStates(from, digits) {
    for (let i = 0; i < digits.length && from + i < frame.rows; i++) frame.states[from + i] = digits.charCodeAt(i) - 48;
}

/* ------------------------------------------------------------------------------------- fetching
 * One request of each map at a time; rows that change in between go together into the next one. Two requests in
 * all: a browser opens six connections to a host for all of its tabs, and a stop must find one free. */
const wants = new Map(), busy = new Set(), together = 2;
let soon = 0;

function want(from, to, which) {
    for (const m of maps.values()) {
        if (m.of || (which && group(m) !== which)) continue;
        const w = wants.get(m.name) || [from, to];
        wants.set(m.name, [Math.min(w[0], from), Math.max(w[1], to)]);
    }
    /* Events that come together ask once. */
    if (!soon) soon = setTimeout(() => { soon = 0; pullAll(); }, 4);
}

/* The map that was fetched last comes last, so that each has its turn. */
let turn = 0;
function pullAll() {
    const list = [...maps.values()];
    for (let k = 0, n = list.length; k < n && busy.size < together; k++) pull(list[turn++ % n]);
}

async function pull(m) {
    const w = wants.get(m.name);
    if (!w || busy.has(m.name) || busy.size >= together || w[1] <= w[0]) return;
    busy.add(m.name);
    wants.delete(m.name);
    /* No more than a megabyte at once, so that a large frame appears piece by piece. */
    const most = Math.max(1, Math.floor(262144 / Math.max(1, frame.cols)));
    const to = Math.min(w[1], w[0] + most);
    if (to < w[1]) wants.set(m.name, [to, w[1]]);
    try {
        const values = await rows(m.name, w[0], to - w[0]);
        if (maps.get(m.name) === m) take(m, w[0], values);
    } catch (e) {
        if (maps.get(m.name) === m) {
            const again = wants.get(m.name) || w;
            wants.set(m.name, [Math.min(again[0], w[0]), Math.max(again[1], w[1])]);
            await new Promise(done => setTimeout(done, 1000));
        }
    }
    busy.delete(m.name);
    pullAll();
}

function take(m, from, values) {
    if (m.kind === 'angle') for (let i = 0; i < values.length; i++) values[i] *= toShown;
    m.data.set(values.subarray(0, m.data.length - from * frame.cols), from * frame.cols);
    const to = from + Math.floor(values.length / Math.max(1, frame.cols));
    touch(m, from, to);
    for (const d of maps.values()) {
        if (!d.of?.includes(m.name)) continue;
        derive(d, from, to);
        touch(d, from, to);
    }
    tell(['pixels']);
}

function derive(d, from, to) {
    const a = frame.cols * from, b = frame.cols * to;
    const p = maps.get('probability').data;
    if (d.name === 'doubt') for (let i = a; i < b; i++) d.data[i] = 4 * p[i] * (1 - p[i]);
    else d.data.set(maps.get('amplitude').data.subarray(a, b), a);
}

function touch(m, from, to) {
    m.from = Math.min(m.from, from);
    m.to = Math.max(m.to, to);
    m.stale = true;
}

/* ------------------------------------------------------------------------------------- colouring */
function percentiles(values, low, high) {
    const step = Math.max(1, Math.floor(values.length / 30000)), some = [];
    for (let i = 0; i < values.length; i += step) if (isFinite(values[i])) some.push(values[i]);
    if (!some.length) return [0, 1];
    const sorted = Float32Array.from(some).sort(), at = p => sorted[Math.round((sorted.length - 1) * p / 100)];
    const lo = at(low), hi = at(high);
    return hi > lo ? [lo, hi] : [lo - 0.5 * Math.abs(lo || 1), lo + 0.5 * Math.abs(lo || 1)];
}

const [wr, wg, wb] = [255, 138, 20]; /* walls on grey */
/* Brings the map's picture up to date. A scale by percentile that hardly moved is left as it is, so
 * that a new line costs a line. */
export function paint(m) {
    if (!m.pixels || m.from >= m.to) return;
    const s = m.settings;
    let range = s.mode === 'hand' && !s.auto ? [s.low, s.high] : m.range, palette = m.palette || s.palette;
    if ((s.mode !== 'hand' || s.auto) && (m.stale || !m.palette)) {
        /* Angles that stay together are told apart by a scale of their own; others need the ring. */
        const wide = s.auto ? percentiles(m.data, 0.5, 99.5) : null, ring = wide && wide[1] - wide[0] > 120;
        const now = ring ? [s.low, s.high] : wide || percentiles(m.data, s.low, s.high), span = m.range[1] - m.range[0];
        if (m.kind === 'variance' && s.low === 0) now[0] = 0;
        const moved = Math.abs(now[0] - m.range[0]) + Math.abs(now[1] - m.range[1]);
        if (!(moved < 0.02 * span) || !m.palette) range = now;
        palette = !s.auto || ring ? s.palette : 'sea';
    } else if (!s.auto) palette = s.palette;
    if (range[0] !== m.range[0] || range[1] !== m.range[1] || m.palette !== palette) [m.from, m.to] = [0, frame.rows];
    m.range = range;
    m.palette = palette;
    m.stale = false;
    const out = new Uint32Array(m.pixels.data.buffer), colours = table(palette);
    const gain = 256 / (range[1] - range[0] || 1), low = range[0];
    for (let i = m.from * frame.cols; i < m.to * frame.cols; i++) {
        const v = m.data[i];
        const t = (v - low) * gain; /* may be infinite: bounded before it becomes an integer */
        out[i] = v !== v ? 0 : colours[t >= 255 ? 255 : t > 0 ? t | 0 : 0];
    }
    if (m.name === 'overlay') cover(m);
    m.ink.putImageData(m.pixels, 0, 0, 0, m.from, frame.cols, m.to - m.from);
    [m.from, m.to] = [frame.rows, 0];
}

function cover(m) {
    const p = maps.get('probability').data, bytes = m.pixels.data;
    for (let i = m.from * frame.cols; i < m.to * frame.cols; i++) {
        if (!(p[i] > 0.15)) continue;
        const k = Math.min(1, (p[i] - 0.15) / 0.5), j = 4 * i;
        bytes[j] += (wr - bytes[j]) * k;
        bytes[j + 1] += (wg - bytes[j + 1]) * k;
        bytes[j + 2] += (wb - bytes[j + 2]) * k;
        bytes[j + 3] = 255;
    }
}

export function repaint(m) {
    [m.from, m.to, m.stale] = [0, frame.rows, true];
    tell(['pixels']);
}

export function listen() {
    on(['frame', 'maps'], arrange);
    on(['rows'], () => { if (state.rows?.states) setStates(0, state.rows.states); });
    on(['changed'], () => {
        const c = state.changed;
        if (c.states) setStates(c.from, c.states);
        want(c.from, c.to, c.maps);
    });
    on(['whole'], () => want(0, frame.rows));
    on(['arranged'], () => want(0, frame.rows));
}
