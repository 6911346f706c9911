#!/usr/bin/env python3
"""Compares what twin images look like with labelled real ones, number by number.

  twin_statistics.py [--twin SET.h5] [--pair IMAGE WALLS]... [--frame IMAGE.npy]...

For every image, scaled to [0,1]: the grey levels of the c domains, wall density, stripe widths,
contrast and profile of the edges, texture in bands of scale, bright features. The table gives each
labelled pair, and the 5th, 50th and 95th percentile over the twin's images: the real values should
lie between them. With --frame (a frame without labels) only what needs no walls is given: spread and
histogram of the amplitude, depth and width of dark lines, line-to-line jumps, spectrum."""

import argparse
import os
import sys

import numpy as np
from scipy import ndimage as ndi
from skimage.morphology import skeletonize

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ensemble import data  # noqa: E402

REACH = 5


def edge_profiles(image, skeleton):
    """[edges, 2 REACH + 1] values along the normal of each wall pixel, from dark to bright."""
    smooth = ndi.gaussian_filter(image, 1.2)
    gy, gx = np.gradient(smooth)
    rows, cols = np.nonzero(skeleton)
    length = np.hypot(gy[rows, cols], gx[rows, cols])
    keep = length > 1e-4
    rows, cols, length = rows[keep], cols[keep], length[keep]
    ny, nx = gy[rows, cols] / length, gx[rows, cols] / length
    t = np.arange(-REACH, REACH + 1)
    return ndi.map_coordinates(image, [rows[:, None] + ny[:, None] * t, cols[:, None] + nx[:, None] * t],
                               order=1, mode="nearest")


def stripe_widths(image, walls, level):
    """Widths of the dark regions between walls, at their medial axes."""
    regions, n = ndi.label(~walls)
    if n == 0:
        return np.zeros(0)
    mean = ndi.mean(image, regions, np.arange(1, n + 1))
    dark = np.concatenate([[False], mean < 0.8 * level])[regions]
    depth = ndi.distance_transform_edt(dark)
    axis = skeletonize(dark)
    return 2 * depth[axis]


def statistics(image, walls):
    walls = walls > 0
    skeleton = skeletonize(walls)
    far = ndi.distance_transform_edt(~walls) > 3
    level = float(np.median(image[far])) if far.sum() > 50 else float(np.median(image))
    level = max(level, 1e-3)
    out = {"c level": level, "darkest 1 %": float(np.percentile(image, 1)) / level,
           "wall pixels": float(skeleton.mean()), "bright share": float((image > 1.35 * level).mean()),
           "grey share": float(((image > 0.25 * level) & (image < 0.75 * level)).mean()),
           "dark share": float((image < 0.4 * level).mean())}
    widths = stripe_widths(image, walls, level)
    for q in (10, 50, 90):
        out[f"stripe width {q} %"] = float(np.percentile(widths, q)) if len(widths) else np.nan
    profiles = edge_profiles(image, skeleton)
    if len(profiles):
        dark, bright = profiles[:, REACH - 3:REACH].min(1), profiles[:, REACH + 1:REACH + 4].max(1)
        step = (bright - dark) / level
        for q in (10, 25, 50, 75, 90):
            out[f"edge contrast {q} %"] = float(np.percentile(step, q))
        mean = np.mean((profiles - dark[:, None]) / np.maximum(bright - dark, 1e-3)[:, None], axis=0)
        for t in (-2, -1, 0, 1, 2, 4):
            out[f"profile at {t:+d}"] = float(mean[REACH + t])
    plain = far & (image < 1.2 * level) & (image > 0.7 * level)
    bands = [image] + [ndi.gaussian_filter(image, s) for s in (0.7, 1.4, 2.8, 5.6)]
    for i, name in enumerate(("0.7", "1.4", "2.8", "5.6")):
        band = bands[i] - bands[i + 1]
        out[f"texture to {name} px"] = float(band[plain].std()) / level if plain.sum() > 50 else np.nan
    return out


def dark_lines(image):
    """Density, depth and width of dark lines: minima along rows that are deeper than a third of their flanks."""
    smooth = ndi.gaussian_filter1d(image, 0.7, axis=1)
    flank = np.minimum(ndi.maximum_filter1d(smooth, 9, axis=1, origin=4), ndi.maximum_filter1d(smooth, 9, axis=1, origin=-4))
    low = smooth == ndi.minimum_filter1d(smooth, 9, axis=1)
    line = low & (smooth < 0.67 * flank) & (flank > 0.25 * np.median(image))
    half = 0.5 * (smooth + flank)
    width = []
    for r, c in np.argwhere(line)[::3]:
        row, level, a, b = smooth[r], half[r, c], c, c
        while a > 0 and row[a] < level:
            a -= 1
        while b < len(row) - 1 and row[b] < level:
            b += 1
        width.append(b - a - 1)
    depth = (smooth / np.maximum(flank, 1e-6))[line]
    return float(line.mean()), float(np.median(depth)) if depth.size else np.nan, width or [np.nan]


def plain_statistics(image):
    middle = max(float(np.median(image)), 1e-3)
    out = {f"amplitude {q} % / median": float(np.percentile(image, q)) / middle for q in (1, 25, 75, 95, 99)}
    density, depth, width = dark_lines(image)
    out["dark lines, of pixels"] = density
    out["their depth left"] = depth
    for q in (10, 50, 90):
        out[f"their width {q} %"] = float(np.nanpercentile(width, q)) if np.isfinite(width).any() else np.nan
    rows = np.median(image, axis=1)
    out["row jumps, 50 %"] = float(np.median(np.abs(np.diff(rows)))) / middle
    out["row jumps, 99 %"] = float(np.percentile(np.abs(np.diff(rows)), 99)) / middle
    noise = image[:, 2:] - 2 * image[:, 1:-1] + image[:, :-2]
    out["noise"] = float(1.4826 * np.median(np.abs(noise)) / np.sqrt(6)) / middle
    n = min(image.shape)
    window = np.hanning(n)
    a = image[:n, :n] / middle
    power = np.abs(np.fft.fftshift(np.fft.fft2((a - a.mean()) * window[:, None] * window))) ** 2
    y, x = np.indices(power.shape) - n // 2
    period = n / np.maximum(np.hypot(y, x), 0.5)
    for lo, hi in ((2, 4), (4, 8), (8, 16), (16, 32), (32, n)):
        out[f"power of periods {lo}-{'more' if hi == n else hi} px"] = float(power[(period >= lo) & (period < hi)].sum() / power.sum())
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--twin", metavar="SET.h5", help="a data set of `reshed-twin dataset`")
    p.add_argument("--pair", nargs=2, action="append", default=[], metavar=("IMAGE", "WALLS"))
    p.add_argument("--frame", action="append", default=[], metavar="IMAGE.npy", help="amplitude without labels")
    p.add_argument("--images", type=int, default=100, help="of the twin's")
    args = p.parse_args()
    columns = [(os.path.basename(i)[:8], statistics(*data.load_pair(i, w))) for i, w in args.pair]
    for path in args.frame:
        a = np.load(path).astype(float)
        columns.append((os.path.basename(path)[:8], plain_statistics((a - a.min()) / np.ptp(a))))
    if args.twin:
        images, labels = data.load_dataset(args.twin)
        scale = 255 if images.dtype == np.uint8 else 1
        measure = (lambda a, w: plain_statistics(a)) if args.frame else statistics
        all_ = [measure(a.astype(np.float32) / scale, w)
                for a, w in zip(images[:args.images], labels[:args.images])]
        for q in (5, 50, 95):
            columns.append((f"twin {q}%", {
                k: np.nanpercentile([s.get(k, np.nan) for s in all_], q) for k in all_[0]}))
    if not columns:
        p.error("nothing to measure: give --twin, --pair or --frame")
    print(f"{'':22s}" + "".join(f"{name:>10s}" for name, _ in columns))
    for key in columns[0][1]:
        print(f"{key:22s}" + "".join(f"{s.get(key, np.nan):10.3f}" for _, s in columns))


if __name__ == "__main__":
    main()
