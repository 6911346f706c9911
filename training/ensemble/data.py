"""Labelled images: the twin's data sets, and pictures with hand-drawn walls."""

import h5py
import numpy as np
from scipy.ndimage import distance_transform_edt, map_coordinates

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
