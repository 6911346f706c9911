"""Drivers in Python, the acquisition with them, and sessions read back."""

import os
import signal
import tempfile
import sys
import threading
import unittest
import unittest.mock
import warnings
from types import SimpleNamespace

import numpy as np

import reshed
from film_driver import FilmDriver
from support import QUICK
from reshed import _native
from reshed.driver import Refused

WEIGHTS = reshed.shipped_weights()["tiny8x4"]
SETTINGS = {"rows": 32, "cols": 32, "width": 1e-6, "height": 1e-6, "voltage": 8.0, "steps": 32, "cycles": 1,
            "max_points": 3, "min_wall": 4, "margin": 2, "threshold": 0.05, "drift_every": 0,
            "reference_every": 0, "alarm": "continue", "sync_every": 100}


class Case(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.path = os.path.join(self._folder.name, "scan.h5")
        catch = warnings.catch_warnings()
        catch.__enter__()
        self.addCleanup(catch.__exit__, None, None, None)
        warnings.simplefilter("ignore")

    def run_(self, driver, **more):
        return reshed.run(driver, self.path, weights=WEIGHTS, threads=1, **{**SETTINGS, **more})


class Runs(Case):
    def test_a_whole_run_and_its_session(self):
        driver, seen, points = FilmDriver(lost=[7]), [], []
        end = self.run_(driver, sample="film", operator="me",
                        on_line=lambda p: seen.append((p.row, p.mean.shape, p.states.copy())),
                        on_point=lambda done, of, left: points.append((done, of)))
        self.assertEqual(end.end, "done")
        self.assertIn("bias", end.left)
        self.assertTrue(driver.closed)
        self.assertEqual(driver.bias, 0)
        self.assertGreaterEqual(len(seen), 2)
        self.assertEqual(seen[-1][1], (32, 32))
        self.assertEqual(points[-1][0], points[-1][1])
        with reshed.Session(end.path) as s:
            self.assertTrue(s.complete and not s.live)
            self.assertEqual((s.shape, s.lines, s.lost), ((32, 32), 31, 1))
            self.assertEqual((s.sample, s.operator, s.driver), ("film", "me", "python:FilmDriver"))
            self.assertEqual(s.settings["max_points"], "3")
            self.assertEqual([c[0] for c in s.channels], ["Amplitude", "Phase"])
            raw = s.images()["Amplitude"]
            self.assertTrue(np.isnan(raw[7]).all())
            x = np.arange(32)
            np.testing.assert_allclose(raw[3], np.where((x + 1) % 16 < 6, 0.2, 1), rtol=1e-6)
            self.assertTrue(np.isfinite(s.mean).all() and (s.states == 2).all())
            self.assertEqual(s.binary.dtype, bool)
            self.assertEqual(len(s.points), points[-1][1])
            whole, s._view.points = s.points, 1  # as if there were more since it was looked at
            np.testing.assert_array_equal(s.points, whole)
            self.assertEqual(s.loops()["width_mid"].shape, whole.shape)
            self.assertTrue((s.points["state"] == 1).all())
            loops = s.loops()
            self.assertEqual(loops["response"].shape, (len(s.points), 2, 32))
            np.testing.assert_allclose(loops["width_mid"], 5, atol=1)
            self.assertGreater(len(s.events()), 0)
            s._metrics[0] = ("phase", "")  # a metric by the name of a map
            xarray = SimpleNamespace(Dataset=lambda data, coords: data)
            with unittest.mock.patch.dict(sys.modules, xarray=xarray):
                data = s.to_xarray()
            self.assertEqual((data["phase"][0], data["loop_phase"][0]), (("y", "x"), ("point",)))
            self.assertIn("complete", repr(s))
            self.assertIn("<table>", s._repr_html_())
            np.testing.assert_allclose(s.pixel_size, (1e-6 / 32,) * 2)
        with self.assertRaisesRegex(ValueError, "closed"):
            s.map("mean")

    def test_what_a_method_raises_ends_the_run_halted(self):
        for name, at in (("wait_line", 5), ("run_spectroscopy", 2), ("move_tip", 1))[:1 if QUICK else 3]:
            driver = FilmDriver(fail=name, at=at)
            with self.assertRaisesRegex(reshed.Error, f"{name}: ValueError: the stage") as caught:
                self.run_(driver)
            self.assertIsInstance(caught.exception.__cause__, ValueError)
            self.assertGreater(driver.halts, 0, name)
            self.assertEqual((driver.bias, driver.drive), (0, 0))
            self.assertTrue(driver.closed)
            with reshed.Session(self.path) as s:
                self.assertFalse(s.complete)
            os.remove(self.path)
            for left in os.listdir(self._folder.name):
                os.remove(os.path.join(self._folder.name, left))

    @unittest.skipIf(QUICK, "takes a second")
    def test_an_interrupted_run_goes_on(self):
        driver, lines = FilmDriver(slow=0.005), []
        end = self.run_(driver, on_line=lambda p: lines.append(p.arrived),
                        stop=lambda: bool(lines) and lines[-1] > 8)
        self.assertEqual(end.end, "interrupted")
        self.assertGreater(driver.halts, 0)
        end = self.run_(FilmDriver(), resume=True)
        self.assertEqual(end.end, "done")
        with reshed.Session(self.path) as s:
            self.assertEqual((s.lines, s.complete), (32, True))

    @unittest.skipIf(QUICK, "takes a second")
    def test_ctrl_c_halts_first(self):
        driver = FilmDriver(slow=0.05)
        before = signal.getsignal(signal.SIGINT)
        timer = threading.Timer(0.4, lambda: signal.pthread_kill(
            threading.main_thread().ident, signal.SIGINT))
        timer.start()
        try:
            with self.assertRaisesRegex(KeyboardInterrupt, "can be resumed"):
                self.run_(driver)
        finally:
            timer.cancel()
            timer.join()
        self.assertGreater(driver.halts, 0)
        self.assertEqual(driver.bias, 0)
        self.assertIs(signal.getsignal(signal.SIGINT), before)

    @unittest.skipIf(QUICK, "takes a second")
    def test_points_wait_for_a_yes(self):
        shown = []
        driver = FilmDriver()

        def look(points):
            shown.append(points)
            return False

        self.assertEqual(self.run_(driver, confirm=look).end, "unconfirmed")
        self.assertGreater(len(shown[0]), 0)
        self.assertIn("row", shown[0].dtype.names)
        self.assertNotIn("run_spectroscopy", driver.calls)
        self.assertEqual(self.run_(FilmDriver(), resume=True, confirm=lambda p: True).end, "done")

    @unittest.skipIf(QUICK, "takes a second")
    def test_callbacks_that_raise(self):
        def fail(progress):
            raise KeyError("no such axis")

        driver = FilmDriver(slow=0.002)
        with self.assertRaisesRegex(KeyError, "no such axis"):
            self.run_(driver, on_line=fail)
        self.assertGreater(driver.halts, 0)

    @unittest.skipIf(QUICK, "takes a second")
    def test_files_of_others_do_not_wait_for_a_run(self):
        """A method's thread, for which the run waits, would wait for the run."""
        self.run_(FilmDriver(), voltage=0)
        kept, seen = [reshed.Session(self.path)], []
        self.path += "2"

        class Reader(FilmDriver):
            def wait_line(self, timeout):
                if self.calls.get("wait_line", 0) == 3:
                    kept.clear()  # the last reference
                    try:
                        reshed.load(WEIGHTS)
                    except reshed.Error as e:
                        seen.append(str(e))
                return super().wait_line(timeout)

        driver = Reader()
        self.assertEqual(self.run_(driver, voltage=0, on_line=lambda p: reshed.load(WEIGHTS)).end, "done")
        self.assertGreater(len(driver.threads), 1)
        self.assertIn("acquisition is under way", seen[0])
        self.assertEqual(len(_native._left), 1)
        reshed.load(WEIGHTS)
        self.assertEqual(len(_native._left), 0)

    @unittest.skipIf(QUICK, "takes seconds")
    def test_an_instrument_that_is_not_left_as_it_should_be(self):
        class Stuck(FilmDriver):
            def halt(self, timeout):
                raise OSError("no answer to halt")

        def fail(progress):
            raise KeyError("no such axis")

        unsafe = "could not be left as it should be: .*HALT NOT CONFIRMED"
        with self.assertRaisesRegex(reshed.InstrumentError, unsafe) as caught:
            self.run_(Stuck(slow=0.002), stop=lambda: True)
        self.assertIsInstance(caught.exception.__cause__, OSError)
        self.path += "2"
        with self.assertRaisesRegex(reshed.InstrumentError, unsafe + ".*no such axis") as caught:
            self.run_(Stuck(slow=0.002), on_line=fail)
        self.assertIsInstance(caught.exception.__cause__, KeyError)
        self.path += "3"
        with self.assertRaisesRegex(reshed.InstrumentError, "the stage.*" + unsafe) as caught:
            self.run_(Stuck(fail="wait_line", at=5))
        self.assertIsInstance(caught.exception.__cause__, ValueError)
        self.path += "4"

        class Interrupted(Stuck):
            def wait_line(self, timeout):
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                return super().wait_line(timeout)

        with self.assertRaisesRegex(KeyboardInterrupt, unsafe):
            self.run_(Interrupted(slow=0.01))

    @unittest.skipIf(QUICK, "takes a second")
    def test_what_fails_in_a_good_run_is_told(self):
        class Careless(FilmDriver):
            def close(self):
                raise OSError("the port is busy")

            def spectroscopy_seconds(self):
                return "soon"

        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            self.assertEqual(self.run_(Careless()).end, "done")
        told = " ".join(str(w.message) for w in told)
        self.assertRegex(told, "close has failed: OSError: the port is busy")
        self.assertRegex(told, "spectroscopy_seconds has failed: TypeError")

        class Nothing(FilmDriver):
            def caps(self):
                raise OSError("who knows")

        self.path += "2"
        with self.assertRaises(reshed.Error) as caught:
            self.run_(Nothing())
        self.assertIsInstance(caught.exception.__cause__, OSError)

    @unittest.skipIf(QUICK, "takes a second")
    def test_questions_that_raise(self):
        def fail(*points):
            raise KeyError("no screen")

        for name in ("confirm", "stop"):
            driver = FilmDriver(slow=0.002)
            with self.assertRaisesRegex(KeyError, "no screen"):
                self.run_(driver, **{name: fail})
            self.assertNotIn("run_spectroscopy", driver.calls)
            self.assertEqual(driver.bias, 0)
            self.path += "2"

    def test_refusals(self):
        class Half:
            def open(self, timeout):
                pass

            def caps(self):
                return FilmDriver().caps()

            def close(self):
                pass

        class Narrow(FilmDriver):
            def set_frame(self, frame, timeout):
                raise Refused("no frame wider than 100 nm")

        with self.assertRaisesRegex(reshed.Unsupported, "a function halt"):
            self.run_(Half())
        with self.assertRaisesRegex(reshed.Error, "no frame wider"):
            self.run_(Narrow())
        with self.assertRaisesRegex(reshed.InvalidArgument, "colls"):
            self.run_(FilmDriver(), colls=3)
        with self.assertRaisesRegex(reshed.InvalidArgument, "watchdog"):
            self.run_("nanonis")
        with self.assertRaises(reshed.Error):
            self.run_(FilmDriver(), voltage=50.0)  # beyond the driver's limits
        with self.assertRaisesRegex(reshed.FileError, "nowhere.h5"):
            reshed.run(FilmDriver(), self.path, weights="/nowhere.h5", **SETTINGS)
        self.assertFalse(os.path.exists(self.path))
        with self.assertRaisesRegex(reshed.Error, "scan.h5"):
            reshed.Session(self.path)

    @unittest.skipIf(QUICK, "takes a second")
    def test_the_twin_by_its_name(self):
        end = self.run_("twin", options={"clock": 0, "seed": 7}, max_points=2)
        self.assertIn(end.end, ("done", "alarmed"))
        with reshed.Session(end.path) as s:
            self.assertEqual(s.lines, 32)
            self.assertTrue(np.isfinite(s.map("frequency")).any())
            if len(s.points):
                self.assertEqual(s.spectra(0).shape[2], s.spectrum_frequency.size)
            with self.assertRaises(IndexError):
                s.spectra(len(s.points))


if __name__ == "__main__":
    unittest.main()
