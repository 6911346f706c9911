/* plot.js - a plot on a canvas: axes with units, lines, a band, points. */
import { ticks, number, scaled } from './text.js';
import { colours } from './maps.js';

const font = '11px system-ui,"Segoe UI","DejaVu Sans",sans-serif';

/* Without a prefix, small and large values get a power of ten beside the title. */
function powered(largest, unit) {
    const s = scaled(largest, unit), n = Math.floor(Math.log10(largest) / 3);
    if (s.factor !== 1 || !(largest > 0) || (largest >= 0.01 && largest < 1e5)) return s;
    const digits = [...String(Math.abs(3 * n))].map(c => '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]).join('');
    return { factor: 10 ** (-3 * n), unit: `10${n < 0 ? '⁻' : ''}${digits}${s.unit && s.unit !== '1' ? ' ' + s.unit : ''}` };
}

/* Draws into the canvas, at the size that the page gives it. `what`: {x: [lo, hi], y: [lo, hi], xTitle,
 * xUnit, yTitle, yUnit, draw(ink, X, Y, colours)}; returns {X, Y, left, ...}, X and Y turning values
 * into CSS pixels, or null when there is no room. */
export function plot(canvas, what) {
    const dpr = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
    if (w < 60 || h < 40) return null;
    const W = Math.round(w * dpr), H = Math.round(h * dpr);
    if (canvas.width !== W || canvas.height !== H) { canvas.width = W; canvas.height = H; }
    const ink = canvas.getContext('2d'), c = colours();
    ink.setTransform(dpr, 0, 0, dpr, 0, 0);
    ink.clearRect(0, 0, w, h);
    ink.font = font;
    let [x0, x1] = what.x, [y0, y1] = what.y;
    if (!(x1 > x0)) x1 = x0 + 1;
    if (!(y1 > y0)) [y0, y1] = [y0 - 0.5 * Math.abs(y0 || 1), y1 + 0.5 * Math.abs(y1 || 1)];
    const sx = powered(Math.max(Math.abs(x0), Math.abs(x1)), what.xUnit), sy = powered(Math.max(Math.abs(y0), Math.abs(y1)), what.yUnit);
    const ys = ticks(y0 * sy.factor, y1 * sy.factor, Math.max(2, h / 34)), places = Math.max(0, -Math.floor(Math.log10((ys[1] - ys[0]) || 1) + 1e-9));
    const yText = v => places > 3 ? number(v, 2) : v.toFixed(places).replace('-', '\u2212');
    const left = 8 + Math.max(14, ...ys.map(v => ink.measureText(yText(v)).width)), right = w - 8, top = 18, bottom = h - 31;
    const X = v => left + (v - x0) / (x1 - x0) * (right - left), Y = v => bottom - (v - y0) / (y1 - y0) * (bottom - top);
    ink.lineWidth = 1;
    ink.strokeStyle = c.line;
    ink.fillStyle = c.soft;
    ink.textBaseline = 'middle';
    ink.textAlign = 'right';
    for (const v of ys) {
        const y = Math.round(Y(v / sy.factor)) + 0.5;
        ink.beginPath(); ink.moveTo(left, y); ink.lineTo(right, y); ink.stroke();
        ink.fillText(yText(v), left - 5, y);
    }
    ink.textAlign = 'center';
    ink.textBaseline = 'top';
    for (const v of ticks(x0 * sx.factor, x1 * sx.factor, Math.max(3, w / 75))) {
        const x = Math.round(X(v / sx.factor)) + 0.5;
        ink.beginPath(); ink.moveTo(x, bottom); ink.lineTo(x, bottom + 3); ink.stroke();
        ink.fillText(String(Number(v.toPrecision(6))).replace('-', '\u2212'), x, bottom + 4);
    }
    const unit = (title, u) => title + (u && u !== '1' ? ` / ${u}` : '');
    ink.fillText(unit(what.xTitle, sx.unit), (left + right) / 2, h - 13);
    ink.textAlign = 'left';
    ink.fillStyle = c.text;
    ink.fillText(unit(what.yTitle, sy.unit), 2, 2);
    ink.save();
    ink.beginPath();
    ink.rect(left - 1, top - 4, right - left + 2, bottom - top + 8);
    ink.clip();
    what.draw(ink, X, Y, c);
    ink.restore();
    return { X, Y, left, right, top, bottom, x0, x1 };
}

/* A line through the values that there are. */
export function line(ink, X, Y, xs, ys, colour, width = 1.5, dash = []) {
    ink.strokeStyle = colour;
    ink.lineWidth = width;
    ink.setLineDash(dash);
    ink.lineJoin = 'round';
    ink.beginPath();
    let pen = false;
    for (let i = 0; i < ys.length; i++) {
        const y = ys[i];
        if (y === null || !isFinite(y)) { pen = false; continue; }
        ink[pen ? 'lineTo' : 'moveTo'](X(xs ? xs[i] : i), Y(y));
        pen = true;
    }
    ink.stroke();
    ink.setLineDash([]);
}

export function extent(arrays, pad = 0.05) {
    let lo = Infinity, hi = -Infinity;
    for (const a of arrays) for (const v of a || []) if (v !== null && isFinite(v)) { if (v < lo) lo = v; if (v > hi) hi = v; }
    if (lo > hi) return [0, 1];
    const span = (hi - lo) * pad;
    return [lo - span, hi + span];
}
