#!/usr/bin/env python3
"""Small ResHedNet ensembles in the layout of AtomAI's *_ensemble_metadict.tar.

    make_tiny_ensemble.py golden DIR      random but calibrated nets, inputs, float64 expected maps
    make_tiny_ensemble.py cases DIR       odd but legal torch files, for the reader's tests
    make_tiny_ensemble.py train OUT.tar   four nets of 8 filters trained on synthetic stripes

Needs numpy and PyTorch (Debian: python3-torch). One thread, seeded: the same machine and the same
PyTorch give the same files. Everything in tests/data/*_ensemble_metadict.tar, tests/data/torch_*.tar
and weights/tiny8x4.h5 was made by this script.
"""
import argparse
import math
import os
import time
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

EPS = 1e-5


# --------------------------------------------------------------------------------------- the network
class ResBlock(nn.Module):
    """x = c0(in); y = lrelu(bn1(c1(x))); y = bn2(c2(y)); out = lrelu(y + x)."""

    def __init__(self, cin, cout):
        super().__init__()
        self.c0 = nn.Conv2d(cin, cout, 1)
        self.c1 = nn.Conv2d(cout, cout, 3, padding=1)
        self.c2 = nn.Conv2d(cout, cout, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(cout, eps=EPS)
        self.bn2 = nn.BatchNorm2d(cout, eps=EPS)

    def forward(self, x):
        x = self.c0(x)
        y = F.leaky_relu(self.bn1(self.c1(x)), 0.01)
        return F.leaky_relu(self.bn2(self.c2(y)) + x, 0.01)


class ResModule(nn.Module):
    def __init__(self, blocks, cin, cout):
        super().__init__()
        self.res_module = nn.Sequential(*[ResBlock(cin if i == 0 else cout, cout) for i in range(blocks)])

    def forward(self, x):
        return self.res_module(x)


class ResHedNet(nn.Module):
    """Three levels of residual blocks, a score head on each, fused by a 1x1 convolution; gives logits."""

    def __init__(self, classes, filters, layers, upsampling):
        super().__init__()
        self.upsampling = upsampling
        self.net1 = ResModule(layers[0], 1, filters)
        self.net2 = nn.Sequential(nn.MaxPool2d(2), ResModule(layers[1], filters, 2 * filters))
        self.net3 = nn.Sequential(nn.MaxPool2d(2), ResModule(layers[2], 2 * filters, 4 * filters))
        for k in range(3):
            head = nn.Sequential(nn.Conv2d(filters << k, classes, 1), nn.BatchNorm2d(classes, eps=EPS))
            setattr(self, f"net{k + 1}score", head)
        self.out = nn.Conv2d(3 * classes, classes, 1)

    def resize(self, x, size):
        if self.upsampling == "nearest":
            return F.interpolate(x, size=size, mode="nearest")
        return F.interpolate(x, size=size, mode="bilinear", align_corners=False)

    def forward(self, x):
        a = self.net1(x)
        b = self.net2(a)
        c = self.net3(b)
        size = x.shape[2:]
        scores = [self.net1score(a), self.resize(self.net2score(b), size), self.resize(self.net3score(c), size)]
        return self.out(torch.cat(scores, 1))


def probabilities(logits):
    return torch.sigmoid(logits) if logits.shape[1] == 1 else torch.softmax(logits, 1)


def meta_dict(model, weights, classes, filters, layers, optimizer=None):
    return {"model_type": "seg", "model": "ResHedNet", "nb_classes": classes, "batch_norm": True, "dropout": None,
            "upsampling": model.upsampling, "nb_filters": filters, "layers": list(layers), "weights": weights,
            "optimizer": optimizer}


def recompute_bn(model, batches):
    """Running statistics as plain averages over the batches."""
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.reset_running_stats()
            m.momentum = None
    model.train()
    with torch.no_grad():
        for x in batches:
            model(x)
    model.eval()


# --------------------------------------------------------------------------------- synthetic stripes
def smooth_noise(rng, n, cells):
    """Bicubic noise of unit variance with `cells` cells along a side."""
    grid = torch.from_numpy(rng.standard_normal((1, 1, cells + 3, cells + 3)))
    big = F.interpolate(grid, size=(n + 8, n + 8), mode="bicubic", align_corners=True)
    return big[0, 0, 4:-4, 4:-4].numpy()


def blur(image, sigma):
    r = max(1, int(math.ceil(3 * sigma)))
    k = np.exp(-0.5 * (np.arange(-r, r + 1) / sigma) ** 2)
    k /= k.sum()
    padded = np.pad(image, r, mode="edge")
    rows = np.apply_along_axis(lambda v: np.convolve(v, k, "valid"), 0, padded)
    return np.apply_along_axis(lambda v: np.convolve(v, k, "valid"), 1, rows)


def stripes_image(rng, n):
    """A domain pattern like those of tetragonal films: dark needles of two orthogonal families on a bright
    ground. Returns the image in [0,1] and the label: 1 px lines on both flanks of each needle."""
    y, x = np.mgrid[0:n, 0:n].astype(float)
    angle = rng.choice([0.0, 45.0, rng.uniform(0, 90)]) + rng.uniform(-4, 4)
    depth = np.zeros((n, n))
    flank = np.full((n, n), np.inf)  # signed distance to the nearest flank, negative inside
    for family in range(2):
        t = math.radians(angle + 90 * family)
        u, v = x * math.cos(t) + y * math.sin(t), -x * math.sin(t) + y * math.cos(t)
        at = u.min() + rng.uniform(0, 10)
        gap = rng.uniform(6, 24) if family == 0 else rng.uniform(8, 50)
        while at < u.max():
            width = rng.uniform(1.5, 8) * rng.choice([0.6, 1.0, 1.0])
            first = rng.uniform(v.min(), v.max()) if rng.random() < 0.6 else v.min() - 9
            last = first + rng.uniform(0.2, 1) * n if rng.random() < 0.7 else v.max() + 9
            taper = rng.uniform(4, 20)  # needles end in a point
            shape = np.clip(np.minimum(v - first, last - v) / taper, 0, 1)
            bend = rng.uniform(-1, 1) * 0.004 * (v - first) + rng.normal(0, 0.3)
            d = np.abs(u - at - bend) - 0.5 * width * shape
            d[(v < first) | (v > last)] = np.inf
            inside = np.clip(0.5 - d, 0, 1)
            depth = np.maximum(depth, inside * rng.uniform(0.25, 1.0))
            flank = np.minimum(flank, d)
            at += width + gap * rng.uniform(0.4, 1.8)
    label = (np.abs(flank) < 0.6).astype(np.float32)
    image = (1 + 0.12 * smooth_noise(rng, n, 3)) * (1 - rng.uniform(0.6, 0.95) * depth)
    for _ in range(rng.integers(0, 5)):  # bright curls, which are no walls
        cy, cx, r = rng.uniform(0, n, 2).tolist() + [rng.uniform(2, 8)]
        ring = np.hypot((y - cy) * rng.uniform(0.5, 2), x - cx + 2 * smooth_noise(rng, n, 8)) - r
        image += rng.uniform(0.3, 1.5) * np.exp(-0.5 * (ring / rng.uniform(0.7, 1.5)) ** 2) * (smooth_noise(rng, n, 6) > 0)
    image = blur(image, rng.uniform(0.5, 1.1))
    image += rng.normal(0, rng.uniform(0.005, 0.06), (n, n)) + rng.normal(0, rng.uniform(0, 0.02), (n, 1))
    image = (image - image.min()) / (image.max() - image.min())
    image **= rng.uniform(0.7, 1.6)
    return image.astype(np.float32), label


def batch(rng, size, n):
    pairs = [stripes_image(rng, n) for _ in range(size)]
    return (torch.from_numpy(np.stack([p[0] for p in pairs])[:, None]),
            torch.from_numpy(np.stack([p[1] for p in pairs])[:, None]))


# -------------------------------------------------------------------------------------------- golden
def random_member(seed, classes, filters, layers, upsampling):
    """Random weights, calibrated: batch norms see unit-sized activations, the logits spread over about +-4."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = ResHedNet(classes, filters, layers, upsampling)
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.weight.uniform_(0.6, 1.4)
                m.bias.normal_(0, 0.2)
        images = [batch(rng, 8, 48)[0] for _ in range(4)]
        recompute_bn(model, images)
        logits = torch.cat([model(x) for x in images])
        scale = 2.0 / logits.std()
        model.out.weight *= scale
        model.out.bias.copy_((model.out.bias - logits.mean((0, 2, 3))) * scale)
    return model


def write_golden(folder):
    sets = {"tiny_bilinear": (1, 4, (2, 1, 2), "bilinear", 3), "tiny_nearest3": (3, 4, (1, 2, 1), "nearest", 2)}
    rng = np.random.default_rng(7)
    images = {}
    for h, w in ((29, 37), (8, 8), (5, 7), (4, 4)):
        im = stripes_image(rng, 48)[0][:h, :w].astype(np.float64)
        images[f"{h}x{w}"] = ((im - im.min()) / (im.max() - im.min())).astype(np.float32)
        np.save(f"{folder}/tiny_input_{h}x{w}.npy", images[f"{h}x{w}"])
    for name, (classes, filters, layers, upsampling, members) in sets.items():
        models = [random_member(100 * members + i, classes, filters, layers, upsampling) for i in range(members)]
        weights = {i: m.state_dict() for i, m in enumerate(models)}
        torch.save(meta_dict(models[0], weights, classes, filters, layers), f"{folder}/{name}_ensemble_metadict.tar")
        for size, image in images.items():
            with torch.no_grad():
                x = torch.from_numpy(image.astype(np.float64))[None, None]
                p = np.stack([probabilities(m.double()(x))[0].numpy() for m in models])  # members, classes, H, W
            mean, var = p.mean(0), p.var(0)
            shape = (lambda a: a[0]) if classes == 1 else (lambda a: np.ascontiguousarray(a.transpose(1, 2, 0)))
            np.save(f"{folder}/{name}_{size}_mean.npy", shape(mean))
            np.save(f"{folder}/{name}_{size}_var.npy", shape(var))
            print(f"{name} {size}: p from {p.min():.3f} to {p.max():.3f}, mean std over members {np.sqrt(var).mean():.3f}")


# --------------------------------------------------------------------------------------------- cases
def small_meta(weights, optimizer=None):
    """Four tensors are enough for the reader, which knows no network."""
    return {"model_type": "seg", "model": "ResHedNet", "nb_classes": 1, "batch_norm": True, "dropout": None,
            "upsampling": "bilinear", "nb_filters": 2, "layers": [1, 1, 1], "weights": weights, "optimizer": optimizer}


def write_cases(folder):
    torch.manual_seed(1)
    # A single model with its optimizer: Adam's state holds storages that no state_dict refers to.
    net = nn.Sequential(OrderedDict(out=nn.Conv2d(1, 2, 3), bn=nn.BatchNorm2d(2)))
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    net(torch.randn(2, 1, 5, 5)).square().mean().backward()
    adam.step()
    torch.save(small_meta(net.state_dict(), adam), f"{folder}/torch_adam.tar")

    # Element i of every tensor is i/4 - 2 (booleans: odd i; bytes: 100 + i): the test knows that.
    ramp = torch.arange(24).reshape(2, 3, 4)
    real = ramp.double() / 4 - 2
    kinds = OrderedDict(double=real, float=real.float(), half=real.half(), bfloat16=real.bfloat16(),
                        long=(4 * real).long(), int=(4 * real).int(), short=(4 * real).short(),
                        char=(4 * real).to(torch.int8), byte=(ramp + 100).to(torch.uint8), bool=ramp % 2 == 1,
                        parameter=nn.Parameter(real.float()), scalar=torch.tensor(-7))
    torch.save(small_meta(kinds), f"{folder}/torch_types.tar")
    for protocol in (3, 4, 5):
        torch.save(small_meta({0: kinds, 1: kinds}), f"{folder}/torch_protocol{protocol}.tar", pickle_protocol=protocol)

    # Views of one storage, whose element i is i.
    flat = torch.arange(60).float()
    views = OrderedDict(whole=flat, offset=flat[7:19].view(3, 4), transposed=flat[:12].view(3, 4).t(),
                        strided=flat.view(3, 4, 5)[:, 1::2, ::2], column=flat.view(12, 5)[:, 4],
                        repeated=flat[3:6].view(3, 1).expand(3, 4), permuted=flat.view(3, 4, 5).permute(2, 0, 1),
                        one=flat[59].view(()))
    torch.save(small_meta(views), f"{folder}/torch_views.tar")
    torch.save(small_meta(OrderedDict(a=flat)), f"{folder}/torch_legacy.tar", _use_new_zipfile_serialization=False)


# --------------------------------------------------------------------------------------------- train
def dice_loss(logits, label):
    p = torch.sigmoid(logits)
    return 1 - (2 * (p * label).sum() + 1) / (p.sum() + label.sum() + 1)


def train_member(seed, filters, layers, steps, pool):
    """Adam on cross-entropy plus Dice with a cosine rate, then fresh batch-norm statistics."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = ResHedNet(1, filters, layers, "bilinear")
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    images, labels = pool
    started = time.time()
    model.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        pick = torch.from_numpy(rng.choice(len(images), 8, replace=False))
        x, y = images[pick], labels[pick]
        turn = int(rng.integers(4))
        x, y = torch.rot90(x, turn, (2, 3)), torch.rot90(y, turn, (2, 3))
        if rng.random() < 0.5:
            x, y = x.flip(3), y.flip(3)
        logits = model(x)
        loss = F.binary_cross_entropy_with_logits(logits, y) + dice_loss(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 99:
            print(f"member {seed}: step {step + 1}, loss {loss.item():.3f}, {time.time() - started:.0f} s", flush=True)
    recompute_bn(model, [images[torch.from_numpy(rng.choice(len(images), 16, replace=False))] for _ in range(30)])
    return model


def train(out, seed, filters, members, layers, steps):
    rng = np.random.default_rng(seed)
    started = time.time()
    pool = batch(rng, 400, 80)
    print(f"400 images of 80x80 in {time.time() - started:.0f} s; label density {pool[1].mean().item():.3f}", flush=True)
    models = [train_member(seed + 1 + i, filters, layers, steps, pool) for i in range(members)]
    x, y = batch(np.random.default_rng(seed + 1000), 40, 80)
    with torch.no_grad():
        mean = torch.stack([probabilities(m(x)) for m in models]).mean(0)
    for threshold in (0.3, 0.5):
        hit = ((mean > threshold) & (y > 0)).sum().item()
        print(f"unseen images, threshold {threshold}: precision {hit / (mean > threshold).sum().item():.3f}, "
              f"recall {hit / y.sum().item():.3f} (pixel on pixel)")
    weights = {i: m.state_dict() for i, m in enumerate(models)}
    torch.save(meta_dict(models[0], weights, 1, filters, layers), out)
    print(f"{out}: {members} members of {sum(p.numel() for p in models[0].parameters())} parameters, "
          f"{time.time() - started:.0f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(dest="what", required=True)
    for name in ("golden", "cases"):
        sub.add_parser(name).add_argument("folder")
    p = sub.add_parser("train")
    p.add_argument("out")
    p.add_argument("--seed", type=int, default=2206)
    p.add_argument("--filters", type=int, default=8)
    p.add_argument("--members", type=int, default=4)
    p.add_argument("--layers", type=int, nargs=3, default=[2, 3, 3])
    p.add_argument("--steps", type=int, default=700)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.what == "train":
        os.nice(10)
        train(args.out, args.seed, args.filters, args.members, args.layers, args.steps)
    else:
        os.makedirs(args.folder, exist_ok=True)
        (write_golden if args.what == "golden" else write_cases)(args.folder)


if __name__ == "__main__":
    main()
