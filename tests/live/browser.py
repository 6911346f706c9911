#!/usr/bin/env python3
"""browser.py BIN FOLDER - the live page in a real browser, from the programs in BIN. Files and pictures go to FOLDER.

tests/browser.sh runs it; docs/live.md says what the page does. Every check is one that a person could make: it looks at what
the page shows, clicks and types, and looks at what the programs left on the disk.
"""
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
import urllib.request

from webdriver import Browser

BIN, FOLDER = (os.path.abspath(a) for a in sys.argv[1:3])
WEIGHTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'weights', 'tiny8x4.h5')
SIZE = 96
EVIL = 'film <img src=x id=evil>'
TWIN = ['--driver', 'twin', '-d', 'seed=7', '--weights', WEIGHTS, '-s', f'rows={SIZE}', '-s', f'cols={SIZE}', '-s', 'max_points=12',
        '-s', 'cycles=1', '-s', 'drop_first=0', '-s', 'patch=24', '--sample', EVIL]


class Program:
    """A program that prints the page's addresses; its output goes to a file."""

    def __init__(self, *words):
        self.log = os.path.join(FOLDER, os.path.basename(words[0]) + f'-{time.monotonic_ns()}.log')
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen([os.path.join(BIN, words[0]), *words[1:]], stdout=log, stderr=log, cwd=FOLDER)

    def said(self):
        with open(self.log, encoding='utf-8', errors='replace') as f:
            return f.read()

    def addresses(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = re.findall(r'http://\S+/\?token=[0-9a-f]{32}', self.said())
            if found:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError('no address: ' + self.said())

    def end(self, number=signal.SIGINT, seconds=60):
        if self.process.poll() is None and number:
            self.process.send_signal(number)
        return self.process.wait(seconds)


def check(true, what):
    if not true:
        raise AssertionError(what)


def png_size(path):
    with open(path, 'rb') as f:
        head = f.read(24)
    check(head[:8] == b'\x89PNG\r\n\x1a\n', path + ' is no PNG')
    return struct.unpack('>II', head[16:24])


def pane(b, name):
    """Turns a row and a column of the frame into a place on the screen, on one of the maps."""
    settled(b)
    left, top, width, height = b.js("const r = document.querySelector(`[data-map=${arguments[0]}] .pane`).getBoundingClientRect();"
                                    "return [r.left, r.top, r.width, r.height]", name)
    side = min(width - 7, height)
    x, y = left + 7 + (width - 7 - side) / 2, top + (height - side) / 2
    return lambda row, col: (x + (col + 0.5) / SIZE * side, y + (row + 0.5) / SIZE * side)


def drawn(b, name):
    """How many colours a canvas shows: one or two when there is nothing on it."""
    return b.js("const c = document.querySelector(arguments[0]), p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
                "return new Set(new Uint32Array(p.buffer)).size", name)


def until(true, what, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(what)
        time.sleep(0.02)


def settled(b, name='.pane'):
    """Waits until the page's layout stands still: a click that follows goes to where the map is, not to where it was."""
    b.js("return new Promise(done => { let was = '', same = 0; const look = () => {"
         "const now = [...document.querySelectorAll(arguments[0])].map(e => { const r = e.getBoundingClientRect();"
         "return [r.left, r.top, r.width, r.height]; }).join();"
         "same = now === was ? same + 1 : 0; was = now; if (same > 3) done(); else requestAnimationFrame(look); }; look(); })", name)


READY = "document.querySelectorAll('.tile').length === 8 && document.getElementById('phase').textContent !== 'Connecting'"


# ------------------------------------------------------------------------------------- a session that is over
def a_session_is_opened_again(b):
    made = subprocess.run([os.path.join(BIN, 'reshed-scan'), *TWIN, '-d', 'clock=0', '-o', 'done.h5', '--quiet'],
                          cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False)
    check(made.returncode == 0, made.stderr)
    p = Program('reshed-view', 'done.h5')
    try:
        address = p.addresses()[0]
        b.go(address.split('?')[0])
        b.wait("document.getElementById('banner').textContent.includes('no token')", 'the page says that it needs a token')
        b.go(address)
        b.wait(READY)
        check(b.text('phase') == 'Done', b.text('phase'))
        check('token' not in b.js('return location.href'), 'the token stays out of the address')
        check(b.text('sample') == EVIL and not b.js("return document.getElementById('evil')"), 'values from files are text')
        for name in ('amplitude', 'phase', 'frequency', 'q', 'probability', 'variance', 'overlay', 'doubt'):
            until(lambda name=name: drawn(b, f'[data-map={name}] canvas') > 20, f'the map {name} is drawn')
        b.wait("document.getElementById('loop-note').textContent.includes('12 of 12')")
        for name in ('loop-plot', 'line-uncertainty'):
            until(lambda name=name: drawn(b, '#' + name) > 5, f'{name} is drawn')
        the_cursor_is_shared(b)
        b.picture(FOLDER + '/session.png')
        keys_do_everything(b)
        labels_are_drawn_and_saved(b)
        b.theme('dark')
        b.press('t')
        b.picture(FOLDER + '/dark.png')
        b.theme('light')
        a_phone_shows_all(b)
    finally:
        p.end()


def the_cursor_is_shared(b):
    at = pane(b, 'amplitude')
    b.move(*at(30, 41))
    b.wait("document.getElementById('where').textContent.includes('row 30, column 41: final')", 'the place under the mouse')
    values = b.js("return [...document.querySelectorAll('.tile .value')].map(e => e.textContent)")
    check(len(values) == 8 and all(v for i, v in enumerate(values) if i != 6), f'values at the cursor: {values}')


def keys_do_everything(b):
    b.press('n')
    b.wait("document.getElementById('point-title').textContent.startsWith('Point')", 'a point by its key')
    check(b.text('point-metrics'), 'the numbers of its loop')
    b.press('5')
    b.wait("document.querySelector('.big')?.dataset.map === 'probability'", 'a map by its key')
    b.js("document.querySelector('.big .pane').focus()")
    b.press('\ue015\ue015\ue014')  # down, down, right
    b.wait("document.getElementById('where').textContent.includes('row 32, column 42')", 'the cursor by arrows')
    b.press('+++')
    b.picture(FOLDER + '/zoom.png')
    b.press('f0')
    b.wait("!document.querySelector('.big')")
    b.press('?')
    b.wait("document.getElementById('help').open")
    b.press('\ue00c')
    b.wait("!document.getElementById('help').open", 'Escape closes the list of keys')
    b.click('[data-map=amplitude] .scale')
    b.click('scale-hand')
    b.click('#scale button.main')
    b.wait("!document.getElementById('scale').open")
    check('by hand' in b.js("return document.querySelector('[data-map=amplitude] .scale').getAttribute('aria-label')"), 'a scale by hand')


def labels_are_drawn_and_saved(b):
    count = "document.getElementById('teach-count').textContent"
    b.press('t')
    b.wait("!document.getElementById('teach').hidden && document.querySelector('.big')")
    at = pane(b, 'amplitude')
    for row, col in ((20, 20), (45, 30), (50, 60)):
        b.drag(at(row, col), at(row, col))
    b.picture(FOLDER + '/line.png')
    b.click('finish')
    walls = int(b.wait(count + ".match(/^[1-9][0-9]*/)")[0])
    check(walls > 40, f'a line of {walls} pixels')
    b.press('e')
    b.drag(at(20, 20), at(24, 21))
    b.press('b')
    b.drag(at(70, 70), at(72, 80))
    b.press('i')
    b.drag(at(60, 5), at(60, 25), at(80, 25), at(80, 5))
    b.click('finish')
    b.wait(count + ".match(/, [1-9][0-9]* to ignore/)", 'a region to ignore')
    before = b.js('return ' + count)
    b.click('teach-map')
    b.wait(f'{count} !== {before!r}', 'the lines of the map')
    b.press('z', hold='\ue009')
    b.wait(f'{count} === {before!r}', 'undo')
    b.click('redo')
    b.wait(f'{count} !== {before!r}', 'redo')
    b.click('undo')
    b.wait(f"{count} === {before!r}")
    pixels = int(re.search(r'[0-9]+', before)[0])
    b.wait("(k => k && [...k.runs.keys()].filter(i => i % 2 === 0 && k.runs[i] === 1).reduce((n, i) => n + k.runs[i + 1], 0))"
           f"(JSON.parse(sessionStorage.getItem(Object.keys(sessionStorage).find(n => n.startsWith('labels-'))))) === {pixels}", 'they are kept')
    b.reload()
    b.wait(READY)
    b.press('t')
    b.wait(f'{count} === {before!r}', 'labels that are not saved outlive a reload')
    b.click('teach-save')
    b.wait("!document.getElementById('teach-saved').hidden", 'labels are saved')
    check('reshed-train tune' in b.text('teach-command'), b.text('teach-command'))
    for name in ('done-label.png', 'done-ignore.png'):
        check(png_size(os.path.join(FOLDER, name)) == (SIZE, SIZE), name)
    b.picture(FOLDER + '/teach.png')


def a_phone_shows_all(b):
    b.size(390, 844, phone=True)
    b.wait('innerWidth <= 390')
    settled(b)
    check(b.js('return document.documentElement.scrollWidth') <= 390, 'nothing is wider than a phone')
    b.picture(FOLDER + '/phone.png')
    b.size(1280, 800)


# ------------------------------------------------------------------------------------- a scan under way
ASK = """return fetch(arguments[0], {method: arguments[1], body: arguments[2],
    headers: {'X-Reshed-Token': sessionStorage.token, 'X-Reshed-Viewer': sessionStorage.viewer, 'Content-Type': 'application/json'}})
    .then(r => r.json().then(answer => [r.status, answer]))"""


def state(b):
    return b.js(ASK, 'api/state', 'GET', None)[1]


def other_state(program):
    where, token = program.addresses()[0].split('/?token=')
    with urllib.request.urlopen(f'{where}/api/state?token={token}', timeout=60) as r:
        return json.load(r)


def lines(b):
    found = re.search(r'line (\d+) of', b.text('progress-text'))
    return int(found[1]) if found else 0


def a_scan_is_watched_and_steered(b):
    p = Program('reshed-scan', *TWIN, '-s', 'cycles=12', '-d', 'clock=12', '--live', '--confirm', '-o', 'scan.h5')
    try:
        steer, watch = p.addresses()[:2]
        first = b.window()
        b.go(steer)
        b.wait("document.getElementById('phase').textContent === 'Scanning' && document.querySelectorAll('.tile').length === 8")
        check(b.shown('stop'), 'the stop is in sight')
        rows_come_and_pause(b)
        b.reload()
        b.wait(READY)
        b.wait("!document.getElementById('steer').hidden && document.getElementById('take').hidden", 'a reload keeps the wheel')
        others_watch(b, steer, watch, first)
        a_note_is_kept(b)
        points_wait_for_a_yes(b)
        b.click('measure')
        b.wait("document.getElementById('phase').textContent === 'Measuring loops'", seconds=60)
        b.wait("/[1-9][0-9]* of 6 loops/.test(document.getElementById('progress-text').textContent)", 'loops come', 60)
        b.picture(FOLDER + '/loops.png')
        b.press('?')
        b.wait("document.getElementById('help').open")
        b.press('S', hold='\ue008')
        b.wait("document.getElementById('phase').textContent === 'Stopped'", 'the stop, whatever is open')
        b.press('\ue00c')
        b.wait("!document.getElementById('help').open")
        b.picture(FOLDER + '/stopped.png')
        check(p.end(0) != 0 and 'resume' in p.said(), p.said())
    finally:
        p.end()
    the_log_says_who(b)


def rows_come_and_pause(b):
    b.wait("/line [1-9]/.test(document.getElementById('progress-text').textContent)", 'lines come')
    b.press('p')
    b.wait("document.getElementById('phase').textContent === 'Paused'", 'a pause')
    until(lambda: state(b)['scan']['waiting'] == 0, 'the lines that were under way')
    then = state(b)['scan']['arrived']
    time.sleep(0.5)  # five lines' time: here nothing is to be waited for
    check(state(b)['scan']['arrived'] <= then + 1, 'no line comes in a pause')
    until(lambda: drawn(b, '[data-map=amplitude] canvas') > 20, 'the lines that came are drawn')
    b.picture(FOLDER + '/scan.png')
    beside = Program('reshed-view', 'scan.h5')
    try:
        seen = other_state(beside)
        check(seen['source']['writing'] and seen['scan']['arrived'] >= 1 and seen['run']['phase'] == 'survey', f'another program follows: {seen}')
        b.click('pause')
        b.wait("document.getElementById('phase').textContent === 'Scanning'", 'the scan goes on')
        until(lambda: other_state(beside)['scan']['arrived'] > seen['scan']['arrived'], 'its lines come')
    finally:
        check(beside.end() == 0, beside.said())
    check(lines(b) <= SIZE, 'a number of lines')


def others_watch(b, steer, watch, first):
    second = b.new_window()
    b.go(steer)
    b.wait("!document.getElementById('take').hidden", 'a second viewer may only take the wheel')
    check(b.shown('stop') and not b.js("return document.getElementById('stop').disabled"), 'and stop, as everybody with this address')
    check(not b.shown('pause'), 'and does not steer')
    status, answer = b.js(ASK, 'api/action', 'POST', '{"id": "x", "action": "pause"}')
    check(status == 409, f'refused: {status} {answer}')
    b.go(watch)
    b.wait("!document.getElementById('watching').hidden", 'the other address watches')
    status, answer = b.js(ASK, 'api/action', 'POST', '{"id": "y", "action": "stop"}')
    check(status == 403, f'refused: {status} {answer}')
    b.complaints()  # the two refusals
    b.ask('DELETE', '/window')
    check(second != first, 'two windows')
    b.window(first)


def a_note_is_kept(b):
    b.click('tab-log')
    b.click('note')
    b.press('<i>tip</i>')
    b.press('\ue007')
    b.wait("[...document.querySelectorAll('#log-list li')].some(e => e.textContent.includes('<i>tip</i>'))", 'a note in the log')


def points_wait_for_a_yes(b):
    count = "document.getElementById('confirm-count').textContent"
    b.wait("!document.getElementById('confirm').hidden", 'points wait', 90)
    b.wait(f"{count} === '12' && document.querySelector('.big')?.dataset.map === 'overlay'")
    at = pane(b, 'overlay')
    b.picture(FOLDER + '/confirm.png')
    place = [(q['row'], q['col']) for q in state(b)['points']['list']]
    b.click('mode-remove')
    b.drag(at(*place[3]), at(*place[3]))
    b.wait(f"{count} === '11'", 'a point removed by a click')
    # To where the other one was: a place that the rules of the choice allow.
    b.click('mode-move')
    b.drag(at(*place[0]), at((place[0][0] + place[3][0]) / 2, (place[0][1] + place[3][1]) / 2), at(*place[3]))
    until(lambda: place[0] not in [(q['row'], q['col']) for q in state(b)['points']['list']], 'a point moved by the mouse')
    b.wait("document.getElementById('confirm').getAttribute('aria-busy') === null")
    b.click('mode-add')
    b.drag(at(*place[0]), at(*place[0]))
    b.wait(f"{count} === '12'", 'a point added by a click')
    b.js("document.getElementById('thin-keep').value = '6'")
    b.click('thin')
    b.wait(f"{count} === '6'", 'fewer points')
    b.click('route')
    b.wait("document.getElementById('confirm').getAttribute('aria-busy') === null")
    check(b.text('measure') == 'Measure 6 points', b.text('measure'))


def the_log_says_who(b):
    p = Program('reshed-view', 'scan.h5')
    try:
        b.go(p.addresses()[0])
        b.wait(READY)
        log = b.wait("document.getElementById('log-list').textContent")
        check('viewer' in log and '<i>tip</i>' in log, f'who did what is in the session: {log}')
    finally:
        p.end()


# -------------------------------------------------------------------------------------
def main():
    b = Browser()
    started = time.monotonic()
    try:
        for scenario in SCENARIOS:
            scenario(b)
            told = [c for c in b.complaints() if 'favicon' not in c and '401' not in c and 'ERR_' not in c]
            check(not told, f'the console: {told}')
            print(f'# {scenario.__name__}: {time.monotonic() - started:.1f} s', flush=True)
    except BaseException:
        try:
            b.picture(FOLDER + '/failed.png')
        except (OSError, RuntimeError):
            pass
        raise
    finally:
        b.close()


SCENARIOS = [a_session_is_opened_again, a_scan_is_watched_and_steered]

if __name__ == '__main__':
    main()
