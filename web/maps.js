/* maps.js - the tiles with the maps: their pictures, and over them rows' states, the front, points
 * and route, the cursor, the scale bar, and what the tools of other files draw. */
import { state, on } from './link.js';
import { maps, frame, paint, repaint, store, shownUnit } from './data.js';
import { view, setCursor, zoomAt, panBy, fit, follow, look, enlarge } from './view.js';
import { palettes, table, css } from './colour.js';
import { $, make, say, number, scaled, ticks, quantity } from './text.js';

const strip = 7; /* CSS pixels: the margin with the rows' states */
const tiles = new Map();
let queued = false;

/* A tool takes clicks on a map: {press, drag, release or cancel, key, draw, cursor}; null: they look and pan. */
let tool = null;
export function setTool(t) {
    if (tool !== t) tool?.cancel?.();
    tool = t;
    for (const e of tiles.values()) e.pane.classList.toggle('tool', !!t);
    redraw();
}
let layers = [];
export function addLayer(fn) { layers.push(fn); }

export function redraw() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
        queued = false;
        for (const t of tiles.values()) draw(t);
    });
}

/* ------------------------------------------------------------------------------------- geometry */
/* Where the frame lies in a tile, in CSS pixels: {x, y, w, h}, after zoom and pan. */
function place(t) {
    const w = t.width - strip, h = t.height, aspect = frame.width / frame.height;
    const fitW = Math.min(w, h * aspect), fitH = fitW / aspect;
    const W = fitW * view.zoom, H = fitH * view.zoom;
    const at = (room, size, c) => size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, room / 2 - c * size));
    return { x: strip + at(w, W, view.x), y: at(h, H, view.y), w: W, h: H };
}
function toFrame(t, e) {
    const box = t.pane.getBoundingClientRect(), p = place(t);
    return { fx: (e.clientX - box.left - p.x) / p.w, fy: (e.clientY - box.top - p.y) / p.h, p };
}
const spot = (t, e) => {
    const f = toFrame(t, e);
    return { row: f.fy * frame.rows - 0.5, col: f.fx * frame.cols - 0.5, pixel: f.p.w / frame.cols, tile: t };
};

/* ------------------------------------------------------------------------------------- building */
function build() {
    const host = $('tiles');
    host.replaceChildren();
    tiles.clear();
    let n = 0;
    for (const m of maps.values()) {
        n++;
        const name = make('button', { class: 'name', type: 'button', title: `${m.hint ? m.hint + '. ' : ''}Enlarge, or back (key ${n})` });
        name.append(m.title, make('span', { class: 'unit' }, shownUnit(m) ? ` / ${shownUnit(m)}` : ''));
        const value = make('output', { class: 'value', 'aria-label': `${m.title} at the cursor` });
        const picture = make('canvas'), over = make('canvas', { class: 'over' });
        const pane = make('div', { class: 'pane', tabindex: '0', role: 'application', 'aria-roledescription': 'map',
            'aria-label': `${m.title}: arrows move the cursor, plus and minus zoom, Alt and arrows move the view` }, picture, over);
        const low = make('span'), high = make('span'), bar = make('canvas', { width: '128', height: '1' });
        const scale = make('button', { class: 'scale', type: 'button', title: 'Colour scale' }, low, bar, high);
        const tile = make('figure', { class: 'tile', 'data-map': m.name }, make('figcaption', {}, name, value), pane, scale);
        const t = { m, tile, pane, picture, over, value, low, high, bar, scale, width: 0, height: 0 };
        name.onclick = () => enlarge(m.name);
        scale.onclick = () => openScale(t);
        tiles.set(m.name, t);
        handle(t);
        host.append(tile);
        sizes.observe(pane);
    }
    if (!n) host.append(make('p', { class: 'none' }, 'The maps appear with the first line.'));
    if (view.big && !maps.has(view.big)) view.big = null;
    arrange();
}

function arrange() {
    const host = $('tiles');
    host.classList.toggle('one', !!view.big);
    host.style.setProperty('--aspect', String(Math.min(2, Math.max(0.5, frame.width / frame.height))));
    host.style.setProperty('--count', String(tiles.size));
    for (const [name, t] of tiles) {
        t.tile.classList.toggle('big', name === view.big);
        t.tile.querySelector('.name').setAttribute('aria-pressed', String(name === view.big));
    }
    $('all').setAttribute('aria-pressed', String(!view.big));
    redraw();
}

const sizes = new ResizeObserver(entries => {
    for (const e of entries) {
        const t = [...tiles.values()].find(x => x.pane === e.target);
        if (!t) continue;
        t.width = e.contentRect.width;
        t.height = e.contentRect.height;
    }
    redraw();
});

/* ------------------------------------------------------------------------------------- drawing */
function draw(t) {
    const { m } = t, dpr = window.devicePixelRatio || 1;
    paint(m);
    const W = Math.round(t.width * dpr), H = Math.round(t.height * dpr);
    if (!W || !H || !frame.cols) return;
    for (const c of [t.picture, t.over]) if (c.width !== W || c.height !== H) { c.width = W; c.height = H; }
    const p = place(t), ink = t.picture.getContext('2d');
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.clearRect(0, 0, W, H);
    ink.fillStyle = colour.void;
    ink.fillRect(p.x * dpr, p.y * dpr, p.w * dpr, p.h * dpr);
    ink.imageSmoothingEnabled = p.w * dpr < 0.75 * frame.cols;
    ink.drawImage(m.canvas, p.x * dpr, p.y * dpr, p.w * dpr, p.h * dpr);
    const o = t.over.getContext('2d');
    o.setTransform(dpr, 0, 0, dpr, 0, 0);
    o.clearRect(0, 0, t.width, t.height);
    const big = m.name === view.big;
    const at = (row, col) => [p.x + (col + 0.5) / frame.cols * p.w, p.y + (row + 0.5) / frame.rows * p.h];
    const where = { ink: o, at, big, place: p, tile: t, pixel: p.w / frame.cols };
    drawStates(t, o, p);
    o.save();
    o.beginPath();
    o.rect(strip, 0, t.width - strip, t.height);
    o.clip();
    drawFront(t, o, p);
    if (view.points && document.body.dataset.mode !== 'teach' && (big || m.name === 'overlay')) drawPoints(where);
    for (const layer of layers) layer(where, m);
    if (tool?.draw) tool.draw(where, m);
    drawCursor(o, at, where.pixel);
    if (big || !view.big) drawBar(t, o, p);
    o.restore();
    label(t);
}

const colour = {};
export function colours() {
    const s = getComputedStyle(document.documentElement);
    for (const k of ['text', 'soft', 'line', 'accent', 'accent2', 'bad', 'warn', 'paper', 'good', 'void']) colour[k] = s.getPropertyValue('--' + k).trim();
    return colour;
}

/* Told by width as well as by colour: nothing, half and whole; stale rows are dashed. */
function drawStates(t, o, p) {
    const h = p.h / frame.rows, x = Math.max(0, p.x - strip);
    for (let i = 0; i < frame.rows;) {
        const s = frame.states[i];
        let j = i;
        while (j < frame.rows && frame.states[j] === s) j++;
        const y = Math.max(0, p.y + i * h), end = Math.min(t.height, p.y + j * h);
        if (s && end > y) {
            o.fillStyle = s === 2 ? colour.good : s === 4 ? colour.soft : colour.warn;
            if (s === 3) for (let d = y; d < end; d += 6) o.fillRect(x, d, strip - 3, Math.min(3, end - d));
            else o.fillRect(x, y, s === 1 ? 2 : strip - 3, end - y);
        }
        i = j;
    }
}

function drawFront(t, o, p) {
    const run = state.run?.phase;
    if (!state.scan || !['survey', 'rescan', 'starting'].includes(run) || state.scan.row === null || state.scan.row < 0) return;
    const y = p.y + (state.scan.row + (state.frame.upward ? 0 : 1)) / frame.rows * p.h, x = Math.max(strip, p.x);
    o.fillStyle = colour.accent;
    o.fillRect(x, y - 0.75, Math.min(t.width - x, p.w), 1.5);
    o.beginPath();
    o.moveTo(x, y - 5);
    o.lineTo(x + 6, y);
    o.lineTo(x, y + 5);
    o.fill();
}

/* The metric that colours the points: {index, low, high}; null when there is none. */
export const metric = { index: -1, low: 0, high: 1 };

function drawPoints({ ink: o, at, big }) {
    const list = state.points?.list;
    if (!list?.length) return;
    o.lineWidth = 1;
    if (big) {
        o.strokeStyle = 'rgba(255,255,255,.55)';
        o.beginPath();
        list.forEach((q, i) => o[i ? 'lineTo' : 'moveTo'](...at(q.row, q.col)));
        o.stroke();
    }
    const r = big ? 4 : 1.8, under = state.loops?.under_way;
    for (const q of list) {
        const [x, y] = at(q.row, q.col);
        o.beginPath();
        if (q.state === 2 || q.state === 3) {
            o.strokeStyle = '#fff';
            o.lineWidth = 1.5;
            o.moveTo(x - r, y - r); o.lineTo(x + r, y + r);
            if (q.state === 2) { o.moveTo(x - r, y + r); o.lineTo(x + r, y - r); }
            o.stroke();
            continue;
        }
        o.arc(x, y, r, 0, 2 * Math.PI);
        const v = q.state === 1 && q.metrics && metric.index >= 0 ? q.metrics[metric.index] : null;
        o.fillStyle = q.state === 0 ? 'rgba(0,0,0,.55)' : v === null ? '#888' : css('leaf', (v - metric.low) / (metric.high - metric.low || 1));
        o.fill();
        o.lineWidth = big ? 1.5 : 1;
        o.strokeStyle = q.state === 0 ? '#fff' : 'rgba(0,0,0,.8)';
        o.stroke();
    }
    for (const [index, colour] of [[under, '#fff'], [view.point, '#ff8a14']]) {
        const q = index >= 0 ? list.find(x => x.index === index) : null;
        if (!q) continue;
        o.beginPath();
        o.arc(...at(q.row, q.col), r + 4, 0, 2 * Math.PI);
        o.lineWidth = 4; o.strokeStyle = 'rgba(0,0,0,.7)'; o.stroke();
        o.lineWidth = 2; o.strokeStyle = colour; o.stroke();
    }
}

function drawCursor(o, at, pixel) {
    if (view.row < 0) return;
    const [x, y] = at(view.row, view.col), gap = Math.max(3, pixel / 2), arm = gap + 7;
    for (const [w, c] of [[3, 'rgba(0,0,0,.65)'], [1.25, '#fff']]) {
        o.lineWidth = w;
        o.strokeStyle = c;
        o.beginPath();
        for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
            o.moveTo(x + dx * gap, y + dy * gap);
            o.lineTo(x + dx * arm, y + dy * arm);
        }
        o.stroke();
    }
}

function drawBar(t, o, p) {
    const most = frame.width * Math.min(1, (t.width - strip) / p.w) * 0.36;
    const length = ticks(0, most, 1).pop() || ticks(0, most, 2).pop();
    if (!length) return;
    const w = length / frame.width * p.w, s = frame.metric ? scaled(length, 'm') : { factor: 1, unit: 'pixels' };
    const right = Math.min(t.width, p.x + p.w), x = right - w - 8, y = Math.min(t.height, p.y + p.h) - 9;
    o.fillStyle = 'rgba(0,0,0,.6)';
    o.fillRect(x - 4, y - 14, w + 8, 20);
    o.fillStyle = '#fff';
    o.fillRect(x, y, w, 2.5);
    o.font = '10.5px system-ui,sans-serif';
    o.textAlign = 'center';
    o.fillText(`${number(length * s.factor, 2).replace(/\.0$/, '')} ${s.unit}`, x + w / 2, y - 3.5);
}

function label(t) {
    const { m } = t, unit = shownUnit(m), s = scaled(Math.max(Math.abs(m.range[0]), Math.abs(m.range[1])), unit);
    const text = v => number(v * s.factor) + (s.unit && s.unit !== '1' ? '\u202f' + s.unit : '');
    /* A resonance lies far from 0 and spans little: its ends need more digits than three. */
    const digits = Math.min(7, 3 + Math.max(0, Math.floor(Math.log10(Math.max(Math.abs(m.range[0]), Math.abs(m.range[1])) / (m.range[1] - m.range[0] || 1)))));
    t.digits = digits;
    const end = v => digits > 3 ? number(v * s.factor, digits) + (s.unit ? '\u202f' + s.unit : '') : text(v);
    say(t.low, end(m.range[0]));
    say(t.high, end(m.range[1]));
    const key = m.palette || m.settings.palette;
    if (t.bar.dataset.palette !== key) {
        const c = t.bar.getContext('2d'), px = c.createImageData(128, 1), out = new Uint32Array(px.data.buffer);
        for (let i = 0; i < 128; i++) out[i] = table(key)[2 * i];
        c.putImageData(px, 0, 0);
        t.bar.dataset.palette = key;
    }
    t.scale.setAttribute('aria-label', `Colour scale of ${m.title}: ${t.low.textContent} to ${t.high.textContent}, ${m.settings.auto ? 'chosen' : m.settings.mode === 'hand' ? 'by hand' : `percentiles ${m.settings.low} to ${m.settings.high}`}. Change`);
    let shown = '';
    if (view.row >= 0) {
        const i = view.row * frame.cols + view.col;
        shown = m.name === 'overlay' ? '' : isFinite(m.data[i]) ? quantity(m.data[i], unit, Math.max(3, digits)) : 'no value';
    }
    say(t.value, shown);
}

const words = ['not scanned', 'provisional', 'final', 'out of date', 'scanned, no map'];
function readout() {
    if (view.row < 0 || view.row >= frame.rows) return;
    const x = (view.col + 0.5) / frame.cols * frame.width, y = (frame.rows - view.row - 0.5) / frame.rows * frame.height;
    const s = scaled(Math.max(frame.width, frame.height), 'm');
    const places = Math.max(0, Math.ceil(-Math.log10(frame.width / frame.cols * s.factor)));
    const where = frame.metric ? `x ${(x * s.factor).toFixed(places)}, y ${(y * s.factor).toFixed(places)} ${s.unit}; ` : '';
    say($('where'), `${where}row ${view.row}, column ${view.col}: ${words[frame.states[view.row]] || ''}`);
}

/* ------------------------------------------------------------------------------------- pointer */
function nearest(s) {
    const list = state.points?.list || [], reach = 9 / s.pixel;
    let best = null, least = reach * reach;
    for (const q of list) {
        const d = (q.row - s.row) ** 2 + (q.col - s.col) ** 2;
        if (d < least) { least = d; best = q; }
    }
    return best;
}
export { nearest };

function handle(t) {
    const touching = new Map();
    let last = null, moved = false, tooling = false, pinched = false;
    t.pane.onpointermove = e => {
        const s = spot(t, e);
        if (touching.has(e.pointerId)) touching.set(e.pointerId, e);
        if (touching.size === 2) return pinch();
        setCursor(Math.round(s.row), Math.round(s.col));
        if (tooling) return tool?.drag?.(s, e);
        if (tool?.hover) tool.hover(s, e);
        if (last && touching.size) {
            const dx = e.clientX - last.x, dy = e.clientY - last.y, p = place(t);
            if (moved || Math.hypot(dx, dy) > 4) {
                moved = true;
                panBy(-dx / p.w, -dy / p.h);
                last = { x: e.clientX, y: e.clientY };
            }
        } else if (!tool && e.pointerType === 'mouse') {
            const q = nearest(s);
            if (q) look(q.index);
        }
    };
    let spread = 0;
    function pinch() {
        const [a, b] = [...touching.values()], d = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
        const f = toFrame(t, { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 });
        if (spread) zoomAt(d / spread, f.fx, f.fy);
        spread = d;
    }
    t.pane.onpointerdown = e => {
        if (e.button > 1) return;
        touching.set(e.pointerId, e);
        t.pane.setPointerCapture(e.pointerId);
        /* A second finger: it is a pinch, and what the first one began was not meant. */
        if (touching.size > 1 && tooling) {
            tooling = false;
            tool?.cancel?.();
        }
        const s = spot(t, e);
        setCursor(Math.round(s.row), Math.round(s.col));
        moved = false;
        spread = 0;
        last = { x: e.clientX, y: e.clientY };
        tooling = touching.size === 1 && e.button === 0 && !e.shiftKey && !!tool?.press?.(s, e);
        pinched = touching.size > 1;
    };
    t.pane.onpointerup = t.pane.onpointercancel = e => {
        touching.delete(e.pointerId);
        if (tooling) {
            tooling = false;
            if (e.type === 'pointerup') tool?.release?.(spot(t, e), e);
            else tool?.cancel?.();
        } else if (!moved && !pinched && e.type === 'pointerup' && !tool) {
            const q = nearest(spot(t, e));
            if (q) look(q.index, true);
        }
        last = null;
    };
    t.pane.ondblclick = e => {
        if (tool?.double) return tool.double(spot(t, e), e);
        if (!tool) enlarge(t.m.name);
    };
    t.pane.addEventListener('wheel', e => {
        e.preventDefault();
        const f = toFrame(t, e);
        zoomAt(1.0018 ** -e.deltaY, f.fx, f.fy);
    }, { passive: false });
    t.pane.onkeydown = e => key(e, t);
}

function key(e, t) {
    const step = e.shiftKey ? 10 : 1;
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
    if (e.ctrlKey || e.metaKey) return;
    if (move && e.altKey) panBy(move[1] * 0.1 / view.zoom, move[0] * 0.1 / view.zoom);
    else if (move) {
        if (view.row < 0) setCursor(frame.rows >> 1, frame.cols >> 1);
        else setCursor(view.row + step * move[0], view.col + step * move[1]);
        follow();
        const s = { row: view.row, col: view.col, pixel: place(t).w / frame.cols, tile: t };
        if (tool?.hover) tool.hover(s, e);
        else { const q = nearest(s); if (q) look(q.index); }
    } else if (view.row >= 0 && tool?.key?.(e, { row: view.row, col: view.col, pixel: place(t).w / frame.cols, tile: t })) { /* the tool's */ }
    else return;
    e.preventDefault();
    e.stopPropagation();
}

/* ------------------------------------------------------------------------------------- scales */
let open = null;
function openScale(t) {
    open = t;
    const { settings, title } = t.m, box = $('scale');
    say($('scale-title'), `Colour scale: ${title}`);
    $('scale-palette').value = t.m.palette || settings.palette;
    const hand = settings.mode === 'hand' && !settings.auto;
    $('scale-hand').checked = hand;
    $('scale-percentile').checked = !hand;
    fillScale();
    box.showModal();
}
function fillScale() {
    const { m } = open, s = m.settings, hand = $('scale-hand').checked;
    const unit = scaled(Math.max(Math.abs(m.range[0]), Math.abs(m.range[1])), shownUnit(m));
    open.unit = hand ? unit : { factor: 1, unit: '%' };
    const same = !s.auto && hand === (s.mode === 'hand');
    const values = same ? [s.low, s.high] : hand ? m.range : [0.5, 99.5];
    $('scale-low').value = String(Number((values[0] * open.unit.factor).toPrecision(6)));
    $('scale-high').value = String(Number((values[1] * open.unit.factor).toPrecision(6)));
    for (const e of document.querySelectorAll('.scale-unit')) say(e, open.unit.unit);
}
function applyScale() {
    const low = Number($('scale-low').value) / open.unit.factor, high = Number($('scale-high').value) / open.unit.factor;
    const hand = $('scale-hand').checked;
    if (!(high > low) || (!hand && (low < 0 || high > 100))) {
        say($('scale-wrong'), hand ? 'The second value must be the larger one.' : 'Two percentiles, the smaller one first.');
        return;
    }
    say($('scale-wrong'), '');
    Object.assign(open.m.settings, { mode: hand ? 'hand' : 'percentile', low, high, palette: $('scale-palette').value, auto: false });
    store(open.m);
    repaint(open.m);
}

export function mapKey(e) {
    const n = Number(e.key);
    if (e.key === '0') { if (view.big) enlarge(view.big); }
    else if (n >= 1 && n <= tiles.size) enlarge([...tiles.keys()][n - 1]);
    else if (e.key === '+' || e.key === '=') zoomAt(1.5, ...focus());
    else if (e.key === '-') zoomAt(1 / 1.5, ...focus());
    else if (e.key === 'f') fit();
    else return false;
    return true;
}
const focus = () => view.row >= 0 ? [(view.col + 0.5) / frame.cols, (view.row + 0.5) / frame.rows] : [view.x, view.y];

export function listen() {
    colours();
    $('scale-palette').append(...palettes.map(p => make('option', { value: p.name }, p.title)));
    for (const id of ['scale-hand', 'scale-percentile']) $(id).onchange = () => { fillScale(); applyScale(); };
    for (const id of ['scale-low', 'scale-high', 'scale-palette']) $(id).onchange = applyScale;
    $('all').onclick = () => { if (view.big) enlarge(view.big); };
    $('zoom-in').onclick = () => zoomAt(1.5, ...focus());
    $('zoom-out').onclick = () => zoomAt(1 / 1.5, ...focus());
    $('fit').onclick = fit;
    $('show-points').onchange = e => { view.points = e.target.checked; redraw(); };
    on(['arranged'], build);
    on(['big'], arrange);
    on(['cursor'], readout);
    on(['pixels', 'view', 'cursor', 'point', 'points', 'scan', 'run', 'loops', 'rows', 'changed', 'metric', 'theme', 'loop'], redraw);
}
