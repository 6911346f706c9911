#!/usr/bin/python3
"""Trains AtomAI's Unet on simulated frames, for the comparison of `reshed-evaluate bayes`: our trainer
knows ResHedNets alone.

    build/reshed-twin dataset -o frames.h5 --seed SET --count 1000 --size 73 --type float32
    train_unet.py frames.h5 -o unet.tar [--members N]

Loss, optimiser, rate and its course, batch, number of steps and averaging of the weights are those of
`reshed-train fit`; --parameters is the size to come nearest to. Augmentation: pieces in eight orientations, gain,
gamma, noise. SET from 1000 on: lower ones are for judging. Needs torch (Debian: python3-torch) and h5py.
"""
import argparse
import math
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ensemble import data, loss  # noqa: E402
from ensemble.networks import Unet  # noqa: E402


def size_of(f):
    return sum(p.numel() for p in Unet(1, f, LAYERS, True, 0.0, "bilinear", False).parameters())


LAYERS = (1, 2, 2, 3)


def pieces(rng, images, labels, batch, side):
    x = np.empty((batch, 1, side, side), np.float32)
    y = np.empty_like(x)
    for k in range(batch):
        i = rng.integers(len(images))
        r, c = rng.integers(images.shape[1] - side + 1, size=2)
        a, b = images[i, r:r + side, c:c + side], labels[i, r:r + side, c:c + side]
        turn, flip = rng.integers(4), rng.integers(2)
        a, b = np.rot90(a, turn), np.rot90(b, turn)
        if flip:
            a, b = a[:, ::-1], b[:, ::-1]
        a = data.normalise(a) ** np.exp(rng.uniform(-0.4, 0.4))
        a = a * rng.uniform(0.7, 1.3) + rng.normal(0, rng.uniform(0, 0.06), a.shape)
        x[k, 0], y[k, 0] = data.normalise(a), b > 0
    return torch.from_numpy(x), torch.from_numpy(y)


def rate_at(step, steps, most):
    """Warm-up over a twentieth, half a cosine, then a quarter at a tenth (src/train/net/rate.c)."""
    warm, flat = max(1, steps // 20), steps // 4
    if step < warm:
        return most * (step + 1) / warm
    fall = max(1, steps - flat - warm)
    t = min(1.0, (step - warm) / fall)
    return most * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * t)))


def train(seed, f, images, labels, a):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Unet(1, f, LAYERS, True, 0.0, "bilinear", False)
    net.logits = net.forward
    opt = torch.optim.AdamW(net.parameters(), lr=a.rate, weight_decay=1e-4)
    mean, count = None, 0
    net.train()
    for step in range(a.steps):
        for g in opt.param_groups:
            g["lr"] = rate_at(step, a.steps, a.rate)
        x, y = pieces(rng, images, labels, a.batch, a.piece)
        value = loss.wall_loss(net(x), y)
        opt.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        if step >= a.steps - a.steps // 4 and (step + 1) % 20 == 0:
            now = [p.detach().double().clone() for p in net.parameters()]
            mean = now if mean is None else [m + p for m, p in zip(mean, now)]
            count += 1
        if step % 100 == 99:
            print(f"member {seed}, step {step + 1}: loss {value.item():.3f}", flush=True)
    with torch.no_grad():
        for p, m in zip(net.parameters(), mean or []):
            p.copy_(m / count)
    loss.recompute_batch_norm(net, (pieces(rng, images, labels, a.batch, a.piece)[0] for _ in range(a.statistics)))
    return net


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("frames")
    p.add_argument("-o", "--output", required=True)
    p.add_argument("--members", type=int, default=1)
    p.add_argument("--steps", type=int, default=600)
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--piece", type=int, default=64)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--statistics", type=int, default=100)
    p.add_argument("--parameters", type=int, default=0, help="default: those of a ResHedNet of 8 filters")
    a = p.parse_args()
    torch.set_num_threads(1)
    from ensemble.reshednet import ResHedNet
    wanted = a.parameters or sum(q.numel() for q in ResHedNet(1, 8, (3, 4, 5), "bilinear").parameters())
    f = min(range(1, 65), key=lambda k: abs(size_of(k) - wanted))
    print(f"Unet of {f} filters: {size_of(f)} parameters, {wanted} wanted", flush=True)
    images, labels = data.load_dataset(a.frames)
    images = images.astype(np.float32)
    nets = [train(k, f, images, labels, a) for k in range(a.members)]
    for net in nets:
        del net.logits
    weights = {i: {k: v.detach().cpu() for k, v in net.state_dict().items()} for i, net in enumerate(nets)}
    torch.save({"model_type": "seg", "model": "Unet", "nb_classes": 1, "batch_norm": True, "dropout": False,
                "upsampling": "bilinear", "with_dilation": False, "nb_filters": f, "layers": list(LAYERS),
                "weights": weights, "optimizer": None}, a.output)


if __name__ == "__main__":
    main()
