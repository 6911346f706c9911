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


class AEcroscopy(unittest.TestCase):
    @unittest.skipIf(QUICK, "takes a second")
    def test_a_run(self):
        fake = Acquisition()
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            end = reshed.run(
                AEcroscopyDriver(fake, size=1e-6), os.path.join(folder, "scan.h5"),
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
        self.assertEqual((fake.bias, fake.be["amplitude_V_02"]), (0, 0))
        self.assertGreaterEqual(len(fake.moves), 2)

    def test_another_frame_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(reshed.Error, "the controller's"):
                reshed.run(AEcroscopyDriver(Acquisition(), size=1e-6), os.path.join(folder, "s.h5"),
                           weights=reshed.shipped_weights()["tiny8x4"], width=5e-7, height=5e-7,
                           be_centre=300e3, be_band=60e3, be_duration=1e-3)


if __name__ == "__main__":
    unittest.main()
