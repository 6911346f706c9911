#!/usr/bin/env python3
"""Checks the training code on small things with known answers: `python3 training/selftest.py`.
Takes a minute; needs no data."""

import os
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from ensemble import data, reshednet, scores  # noqa: E402
from ensemble.loss import recompute_batch_norm, wall_loss  # noqa: E402


def network(filters):
    return reshednet.ResHedNet(1, filters, [3, 4, 5], "bilinear")


def lines(rows, shape=(40, 50)):
    a = np.zeros(shape, np.uint8)
    a[rows, 3:-3] = 1
    return a


class Scores(unittest.TestCase):
    def test_identical_maps_score_one(self):
        a = lines([10, 20, 30])
        self.assertEqual(scores.edge_scores(a.astype(float), a), (1.0, 1.0, 1.0))

    def test_a_shift_of_one_pixel_matches_and_of_two_does_not(self):
        self.assertEqual(scores.edge_scores(lines([11]).astype(float), lines([10]))[2], 1.0)
        self.assertEqual(scores.edge_scores(lines([12]).astype(float), lines([10]))[2], 0.0)

    def test_one_line_cannot_match_two(self):
        p, r, f = scores.edge_scores(lines([11]).astype(float), lines([10, 12]))
        self.assertEqual((p, r), (1.0, 0.5))
        self.assertAlmostEqual(f, 2 / 3)

    def test_thick_lines_are_thinned(self):
        self.assertGreater(scores.edge_scores(lines([9, 10, 11]).astype(float), lines([10]))[2], 0.94)

    def test_empty_maps(self):
        none = np.zeros((20, 20))
        self.assertEqual(scores.edge_scores(none, none), (1.0, 1.0, 1.0))
        self.assertEqual(scores.edge_scores(none, lines([5], (20, 20)))[2], 0.0)

    def test_calibration(self):
        rng = np.random.default_rng(0)
        p = rng.uniform(size=(200, 200))
        t = rng.uniform(size=p.shape) < p
        self.assertLess(scores.calibration_error([p], [t]), 0.02)
        self.assertGreater(scores.calibration_error([p ** 3], [t]), 0.15)


class Labels(unittest.TestCase):
    def test_labels_of_another_size_stay_thin_lines(self):
        large = np.zeros((160, 200), np.uint8)
        large[78:83] = 255
        small = data.fit_label(large, (40, 50))
        middle = small[:, 5:-5]  # thinning bends the ends
        self.assertEqual(list(np.nonzero(middle.any(1))[0]), [20])
        self.assertTrue(middle.any(0).all())
        coarse = np.zeros((20, 25), np.uint8)
        coarse[10] = 1
        fine = data.fit_label(coarse, (40, 50))
        self.assertTrue(fine.any(0).all())
        self.assertLessEqual(fine.sum(0).max(), 2)

    def test_rotation_keeps_lines_thin_and_in_place(self):
        image = np.zeros((128, 128), np.float32)
        image[64:] = 1
        label = np.zeros((128, 128), np.uint8)
        label[64] = 1
        augment = data.Augment(64)
        for seed in range(10):
            x, y = augment.rotate(np.random.default_rng(seed), image, label)
            edge = np.abs(np.gradient(x)[0]) + np.abs(np.gradient(x)[1]) > 0.2
            if not y.any():
                continue
            self.assertLess(y.mean(), 0.04)
            self.assertGreater((edge & (y > 0)).sum(), 0.8 * y.sum())


class Augmentation(unittest.TestCase):
    def test_batches_are_in_range_and_reproducible(self):
        rng = np.random.default_rng(1)
        images = [rng.integers(0, 256, (128, 128)).astype(np.uint8) for _ in range(6)]
        labels = [(a > 200).astype(np.uint8) for a in images]
        augment = data.Augment(112, turn=0.5)
        x, y = augment.batch(np.random.default_rng(2), images, labels)
        again = augment.batch(np.random.default_rng(2), images, labels)
        self.assertEqual(tuple(x.shape), (6, 1, 112, 112))
        self.assertTrue(torch.equal(x, again[0]) and torch.equal(y, again[1]))
        self.assertTrue(torch.isfinite(x).all() and x.min() >= 0 and x.max() <= 1)
        self.assertEqual(sorted(y.unique().tolist()), [0.0, 1.0])

    def test_unscanned_lines_hold_neither_image_nor_wall(self):
        augment, seen = data.Augment(64), 0
        image, label = np.full((64, 64), 200, np.uint8), np.ones((64, 64), np.uint8)
        image[::2] = 90
        for seed in range(60):
            x, y = augment.batch(np.random.default_rng(seed), [image], [label])
            empty = (y[0, 0].sum(1) == 0)
            seen += bool(empty.any())
            self.assertEqual(float(x[0, 0][empty].abs().sum()), 0.0)
        self.assertGreater(seen, 2)


class Network(unittest.TestCase):
    def test_parameters_as_published(self):
        n = sum(p.numel() for p in network(64).parameters())
        self.assertEqual(n, 7673933)

    def test_odd_sizes(self):
        self.assertEqual(tuple(network(4)(torch.rand(1, 1, 37, 51)).shape), (1, 1, 37, 51))

    def test_loss_falls_towards_the_truth(self):
        y = (torch.rand(2, 1, 16, 16) > 0.8).float()
        good, bad = (2 * y - 1) * 8, torch.zeros_like(y)
        self.assertLess(float(wall_loss(good, y)), 0.05)
        self.assertGreater(float(wall_loss(bad, y)), 1.0)

    def test_batch_norm_is_recomputed(self):
        torch.manual_seed(0)
        model = network(4)
        x = torch.rand(8, 1, 32, 32) * 3 + 5
        recompute_batch_norm(model, [x, x])
        first = model.net1.res_module[0]
        self.assertTrue(torch.allclose(first.bn1.running_mean, first.c1(first.c0(x)).mean((0, 2, 3)),
                                       atol=1e-4))


def tiny_set(path, count=24, size=48):
    rng = np.random.default_rng(5)
    labels = np.zeros((count, size, size), np.uint8)
    for i in range(count):
        labels[i, rng.integers(4, size - 4)] = 1
    images = (120 + 100 * np.cumsum(labels, 1) + rng.normal(0, 5, labels.shape)).clip(0, 255)
    with h5py.File(path, "w") as f:
        f.attrs["format"] = "reshed-dataset"
        f["images"], f["labels"] = images.astype(np.uint8), labels


class Running(unittest.TestCase):
    def run_trainer(self, *args):
        return subprocess.run([sys.executable, os.path.join(HERE, "train_ensemble.py"), *args],
                              check=True, capture_output=True, text=True).stdout

    def train(self, folder, out, steps, *extra):
        return self.run_trainer(
            "train", "--out", os.path.join(folder, out), "--data", os.path.join(folder, "set.h5"),
            "--steps", str(steps), "--batch", "2", "--size", "32", "--filters", "2", "--cpu",
            "--threads", "1", "--bn-batches", "2", "--swa-every", "2", "--checkpoint", "4",
            "--evaluate", "1000", "--report", "1000", *extra)

    def test_stopped_and_resumed_is_as_if_never_stopped(self):
        with tempfile.TemporaryDirectory() as folder:
            tiny_set(os.path.join(folder, "set.h5"))
            self.train(folder, "once", 12)
            # Stopped: the checkpoint of step 8 is what a killed run leaves.
            self.train(folder, "twice", 12, "--stop-at", "8")
            self.assertFalse(os.path.exists(os.path.join(folder, "twice", "member_000.pt")))
            self.assertIn("goes on at step 8", self.train(folder, "twice", 12))
            once, twice = (torch.load(os.path.join(folder, d, "member_000.pt"))["state"]
                           for d in ("once", "twice"))
            for k in once:
                self.assertTrue(torch.equal(once[k], twice[k]), k)

    def test_members_differ_and_the_ensemble_has_atomais_structure(self):
        with tempfile.TemporaryDirectory() as folder:
            tiny_set(os.path.join(folder, "set.h5"))
            self.train(folder, "run", 4, "--members", "0-1")
            tar = os.path.join(folder, "e_ensemble_metadict.tar")
            self.run_trainer("export", "--out", os.path.join(folder, "run"), "-o", tar)
            meta = torch.load(tar)
            self.assertEqual([meta["model"], meta["nb_filters"], meta["layers"], meta["nb_classes"]],
                             ["ResHedNet", 2, [3, 4, 5], 1])
            self.assertEqual(list(meta["weights"]), [0, 1])
            self.assertEqual(len(meta["weights"][0]), 215)
            self.assertFalse(torch.equal(*(meta["weights"][i]["net1.res_module.0.c1.weight"]
                                           for i in (0, 1))))
            shape, members = reshednet.read(tar)
            self.assertEqual((shape["filters"], shape["layers"], len(members)), (2, [3, 4, 5], 2))
            said = self.run_trainer("evaluate", "--weights", tar, "--cpu", "--holdout",
                                    os.path.join(folder, "set.h5"), "--json")
            self.assertIn('"ensemble"', said)

    def test_own_pairs_and_fine_tuning(self):
        with tempfile.TemporaryDirectory() as folder:
            tiny_set(os.path.join(folder, "set.h5"))
            self.train(folder, "first", 4)
            tar = os.path.join(folder, "f_ensemble_metadict.tar")
            self.run_trainer("export", "--out", os.path.join(folder, "first"), "-o", tar)
            image, label = os.path.join(folder, "i.npy"), os.path.join(folder, "l.npy")
            np.save(image, np.random.default_rng(0).random((60, 70)).astype(np.float32))
            np.save(label, lines([30], (120, 140)))
            self.train(folder, "tuned", 4, "--start", tar, "--pair", image, label, "--test", image,
                       label)
            self.assertTrue(os.path.exists(os.path.join(folder, "tuned", "member_000.pt")))


if __name__ == "__main__":
    torch.set_num_threads(1)
    unittest.main()
