"""Training images: from the twin's data sets, and from a user's own images with hand-drawn walls."""

import os
import subprocess

import h5py
import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, map_coordinates
from torch.nn import functional as F

# A pixel belongs to a resampled line when its centre lies this near to it: then lines stay one
# pixel wide and unbroken at any angle.
LINE_REACH = 0.6


# ------------------------------------------------------------------------------------------- files

def load_dataset(path):
    """images [N,H,W] as stored, labels [N,H,W] uint8."""
    with h5py.File(path, "r") as f:
        kind = f.attrs.get("format", "")
        kind = kind.decode() if isinstance(kind, bytes) else kind
        if kind != "reshed-dataset":
            raise ValueError(f"{path}: not a training data set (expected format reshed-dataset, "
                             f"found {kind!r})")
        return f["images"][:], f["labels"][:]


def make_dataset(program, path, count, size, seed, extra=()):
    """Runs the twin; an existing file is taken as it is, since its name holds its seed."""
    if not os.path.exists(path):
        subprocess.run([program, "dataset", "-o", path, "-n", str(count), "-s", str(size), "--seed",
                        str(seed), "--quiet", *extra], check=True)
    return load_dataset(path)


def read_picture(path):
    """A 2-D float32 array from NPY, PNG or TIFF; colours are averaged."""
    if path.lower().endswith(".npy"):
        a = np.load(path, allow_pickle=False)
    else:
        from skimage import io
        a = io.imread(path)
    a = np.asarray(a, np.float32)
    if a.ndim == 3:
        a = a[..., :3].mean(-1)
    if a.ndim != 2 or min(a.shape) < 4:
        raise ValueError(f"{path}: expected a picture of at least 4 x 4, found shape {a.shape}")
    if not np.isfinite(a).all():
        raise ValueError(f"{path}: has NaN or infinite pixels")
    return a


def line_distance(label):
    """Distance of every pixel to the nearest line pixel; far away when there is none."""
    label = np.asarray(label) > 0
    if not label.any():
        return np.full(label.shape, 1e3, np.float32)
    return distance_transform_edt(~label).astype(np.float32)


def fit_label(label, shape):
    """A label of another size as thin lines on the grid of `shape`."""
    label = np.asarray(label) > 0.5 * np.max(label) if np.max(label) > 0 else np.asarray(label) > 0
    if label.shape == tuple(shape):
        return label.astype(np.uint8)
    from skimage.morphology import skeletonize
    distance = line_distance(skeletonize(label))
    scale = [label.shape[i] / shape[i] for i in range(2)]
    at = np.meshgrid(*[(np.arange(shape[i]) + 0.5) * scale[i] - 0.5 for i in range(2)], indexing="ij")
    sampled = map_coordinates(distance, at, order=1, mode="nearest")
    return (sampled <= LINE_REACH * max(*scale, 1.0)).astype(np.uint8)


def load_pair(image, label):
    """One of the user's own images and its walls."""
    picture = read_picture(image)
    return normalise(picture), fit_label(read_picture(label), picture.shape)


def normalise(a):
    lo, hi = float(a.min()), float(a.max())
    return (a - lo) / (hi - lo) if hi > lo else np.zeros_like(a)


# ------------------------------------------------------------------------------------ augmentation

class Augment:
    """Turns stored images into training batches; all randomness comes from one generator, whose
    state is part of a checkpoint."""

    def __init__(self, size, strength=1.0, turn=0.25, noisy=0.0):
        self.size, self.strength, self.turn, self.noisy = size, strength, turn, noisy

    def crop(self, rng, image, label):
        """A piece of size x size, in one of its eight orientations; smaller images are mirrored."""
        n = self.size
        pad = [(0, max(0, n - s)) for s in image.shape]
        if any(p[1] for p in pad):
            image, label = np.pad(image, pad, "symmetric"), np.pad(label, pad, "symmetric")
        r, c = (rng.integers(0, s - n + 1) for s in image.shape)
        image, label = image[r:r + n, c:c + n], label[r:r + n, c:c + n]
        k = int(rng.integers(8))
        image, label = np.rot90(image, k % 4), np.rot90(label, k % 4)
        if k >= 4:
            image, label = image[:, ::-1], label[:, ::-1]
        return np.ascontiguousarray(image), np.ascontiguousarray(label)

    def rotate(self, rng, image, label):
        """Any rotation and a change of scale; walls are carried as distances, so they stay thin."""
        n = self.size
        angle, scale = rng.uniform(0, 2 * np.pi), np.exp(rng.uniform(-0.25, 0.35))
        cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
        centre = [(s - 1) / 2 + rng.uniform(-1, 1) * max(0, s - n) / 2 for s in image.shape]
        y, x = np.mgrid[0:n, 0:n] - (n - 1) / 2
        at = [centre[0] + cos * y - sin * x, centre[1] + sin * y + cos * x]
        turned = map_coordinates(image, at, order=1, mode="mirror")
        distance = map_coordinates(line_distance(label), at, order=1, mode="mirror") * scale
        return turned, (distance <= LINE_REACH).astype(np.uint8)

    def batch(self, rng, images, labels, always_turn=False):
        """images, labels: lists of 2-D arrays. Returns x and y, both [N,1,size,size] float32."""
        xs, ys = [], []
        for image, label in zip(images, labels):
            image = image.astype(np.float32) / 255 if image.dtype == np.uint8 else \
                image.astype(np.float32)
            chance = 0.75 if always_turn else self.turn
            x, y = (self.rotate if rng.random() < chance else self.crop)(rng, image, label)
            xs.append(x)
            ys.append(y)
        x = torch.from_numpy(np.stack(xs)[:, None].astype(np.float32))
        y = torch.from_numpy(np.stack(ys)[:, None].astype(np.float32))
        return self.photometric(rng, x, y)

    def photometric(self, rng, x, y):
        n, s = len(x), self.strength
        column = lambda values: torch.as_tensor(np.asarray(values, np.float32)).view(n, 1, 1, 1)
        some = lambda chance: rng.random(n) < chance
        x = self.blur(x, np.where(some(0.3), rng.uniform(0, 0.9 * s, n), 0))
        gamma = np.exp(s * rng.uniform(-0.4, 0.4, n) * some(0.5))
        x = x.clamp(0, 1) ** column(gamma)
        # Contrast and level matter although the crop is normalised again: they shift against
        # noise, and clipping happens in real detectors.
        x = x * column(np.exp(s * rng.uniform(-0.3, 0.3, n)))
        noise = np.exp(rng.uniform(np.log(0.002), np.log(0.05), n)) * s * some(0.6)
        if self.noisy > 0:  # now and then an image so noisy that only the strong walls remain
            noise = np.where(some(self.noisy), rng.uniform(0.05, 0.25, n) * s, noise)
        x = x + column(noise) * torch.from_numpy(rng.standard_normal(x.shape, np.float32))
        lines = np.exp(rng.uniform(np.log(0.002), np.log(0.03), n)) * s * some(0.3)
        x = x + column(lines) * torch.from_numpy(
            rng.standard_normal((n, 1, self.size, 1), np.float32))
        return self.finish(rng, x, y)

    @staticmethod
    def blur(x, sigma):
        if not np.any(sigma > 0.05):
            return x
        taps = torch.arange(-3, 4, dtype=torch.float32)
        sigma = torch.as_tensor(np.maximum(sigma, 0.05), dtype=torch.float32)
        kernel = torch.exp(-0.5 * (taps[None] / sigma[:, None]) ** 2)
        kernel = kernel / kernel.sum(1, keepdim=True)
        n, size = len(x), x.shape[-1]
        x = F.pad(x.view(1, n, size, size), (3, 3, 3, 3), mode="replicate")
        x = F.conv2d(x, kernel.view(n, 1, 1, 7), groups=n)
        x = F.conv2d(x, kernel.view(n, 1, 7, 1), groups=n)
        return x.view(n, 1, size, size)

    def finish(self, rng, x, y):
        """Min-max normalisation, as a frame gets it, and now and then a scan that is not finished:
        the lines to come are zero and hold no walls, so the front itself is no wall."""
        for i in range(len(x)):
            rows = self.size
            if rng.random() < 0.12:
                rows = int(rng.integers(self.size // 8, self.size))
            part = x[i, :, :rows]
            lo, hi = part.min(), part.max()
            part = (part - lo) / (hi - lo) if hi > lo else torch.zeros_like(part)
            # Frames come as floats from instruments and as 8-bit pictures from elsewhere.
            x[i, :, :rows] = (part * 255).round() / 255 if rng.random() < 0.3 else part
            x[i, :, rows:] = 0
            y[i, :, rows:] = 0
        return x, y


# ---------------------------------------------------------------------------------------- sources

class TwinSource:
    """Rounds of `count` images; round r of member m has a seed of its own, so no member sees
    another's images and a resumed run sees what it would have seen."""

    def __init__(self, program, folder, member, count, size, extra=(), stage=0):
        self.program, self.folder, self.member, self.stage = program, folder, member, stage
        self.count, self.size, self.extra = count, size, tuple(extra)
        self.round = None

    def seed(self, number):
        return 1000 + 100000 * self.member + 1000 * self.stage + number

    def pick(self, rng, step_images, how_many):
        number, first = divmod(step_images, self.count)
        if number != self.round:
            path = os.path.join(self.folder, f"twin_{self.seed(number)}_{self.count}.h5")
            self.images, self.labels = make_dataset(self.program, path, self.count, self.size,
                                                    self.seed(number),
                                                    ("--type", "float16", *self.extra))
            os.remove(path)
            self.round = number
            self.order = np.random.default_rng(self.seed(number)).permutation(self.count)
        index = self.order[np.arange(first, first + how_many) % self.count]
        return [self.images[i] for i in index], [self.labels[i] for i in index]


class FileSource:
    """Data sets read from files, shuffled anew by each member and in each pass."""

    def __init__(self, paths, member):
        parts = [load_dataset(p) for p in paths]
        self.images = [a for p in parts for a in p[0]]
        self.labels = [a for p in parts for a in p[1]]
        self.count, self.member, self.round = len(self.images), member, None

    def pick(self, rng, step_images, how_many):
        index = []
        for k in range(step_images, step_images + how_many):
            number, at = divmod(k, self.count)
            if number != self.round:
                self.order = np.random.default_rng([self.member, number]).permutation(self.count)
                self.round = number
            index.append(self.order[at])
        return [self.images[i] for i in index], [self.labels[i] for i in index]


class PairSource:
    """The user's own images: larger ones are drawn more often, every batch new pieces."""

    def __init__(self, pairs):
        self.pairs = pairs
        area = np.array([a.size for a, _ in pairs], float)
        self.weight = area / area.sum()

    def pick(self, rng, how_many):
        index = rng.choice(len(self.pairs), how_many, p=self.weight)
        return [self.pairs[i][0] for i in index], [self.pairs[i][1] for i in index]
