"""A driver's table of functions as C calls it: what methods raise and give, right and wrong."""

import unittest

import numpy as np

from film_driver import FilmDriver
from reshed import driver as d
from reshed._rooms import ffi

OK, RETRY, LOST_LINE, REFUSED, LOST = range(5)
COLS, BINS, STEPS = 8, 4, 6
GUARD = 64


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class Odd(d.DriverError):
    status = 0  # which would be success


class Wordy(d.DriverError):
    status = "lost"


class Answers(unittest.TestCase):
    def table(self, **methods):
        driver = FilmDriver()
        for name, method in methods.items():
            setattr(driver, name, method)
        self.table_ = d.Table(driver)
        self.err = ffi.new("reshed_error *")
        return self.table_.ops

    def text(self):
        return ffi.string(self.err.what).decode()

    def raising(self, e):
        def method(*arguments):
            raise e
        return method

    def test_nothing_that_is_raised_is_a_success(self):
        for e in (Mute(), ValueError("\ud800"), Odd("odd"), Wordy("wordy"), KeyboardInterrupt(),
                  SystemExit(3), ValueError("é" * 2000)):
            ops = self.table(set_bias=self.raising(e), halt=self.raising(e))
            self.assertEqual(ops.set_bias(ffi.NULL, 1.0, 1.0, self.err), LOST, repr(type(e)))
            self.assertTrue(self.text().startswith("set_bias: "))
            self.assertEqual(ops.halt(ffi.NULL, 1.0, self.err), LOST)
            self.assertIs(self.table_.raised[0][1], e)

    def test_answers_by_what_was_raised(self):
        for e, want in ((d.Retry("wait"), RETRY), (TimeoutError(), RETRY), (d.Refused("no"), REFUSED),
                        (d.Lost("gone"), LOST), (d.LostLine(3), LOST_LINE)):
            ops = self.table(set_bias=self.raising(e))
            self.assertEqual(ops.set_bias(ffi.NULL, 1.0, 1.0, self.err), want)

    def test_a_tip_on_its_way(self):
        for value, want in ((None, OK), (True, OK), (np.True_, OK), (False, RETRY), (np.False_, RETRY),
                            (0, RETRY)):
            ops = self.table(move_tip=lambda *a, v=value: v)
            self.assertEqual(ops.move_tip(ffi.NULL, 0, 0, 1, 1, self.err), want, repr(value))

    def test_functions_without_a_status(self):
        ops = self.table(spectroscopy_seconds=self.raising(Mute()), caps=self.raising(Mute()),
                         close=self.raising(Mute()))
        self.assertTrue(np.isnan(ops.spectroscopy_seconds(ffi.NULL)))
        ops.close(ffi.NULL)
        caps = ffi.new("rs_driver_caps *")
        ops.caps(ffi.NULL, caps)
        self.assertEqual(len(self.table_.raised), 3)
        ops = self.table(spectroscopy_seconds=lambda: "soon")
        self.assertTrue(np.isnan(ops.spectroscopy_seconds(ffi.NULL)))

    def test_caps_that_do_not_fit_are_none(self):
        full = FilmDriver().caps()
        for wrong in (full._replace(channels=[("a", "m")] * 17), full._replace(clock_rate="fast"),
                      full._replace(channels=[("a",)])):
            ops = self.table(caps=lambda w=wrong: w)
            caps = ffi.new("rs_driver_caps *")
            ops.caps(ffi.NULL, caps)
            self.assertEqual(bytes(ffi.buffer(caps)), bytes(ffi.sizeof(caps[0])))
            self.assertEqual(len(self.table_.raised), 1)

    def line(self, given, channels=2, bins=0):
        """Status, and whether C's arrays were kept to."""
        ops = self.table(wait_line=lambda timeout: given)
        sizes = (channels * COLS, COLS * max(bins, 1) * 2, max(bins, 1))
        room = [np.full(n + GUARD, -7, t) for n, t in zip(sizes, ("f4", "f4", "f8"))]
        line = ffi.new("rs_line *", {
            "cols": COLS, "bins": bins, "channels": channels,
            "channel": ffi.cast("float *", room[0].ctypes.data),
            "spectra": ffi.cast("float *", room[1].ctypes.data),
            "frequency": ffi.cast("double *", room[2].ctypes.data)})
        status = ops.wait_line(ffi.NULL, 1.0, line, self.err)
        for n, array in zip(sizes, room):
            self.assertTrue((array[n:] == -7).all())
        return status, line, room

    def test_lines_of_any_shape_stay_in_their_arrays(self):
        status, line, room = self.line(d.Line(3, np.ones((2, COLS))))
        self.assertEqual((status, line.row, line.cols, line.channels), (OK, 3, COLS, 2))
        self.assertTrue((room[0][:2 * COLS] == 1).all())
        self.assertEqual(self.line(d.Line(3, np.ones(COLS)))[0], OK)
        self.assertEqual(self.line(d.Line(3, np.ones((5, COLS))))[1].channels, 2)
        for shape in ((2, COLS, 9), (2, 1, COLS)):
            self.assertEqual(self.line(d.Line(3, np.ones(shape)))[0], LOST, shape)
            self.assertIn("channels: expected [channels][cols]", self.text())
        self.assertEqual(self.line(d.Line(3, np.ones((2, COLS + 1))))[0], REFUSED)
        spectra, frequency = np.ones((COLS, BINS), complex), np.arange(BINS)
        none = np.zeros((0, COLS))
        good = d.Line(3, none, spectra=spectra, frequency=frequency)
        self.assertEqual(self.line(good, bins=BINS)[0], OK)
        for wrong in (good._replace(spectra=spectra[:-1]), good._replace(spectra=spectra[0]),
                      good._replace(frequency=frequency[1:]), good._replace(frequency=None),
                      good._replace(spectra=np.ones((COLS, 2, BINS)))):
            self.assertEqual(self.line(wrong, bins=BINS)[0], LOST)

    def test_spectra_of_any_shape_stay_in_their_arrays(self):
        both = np.ones((2, STEPS))
        for given, want in ((d.Spectrum(0, 0, both, both), OK),
                            (d.Spectrum(0, 0, both[:1], both[:1]), OK),
                            (d.Spectrum(0, 0, np.ones((3, STEPS)), np.ones((3, STEPS))), REFUSED),
                            (d.Spectrum(0, 0, np.ones((2, STEPS + 1)), both), REFUSED),
                            (d.Spectrum(0, 0, both, both[:1]), LOST),
                            (d.Spectrum(0, 0, both[0], both[0]), LOST),
                            (d.Spectrum(0, 0, both[np.newaxis], both), LOST),
                            (d.Spectrum(0, 0), LOST), (d.Spectrum(0, 0, spectra=both), LOST),
                            (None, RETRY)):
            ops = self.table(run_spectroscopy=lambda timeout: given)
            room = [np.full(2 * STEPS + GUARD, -7, "f4") for _ in range(2)]
            out = ffi.new("rs_spectrum *", {
                "steps": STEPS, "fields": 2, "amplitude": ffi.cast("float *", room[0].ctypes.data),
                "phase": ffi.cast("float *", room[1].ctypes.data)})
            self.assertEqual(ops.run_spectroscopy(ffi.NULL, 1.0, out, self.err), want)
            for array in room:
                self.assertTrue((array[2 * STEPS:] == -7).all())


if __name__ == "__main__":
    unittest.main()
