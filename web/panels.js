/* panels.js - the words of the page: what runs, how far it is, walls, the point looked at, settings, log. */
import { state, on, tell } from './link.js';
import { view } from './view.js';
import { metric, redraw } from './maps.js';
import { css } from './colour.js';
import { $, make, say, number, quantity, duration, plural } from './text.js';

const phases = { starting: 'Starting', survey: 'Scanning', rescan: 'Scanning again', choose: 'Choosing points', confirm: 'Waiting for your yes',
    loops: 'Measuring loops', ending: 'Ending', done: 'Done', stopped: 'Stopped', failed: 'Failed' };

function source() {
    const s = state.source;
    if (!s) return;
    say($('source'), s.name || 'reshed');
    say($('sample'), s.sample || '');
    $('source').title = [s.kind, s.started && `started ${s.started}`, state.program].filter(Boolean).join(', ');
    document.title = `${phaseText()} – ${s.name || 'reshed'}`;
}

const phaseText = () => {
    const r = state.run;
    if (!r) return state.source?.kind === 'image' ? 'Image' : 'Session';
    return r.paused ? 'Paused' : phases[r.phase] || r.phase;
};

function run() {
    const r = state.run, s = state.scan, rows = state.frame?.rows || 0;
    const chip = $('phase');
    say(chip, phaseText());
    chip.dataset.kind = r?.paused ? 'paused' : r?.phase || 'none';
    const parts = [];
    const scanning = r && ['survey', 'rescan', 'starting'].includes(r.phase);
    if (s && rows && (scanning || s.arrived < rows)) parts.push(`line ${s.arrived} of ${rows}`);
    else if (s) parts.push(plural(s.arrived, 'line'));
    if (s?.lost) parts.push(`${s.lost} lost`);
    if (s && scanning && s.rate > 0) parts.push(`${number(s.rate)} lines/s`);
    if (s && scanning && s.lag !== null) parts.push(`lag ${plural(s.lag, 'row')}`);
    const p = state.points;
    if (p?.list?.length) parts.push(`${p.measured} of ${plural(p.list.length, 'loop')}`);
    if (r && r.left > 0 && !['done', 'stopped', 'failed'].includes(r.phase)) parts.push(`${duration(r.left)} left`);
    say($('progress-text'), parts.join(' · '));
    const total = rows + (p?.list?.length || 0), done = (s?.arrived || 0) + (p?.measured || 0);
    const bar = $('progress');
    bar.max = Math.max(1, total);
    bar.value = r?.phase === 'done' || !r ? bar.max : done;
    bar.setAttribute('aria-valuetext', $('progress-text').textContent);
    source();
    banner();
}

function banner() {
    const list = [], s = state.scan, r = state.run;
    if (!state.online && !state.ended) list.push(['bad', state.offlineWhy || 'Connecting ...']);
    if (s?.alarm) list.push(['bad', 'Alarm: this frame is unlike those of training. Do not trust the map without looking.']);
    if (s?.fault) list.push(['bad', s.fault]);
    if (r?.paused && r.text && r.text !== 'paused') list.push(['warn', r.text]);
    if (r && ['stopped', 'failed'].includes(r.phase) && r.text) list.push([r.phase === 'failed' ? 'bad' : 'warn', r.text]);
    if (state.ended && state.source?.kind === 'scan') list.push(['note', state.endText || 'The run is over.']);
    const seen = new Set(), once = list.splice(0).filter(([, t]) => !seen.has(t) && seen.add(t));
    list.push(...once);
    const text = list.map(x => x.join()).join('|'), host = $('banner');
    if (host.dataset.text === text) return;
    host.dataset.text = text;
    host.hidden = !list.length;
    host.replaceChildren(...list.map(([kind, t]) => make('p', { class: kind }, t)));
}

/* ------------------------------------------------------------------------------------- walls */
function test(name, t) {
    const cells = t ? [number(t.p, 2), number(t.effect, 2), number(t.walls)] : ['too few walls yet', '', ''];
    return make('tr', {}, make('th', { scope: 'row' }, name), ...cells.map(c => make('td', t ? {} : { class: 'soft' }, c)));
}
let counted = false;
function walls() {
    const w = state.walls, body = $('walls-body');
    if (!w) {
        body.replaceChildren(make('p', { class: 'none' }, 'No walls yet: they are counted when the map is complete.'));
        return;
    }
    if (!counted) {
        counted = true;
        if ($('tab-log').getAttribute('aria-selected') === 'true') showTab('walls');
    }
    const families = w.families ? ` in ${w.families === 1 ? 'one family' : `${w.families} families`}` : '';
    body.replaceChildren(make('p', {}, plural(w.walls, 'wall') + families),
        make('table', { class: 'tests' }, make('thead', {}, make('tr', {}, ...['Test', 'p', 'effect', 'walls'].map(x => make('th', { scope: 'col' }, x)))),
            make('tbody', {}, test('Alternation', w.alternation), test('Long and short', w.lengths))),
        make('p', { class: 'none' }, 'As they stand, on the loops measured so far: do neighbouring walls differ (alternation), do long walls differ from short ones? p: how often chance alone does as much.'));
}

/* ------------------------------------------------------------------------------------- points */
const pointStates = ['waits', 'measured', 'lost', 'left out'];
/* "v_plus_mid" is V+ (mid). */
const signs = { v_plus: 'V+', v_minus: 'V\u2212', r_plus: 'R+', r_minus: 'R\u2212' };
function titleOf(m) {
    const [, head, tail] = /^(.*?)(?:_(mid|zero|0|sat|imprint))?$/.exec(m.name);
    const words = head.replace(/[vr]_(plus|minus)/, k => signs[k]).replace(/_/g, ' ');
    return words.replace(/^[a-z]/, c => c.toUpperCase()) + (tail ? ` (${tail === '0' ? 'at 0 V' : tail})` : '');
}

function metrics() {
    const select = $('metric'), list = state.metrics || [], had = select.value;
    if (select.dataset.names === list.map(m => m.name).join()) return;
    select.dataset.names = list.map(m => m.name).join();
    select.replaceChildren(...list.map((m, i) => make('option', { value: String(i) }, titleOf(m))));
    const first = Math.max(0, list.findIndex(m => m.name === 'width_mid'));
    select.value = had && list[had] ? had : String(first);
    $('metric-row').hidden = !list.length;
    colourPoints();
}

export function colourPoints() {
    const i = Number($('metric').value), m = state.metrics?.[i], list = state.points?.list || [];
    const values = list.filter(q => q.state === 1 && q.metrics).map(q => q.metrics[i]).filter(v => v !== null && isFinite(v)).sort((a, b) => a - b);
    metric.index = m ? i : -1;
    const at = p => values[Math.round((values.length - 1) * p)];
    metric.low = values.length ? at(0.02) : 0;
    metric.high = values.length ? at(0.98) : 1;
    if (m && values.length) {
        const mean = values.reduce((a, b) => a + b, 0) / values.length;
        const sd = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, values.length - 1));
        say($('metric-low'), quantity(metric.low, m.unit));
        say($('metric-high'), quantity(metric.high, m.unit));
        say($('metric-mean'), `mean ${quantity(mean, m.unit)} ± ${quantity(sd, m.unit, 2)}, ${plural(values.length, 'loop')}`);
    } else for (const id of ['metric-low', 'metric-high', 'metric-mean']) say($(id), '');
    tell(['metric']);
}

function barOfMetric() {
    const c = $('metric-bar'), ink = c.getContext('2d');
    for (let i = 0; i < c.width; i++) { ink.fillStyle = css('leaf', i / (c.width - 1)); ink.fillRect(i, 0, 1, 1); }
}

function point() {
    const list = state.points?.list || [], q = list.find(x => x.index === view.point);
    $('point-none').hidden = !!q;
    $('point-body').hidden = !q;
    if (!q) return;
    const place = list.indexOf(q) + 1;
    say($('point-title'), `Point ${q.index + 1}`);
    say($('point-note'), `${place} of ${list.length} on the route · ${q.wall >= 0 ? `wall ${q.wall + 1}` : 'no wall'} · row ${number(q.row, 4)}, column ${number(q.col, 4)} · ${pointStates[q.state] || ''}`);
    const rows = (state.metrics || []).map((m, i) => [titleOf(m), q.metrics ? quantity(q.metrics[i], m.unit) : '–']);
    $('point-metrics').replaceChildren(...(q.metrics ? rows : []).map(([a, b]) => make('tr', {}, make('th', { scope: 'row' }, a), make('td', {}, b))));
}

/* ------------------------------------------------------------------------------------- log */
const levels = ['note', 'warning', 'error'];
let logged = '';
function log() {
    const list = state.log || [], key = list.length ? `${list[0].number}-${list[list.length - 1].number}` : '';
    if (key === logged) return;
    logged = key;
    $('log-list').replaceChildren(...[...list].reverse().map(e => make('li', { class: levels[e.level] || 'note' },
        make('time', {}, duration(e.time)), make('span', { class: 'sr' }, e.level ? `${levels[e.level]}: ` : ''), make('span', {}, e.text))));
    $('tab-log').dataset.count = list.filter(e => e.level > 0).length || '';
}

function settings() {
    const s = state.settings || {}, rows = [];
    const f = state.frame;
    if (f?.width > 0) rows.push(['frame', `${quantity(f.width, 'm')} × ${quantity(f.height, 'm')}, ${f.cols} × ${f.rows} pixels`]);
    if (f?.line_rate) rows.push(['line rate', `${number(f.line_rate)} lines/s`]);
    rows.push(...Object.entries(s));
    $('settings-body').replaceChildren(...rows.map(([k, v]) => make('tr', {}, make('th', { scope: 'row' }, k), make('td', {}, String(v)))));
}

/* ------------------------------------------------------------------------------------- tabs */
export function showTab(name) {
    for (const b of document.querySelectorAll('[role=tab]')) {
        const yes = b.id === `tab-${name}`;
        b.setAttribute('aria-selected', String(yes));
        b.tabIndex = yes ? 0 : -1;
        $(b.getAttribute('aria-controls')).hidden = !yes;
    }
}

export function listen() {
    barOfMetric();
    const tabs = [...document.querySelectorAll('[role=tab]')];
    for (const b of tabs) {
        b.onclick = () => showTab(b.id.slice(4));
        b.onkeydown = e => {
            const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
            if (!by) return;
            const next = tabs[(tabs.indexOf(b) + by + tabs.length) % tabs.length];
            showTab(next.id.slice(4));
            next.focus();
            e.preventDefault();
            e.stopPropagation();
        };
    }
    $('metric').onchange = colourPoints;
    on(['source', 'run', 'scan', 'points', 'frame', 'online', 'end', 'loop'], run);
    on(['walls'], walls);
    on(['metrics'], metrics);
    on(['points', 'loop'], () => { colourPoints(); point(); });
    on(['point', 'metrics'], () => { point(); redraw(); });
    on(['chosen'], () => showTab('point'));
    on(['log'], log);
    on(['settings', 'frame'], settings);
}
