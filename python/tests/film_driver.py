"""A driver in Python for the tests: stripes, and loops with a known width."""

import threading
import time

import numpy as np

from reshed.driver import Caps, Frame, Limits, Line, LostLine, Refused, Spectrum


class FilmDriver:
    """An instrument that nothing takes time at. `fail` names a method, and the call of it (from 1) at
    which it raises ValueError."""

    def __init__(self, fail=None, at=1, lost=(), slow=0.0):
        self.fail, self.at, self.lost, self.slow = fail, at, set(lost), slow
        self.calls, self.bias, self.drive, self.halts, self.closed = {}, 0.0, 1.0, 0, False
        self.voltages = []
        self.tip = (0.0, 0.0)
        self.frame = Frame(0, 0, 1e-6, 1e-6, 0, 32, 32, 10.0, False)
        self.row = self.end = 0
        self.threads = set()
        self.options = {}

    def _count(self, name):
        self.threads.add(threading.get_ident())
        self.calls[name] = self.calls.get(name, 0) + 1
        if name == self.fail and self.calls[name] == self.at:
            raise ValueError("the stage is stuck")

    def open(self, timeout, **options):
        self.options = options
        self._count("open")

    def close(self):
        self.closed = True

    def caps(self):
        return Caps("film driver", [("Amplitude", "m"), ("Phase", "rad")],
                    Limits(-1e-5, 1e-5, -1e-5, 1e-5, 10, 5, 1e-3), off_field=True, simulated=True,
                    clock_rate=float("inf"))

    def set_frame(self, frame, timeout):
        self._count("set_frame")
        self.frame = frame

    def get_frame(self, timeout):
        return self.frame

    def start(self, row, timeout):
        self._count("start")
        self.row, self.end = row, self.frame.rows

    def pause(self, timeout):
        self._count("pause")
        self.end = self.row

    def wait_line(self, timeout):
        self._count("wait_line")
        if self.row >= self.end:
            raise Refused("no scan")
        if self.slow:
            time.sleep(self.slow)
        row, self.row = self.row, self.row + 1
        if row in self.lost:
            raise LostLine(row)
        x = np.arange(self.frame.cols)
        dark = (x + row // 2) % 16 < 6
        return Line(row, [np.where(dark, 0.2, 1.0), np.where(dark, 0.0, 1.0)], time=float(row))

    def move_tip(self, x, y, speed, timeout):
        self._count("move_tip")
        self.tip = (x, y)

    def get_tip(self, timeout):
        return self.tip

    def set_bias(self, volts, timeout):
        self._count("set_bias")
        self.bias = volts

    def get_bias(self, timeout):
        return self.bias

    def set_drive(self, volts, timeout):
        self.drive = volts

    def withdraw(self, timeout):
        self._count("withdraw")

    def set_spectroscopy(self, s, timeout):
        self._count("set_spectroscopy")
        self.voltages = s.voltage

    def run_spectroscopy(self, timeout):
        self._count("run_spectroscopy")
        v, state, out = self.voltages, -1.0, []
        for volts in v:
            state = 1.0 if volts > 3 else -1.0 if volts < -2 else state
            out.append(state)
        out = np.array(out)
        amplitude = np.stack([np.abs(out), np.abs(out)]) * 1e-3
        phase = np.stack([np.where(out > 0, 0.0, np.pi)] * 2)
        return Spectrum(*self.tip, amplitude=amplitude, phase=phase)

    def spectroscopy_seconds(self):
        return 0.0

    def halt(self, timeout):
        self.halts += 1
        self.bias = self.drive = 0.0
