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

    def test_the_background_of_several_classes(self):
        many = [m for m in (reshed.load(path(name)) for name in NAMES) if m.info.classes > 1]
        image = film(24, 40)
        for model in many:
            first = model.predict(image, warn=False)
            np.testing.assert_allclose(first.wall, 1 - first.mean[..., 0], atol=1e-6)
            np.testing.assert_allclose(first.wall_variance, first.variance[..., 0], atol=1e-6)
            last = model.predict(image, warn=False, background=-1)
            np.testing.assert_allclose(last.wall, 1 - last.mean[..., -1], atol=1e-6)
            np.testing.assert_array_equal(last.wall_variance, last.variance[..., -1])
            with self.assertRaisesRegex(reshed.InvalidArgument, "background"):
                model.predict(image, background=model.info.classes)
        self.assertTrue(many)

    def test_sizes_that_do_not_fit(self):
        image = film(29, 43)
        for name, (network, unit) in NAMES.items():
            less, more = ([side // unit * unit for side in sides]
                          for sides in ((29, 43), (28 + unit, 42 + unit)))
            with self.assertRaisesRegex(reshed.Unsupported, f"sides that {unit} divides, such as {less[0]} x "
                                        f"{less[1]} or {more[0]} x {more[1]}; found 29 x 43"):
                reshed.load(path(name)).predict(image)
        with self.assertRaisesRegex(reshed.Unsupported, "such as 8 x 48; found 5 x 43"):
            reshed.load(path("unet")).predict(image[:5])
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
