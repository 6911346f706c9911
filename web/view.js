/* view.js - what all maps share: zoom, place, cursor, the point that is looked at. */
import { tell } from './link.js';
import { frame } from './data.js';

export const view = { zoom: 1, x: 0.5, y: 0.5, row: -1, col: -1, point: -1, big: null, points: true };

export function setCursor(row, col) {
    row = Math.min(frame.rows - 1, Math.max(0, row));
    col = Math.min(frame.cols - 1, Math.max(0, col));
    if (row === view.row && col === view.col) return;
    view.row = row;
    view.col = col;
    tell(['cursor']);
}

/* Zooms about a place of the frame (fractions of it), which stays where it is. */
export function zoomAt(factor, fx, fy) {
    const zoom = Math.min(Math.max(1, Math.max(frame.rows, frame.cols) / 8), Math.max(1, view.zoom * factor));
    const k = view.zoom / zoom;
    view.x = fx + (view.x - fx) * k;
    view.y = fy + (view.y - fy) * k;
    view.zoom = zoom;
    panBy(0, 0);
}

export function panBy(dx, dy) {
    const half = 0.5 / view.zoom, clamp = v => Math.min(1 - half, Math.max(half, v));
    view.x = clamp(view.x + dx);
    view.y = clamp(view.y + dy);
    tell(['view']);
}

export function fit() {
    Object.assign(view, { zoom: 1, x: 0.5, y: 0.5 });
    tell(['view']);
}

export function follow() {
    /* Keeps the cursor in sight when it is moved by keys. */
    const half = 0.5 / view.zoom, fx = (view.col + 0.5) / frame.cols, fy = (view.row + 0.5) / frame.rows;
    if (Math.abs(fx - view.x) > half) view.x = fx;
    if (Math.abs(fy - view.y) > half) view.y = fy;
    panBy(0, 0);
}

/* `chosen`: by a click or a key, not in passing. */
export function look(index, chosen = false) {
    if (view.point !== index) {
        view.point = index;
        tell(['point']);
    }
    if (chosen) tell(['chosen']);
}

export function enlarge(name) {
    view.big = view.big === name ? null : name;
    tell(['big']);
}
