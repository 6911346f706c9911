"""AtomAI's predictors: shapes, types, normalisation, and the faults that are not copied."""

import unittest

import numpy as np

import reshed
from support import film
from test_model import TINY


def normalised(image):
    return ((image - image.min()) / (image.max() - image.min())).astype(np.float32)


class Ensemble(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.skeleton, cls.ensemble = reshed.load_ensemble(TINY)
        cls.predictor = reshed.EnsemblePredictor(cls.skeleton, cls.ensemble, nb_classes=1,
                                                 use_gpu=False, verbose=0)
        cls.stack = np.stack([film(24, 32, seed=1), 5 * film(24, 32, seed=2) - 3])

    def test_shapes_and_types(self):
        for data, n in ((self.stack, 2), (self.stack[0], 1), (self.stack[:, np.newaxis], 2)):
            mean, variance = self.predictor.predict(data)
            self.assertEqual(mean.shape, (n, 24, 32, 1))
            self.assertEqual((mean.dtype, variance.dtype), (np.float64, np.float64))
        mean, _ = self.predictor.predict(self.stack, format_out="channel_first")
        self.assertEqual(mean.shape, (2, 1, 24, 32))
        with self.assertRaises(reshed.InvalidArgument):
            self.predictor.predict(self.stack, format_out="channels")

    def test_normalisation_per_image_and_over_the_stack(self):
        plan = self.skeleton.plan(24, 32)
        mean, _ = self.predictor.predict(self.stack)
        for i, image in enumerate(self.stack):
            np.testing.assert_allclose(mean[i, ..., 0], plan.run(normalised(image))[0], atol=1e-5)
        strict = reshed.EnsemblePredictor(self.skeleton, self.ensemble, strict_atomai=True)
        mean, _ = strict.predict(self.stack)
        for i, image in enumerate(normalised(self.stack)):
            np.testing.assert_allclose(mean[i, ..., 0], plan.run(image)[0], atol=1e-5)
        mean, _ = self.predictor.predict(normalised(self.stack), norm=False)
        np.testing.assert_allclose(mean, strict.predict(self.stack)[0], atol=1e-5)

    def test_second_call_with_another_size_and_number(self):
        for shape in ((3, 20, 20), (1, 33, 47), (2, 24, 32)):
            mean, _ = self.predictor.predict(np.random.default_rng(1).random(shape))
            self.assertEqual(mean.shape, shape + (1,))

    def test_a_constant_stack_is_no_nan(self):
        mean, variance = self.predictor.predict(np.full((2, 16, 16), 7.0))
        self.assertTrue(np.isfinite(mean).all() and np.isfinite(variance).all())

    def test_probabilities_whatever_nb_classes(self):
        mean, _ = reshed.EnsemblePredictor(TINY).predict(self.stack)
        self.assertTrue((mean >= 0).all() and (mean <= 1).all())
        with self.assertRaisesRegex(reshed.InvalidArgument, "nb_classes: expected 1"):
            reshed.EnsemblePredictor(TINY, nb_classes=3)

    def test_members(self):
        members = self.predictor.ensemble_forward(self.stack, norm=True)
        self.assertEqual(members.shape, (self.skeleton.info.members, 2, 1, 24, 32))
        mean, variance = self.predictor.predict(self.stack, format_out="channel_first")
        np.testing.assert_allclose(members.mean(0), mean, atol=1e-6)
        np.testing.assert_allclose(members.var(0), variance, atol=1e-6)

    def test_refusals(self):
        for wrong in ({"data_type": "spectra"}, {"logits": False}):
            with self.assertRaises(reshed.Unsupported):
                reshed.EnsemblePredictor(self.skeleton, self.ensemble, **wrong)
        with self.assertRaises(TypeError):
            reshed.EnsemblePredictor(self.skeleton, self.ensemble, gpu=1)
        with self.assertRaisesRegex(reshed.InvalidArgument, "live in PyTorch"):
            reshed.EnsemblePredictor({}, {})
        with self.assertRaisesRegex(reshed.InvalidArgument, "images: expected"):
            self.predictor.predict(np.zeros(4))
        with self.assertRaises(reshed.InvalidArgument):
            self.predictor.predict(np.full((8, 8), np.nan))


class Seg(unittest.TestCase):
    def test_predict(self):
        predictor = reshed.SegPredictor(reshed.load_model(TINY), nb_classes=1, verbose=False)
        image = film(21, 30)
        out = predictor.predict(image)
        self.assertEqual((out.shape, out.dtype), ((1, 21, 30, 1), np.float32))
        images, again = predictor.predict(image, return_image=True)
        self.assertEqual(images.shape, (1, 21, 30, 1))
        np.testing.assert_array_equal(out, again)
        np.testing.assert_allclose(images[0, ..., 0], normalised(image), atol=1e-6)

    def test_strict_pads_before_it_normalises(self):
        predictor = reshed.SegPredictor(TINY, strict_atomai=True)
        image = film(21, 30) + 10
        images, out = predictor.predict(image, return_image=True)
        self.assertEqual(out.shape, (1, 24, 32, 1))
        self.assertEqual(images.min(), 0)
        self.assertGreater(images[0, :21, :30].min(), 0.5)


if __name__ == "__main__":
    unittest.main()
