/* charts.js - uncertainty and score against the line's number; loops and their average. */
import { state, on, get } from './link.js';
import { view, setCursor, look } from './view.js';
import { plot, line, extent } from './plot.js';
import { $, say, number, duration, plural, quantity } from './text.js';

/* ------------------------------------------------------------------------------------- lines */
let geometry = [null, null], hover = -1; /* an index of state.lines */
/* Lines that went through the network together are one entry: its number is that of the latest row. */
const lineOf = row => state.frame?.upward ? state.frame.rows - row : row + 1;

function drawLines() {
    const l = state.lines, none = !l || !l.row?.length;
    $('lines').classList.toggle('empty', none);
    if (none) return;
    const n = Math.max(2, state.frame?.rows || l.row.length), xs = l.row.map(lineOf);
    /* Lines that went through the network together have one score, that of the last. */
    const held = values => { let last = null; return values.map(v => (last = v ?? last)); };
    const one = (id, values, title, threshold, colour, what) => {
        const any = values.some(v => v !== null), range = extent([values, threshold === null ? [] : [threshold], any ? [0] : [0, 1]], 0);
        return plot($(id), { x: [1, n], y: [range[0], range[1] * 1.12 || 1], xTitle: 'Line', yTitle: title, draw: (ink, X, Y, c) => {
            if (threshold !== null) {
                ink.globalAlpha = 0.1;
                ink.fillStyle = c.bad;
                ink.fillRect(X(1), 0, X(n) - X(1), Math.max(0, Y(threshold)));
                ink.globalAlpha = 1;
                line(ink, X, Y, [1, n], [threshold, threshold], c.bad, 1.25, [5, 4]);
                ink.fillStyle = c.bad;
                ink.textAlign = 'right';
                ink.fillText('alarm', X(n) - 3, Y(threshold) + 3);
            }
            if (!any) {
                ink.fillStyle = c.soft;
                ink.textAlign = 'center';
                ink.fillText('none yet', (X(1) + X(n)) / 2, (Y(range[0]) + Y(range[1])) / 2);
            }
            line(ink, X, Y, xs, values, c[colour], 1.75);
            if (hover >= 0 && hover < values.length) {
                line(ink, X, Y, [xs[hover], xs[hover]], [range[0], range[1] * 1.08], c.soft, 1);
                if (values[hover] !== null) {
                    ink.fillStyle = c[colour];
                    ink.beginPath(); ink.arc(X(xs[hover]), Y(values[hover]), 3.5, 0, 7); ink.fill();
                }
            }
        } });
    };
    const threshold = l.threshold ?? null;
    geometry = [one('line-uncertainty', held(l.uncertainty), 'Uncertainty (mean variance of final rows)', null, 'accent'),
                one('line-score', held(l.score), 'Out-of-distribution score', threshold, 'accent2')];
    const i = hover >= 0 ? Math.min(hover, l.row.length - 1) : l.row.length - 1;
    const text = `Line ${lineOf(l.row[i])}, row ${l.row[i]}: uncertainty ${number(held(l.uncertainty)[i])}, score ${number(held(l.score)[i])}` +
        (threshold === null ? '' : ` (alarm above ${number(threshold)})`);
    say($('line-value'), text);
    for (const id of ['line-uncertainty', 'line-score']) $(id).setAttribute('aria-label', text);
}

function overLines(e, k) {
    const g = geometry[k], l = state.lines;
    if (!g || !l) return;
    const x = e.clientX - e.target.getBoundingClientRect().left;
    const number = g.x0 + (x - g.left) / (g.right - g.left) * (g.x1 - g.x0);
    let best = -1;
    l.row.forEach((row, i) => { if (best < 0 || Math.abs(lineOf(row) - number) <= Math.abs(lineOf(l.row[best]) - number)) best = i; });
    hoverLine(best);
}
function hoverLine(i) {
    const l = state.lines;
    hover = Math.max(-1, Math.min(l.row.length - 1, i));
    if (hover >= 0) setCursor(l.row[hover], Math.max(0, view.col));
    later(drawLines);
}

/* ------------------------------------------------------------------------------------- loops */
const known = new Map();
let average = null, averageAt = 0, averageBusy = false, pending = false;

/* Off field is what switching is read from; an instrument that measures on field alone has that. */
function fieldOf(l) {
    l.field = l.off ? 'off field' : 'on field';
    l.off = l.off || l.on || [];
    /* A cycle that ends one step before where it began is a closed line. */
    const v = l.voltage, n = v.length;
    if (n > 3 && Math.abs(v[0] - v[n - 1]) < 1.5 * Math.abs(v[1] - v[0]))
        for (const values of [v, l.off, l.width]) if (values?.length === n) values.push(values[0]);
    return l;
}

async function fetchLoop(index, anew = false) {
    if (anew || !known.has(index)) {
        known.set(index, null);
        try { known.set(index, fieldOf(await (await get(`loop?index=${index}`)).json())); } catch { known.delete(index); }
        /* A day of loops would fill the memory: the oldest are asked for again when they are wanted. */
        for (const k of known.keys()) { if (known.size <= 64) break; if (k !== view.point && k !== index) known.delete(k); }
        later(drawLoops);
    }
}

async function fetchAverage() {
    if (averageBusy) { pending = true; return; }
    averageBusy = true;
    const wait = averageAt + 1000 - Date.now();
    if (wait > 0) await new Promise(done => setTimeout(done, wait));
    pending = false;
    averageAt = Date.now();
    try { average = fieldOf(await (await get('loop?average=1')).json()); } catch { average = null; }
    averageBusy = false;
    later(drawLoops);
    if (pending) fetchAverage();
}

const latest = () => state.loops?.latest || [];

function drawLoops() {
    const s = state.loops, list = state.points?.list || [], measured = state.points?.measured || 0;
    $('loop').classList.toggle('empty', !measured);
    if (!measured) {
        say($('loop-note'), list.length ? `${plural(list.length, 'point')}, none measured yet` : 'No loops yet: they come when points are chosen on the finished map');
        return;
    }
    const chosen = view.point >= 0 ? known.get(view.point) : null;
    const shown = latest().slice(0, 6).map(i => known.get(i)).filter(Boolean);
    const newest = shown[0] || null, all = [...shown, chosen, average].filter(l => l?.voltage);
    if (!all.length) return;
    const band = average ? [average.off?.map((v, i) => v + (average.width[i] || 0)), average.off?.map((v, i) => v - (average.width[i] || 0))] : [];
    plot($('loop-plot'), { x: extent(all.map(l => l.voltage), 0.03), y: extent([...all.map(l => l.off), ...band], 0.06), xTitle: 'Voltage', xUnit: 'V',
        yTitle: `Response, ${all[0].field}`, yUnit: all[0].unit, draw: (ink, X, Y, c) => {
            if (average?.off) {
                ink.fillStyle = c.soft;
                ink.globalAlpha = 0.22;
                /* Filled piece by piece: where the loop turns back its band lies over itself. */
                const v = average.voltage;
                for (let i = 1; i < v.length; i++) {
                    if (average.off[i] === null || average.off[i - 1] === null) continue;
                    ink.beginPath();
                    ink.moveTo(X(v[i - 1]), Y(band[0][i - 1])); ink.lineTo(X(v[i]), Y(band[0][i]));
                    ink.lineTo(X(v[i]), Y(band[1][i])); ink.lineTo(X(v[i - 1]), Y(band[1][i - 1]));
                    ink.fill();
                }
                ink.globalAlpha = 1;
            }
            ink.globalAlpha = 0.45;
            for (const l of shown.slice(1)) line(ink, X, Y, l.voltage, l.off, c.soft, 1);
            ink.globalAlpha = 1;
            if (average?.off) line(ink, X, Y, average.voltage, average.off, c.text, 1.75);
            if (newest && newest !== chosen) line(ink, X, Y, newest.voltage, newest.off, c.accent, 1.75);
            if (chosen) line(ink, X, Y, chosen.voltage, chosen.off, c.accent2, 2);
        } });
    const parts = [`${measured} of ${list.length}`];
    const going = state.run && !['done', 'stopped', 'failed'].includes(state.run.phase);
    if (s?.seconds > 0) parts.push(`${quantity(s.seconds, 's')} each`);
    if (going && s?.left > 0) parts.push(`${duration(s.left)} left`);
    say($('loop-note'), parts.join(' · '));
    say($('key-average'), average?.count ? `mean of ${average.count} ± sd` : 'mean');
    say($('key-latest'), newest ? `latest, ${newest.index + 1}` : 'latest');
    $('key-chosen').parentElement.hidden = !chosen;
    if (chosen) say($('key-chosen'), `point ${chosen.index + 1}`);
    $('loop-plot').setAttribute('aria-label', `Hysteresis loops: ${$('loop-note').textContent}; ${$('key-average').textContent}; ${$('key-latest').textContent}`);
}

/* ------------------------------------------------------------------------------------- drawing */
const jobs = new Set();
let queued = false;
function later(fn) {
    jobs.add(fn);
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; const now = [...jobs]; jobs.clear(); for (const j of now) j(); });
}

export function stepPoint(by) {
    const list = state.points?.list || [];
    if (!list.length) return;
    const at = list.findIndex(q => q.index === view.point);
    look(list[(at + by + list.length) % list.length].index, true);
}

export function listen() {
    for (const [k, id] of ['line-uncertainty', 'line-score'].entries()) {
        $(id).onpointermove = e => overLines(e, k);
        $(id).onpointerleave = () => hoverLine(-1);
        $(id).onkeydown = e => {
            const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
            if (!by || !state.lines) return;
            hoverLine((hover < 0 ? state.lines.row.length - 1 : hover) + by * (e.shiftKey ? 10 : 1));
            e.preventDefault();
        };
    }
    on(['lines', 'frame'], () => later(drawLines));
    on(['loops', 'points', 'loop'], changed => {
        if (changed.has('loop')) fetchLoop(state.loop.index, true);
        for (const i of latest().slice(0, 6)) fetchLoop(i);
        if (changed.has('loop') || (!average && state.points?.measured)) fetchAverage();
        later(drawLoops);
    });
    on(['whole'], () => { known.clear(); average = null; });
    on(['point'], () => {
        const q = state.points?.list?.find(p => p.index === view.point);
        if (q?.state === 1) fetchLoop(view.point);
        later(drawLoops);
    });
    on(['theme'], () => { later(drawLines); later(drawLoops); });
    const watch = new ResizeObserver(() => { later(drawLines); later(drawLoops); });
    for (const id of ['line-uncertainty', 'line-score', 'loop-plot']) watch.observe($(id));
}
