/* text.js - numbers with units, and elements. Everything that comes from a file or an instrument
 * goes into the page as text, never as markup. */
const prefixes = ['f', 'p', 'n', 'µ', 'm', '', 'k', 'M', 'G', 'T'];
const prefixed = new Set(['V', 'm', 'Hz', 's', 'A', 'N', 'F', 'W']);

const sign = unit => unit.replace(/\*/g, '·');
const trim = s => s.replace(/^-/, '\u2212');
/* Returns the prefix for values up to `largest`: {factor, unit}; value * factor has that unit. */
export function scaled(largest, unit) {
    const v = Math.abs(largest);
    if (!prefixed.has(unit) || !(v > 0) || !isFinite(v)) return { factor: 1, unit: sign(unit || '') };
    const n = Math.min(4, Math.max(-5, Math.floor(Math.log10(v * 1.0000001) / 3)));
    return { factor: 10 ** (-3 * n), unit: prefixes[n + 5] + unit };
}

/* Returns value with about `digits` digits, without a unit. */
export function number(value, digits = 3) {
    if (value === null || value === undefined || !isFinite(value)) return '–';
    const v = Math.abs(value);
    if (v === 0) return '0';
    if (Number.isInteger(v) && v < 1e6) return trim(String(value));
    if (v >= 1e5 || v < 1e-3) return trim(value.toExponential(digits - 1)).replace(/e\+?(-?)/, (_, s) => '·10' + (s ? '⁻' : '')).replace(/10(⁻?)(\d+)$/, (_, s, d) => '10' + s + [...d].map(c => '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]).join(''));
    return trim(value.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(v)))));
}

export function quantity(value, unit, digits = 3) {
    if (value === null || value === undefined || !isFinite(value)) return '–';
    const s = scaled(value, unit);
    return number(value * s.factor, digits) + (s.unit && s.unit !== '1' ? '\u202f' + s.unit : '');
}

export function duration(seconds) {
    if (seconds === null || seconds === undefined || !isFinite(seconds)) return '–';
    const s = Math.max(0, Math.round(seconds));
    if (s < 90) return `${s} s`;
    if (s < 5400) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
    return `${Math.floor(s / 3600)} h ${String(Math.floor(s % 3600 / 60)).padStart(2, '0')} min`;
}

export const plural = (n, word) => `${n} ${word}${n === 1 ? '' : 's'}`;
export const $ = id => document.getElementById(id);

/* Makes an element: make('td', {class: 'n', title: '...'}, 'text', child, ...). */
export function make(tag, attributes = {}, ...content) {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
    e.append(...content);
    return e;
}

/* Sets text only where it differs: a screen reader repeats what is written anew. */
export function say(element, text) {
    if (element.textContent !== text) element.textContent = text;
}

/* Returns steps of 1, 2 or 5 within lo..hi, about n of them. */
export function ticks(lo, hi, n) {
    const raw = (hi - lo) / Math.max(1, n), power = 10 ** Math.floor(Math.log10(raw));
    if (!(hi > lo) || !isFinite(power)) return [];
    const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= raw);
    const out = [];
    for (let i = Math.ceil(lo / step - 1e-9); i * step <= hi + 1e-9 * step; i++) out.push(i * step);
    return out;
}
