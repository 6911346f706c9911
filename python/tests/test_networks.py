"""AtomAI's other networks through the package: goldens of PyTorch, sizes, streams."""

import os
import unittest

import numpy as np

import reshed
from support import DATA, data, film

NAMES = {"unet": ("Unet", 8), "unet_dilated": ("Unet", 8), "dilnet": ("dilnet", 2),
         "segresnet": ("SegResNet", 4)}


def path(name):
    return os.path.join(DATA, f"tiny_{name}_ensemble_metadict.tar")


class Networks(unittest.TestCase):
    def test_goldens(self):
        image = data("tiny_input_24x40.npy")
        for name, (network, unit) in NAMES.items():
            model = reshed.load(path(name))
            self.assertEqual((model.info.network, model.info.unit), (network, unit))
            classes = model.info.classes
            mean, variance = reshed.EnsemblePredictor(model).predict(image, norm=False)
            self.assertEqual(mean.shape, (1, 24, 40, classes))
            want = data(f"tiny_{name}_24x40_mean.npy").reshape(mean.shape)
            np.testing.assert_allclose(mean, want, atol=2e-5)
            want = data(f"tiny_{name}_24x40_var.npy").reshape(mean.shape)
            np.testing.assert_allclose(variance, want, atol=2e-5)

    def test_sizes_that_do_not_fit(self):
        image = film(29, 43)
        with self.assertRaisesRegex(reshed.Error, "(?s)24|32|40|48"):
            reshed.load(path("unet")).predict(image)
        self.assertEqual(reshed.load(path("unet")).predict(image, pad=True, warn=False).wall.shape,
                         (29, 43))
        with self.assertRaises(reshed.Error):
            reshed.EnsemblePredictor(path("unet")).predict(image)
        seg = reshed.SegPredictor(path("unet")).predict(image)
        self.assertEqual(seg.shape[:3], (1, 29, 43))
        strict = reshed.SegPredictor(path("unet"), strict_atomai=True).predict(image)
        self.assertEqual(strict.shape[:3], (1, 32, 48))


if __name__ == "__main__":
    unittest.main()
