#!/usr/bin/python3
"""What Python users run for single steps of the analysis, timed for reshed-bench --kernels --peers.

Lines in: "TASK INPUT.npy"; lines out: {"version": ..., "seconds": processor seconds of one run over the whole
input} or {"missing": ...}. The best of several runs, on one thread, warm.
"""
import json
import os
import sys
import time

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402


def skeletonize(mask):
    """imgproc: scikit-image's thinning of a mask [H,W]."""
    import skimage
    from skimage.morphology import skeletonize as f
    mask = mask > 0
    return f"scikit-image {skimage.__version__}", lambda: f(mask), 1


def sho_fit(rows):
    """beps: one least-squares fit of four parameters to each complex spectrum, as sidpy's fitter does."""
    import scipy
    from scipy.optimize import least_squares
    bins = rows.shape[1] // 2
    w = rows[0, :bins].astype(float)
    spectra = rows[1:].reshape(-1, bins, 2).astype(float)
    some = spectra[:32]

    def model(p):
        h = p[0] * np.exp(1j * p[3]) * p[1] ** 2 / (w ** 2 - 1j * w * p[1] / p[2] - p[1] ** 2)
        return np.stack([h.real, h.imag], 1)

    def fit(y):
        modulus = np.hypot(y[:, 0], y[:, 1])
        k = modulus.argmax()
        start = [modulus[k] / 100, w[k], 100.0, np.arctan2(y[k, 1], y[k, 0]) - np.pi / 2]
        return least_squares(lambda p: (model(p) - y).ravel() / modulus[k], start, method="lm",
                             x_scale=[start[0], 1e3, 100.0, 1.0]).x

    return f"scipy {scipy.__version__}", lambda: [fit(y) for y in some], len(spectra) / len(some)


def loop_fit(rows):
    """beps: the nine-parameter loop by bounded least squares with numerical derivatives, as BGlib does."""
    import scipy
    from scipy.optimize import least_squares
    from scipy.special import erf
    v, loops = rows[0], rows[1:]
    turn = len(v) // 4
    v = np.roll(v, -turn)
    loops = np.roll(loops, -turn, 1)[:8]
    half = len(v) // 2

    def branch(p, x, at, left, right):
        g = (right - left) / 2 * (erf(1000 * (x - at)) + 1) + left
        return p[0] + p[1] * (g * erf((x - at) / g) + left) / (left + right) + p[4] * x

    def model(p):
        return np.concatenate([branch(p, v[:half], p[2], p[5], p[6]), branch(p, v[half:], p[3], p[7], p[8])])

    def fit(y):
        start = [y.min(), np.ptp(y), v.min() / 2, v.max() / 2, 0, 2, 2, 2, 2]
        return least_squares(lambda p: model(p) - y, start, bounds=([-1e3] * 4 + [-0.1] + [1e-3] * 4,
                                                                    [1e3] * 4 + [0.1] + [100] * 4)).x

    return f"scipy {scipy.__version__}", lambda: [fit(y) for y in loops], (len(rows) - 1) / len(loops)


def train_step(numbers):
    """train: a step of PyTorch's on a batch: forward, loss, backward, clipping, AdamW."""
    import torch
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "training"))
    from ensemble.loss import wall_loss
    from ensemble.reshednet import ResHedNet
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    filters, n, h, w = (int(v) for v in numbers[:4])
    image, target = torch.from_numpy(numbers[4:].reshape(2, n, 1, h, w))
    image = image.to(memory_format=torch.channels_last)
    model = ResHedNet(1, filters, [3, 4, 5], "bilinear").to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)

    def step():
        loss = wall_loss(model.logits(image), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return f"PyTorch {torch.__version__}", step, 1


TASKS = {f.__name__: f for f in (skeletonize, sho_fit, loop_fit, train_step)}


def seconds(run):
    best = float("inf")
    run()
    for _ in range(5):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def main():
    for line in sys.stdin:
        task, _, path = line.rstrip("\n").partition(" ")
        try:
            version, run, scale = TASKS[task](np.load(path))
            reply = {"version": version, "seconds": seconds(run) * scale}
        except ImportError as e:
            reply = {"missing": str(e)}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
