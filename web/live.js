/* live.js - starts the page. docs/live-protocol.md says what goes between it and the program. */
import { start, tell } from './link.js';
import { fit } from './view.js';
import * as data from './data.js';
import * as maps from './maps.js';
import * as charts from './charts.js';
import * as panels from './panels.js';
import * as steer from './steer.js';
import * as teach from './teach.js';
import { $ } from './text.js';

/* ------------------------------------------------------------------------------------- theme */
const dark = matchMedia('(prefers-color-scheme: dark)');
function theme(value) {
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
    maps.colours();
    tell(['theme']);
}
function toggleTheme() {
    const now = document.documentElement.dataset.theme || (dark.matches ? 'dark' : 'light'), next = now === 'dark' ? 'light' : 'dark';
    try { localStorage.setItem('theme', next); } catch { /* until the page is closed */ }
    theme(next);
}

/* ------------------------------------------------------------------------------------- keys */
/* The stop is heard everywhere, in a dialog and in a list of choices, too, but for where an S is being typed. The
 * key is that with the S on it, whatever Caps Lock does; where the letters are not Latin, the one in its place. */
const isStop = e => e.shiftKey && !e.ctrlKey && !e.metaKey && !e.altKey &&
    (e.key.toLowerCase() === 's' || (e.code === 'KeyS' && !/^[a-z]$/i.test(e.key)));
const text = 'input:not([type=checkbox]):not([type=radio]):not([type=range])';

function key(e) {
    if (isStop(e) && !e.target.matches?.(`${text}:not([type=number]), textarea`)) {
        e.preventDefault();
        e.stopPropagation();
        if (!e.repeat) steer.stop();
    }
}

function otherKey(e) {
    if (e.defaultPrevented || document.querySelector('dialog[open]') || e.target.matches?.(`${text}, select, textarea`)) return;
    let done = true;
    if (teach.teachKey(e)) { /* done */ }
    else if (e.ctrlKey || e.metaKey || e.altKey) return;
    else if (steer.steerKey(e) || maps.mapKey(e)) { /* done */ }
    else if (e.key === '?') $('help').showModal();
    else if (e.key === 't') teach.teach(document.body.dataset.mode !== 'teach');
    else if (e.key === 'n') charts.stepPoint(1);
    else if (e.key === 'b') charts.stepPoint(-1);
    else if (e.key === 'g') $('show-points').click();
    else if (e.key === 'Home') fit();
    else done = false;
    if (done) e.preventDefault();
}

let kept = null;
try { kept = localStorage.getItem('theme'); } catch { /* none */ }
for (const part of [data, maps, charts, panels, steer, teach]) part.listen();
theme(kept);
dark.onchange = () => theme(document.documentElement.dataset.theme);
$('theme').onclick = toggleTheme;
$('rescan-cancel').onclick = () => $('rescan-box').close();
$('help-open').onclick = () => $('help').showModal();
/* Before all others, which may keep a key for themselves. */
document.addEventListener('keydown', key, true);
document.addEventListener('keydown', otherKey);
start();
