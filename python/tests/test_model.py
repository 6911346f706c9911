"""load, predict, plan: shapes, types, values, errors, memory."""

import gc
import os
import threading
import unittest
import warnings

import numpy as np

import reshed
from support import DATA, ROOT, QUICK, data, film, rss

TINY = os.path.join(DATA, "tiny_bilinear_ensemble_metadict.tar")


class Predict(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = reshed.load(TINY)

    def test_goldens_of_pytorch(self):
        for size in ("8x8", "29x37"):
            image = data(f"tiny_input_{size}.npy")
            h, w = image.shape
            mean, variance = self.model.plan(h, w).run(image)
            np.testing.assert_allclose(mean, data(f"tiny_bilinear_{size}_mean.npy"), atol=2e-5)
            np.testing.assert_allclose(variance, data(f"tiny_bilinear_{size}_var.npy"), atol=2e-5)

    def test_predict_unpacks_and_says_more(self):
        image = film(40, 50)
        p = self.model.predict(image, warn=False)
        mean, variance = p
        self.assertEqual(mean.shape, (40, 50))
        self.assertEqual((mean.dtype, variance.dtype), (np.float32, np.float32))
        self.assertTrue((mean >= 0).all() and (mean <= 1).all() and (variance >= 0).all())
        self.assertAlmostEqual(p.range[0], image.min(), places=6)
        self.assertIn("Prediction", repr(p))
        self.assertIn("<table>", p._repr_html_())

    def test_a_stack_is_its_images(self):
        stack = np.stack([film(24, 30, seed=s) for s in range(3)])
        p = self.model.predict(stack, warn=False)
        self.assertEqual(p.mean.shape, (3, 24, 30))
        self.assertEqual(p.ood_score.shape, (3,))
        for i in range(3):
            np.testing.assert_array_equal(p.mean[i],
                                          self.model.predict(stack[i], warn=False).mean)

    def test_any_array_like_and_any_layout(self):
        image = film(24, 30)
        want = self.model.predict(image, warn=False).mean
        for other in (image.astype(np.float64), np.asfortranarray(image), image.tolist(),
                      np.repeat(image, 2, axis=1)[:, ::2], image[::-1][::-1]):
            np.testing.assert_array_equal(self.model.predict(other, warn=False).mean, want)

    def test_gaps_are_filled(self):
        image = film(24, 30)
        image[3, 4:9] = np.nan
        p = self.model.predict(image, warn=False)
        self.assertEqual(p.filled, 5)
        self.assertTrue(np.isfinite(p.mean).all())

    def test_plans_write_into_the_callers_arrays(self):
        image = data("tiny_input_8x8.npy")
        plan = self.model.plan(8, 8)
        mean, variance = (np.full((8, 8), np.nan, np.float32) for _ in range(2))
        members = np.full((self.model.info.members, 8, 8), np.nan, np.float32)
        out = plan.run(image, mean, variance, members)
        self.assertIs(out[0], mean)
        np.testing.assert_allclose(members.mean(0), mean, atol=1e-6)
        with self.assertRaisesRegex(reshed.InvalidArgument, "mean: expected writeable"):
            plan.run(image, mean.T.astype(np.float64))
        plan.resize(9, 11)
        self.assertEqual(plan.run(film(9, 11) * 0 + 0.5)[0].shape, (9, 11))

    def test_errors_name_file_and_reason(self):
        with self.assertRaisesRegex(reshed.FileError, "/nonexistent/x.h5: ") as caught:
            reshed.load("/nonexistent/x.h5")
        self.assertIsInstance(caught.exception, OSError)
        with self.assertRaisesRegex(reshed.Error, "test_model.py: ") as caught:
            reshed.load(__file__)
        self.assertEqual(caught.exception.path, __file__)
        for bad in (np.zeros(5), np.zeros((0, 4)), np.zeros((2, 2)), np.full((8, 8), np.nan)):
            with self.assertRaises(reshed.Error):
                self.model.predict(bad)
        with self.assertRaises(TypeError):
            self.model.predict(np.zeros((8, 8), complex))
        with self.assertRaisesRegex(reshed.InvalidArgument, "algo: expected auto"):
            self.model.predict(np.zeros((8, 8)), algo="fast")
        with self.assertRaisesRegex(reshed.InvalidArgument, "threads"):
            self.model.predict(np.zeros((8, 8)), threads=-1)
        with self.assertRaisesRegex(reshed.InvalidArgument, "finite"):
            self.model.plan(8, 8).run(np.full((8, 8), np.nan))

    def test_frames_without_contrast_warn(self):
        with self.assertWarns(reshed.OutOfDistribution):
            self.assertTrue(self.model.predict(np.ones((16, 16))).alarm)

    def test_closing(self):
        with reshed.load(TINY) as model:
            plan = model.plan(8, 8)
        with self.assertRaisesRegex(ValueError, "closed"):
            model.predict(film(8, 8))
        gc.collect()
        plan.run(data("tiny_input_8x8.npy"))  # which keeps its own weights

    def test_threads_share_a_model(self):
        images = [film(24, 30, seed=s) for s in range(4)]
        want = [self.model.predict(i, warn=False).mean for i in images]
        got = [None] * 4

        def work(k):
            for _ in range(3):
                got[k] = self.model.predict(images[k], warn=False).mean

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for a, b in zip(got, want):
            np.testing.assert_array_equal(a, b)

    def test_memory_does_not_grow(self):
        image = film(16, 16)
        plan = self.model.plan(16, 16, threads=1)
        flat = image / image.max()

        def rounds(count):
            for _ in range(count):
                plan.run(flat)
                self.model.predict(image, threads=1, warn=False)

        rounds(100)
        before = rss()
        rounds(200 if QUICK else 2000)
        self.assertLess(rss() - before, 4 << 20)

    def test_the_shipped_ensembles_are_there(self):
        self.assertIn("reshednet16x10", reshed.shipped_weights())
        model = reshed.load(reshed.shipped_weights()["tiny8x4"])
        self.assertEqual(model.info.members, 4)
        self.assertIn("4 members", repr(model))

    def test_version_is_that_of_the_header(self):
        with open(os.path.join(ROOT, "include", "reshed_base.h"), encoding="utf-8") as f:
            self.assertIn(f'#define RESHED_VERSION "{reshed.__version__}"', f.read())


class Interrupt(unittest.TestCase):
    @unittest.skipIf(QUICK, "takes a second")
    def test_ctrl_c_ends_a_long_prediction(self):
        import signal
        import time

        # One prediction of many seconds: Python itself looks for signals between two.
        model = reshed.load(reshed.shipped_weights()["reshednet16x10"], threads=1)
        image, pressed = film(1536, 1536), []

        def press():
            pressed.append(time.monotonic())
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        timer = threading.Timer(0.5, press)
        old = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            timer.start()
            with self.assertRaises(KeyboardInterrupt):
                model.predict(image, warn=False)
            late = time.monotonic() - pressed[0]
        finally:
            timer.cancel()
            timer.join()
            signal.signal(signal.SIGINT, old)
        self.assertLess(late, 2)
        small = film(32, 32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.assertEqual(model.predict(small).mean.shape, (32, 32))


if __name__ == "__main__":
    unittest.main()
