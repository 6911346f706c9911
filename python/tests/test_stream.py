"""Streams: rows and states, callbacks, errors, threads."""

import gc
import threading
import unittest

import numpy as np

import reshed
from support import QUICK, film
from test_model import TINY

H, W = 96, 48


class Streams(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = reshed.load(TINY)
        cls.image = film(H, W)

    def test_a_stream_ends_as_the_whole_frame(self):
        lo, hi = float(self.image.min()), float(self.image.max())
        seen = []
        with self.model.stream(H, W, norm=(lo, hi),
                               on_final=lambda s, rows: seen.extend(rows.tolist())) as s:
            self.assertTrue(np.isnan(s.mean).all())
            for row in range(H):
                if row == H - 1:
                    self.assertLess(s.rows.size, H)
                s.push(row, self.image[row])
                self.assertIn(s.states[row], (reshed.PROVISIONAL, reshed.FINAL))
                self.assertEqual(s.states[row + 1:].max(initial=0), reshed.UNSCANNED)
            self.assertGreater(s.rows.size, 0)
            result = s.finish()
            self.assertEqual(s.rows.size, H)
            self.assertEqual(s.lag, 0)
        self.assertEqual(sorted(seen), list(range(H)))
        scaled = np.clip((self.image - lo) / (hi - lo), 0, 1).astype(np.float32)
        mean, variance = self.model.plan(H, W, algo="direct").run(scaled)
        np.testing.assert_allclose(result.mean, mean, atol=1e-5)
        np.testing.assert_allclose(result.variance, variance, atol=1e-5)

    def test_portions_and_order_do_not_matter(self):
        results = []
        for rows in ([(0, H)], [(r, r + 8) for r in range(H - 8, -8, -8)]):
            with self.model.stream(H, W, norm=(0, 1)) as s:
                for first, end in rows:
                    s.push(first, self.image[first:end])
                results.append(s.finish().mean)
        np.testing.assert_array_equal(*results)

    def test_views_live_and_outlive(self):
        s = self.model.stream(H, W)
        mean = s.mean
        s.push(0, self.image[:40])
        self.assertFalse(np.isnan(mean[0]).any())
        with self.assertRaises(ValueError):
            mean[0, 0] = 1
        s.close()
        del s
        gc.collect()
        self.assertTrue(np.isfinite(mean[0]).all())

    def test_errors(self):
        s = self.model.stream(H, W)
        with self.assertRaisesRegex(reshed.InvalidArgument, "rows"):
            s.push(H, self.image[0])
        with self.assertRaisesRegex(reshed.InvalidArgument, "data: expected"):
            s.push(0, self.image[0, :-1])
        with self.assertRaises(reshed.InvalidArgument):
            s.finish()
        with self.assertRaisesRegex(reshed.InvalidArgument, "norm: expected robust"):
            self.model.stream(H, W, norm="best")
        with self.assertRaises(reshed.InvalidArgument):
            self.model.stream(4, 4)
        s.close()
        with self.assertRaisesRegex(ValueError, "closed"):
            s.push(0, self.image[0])
        self.assertIn("closed", repr(s))

    def test_a_callback_may_push(self):
        def next_rows(stream, rows):
            seen.extend(rows.tolist())
            if stream.states[-1] == reshed.UNSCANNED:
                stream.push(H // 2, self.image[H // 2:])

        seen = []
        with self.model.stream(H, W, norm=(0, 1), on_final=next_rows) as s:
            s.push(0, self.image[:H // 2])
            s.finish()
        self.assertEqual(sorted(seen), list(range(H)))

    def test_what_a_callback_raises_is_raised(self):
        def fail(stream, rows):
            raise RuntimeError("no room on the stage")

        s = self.model.stream(H, W, norm=(0, 1), on_final=fail)
        with self.assertRaisesRegex(RuntimeError, "no room"):
            s.push(0, self.image)

    @unittest.skipIf(QUICK, "takes half a second")
    def test_reset_begins_anew(self):
        s = self.model.stream(H, W, norm=(0, 1))
        s.push(0, self.image)
        first = s.finish().mean
        s.reset()
        self.assertEqual(s.rows.size, 0)
        s.push(0, self.image)
        np.testing.assert_array_equal(s.finish().mean, first)
        self.assertIn("96 rows scanned, 96 final", repr(s))
        self.assertGreater(s.nbytes, 10000)
        first, end = s.field(50)
        self.assertTrue(0 <= first < 50 < end <= H)

    @unittest.skipIf(QUICK, "takes half a second")
    def test_threads_push_to_different_streams(self):
        images = [film(H, W, seed=k) for k in range(4)]
        results = [None] * 4

        def scan(k):
            with self.model.stream(H, W, norm=(0, 1), threads=1) as s:
                for row in range(H):
                    s.push(row, images[k][row])
                results[k] = s.finish().mean

        def together(ks):
            threads = [threading.Thread(target=scan, args=(k,)) for k in ks]
            for t in threads:
                t.start()
            for t in threads:
                t.join()

        together(range(4))
        side_by_side = [r.copy() for r in results]
        for k in range(4):
            together([k])
        for a, b in zip(side_by_side, results):
            np.testing.assert_array_equal(a, b)


if __name__ == "__main__":
    unittest.main()
