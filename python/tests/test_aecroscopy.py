"""The example driver, on a fake of AEcroscopy's documented calls."""

import os
import sys
import tempfile
import unittest
import warnings

import numpy as np

import reshed
from fake_aecroscopy import Acquisition
from support import QUICK, ROOT

sys.path.append(os.path.join(ROOT, "python", "examples"))
from aecroscopy_driver import AEcroscopyDriver  # noqa: E402
from reshed.driver import BandExcitation, Lost, LostLine, Refused, Spectroscopy  # noqa: E402


def triangle(steps=32, cycles=1, top=8.0):
    k = np.arange(steps * cycles) % steps
    q = steps // 4
    return top * np.where(k < q, k, np.where(k < 3 * q, 2 * q - k, k - steps)) / q


def spectroscopy(voltage=None, **changes):
    return Spectroscopy(triangle() if voltage is None else voltage, True, 4e-3, 0, 0, 0, 0)._replace(**changes)


class AEcroscopy(unittest.TestCase):
    def driver(self, **fake):
        """Ready for a loop at a place."""
        driver = AEcroscopyDriver(lambda: Acquisition(**fake), size=1e-6)
        driver.open(10.0)
        self.addCleanup(driver.close)
        driver.set_be(BandExcitation(300e3, 60e3, 1.0, 1.0, 4, 1e-3), 1.0)
        driver.move_tip(1e-7, 1e-7, 1e-6, 1.0)
        return driver

    def test_the_waveform_is_the_one_asked_for(self):
        driver = self.driver()
        for cycles in (1, 3):
            driver.set_spectroscopy(spectroscopy(triangle(cycles=cycles)), 1.0)
            self.assertEqual(driver.run_spectroscopy(1.0).spectra.shape[:2], (2, 32 * cycles))
        step = triangle()
        for wrong in ({"voltage": -step}, {"voltage": np.roll(step, 8)}, {"voltage": step[:-1]},
                      {"voltage": np.abs(step)}, {"voltage": np.sign(step) * 8}, {"voltage": step * 2},
                      {"voltage": triangle(top=np.nan)}, {"voltage": np.concatenate([step, step / 2])},
                      {"dwell": 5e-3}, {"on_time": 1e-3}, {"ramp_rate": 100.0}, {"read_bias": 20.0}):
            with self.assertRaises(Refused, msg=str(wrong)):
                driver.set_spectroscopy(spectroscopy(**wrong), 1.0)
            with self.assertRaises(Refused):
                driver.run_spectroscopy(1.0)  # with what was set before
        self.assertEqual(driver.a.loops, 2)

    def test_a_short_spectrum_is_lost_and_not_tried_again(self):
        driver = self.driver(missing=3)
        driver.set_spectroscopy(spectroscopy(), 1.0)
        with self.assertRaises(LostLine):
            driver.run_spectroscopy(1.0)
        self.assertEqual(driver.a.loops, 1)
        driver = self.driver(bend=0.5)
        driver.set_spectroscopy(spectroscopy(), 1.0)
        with self.assertRaisesRegex(Lost, "other voltages"):
            driver.run_spectroscopy(1.0)

    def test_limits_are_the_drivers_too(self):
        driver = self.driver()
        for call, arguments in (("set_bias", [11.0]), ("set_bias", [np.nan]), ("set_drive", [3.0]),
                                ("move_tip", [6e-7, 0, 1e-6]), ("move_tip", [0, np.nan, 1e-6]),
                                ("move_tip", [0, 0, 1.0]), ("move_tip", [0, 0, 0])):
            with self.assertRaises(Refused, msg=call):
                getattr(driver, call)(*arguments, 1.0)
        self.assertEqual((driver.a.bias, len(driver.a.moves)), (0.0, 1))

    @unittest.skipIf(QUICK, "takes a second")
    def test_a_run(self):
        made = []

        def connect():
            made.append(Acquisition())
            return made[0]

        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            end = reshed.run(
                AEcroscopyDriver(connect, size=1e-6), os.path.join(folder, "scan.h5"),
                weights=reshed.shipped_weights()["tiny8x4"], threads=1, rows=32, cols=32, width=1e-6,
                height=1e-6, be_centre=300e3, be_band=60e3, be_duration=1e-3, voltage=8.0, steps=32,
                cycles=1, max_points=2, threshold=0.05, min_wall=4, margin=2, drift_every=0,
                reference_every=0, alarm="continue", end="leave")
            self.assertEqual(end.end, "done")
            with reshed.Session(end.path) as s:
                self.assertEqual(s.lines, 32)
                np.testing.assert_allclose(np.nanmax(s.amplitude), 1e-3, rtol=0.02)
                self.assertEqual(len(s.points), 2)
                np.testing.assert_allclose(s.loops()["width_mid"], 5, atol=1.5)
        fake = made[0]
        self.assertEqual((fake.bias, fake.be["amplitude_V_02"]), (0, 0))
        self.assertGreaterEqual(len(fake.moves), 2)
        self.assertEqual(fake.loops, 2)

    def test_another_frame_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(reshed.Error, "the controller's"):
                reshed.run(AEcroscopyDriver(Acquisition, size=1e-6), os.path.join(folder, "s.h5"),
                           weights=reshed.shipped_weights()["tiny8x4"], width=5e-7, height=5e-7,
                           be_centre=300e3, be_band=60e3, be_duration=1e-3)


if __name__ == "__main__":
    unittest.main()
