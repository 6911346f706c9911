/* link.js - what goes between page and program (docs/live-protocol.md): the state with its sections,
 * the events that change it, rows of maps, and actions. */
export const state = { ended: false, online: false };
const listeners = [];
let token = '', source = null, lastId = '', answers = new Map();
const viewer = kept('viewer', () => Math.random().toString(36).slice(2, 14).replace(/[^a-z0-9]/g, ''));

/* A reload keeps its token and its name; a new tab has its own name. */
function kept(key, fresh) {
    let v = null;
    try { v = sessionStorage.getItem(key); } catch { /* storage may be switched off */ }
    if (v === null) { v = fresh(); keep(key, v); }
    return v;
}
function keep(key, value) {
    try { sessionStorage.setItem(key, value); } catch { /* then a reload begins anew */ }
}

/* Calls fn once now and whenever one of these sections changed; fn gets the set of their names. */
export function on(names, fn) {
    listeners.push({ names, fn });
}
export function tell(changed) {
    const set = new Set(changed);
    for (const l of listeners) if (l.names.some(n => set.has(n))) l.fn(set);
}

function put(sections) {
    if ('number' in sections) state.number = sections.number;
    Object.assign(state, sections);
    tell(Object.keys(sections));
}

const headers = () => ({ 'X-Reshed-Token': token, 'X-Reshed-Viewer': viewer });

export async function get(path) {
    const r = await fetch('api/' + path, { headers: headers(), cache: 'no-store' });
    if (!r.ok) throw new Error(await reason(r));
    return r;
}

async function reason(r) {
    try { return (await r.json()).error || `status ${r.status}`; } catch { return `status ${r.status}`; }
}

/* Returns what was done; throws with the reason when it was not. An action that is still pending
 * is waited for. */
export async function act(action, more = {}) {
    const id = viewer + '-' + Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
    const r = await fetch('api/action', { method: 'POST', cache: 'no-store', signal: AbortSignal.timeout?.(8000),
        headers: { ...headers(), 'Content-Type': 'application/json' },
        body: JSON.stringify({ id, action, ...more }) });
    if (!r.ok) throw new Error(await reason(r));
    let answer = await r.json();
    if (answer.pending) answer = await ending(id);
    if (!answer.done) throw new Error(answer.what || 'not done');
    return answer;
}

/* The answer comes as an event; after an interruption of the stream it must be asked for. A program that does
 * not know the action, or a run that is over, gives none any more. */
function ending(id) {
    return new Promise(done => {
        let timer = 0;
        const settle = a => { clearInterval(timer); answers.delete(id); done(a); };
        answers.set(id, settle);
        if (state.ended) setTimeout(askFor, 500);
        timer = setInterval(askFor, 5000);
        async function askFor() {
            try {
                const r = await fetch(`api/action?id=${encodeURIComponent(id)}`, { headers: headers(), cache: 'no-store' });
                if (r.status === 404) return settle({ done: false, what: 'the program knows nothing of this action (any more)' });
                const a = r.ok ? await r.json() : { pending: true };
                if (!a.pending) settle(a);
                else if (state.ended) settle({ done: false, what: 'the run ended before this was answered' });
            } catch {
                /* Not reachable: the next time, unless the program has left. */
                if (state.ended) settle({ done: false, what: 'the run ended before this was answered' });
            }
        }
    });
}
/* Answers come before the end of the stream: what has none by then will get none. */
function giveUp() {
    for (const settle of [...answers.values()]) settle({ done: false, what: 'the run ended before this was answered' });
}

export async function postLabels(bytes) {
    const r = await fetch('api/labels', { method: 'POST', body: bytes, cache: 'no-store',
        headers: { ...headers(), 'Content-Type': 'application/octet-stream' } });
    if (!r.ok) throw new Error(await reason(r));
    return r.json();
}

/* Rows of a map as float32. The wire is little-endian; so is every machine with a browser, but one
 * never knows. */
export async function rows(map, from, count) {
    const r = await get(`rows?map=${encodeURIComponent(map)}&from=${from}&count=${count}`);
    const bytes = await r.arrayBuffer(), n = bytes.byteLength >> 2;
    if (new Uint8Array(new Uint32Array([1]).buffer)[0]) return new Float32Array(bytes, 0, n);
    const view = new DataView(bytes);
    return Float32Array.from({ length: n }, (_, i) => view.getFloat32(4 * i, true));
}

function online(yes, why = '') {
    if (state.online === yes && state.offlineWhy === why) return;
    state.online = yes;
    state.offlineWhy = why;
    tell(['online']);
}

const handlers = {
    state: d => {
        /* A whole state (the first of a stream, or after an interruption too long to be told in
         * changes) makes every row that is held out of date. */
        const whole = 'maps' in d && 'frame' in d;
        put(d);
        if (whole) tell(['whole']);
    },
    rows: d => { state.changed = d; tell(['changed']); },
    line: d => {
        const l = state.lines ||= { row: [], score: [], uncertainty: [], threshold: null };
        /* As many as the program keeps: rows that are scanned again take the place of the oldest entries. */
        const most = Math.max(1, state.frame?.rows || 0);
        for (const k of ['row', 'score', 'uncertainty']) {
            l[k].push(d[k] ?? null);
            if (l[k].length > most) l[k].splice(0, l[k].length - most);
        }
        tell(['lines']);
    },
    loop: d => {
        /* A loop's numbers come with its event; the section of the points need not come again. */
        const q = state.points?.list?.find(p => p.index === d.index);
        if (q) {
            state.points.measured += (d.state === 1) - (q.state === 1);
            Object.assign(q, { state: d.state, metrics: d.metrics });
        }
        state.loop = d;
        tell(['loop']);
    },
    log: d => {
        state.log = [...(state.log || []), d].slice(-200);
        tell(['log']);
    },
    answer: d => { answers.get(d.id)?.(d); },
    seen: () => { /* its id is where to go on */ },
    end: d => {
        state.ended = true;
        state.endText = d.text || '';
        source.close();
        giveUp();
        tell(['end']);
    },
};

function listen() {
    const last = lastId ? `&last=${encodeURIComponent(lastId)}` : '';
    source = new EventSource(`api/events?token=${encodeURIComponent(token)}&viewer=${viewer}${last}`);
    source.onopen = () => online(true);
    source.onerror = () => {
        if (state.ended) return;
        online(false, 'The program does not answer. Trying again ...');
        /* The browser tries again by itself after a broken connection, not after a refusal. */
        if (source.readyState === EventSource.CLOSED) retry();
    };
    for (const [name, fn] of Object.entries(handlers))
        source.addEventListener(name, e => {
            online(true);
            lastId = e.lastEventId || lastId;
            fn(JSON.parse(e.data));
        });
}

async function retry() {
    /* Without a stream the page still knows whether it may stop the scan. */
    try { put(await (await get(`state?viewer=${viewer}`)).json()); } catch (e) { online(false, `No connection: ${e.message}`); }
    setTimeout(listen, 2000);
}

export function start() {
    const query = new URLSearchParams(location.search);
    token = query.get('token') || kept('token', () => '');
    keep('token', token);
    /* The token stays out of the history and out of pictures of the screen. */
    if (query.has('token')) history.replaceState(null, '', location.pathname);
    if (!token) {
        online(false, 'This address has no token: open the one that the program printed.');
        return;
    }
    listen();
}
