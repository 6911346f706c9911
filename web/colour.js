/* colour.js - colour maps, computed here. All but the ring grow lighter from one end to the other,
 * and none tells red from green, so that they read the same to the colour-blind and in grey. */

/* Returns [r, g, b], 0 to 255, of a colour in OKLCH (Ottosson 2020); what a screen does not have gets
 * less colour, not another lightness. */
function rgb(l, c, hue) {
    for (; c > 0.004; c *= 0.96) {
        const v = linear(l, c, hue);
        if (Math.min(...v) >= -0.002 && Math.max(...v) <= 1.002) break;
    }
    return linear(l, c, hue).map(v => {
        v = Math.min(1, Math.max(0, v));
        return Math.round(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055));
    });
}
function linear(l, c, hue) {
    const a = c * Math.cos(hue * Math.PI / 180), b = c * Math.sin(hue * Math.PI / 180);
    const x = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
    const y = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
    const z = (l - 0.0894841775 * a - 1.2914855480 * b) ** 3;
    return [4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
        -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
        -0.0041960863 * x - 0.7034186147 * y + 1.7076147010 * z];
}

const mix = (a, b, t) => a + (b - a) * t;
const kinds = {
    sea: { title: 'Blue to yellow', at: t => rgb(mix(0.24, 0.93, t),
        t < 0.5 ? mix(0.11, 0.02, 2 * t) : mix(0.02, 0.15, 2 * t - 1), t < 0.5 ? 262 : 98) },
    leaf: { title: 'Violet to yellow', at: t => rgb(mix(0.24, 0.92, t), 0.09 + 0.08 * t, mix(308, 102, t)) },
    ember: { title: 'Black to cream', at: t => rgb(mix(0.08, 0.97, t),
        0.19 * Math.sin(Math.PI * Math.min(1, 0.04 + t)), mix(305, 448, t)) },
    grey: { title: 'Grey', at: t => rgb(mix(0.12, 0.97, t), 0, 0) },
    ring: { title: 'Ring (angles)', at: t => rgb(0.6 + 0.3 * Math.cos(2 * Math.PI * t),
        0.12 * Math.abs(Math.sin(2 * Math.PI * t)), t < 0.5 ? 262 : 65) },
};

/* [{name, title}, ...] */
export const palettes = Object.entries(kinds).map(([name, k]) => ({ name, title: k.title }));

const tables = {};
/* Returns 256 colours as a Uint32Array of bytes r, g, b, 255. */
export function table(name) {
    if (!tables[name]) {
        const bytes = new Uint8Array(1024);
        for (let i = 0; i < 256; i++) bytes.set([...kinds[name].at(i / 255), 255], 4 * i);
        tables[name] = new Uint32Array(bytes.buffer);
    }
    return tables[name];
}

/* Returns t, 0 to 1, as a CSS colour. */
export function css(name, t) {
    const v = new Uint8Array(table(name).buffer, 4 * Math.round(255 * Math.min(1, Math.max(0, t))), 3);
    return `rgb(${v[0]},${v[1]},${v[2]})`;
}
