"""Walls, spectra, loops, twin, images: shapes, types, values, errors."""

import os
import tempfile
import unittest

import numpy as np

import reshed
from support import film


def lines(height=64, width=64):
    """Two straight walls."""
    mean = np.zeros((height, width), np.float32)
    mean[:, 20] = 0.9
    mean[30, 30:] = 0.8
    return mean


class Walls(unittest.TestCase):
    def test_walls_and_points(self):
        w = reshed.walls(lines(), every=6, min_wall=5, margin=2, pixel_size=10e-9)
        self.assertEqual(len(w), 2)
        np.testing.assert_allclose(w.walls["length"], [630e-9, 330e-9], rtol=0.05)
        np.testing.assert_allclose(w.walls["probability"], [0.9, 0.8], rtol=1e-5)
        self.assertAlmostEqual(w.walls["orientation"][0], np.pi / 2, places=3)
        self.assertEqual(w.pixels(0).shape, (w.walls["count"][0], 2))
        self.assertTrue((w.pixels(0)[:, 1] == 20).all())
        self.assertTrue(w.skeleton[30, 40] and not w.skeleton[0, 0])
        self.assertEqual(w.wall_at[10, 20], 0)
        self.assertGreater(len(w.points), 10)
        self.assertTrue((w.points["kind"] == 0).all())
        at = reshed.select_points(lines(), every=6, min_wall=5, margin=2, pixel_size=10e-9)
        np.testing.assert_array_equal(at[:, 0], w.points["row"])
        self.assertIn("walls 2", repr(w))
        self.assertIn("<table>", w._repr_html_())

    def test_a_prediction_is_taken_as_it_is(self):
        p = reshed.load(reshed.shipped_weights()["tiny8x4"]).predict(film(64, 64), warn=False)
        w = reshed.walls(p)
        np.testing.assert_array_equal(w.mask, p.wall > 0.5)
        self.assertTrue(np.isfinite(w.walls["variance"]).all())

    def test_no_wall_is_no_error(self):
        w = reshed.walls(np.zeros((16, 16)))
        self.assertEqual((len(w), len(w.points)), (0, 0))
        self.assertEqual(reshed.select_points(np.zeros((16, 16))).shape, (0, 2))

    def test_errors(self):
        with self.assertRaisesRegex(reshed.InvalidArgument, "found evry"):
            reshed.walls(lines(), evry=3)
        with self.assertRaisesRegex(reshed.InvalidArgument, "order: expected route"):
            reshed.walls(lines(), order="random")
        with self.assertRaisesRegex(reshed.InvalidArgument, "phase: expected"):
            reshed.walls(lines(), phase=np.zeros((3, 3)))
        with self.assertRaises(reshed.InvalidArgument):
            reshed.walls(lines(), pixel_size=-1)

    def test_route(self):
        at = np.random.default_rng(3).random((40, 2))
        order, length = reshed.route(at, start=(0, 0))
        self.assertEqual(sorted(order.tolist()), list(range(40)))
        steps = np.diff(at[order], axis=0)
        self.assertAlmostEqual(length, np.hypot(*steps.T).sum(), places=9)
        self.assertEqual(order[0], np.hypot(*at.T).argmin())
        self.assertLess(length, np.hypot(*np.diff(at, axis=0).T).sum() / 2)
        with self.assertRaises(reshed.InvalidArgument):
            reshed.route([[0, np.nan]])


class Images(unittest.TestCase):
    def test_skeletonize(self):
        mask = np.zeros((20, 30), bool)
        mask[8:13, 3:27] = True
        for method in ("keep", "skimage"):
            thin = reshed.skeletonize(mask, method)
            self.assertEqual(thin.dtype, np.bool_)
            self.assertTrue(thin[10, 10:20].all())
            self.assertLess(thin.sum(), 30)
        np.testing.assert_array_equal(reshed.skeletonize(mask * 255), reshed.skeletonize(mask))
        with self.assertRaises(reshed.InvalidArgument):
            reshed.skeletonize(mask, "lee")

    def test_resize(self):
        image = film(20, 30)
        small = reshed.resize(image, (10, 15))
        np.testing.assert_allclose(small, image.reshape(10, 2, 15, 2).mean((1, 3)), atol=1e-6)
        self.assertEqual(reshed.resize(image, (40, 30)).shape, (40, 30))
        with self.assertRaises(reshed.InvalidArgument):
            reshed.resize(image, (0, 3))

    def test_locate(self):
        spots = np.zeros((40, 60, 3), np.float32)
        spots[10:13, 20:25, 0] = 1
        spots[30:31, 30:32, 1] = 0.9
        spots[1, 1, 0] = 1  # at the edge
        spots[..., 2] = 1 - spots[..., :2].sum(-1)  # the background
        np.testing.assert_allclose(reshed.locate(spots), [[11, 22, 0], [30, 30.5, 1]])
        np.testing.assert_allclose(reshed.locate(spots, dist_edge=0)[0], [1, 1, 0])
        np.testing.assert_allclose(reshed.locate(np.roll(spots, 1, axis=2), background=0),
                                   [[11, 22, 1], [30, 30.5, 2]])
        with self.assertRaisesRegex(reshed.InvalidArgument, "background"):
            reshed.locate(spots, background=3)
        self.assertEqual(reshed.locate(np.zeros((9, 9))).shape, (0, 3))
        dots = np.zeros((64, 64), np.float32)
        dots[10:54:2, 10:54:2] = 1  # more than the first room
        self.assertEqual(len(reshed.locate(dots)), 22 * 22)

    def test_read_image(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "frame.npy")
            image = film(12, 17)
            np.save(path, image)
            read = reshed.read_image(path)
            np.testing.assert_array_equal(read.data, image)
            self.assertIsNone(read.pixel_size)
            np.testing.assert_array_equal(np.asarray(read), image)
            with open(path, "r+b") as f:
                f.truncate(200)
            with self.assertRaisesRegex(reshed.Error, "frame.npy: "):
                reshed.read_image(path)

    def test_seg_predictor_finds_centres(self):
        predictor = reshed.SegPredictor(reshed.shipped_weights()["tiny8x4"], resize=(32, 40))
        decoded, at = predictor.run(np.stack([film(64, 80), film(64, 80, seed=2)]))
        self.assertEqual(decoded.shape, (2, 32, 40, 1))
        self.assertEqual(sorted(at), [0, 1])
        self.assertEqual(at[0].shape[1], 3)
        decoded, at = reshed.load_model(reshed.shipped_weights()["tiny8x4"]).predict(film(32, 32))
        self.assertEqual((decoded.shape, list(at)), ((1, 32, 32, 1), [0]))


def resonance(frequency, amplitude, centre, q, phase):
    return amplitude * np.exp(1j * phase) * centre**2 / (
        frequency**2 - 1j * frequency * centre / q - centre**2)


class Spectra(unittest.TestCase):
    def test_sho_fit(self):
        axis = np.linspace(280e3, 320e3, 64)
        want = [(1e-3, 300e3, 150.0, 0.5), (2e-3, 305e3, 90.0, -2.0)]
        spectra = np.stack([resonance(axis, *w) for w in want]).reshape(2, 1, 64)
        fits = reshed.sho_fit(spectra, axis)
        self.assertEqual(fits.shape, (2, 1))
        for fit, (amplitude, centre, q, phase) in zip(fits[:, 0], want):
            np.testing.assert_allclose(
                [fit["amplitude"], fit["frequency"], fit["q"], fit["phase"]],
                [amplitude, centre, q, phase], rtol=1e-4)
            self.assertEqual(fit["failed"], 0)
        flat = reshed.sho_fit(np.ones(64), axis)
        self.assertEqual((flat.shape, int(flat["failed"])), ((), 1))
        self.assertTrue(reshed.sho_flags(flat["flags"]))
        with self.assertRaises(reshed.InvalidArgument):
            reshed.sho_fit(spectra, axis[::-1])
        with self.assertRaises(reshed.InvalidArgument):
            reshed.sho_fit(spectra, axis, q_min=-1)
        with self.assertRaisesRegex(reshed.InvalidArgument, "spectra: expected"):
            reshed.sho_fit(spectra, axis[:-1])

    def loop(self, cycles=1):
        up = np.linspace(-8, 8, 33)
        v = np.concatenate([up[16:], up[-2::-1], up[1:16]])
        v = np.roll(v, 0)
        branch = np.where(np.arange(v.size) < 17, 1, np.where(np.arange(v.size) < 49, -1, 1))
        r = np.tanh((v - 3 * branch + 0.5) / 1.0)
        return np.tile(v, cycles), np.tile(r, cycles)

    def test_loops(self):
        v, response = self.loop(2)
        l = reshed.loops(v, np.stack([response, 2 * response]).reshape(2, 1, -1), cycles=2)
        self.assertEqual(l["width_mid"].shape, (2, 1))
        np.testing.assert_allclose(l["width_mid"], 6, atol=0.1)
        np.testing.assert_allclose(l["imprint_mid"], -0.5, atol=0.1)
        np.testing.assert_allclose(l["switchable"][:, 0], [2, 4], atol=0.1)
        self.assertTrue(l.trusted.all(), [reshed.loop_flags(f) for f in l.flags.ravel()])
        table = l.to_array()
        self.assertEqual(table.shape, (2, 1))
        np.testing.assert_array_equal(table["width_mid"], l["width_mid"])
        self.assertIn("width_mid", l.to_dict(summary=True))
        with self.assertRaises(KeyError):
            l["width"]
        self.assertIn("2 loops", repr(l))
        self.assertIn("width_mid (V)", l._repr_html_())

    def test_complex_loops_are_unfolded(self):
        v, response = self.loop()
        turned = response * np.exp(0.7j)
        for way in ("map", "area", "fixed", "bglib"):
            l = reshed.loops(v, np.stack([turned] * 20), unfold=way)
            np.testing.assert_allclose(np.abs(l["width_mid"]), 6, atol=0.2)
            if way != "bglib":  # which centres a loop on another point
                np.testing.assert_allclose(np.abs(l.response[0]), np.abs(response), atol=0.05)

    def test_loops_errors(self):
        v, response = self.loop()
        with self.assertRaisesRegex(reshed.InvalidArgument, "unfold: expected map"):
            reshed.loops(v, response * 1j, unfold="best")
        with self.assertRaisesRegex(reshed.InvalidArgument, "cycles"):
            reshed.loops(v, response, cycles=5)
        with self.assertRaises(reshed.InvalidArgument):
            reshed.loops(v, response, sat_fraction=7)
        with self.assertRaisesRegex(reshed.InvalidArgument, "response: expected"):
            reshed.loops(v, response[1:])


class Library(unittest.TestCase):
    def test_a_library_of_other_headers_is_refused(self):
        from reshed import _rooms, _rooms_c

        _rooms.lib()
        kept, made_of = _rooms._opened[:], _rooms_c.HEADERS
        try:
            _rooms._opened.clear()
            _rooms_c.HEADERS = "123"
            with self.assertRaisesRegex(ImportError, "libreshed_rooms.so: made of other headers"):
                reshed.skeletonize(np.zeros((3, 3)))
        finally:
            _rooms_c.HEADERS = made_of
            _rooms._opened[:] = kept


class Twin(unittest.TestCase):
    def test_images_with_truth(self):
        a = reshed.twin((40, 50), seed=3, noise=0.05)
        b = reshed.twin((40, 50), seed=3, noise=0.05)
        self.assertEqual(a.amplitude.shape, (40, 50))
        np.testing.assert_array_equal(a.amplitude, b.amplitude)
        self.assertTrue(np.isfinite(a.amplitude).all() and a.wall.any())
        self.assertAlmostEqual(a.pixel_size, 10e-9)
        self.assertEqual(a.wall.dtype, np.bool_)
        self.assertEqual(set(np.unique(a.domain)) - {0, 1, 2, 3}, set())
        self.assertGreater(reshed.twin(40, random=True, seed=5).pixel_size, 0)
        self.assertIn("40 x 50", repr(a))

    def test_errors(self):
        for wrong in ({"film": "bto"}, {"nois": 1}, {"noise": -1}, {"seed": -1}, {"shape": 1}):
            with self.assertRaises(reshed.InvalidArgument, msg=str(wrong)):
                reshed.twin(**{"shape": 16, **wrong})


if __name__ == "__main__":
    unittest.main()
