#!/usr/bin/env python3
"""Small ensembles of AtomAI's other segmentation networks, and what PyTorch makes of them.

    make_network_goldens.py golden DIR     the ensembles, inputs and float64 maps of tests/data
    make_network_goldens.py check INFER    random variants: PyTorch against the program reshed-infer

The networks are those of ensemble/networks.py. Needs numpy and PyTorch (Debian: python3-torch). Seeded:
the same machine and the same PyTorch give the same files.
"""
import argparse
import os
import subprocess
import tempfile

import numpy as np
import torch
from torch import nn

from ensemble.networks import NETWORKS


# ------------------------------------------------------------------------------------------ ensembles
def stripes(rng, h, w):
    y, x = np.mgrid[0:h, 0:w]
    image = np.sin(0.5 * x + 0.3 * y) + 0.5 * np.sin(0.11 * x * y / max(h, w)) + 0.3 * rng.standard_normal((h, w))
    image -= image.min()
    return (image / image.max()).astype(np.float32)


def random_member(rng, variant):
    """Random weights; batch norms have seen activations (one of them scales by a negative number), and the
    logits spread over about +-4."""
    v = variant
    model = NETWORKS[v["model"]](v["classes"], v["f"], v["layers"], v["norm"], v["dropout"], v["mode"], v["dilated"])
    unit = model.unit
    with torch.no_grad():
        x = torch.from_numpy(np.stack([stripes(rng, 4 * unit + 8, 6 * unit)[: 4 * unit] for _ in range(4)]))[:, None]
        for m in model.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.weight.uniform_(0.5, 1.3)
                m.weight[0] = -0.8
                m.bias.normal_(0, 0.3)
                m.momentum = None
        model.train()
        for m in model.modules():
            if isinstance(m, nn.Dropout):
                m.eval()
        model(x)
        model.eval()
        logits = model(x)
        scale = 2.0 / logits.std()
        model.px.weight *= scale
        model.px.bias.copy_((model.px.bias - logits.mean((0, 2, 3))) * scale)
    return model


def meta_dict(variant, weights):
    v = variant
    meta = {"model_type": "seg", "model": v["model"], "nb_classes": v["classes"], "batch_norm": v["norm"],
            "dropout": None if v["model"] == "SegResNet" else v["dropout"], "upsampling": v["mode"]}
    if v["model"] == "Unet":
        meta["with_dilation"] = v["dilated"]
    meta.update({"nb_filters": v["f"], "layers": list(v["layers"]), "weights": weights, "optimizer": None})
    return meta


def maps(models, image):
    """Mean and variance of the probabilities in double precision."""
    x = torch.from_numpy(image.astype(np.float64))[None, None]
    p = []
    with torch.no_grad():
        for m in models:
            z = m.double()(x)[0]
            p.append((torch.sigmoid(z) if z.shape[0] == 1 else torch.softmax(z, 0)).numpy())
    p = np.stack(p)
    shape = (lambda a: a[0]) if p.shape[1] == 1 else (lambda a: np.ascontiguousarray(a.transpose(1, 2, 0)))
    return shape(p.mean(0)), shape(p.var(0))


def write(path, variant, models):
    torch.save(meta_dict(variant, {i: m.state_dict() for i, m in enumerate(models)}), path)


def variant(model, f, layers, classes=1, norm=True, dropout=False, mode="bilinear", dilated=False):
    return {"model": model, "f": f, "layers": layers, "classes": classes, "norm": norm, "dropout": dropout,
            "mode": mode, "dilated": dilated}


GOLDEN = {
    "tiny_unet": variant("Unet", 2, (1, 2, 1, 2)),
    "tiny_unet_dilated": variant("Unet", 2, (2, 1, 1, 2), classes=3, dropout=True, mode="nearest", dilated=True),
    "tiny_dilnet": variant("dilnet", 3, (1, 2, 3, 1), dropout=True),
    "tiny_dilnet_plain": variant("dilnet", 2, (2, 3, 1, 2), classes=2, norm=False, mode="nearest"),
    "tiny_segresnet": variant("SegResNet", 2, (1, 2, 2)),
    "tiny_segresnet_plain": variant("SegResNet", 3, (2, 1, 1), classes=2, norm=False, mode="nearest"),
}


def write_golden(folder):
    rng = np.random.default_rng(41)
    torch.manual_seed(41)
    image = stripes(rng, 24, 40)
    np.save(f"{folder}/tiny_input_24x40.npy", image)
    for name, v in GOLDEN.items():
        models = [random_member(rng, v) for _ in range(2)]
        write(f"{folder}/{name}_ensemble_metadict.tar", v, models)
        mean, var = maps(models, image)
        np.save(f"{folder}/{name}_24x40_mean.npy", mean)
        np.save(f"{folder}/{name}_24x40_var.npy", var)
        print(f"{name}: mean from {mean.min():.3f} to {mean.max():.3f}, std over members {np.sqrt(var).mean():.3f}")


def random_variant(rng):
    model = str(rng.choice(list(NETWORKS)))
    f = int(rng.choice([1, 2, 3, 5, 8, 16, 17, 25]))
    layers = [int(n) for n in rng.integers(1, 4, 3 if model == "SegResNet" else 4)]
    return variant(model, f, layers, classes=int(rng.choice([1, 1, 2, 4])), norm=bool(rng.integers(2)),
                   dropout=bool(rng.integers(2)), mode=str(rng.choice(["bilinear", "nearest"])),
                   dilated=model == "Unet" and bool(rng.integers(2)))


def check(program, seed, count):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    worst = {}
    with tempfile.TemporaryDirectory() as d:
        for i in range(count):
            v = random_variant(rng)
            models = [random_member(rng, v) for _ in range(2)]
            unit = models[0].unit
            h, w = (max(unit, 4) * int(n) if unit >= 4 else 2 * int(n) for n in rng.integers(2, 14, 2))
            image = stripes(rng, h, w)
            write(f"{d}/w.tar", v, models)
            np.save(f"{d}/i.npy", image)
            mean, var = maps(models, image)
            line = []
            for algo, limit in (("direct", 1e-5), ("gemm", 1e-5), ("auto", 2e-5)):
                subprocess.run([program, "--quiet", "-w", f"{d}/w.tar", "--resample=off", "--norm=0,1", f"--algo={algo}",
                                f"--mean={d}/m.npy", f"--var={d}/v.npy", f"-j{int(rng.integers(1, 4))}", f"{d}/i.npy"],
                               check=True)
                error = max(np.abs(np.load(f"{d}/m.npy") - mean).max(), np.abs(np.load(f"{d}/v.npy") - var).max())
                worst[algo] = max(worst.get(algo, 0), error)
                line.append(f"{algo} {error:.1e}{'' if error <= limit else ' TOO MUCH'}")
            print(f"{i}: {v['model']} {h}x{w} f={v['f']} {v['layers']} classes={v['classes']} norm={v['norm']} "
                  f"dropout={v['dropout']} {v['mode']} dilated={v['dilated']}: {', '.join(line)}", flush=True)
    print("worst:", worst)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(dest="what", required=True)
    sub.add_parser("golden").add_argument("folder")
    p = sub.add_parser("check")
    p.add_argument("program")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=40)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.what == "golden":
        os.makedirs(args.folder, exist_ok=True)
        write_golden(args.folder)
    else:
        check(args.program, args.seed, args.count)


if __name__ == "__main__":
    main()
