"""webdriver.py - Chromium by the WebDriver protocol, with the standard library alone."""
import base64
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'


class Browser:
    """One Chromium, with as many windows as are opened. width, height: of the page."""

    def __init__(self, width=1280, height=800):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        self.driver = subprocess.Popen(['chromedriver', f'--port={self.port}'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.session = ''
        try:
            for _ in range(400):
                try:
                    self.ask('GET', '/status')
                    break
                except OSError:
                    time.sleep(0.05)
            options = {'binary': shutil.which('chromium'),
                       'args': ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars',
                                '--disable-background-networking', '--disable-extensions', '--no-first-run',
                                '--force-color-profile=srgb']}
            made = self.ask('POST', '/session', {'capabilities': {'alwaysMatch': {
                'goog:chromeOptions': options, 'goog:loggingPrefs': {'browser': 'ALL'}}}})
            self.session = '/session/' + made['sessionId']
            self.size(width, height)
        except BaseException:
            self.close()
            raise

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f'http://127.0.0.1:{self.port}{self.session}{path}', data=data, method=method,
                                         headers={'Content-Type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as e:
            raise RuntimeError(json.load(e)['value']['message'].split('\n')[0]) from None

    def close(self):
        try:
            if self.session:
                self.ask('DELETE', '')
        except (OSError, RuntimeError):
            pass
        self.driver.terminate()
        self.driver.wait()

    def chrome(self, command, **arguments):
        return self.ask('POST', '/goog/cdp/execute', {'cmd': command, 'params': arguments})

    def size(self, width, height, phone=False):
        self.chrome('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone)

    def theme(self, name):
        self.chrome('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': name}])

    def go(self, url):
        self.ask('POST', '/url', {'url': url})

    def reload(self):
        self.ask('POST', '/refresh', {})

    def new_window(self):
        handle = self.ask('POST', '/window/new', {'type': 'tab'})['handle']
        self.window(handle)
        return handle

    def window(self, handle=None):
        if handle is None:
            return self.ask('GET', '/window')
        self.ask('POST', '/window', {'handle': handle})
        return handle

    def js(self, body, *arguments):
        return self.ask('POST', '/execute/sync', {'script': body, 'args': list(arguments)})

    def wait(self, expression, what=None, seconds=60):
        """Until the expression is true; returns its value."""
        end = time.monotonic() + seconds
        while True:
            value = self.js(f'return {expression}')
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f'not within {seconds} s: {what or expression}')
            time.sleep(0.05)

    def text(self, name):
        return self.js('return document.getElementById(arguments[0]).textContent', name)

    def shown(self, name):
        return self.js('const e = document.getElementById(arguments[0]); return !!e && e.getClientRects().length > 0', name)

    def click(self, name):
        """As a person does: scrolled to, for it may lie under the header that stays; then nothing may be over it."""
        found = self.ask('POST', '/element', {'using': 'css selector', 'value': name if name[0] in '.[' or ' ' in name else '#' + name})
        self.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", found)
        self.ask('POST', f'/element/{found[ELEMENT]}/click', {})

    def press(self, keys, hold=''):
        keys = [keys] if len(keys) == 1 else keys
        steps = [{'type': 'keyDown', 'value': h} for h in hold]
        for k in keys:
            steps += [{'type': 'keyDown', 'value': k}, {'type': 'keyUp', 'value': k}]
        steps += [{'type': 'keyUp', 'value': h} for h in hold]
        self.ask('POST', '/actions', {'actions': [{'type': 'key', 'id': 'keys', 'actions': steps}]})

    def drag(self, *places):
        """The mouse goes to the first place, is pressed, goes through the others, and is released."""
        move = [{'type': 'pointerMove', 'duration': 20, 'x': round(x), 'y': round(y)} for x, y in places]
        steps = [move[0], {'type': 'pointerDown', 'button': 0}, *move[1:], {'type': 'pointerUp', 'button': 0}]
        self.ask('POST', '/actions', {'actions': [{'type': 'pointer', 'id': 'mouse', 'actions': steps}]})

    def move(self, x, y):
        self.ask('POST', '/actions', {'actions': [{'type': 'pointer', 'id': 'mouse', 'actions': [
            {'type': 'pointerMove', 'duration': 20, 'x': round(x), 'y': round(y)}]}]})

    def picture(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(base64.b64decode(self.ask('GET', '/screenshot')))

    def complaints(self):
        """What the page wrote to the console as warnings and errors since the last call."""
        return [e['message'] for e in self.ask('POST', '/se/log', {'type': 'browser'}) if e['level'] in ('WARNING', 'SEVERE')]
