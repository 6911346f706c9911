/* steer.js - the hand on the scan: pause, go on, stop, rescan, points before the first pulse, a loop
 * again, a note. Each is a request; the page shows what the program answers, and nothing before. */
import { state, on, act, tell } from './link.js';
import { view, look, setCursor, enlarge } from './view.js';
import { maps, frame } from './data.js';
import { setTool, nearest, redraw } from './maps.js';
import { $, say, duration, number } from './text.js';

const over = () => !state.run || ['done', 'stopped', 'failed', 'ending'].includes(state.run.phase) || state.ended;
const mine = () => !!state.viewer?.may_steer && !!state.viewer.has_wheel;

/* ------------------------------------------------------------------------------------- requests */
let toastTimer = 0;
export function toast(text, bad = false) {
    const e = $('toast');
    say(e, text);
    e.classList.toggle('bad', bad);
    e.hidden = false;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => { e.hidden = true; }, bad ? 9000 : 5000);
}

export async function ask(action, more, button) {
    if (button) button.setAttribute('aria-busy', 'true');
    try {
        const answer = await act(action, more);
        toast(answer.what || 'done');
        return answer;
    } catch (e) {
        toast(e.message, true);
        return null;
    } finally {
        if (button) button.removeAttribute('aria-busy');
    }
}

export const pauseOrGoOn = () => { if (mine() && !over()) ask(state.run.paused ? 'go_on' : 'pause', {}, $('pause')); };
/* No question before it: halting is always safe, and the session can be resumed. Whoever has the steering token may
 * stop, whoever steers; and a stop is sent even while the page hears nothing: the way there may be open. */
const mayStop = () => !!state.viewer?.may_steer && state.source?.kind === 'scan' && !state.ended &&
    !['done', 'stopped', 'failed'].includes(state.run?.phase);
let stopping = false;
export async function stop() {
    if (!mayStop() || stopping) return;
    stopping = true;
    for (let n = 0; n < 5 && mayStop(); n++) {
        if (await ask('stop', {}, $('stop'))) break;
        await new Promise(done => setTimeout(done, 500));
    }
    stopping = false;
}

/* ------------------------------------------------------------------------------------- who steers */
function controls() {
    const v = state.viewer, may = !!v?.may_steer, running = !over() && state.online;
    const phase = state.run?.phase;
    const scan = state.source?.kind === 'scan';
    $('steer').hidden = !scan || !may;
    $('watching').hidden = !scan || may || over();
    $('take').hidden = !may || v.has_wheel || over();
    for (const id of ['pause', 'rescan']) $(id).hidden = may && !v.has_wheel;
    $('stop').disabled = !mayStop();
    $('pause').disabled = !running || !mine() || phase === 'confirm';
    say($('pause-text'), state.run?.paused ? 'Go on' : 'Pause');
    $('pause').title = `${state.run?.paused ? 'Go on' : 'Pause at the end of the line, or before the next point'} (key P)`;
    $('rescan').disabled = !running || !mine() || phase !== 'survey';
    $('note-form').hidden = !mine() || over();
    $('again').hidden = !mine() || phase !== 'loops';
    say($('others'), v?.others > 0 ? `${v.others} other viewer${v.others > 1 ? 's' : ''}` : '');
    confirmPanel();
}

/* ------------------------------------------------------------------------------------- points */
let mode = 'move', held = null, clicked = null, shownConfirm = false, edits = Promise.resolve(), waiting = 0;

/* Edits go one after the other. Each carries the number of the points as they were seen, which is that of the moment
 * at which the person pressed: the program refuses one whose indices an earlier edit has changed. */
function edit(what, more = {}, seen = state.number) {
    waiting++;
    $('confirm').setAttribute('aria-busy', 'true');
    edits = edits.then(async () => {
        await ask('points', { edit: what, number: seen, ...more });
        if (--waiting === 0) $('confirm').removeAttribute('aria-busy');
    });
}

/* Where a click means a wall: the most probable pixel within three. */
function toWall(s) {
    const m = maps.get('probability');
    let best = { row: Math.min(frame.rows - 1, Math.max(0, s.row)), col: Math.min(frame.cols - 1, Math.max(0, s.col)) }, most = 0.3;
    if (!m) return best;
    const r0 = Math.round(s.row), c0 = Math.round(s.col);
    for (let r = r0 - 3; r <= r0 + 3; r++)
        for (let c = c0 - 3; c <= c0 + 3; c++) {
            if (r < 0 || c < 0 || r >= frame.rows || c >= frame.cols) continue;
            const p = m.data[r * frame.cols + c] - 0.03 * Math.hypot(r - s.row, c - s.col);
            if (p > most) { most = p; best = { row: r, col: c }; }
        }
    return best;
}
const inside = s => s.row >= 0 && s.col >= 0 && s.row <= frame.rows - 1 && s.col <= frame.cols - 1;

/* A point that is taken up, as the list was then. */
const take = q => ({ index: q.index, row: q.row, col: q.col, number: state.number });

const tool = {
    press(s) {
        const q = nearest(s);
        if (mode === 'add') {
            if (inside(s)) clicked = { add: toWall(s), number: state.number };
        } else if (mode === 'remove') {
            if (q) clicked = { remove: q.index, number: state.number };
        } else if (q) {
            held = take(q);
            look(q.index);
        } else return false;
        return true;
    },
    drag(s) {
        if (!held) return;
        Object.assign(held, toWall(s), { moved: true });
        redraw();
    },
    release() {
        if (clicked?.add) edit('add', clicked.add, clicked.number);
        else if (clicked) edit('remove', { index: [clicked.remove] }, clicked.number);
        if (held?.moved) edit('move', { index: held.index, row: held.row, col: held.col }, held.number);
        this.cancel();
    },
    /* A second finger, or the browser, took the pointer away: nothing was meant. */
    cancel() {
        held = clicked = null;
        redraw();
    },
    key(e, s) {
        const q = nearest({ ...s, pixel: Math.max(1, s.pixel) });
        if (e.key === 'Enter' || e.key === ' ') {
            /* By keys: Enter takes a point up and puts it down. */
            if (mode !== 'move') { if (this.press(s)) this.release(); }
            else if (held) { Object.assign(held, toWall(s), { moved: true }); this.release(); }
            else if (q) { held = take(q); look(q.index); }
        } else if (e.key === 'Delete' || e.key === 'Backspace') { if (q) edit('remove', { index: [q.index] }); }
        else if (e.key === 'Insert') edit('add', toWall(s));
        else if (e.key === 'Escape' && held) held = null;
        else return false;
        redraw();
        return true;
    },
    draw({ ink, at }) {
        if (!held) return;
        ink.beginPath();
        ink.arc(...at(held.row, held.col), 6, 0, 7);
        ink.lineWidth = 4; ink.strokeStyle = 'rgba(0,0,0,.7)'; ink.stroke();
        ink.lineWidth = 2; ink.strokeStyle = '#ff8a14'; ink.stroke();
    },
};

export function setMode(m) {
    mode = m;
    held = clicked = null;
    for (const name of ['move', 'add', 'remove']) $(`mode-${name}`).setAttribute('aria-pressed', String(name === m));
}

function confirmPanel() {
    const c = state.confirm, here = state.run?.phase === 'confirm' && !!c;
    $('confirm').hidden = !here;
    $('loop').hidden = here || document.body.dataset.mode === 'teach';
    if (here !== shownConfirm) {
        shownConfirm = here;
        if (here && view.big !== 'overlay' && maps.has('overlay')) enlarge('overlay');
        if (here && mine()) say($('confirm-said'), 'Points wait for your yes.');
    }
    const active = here && mine() && document.body.dataset.mode !== 'teach';
    if (document.body.dataset.mode !== 'teach') setTool(active ? tool : null);
    if (!here) return;
    say($('confirm-count'), number(c.count, 6));
    say($('confirm-time'), duration(c.seconds));
    say($('confirm-pulses'), c.pulses.toLocaleString('en').replace(/,/g, '\u202f'));
    say($('confirm-left'), c.left > 0 ? `Without a yes the run stops in ${duration(c.left)}.` : '');
    say($('measure'), `Measure ${c.count} point${c.count === 1 ? '' : 's'}`);
    $('thin-keep').max = String(c.count);
    if (document.activeElement !== $('thin-keep')) $('thin-keep').value = String(Math.max(1, Math.round(c.count / 2)));
    $('confirm-tools').disabled = !mine();
}

/* ------------------------------------------------------------------------------------- start */
export function steerKey(e) {
    if (e.key === 'p') pauseOrGoOn();
    else if (!$('confirm').hidden && mine() && { m: 1, a: 1, d: 1 }[e.key]) setMode({ m: 'move', a: 'add', d: 'remove' }[e.key]);
    else return false;
    return true;
}

export function listen() {
    $('pause').onclick = pauseOrGoOn;
    $('stop').onclick = stop;
    $('take').onclick = () => ask('take', {}, $('take'));
    $('rescan').onclick = () => {
        $('rescan-row').max = String(Math.max(0, frame.rows - 1));
        $('rescan-row').value = String(Math.max(0, view.row));
        $('rescan-box').showModal();
    };
    $('rescan-form').onsubmit = () => { ask('rescan_from', { row: Number($('rescan-row').value) }, $('rescan')); };
    $('rescan-row').oninput = () => setCursor(Number($('rescan-row').value) || 0, Math.max(0, view.col));
    $('note-form').onsubmit = async e => {
        e.preventDefault();
        const text = $('note').value.trim();
        if (text && await ask('note', { text })) $('note').value = '';
    };
    /* The program counts bytes, of which a letter may have several. */
    $('note').oninput = () => {
        const bytes = s => new TextEncoder().encode(s).length, letters = [...$('note').value];
        if (bytes($('note').value) <= 200) return;
        while (bytes(letters.join('')) > 200) letters.pop();
        $('note').value = letters.join('');
    };
    $('again').onclick = () => { if (view.point >= 0) ask('again', { index: view.point }, $('again')); };
    for (const m of ['move', 'add', 'remove']) $(`mode-${m}`).onclick = () => setMode(m);
    $('thin').onclick = () => edit('thin', { keep: Number($('thin-keep').value) });
    $('route').onclick = () => edit('route');
    /* The yes is to the list that is seen. */
    for (const [id, yes] of [['measure', true], ['refuse', false]])
        $(id).onclick = () => waiting ? toast('The points are still being changed: look again', true) : ask('confirm', { yes, number: state.number }, $(id));
    on(['viewer', 'run', 'source', 'confirm', 'online', 'end', 'mode', 'arranged'], controls);
    /* Without a word from the program the count goes on here. */
    setInterval(() => {
        if (state.confirm?.left > 0 && state.run?.phase === 'confirm') { state.confirm.left--; tell(['confirm']); }
    }, 1000);
}
