/* snap.js - paths along edges ("intelligent scissors", Mortensen and Barrett 1995), thinning, polygons. */

/* What a step onto each pixel costs, 0.03 on an edge to 1: the map of walls where there is one, else
 * dark lines' flanks, the gradient of the picture. */
export function costs(rows, cols, walls, picture) {
    const n = rows * cols, out = new Float32Array(n);
    if (walls) {
        for (let i = 0; i < n; i++) out[i] = 1 - 0.97 * Math.min(1, Math.max(0, walls[i] || 0));
        return out;
    }
    let most = 0;
    const g = new Float32Array(n);
    for (let r = 1; r < rows - 1; r++)
        for (let c = 1; c < cols - 1; c++) {
            const i = r * cols + c, v = Math.hypot(picture[i + 1] - picture[i - 1], picture[i + cols] - picture[i - cols]);
            g[i] = v === v ? v : 0;
        }
    const sorted = Float32Array.from(g).sort();
    most = sorted[Math.floor(n * 0.98)] || 1;
    for (let i = 0; i < n; i++) out[i] = 1 - 0.97 * Math.min(1, g[i] / most);
    return out;
}

/* The best pixel within `reach` of a place. */
export function nearestEdge(cost, rows, cols, row, col, reach) {
    let best = Math.round(row) * cols + Math.round(col), least = Infinity;
    for (let r = Math.max(0, Math.round(row) - reach); r <= Math.min(rows - 1, Math.round(row) + reach); r++)
        for (let c = Math.max(0, Math.round(col) - reach); c <= Math.min(cols - 1, Math.round(col) + reach); c++) {
            const v = cost[r * cols + c] + 0.06 * Math.hypot(r - row, c - col);
            if (v < least) { least = v; best = r * cols + c; }
        }
    return best;
}

/* Pixels from a to b, both with, along the cheapest way within a box about them (Dijkstra). */
export function path(cost, rows, cols, a, b) {
    const pad = 14, ar = Math.floor(a / cols), ac = a % cols, br = Math.floor(b / cols), bc = b % cols;
    const r0 = Math.max(0, Math.min(ar, br) - pad), r1 = Math.min(rows - 1, Math.max(ar, br) + pad);
    const c0 = Math.max(0, Math.min(ac, bc) - pad), c1 = Math.min(cols - 1, Math.max(ac, bc) + pad);
    const w = c1 - c0 + 1, h = r1 - r0 + 1;
    if (w * h > 400000) return straight(cols, a, b);
    const far = new Float32Array(w * h).fill(Infinity), from = new Int32Array(w * h).fill(-1);
    const heap = [], start = (ar - r0) * w + ac - c0, goal = (br - r0) * w + bc - c0;
    const push = (i, d) => {
        let k = heap.push([d, i]) - 1;
        while (k && heap[(k - 1) >> 1][0] > d) { [heap[k], heap[(k - 1) >> 1]] = [heap[(k - 1) >> 1], heap[k]]; k = (k - 1) >> 1; }
    };
    const pop = () => {
        const top = heap[0], last = heap.pop();
        if (heap.length) {
            heap[0] = last;
            for (let k = 0;;) {
                let m = 2 * k + 1;
                if (m >= heap.length) break;
                if (m + 1 < heap.length && heap[m + 1][0] < heap[m][0]) m++;
                if (heap[m][0] >= heap[k][0]) break;
                [heap[k], heap[m]] = [heap[m], heap[k]];
                k = m;
            }
        }
        return top;
    };
    far[start] = 0;
    push(start, 0);
    while (heap.length) {
        const [d, i] = pop();
        if (i === goal) break;
        if (d > far[i]) continue;
        const r = Math.floor(i / w), c = i % w;
        for (let dr = -1; dr <= 1; dr++)
            for (let dc = -1; dc <= 1; dc++) {
                const y = r + dr, x = c + dc;
                if ((!dr && !dc) || y < 0 || x < 0 || y >= h || x >= w) continue;
                const j = y * w + x, t = d + cost[(r0 + y) * cols + c0 + x] * (dr && dc ? Math.SQRT2 : 1);
                if (t < far[j]) { far[j] = t; from[j] = i; push(j, t); }
            }
    }
    const out = [];
    for (let i = goal; i >= 0; i = from[i]) out.push((r0 + Math.floor(i / w)) * cols + c0 + i % w);
    return out.reverse();
}

export function straight(cols, a, b) {
    const ar = Math.floor(a / cols), ac = a % cols, br = Math.floor(b / cols), bc = b % cols;
    const n = Math.max(Math.abs(br - ar), Math.abs(bc - ac), 1), out = [];
    for (let i = 0; i <= n; i++) out.push(Math.round(ar + (br - ar) * i / n) * cols + Math.round(ac + (bc - ac) * i / n));
    return out;
}

/* Pixels within `radius` of a place; radius 0 is one pixel. */
export function disc(rows, cols, row, col, radius, into) {
    const r = Math.round(row), c = Math.round(col), k = Math.ceil(radius);
    for (let y = Math.max(0, r - k); y <= Math.min(rows - 1, r + k); y++)
        for (let x = Math.max(0, c - k); x <= Math.min(cols - 1, c + k); x++)
            if ((y - r) ** 2 + (x - c) ** 2 <= radius * radius + 0.25) into.push(y * cols + x);
}

/* Pixels inside a closed polygon of places [[row, col], ...]. */
export function inside(rows, cols, corners) {
    const out = [];
    for (let r = 0; r < rows; r++) {
        const cuts = [];
        for (let i = 0; i < corners.length; i++) {
            const [r1, c1] = corners[i], [r2, c2] = corners[(i + 1) % corners.length];
            if ((r1 <= r) !== (r2 <= r)) cuts.push(c1 + (r - r1) / (r2 - r1) * (c2 - c1));
        }
        cuts.sort((x, y) => x - y);
        for (let k = 0; k + 1 < cuts.length; k += 2)
            for (let c = Math.max(0, Math.ceil(cuts[k])); c <= Math.min(cols - 1, Math.floor(cuts[k + 1])); c++) out.push(r * cols + c);
    }
    return out;
}

/* Thins what is set in `mask` (0, 1) to lines, in place (Guo and Hall 1989). */
export function thin(mask, rows, cols) {
    const at = (r, c) => r < 0 || c < 0 || r >= rows || c >= cols ? 0 : mask[r * cols + c];
    let list = [];
    for (let i = 0; i < mask.length; i++) if (mask[i]) list.push(i);
    for (let changed = true, odd = true, quiet = 0; changed || quiet < 2; odd = !odd) {
        const gone = [];
        for (const i of list) {
            const r = Math.floor(i / cols), c = i % cols;
            const p2 = at(r - 1, c), p3 = at(r - 1, c + 1), p4 = at(r, c + 1), p5 = at(r + 1, c + 1);
            const p6 = at(r + 1, c), p7 = at(r + 1, c - 1), p8 = at(r, c - 1), p9 = at(r - 1, c - 1);
            const crossings = (!p2 & (p3 | p4)) + (!p4 & (p5 | p6)) + (!p6 & (p7 | p8)) + (!p8 & (p9 | p2));
            const n1 = (p9 | p2) + (p3 | p4) + (p5 | p6) + (p7 | p8), n2 = (p2 | p3) + (p4 | p5) + (p6 | p7) + (p8 | p9);
            const n = Math.min(n1, n2), m = odd ? (p6 | p7 | !p9) & p8 : (p2 | p3 | !p5) & p4;
            if (crossings === 1 && n >= 2 && n <= 3 && !m) gone.push(i);
        }
        for (const i of gone) mask[i] = 0;
        if (gone.length) list = list.filter(i => mask[i]);
        changed = gone.length > 0;
        quiet = changed ? 0 : quiet + 1;
    }
    return mask;
}
