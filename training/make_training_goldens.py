#!/usr/bin/env python3
"""What PyTorch makes of a few training steps, for the tests of src/train (tests/train/test_train_goldens.c).

    make_training_goldens.py DIR      writes training_NAME.tar, training_NAME_batch.npy and training_NAME_loss.npy

Each tar is an ensemble in AtomAI's layout whose members are moments of one network:
  0 the start; 1 the gradient of the first batch, under the parameters' names; 2 after one step; 3 after five steps
  (both with their running statistics); 4 the start with statistics recomputed from two batches.
The batch file is [6,n,h,w]: image, target and weight of a batch, and those of another. The loss file holds the loss before each of
the five steps (the batches alternate), and that of member 3 on the first batch in evaluation mode.
Everything is computed in double precision. Needs Debian's python3-torch."""

import os
import sys

import numpy as np
import torch
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ensemble.files import metadict  # noqa: E402
from ensemble.loss import recompute_batch_norm  # noqa: E402
from ensemble.reshednet import ResHedNet  # noqa: E402
from torch.nn import functional as F  # noqa: E402

RATE, DECAY, CLIP, STEPS = 2e-3, 1e-2, 0.5, 5


def loss_of(logits, target, weight):
    """ensemble.loss.wall_loss with pixels that do not count."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    p = torch.sigmoid(logits)
    dice = 1 - (2 * (weight * p * target).sum() + 1) / ((weight * p).sum() + (weight * target).sum() + 1)
    return (weight * entropy).sum() / weight.sum() + dice


def batches(rng, n, h, w):
    """Stripes, their edges as target, and a fifth of the rows ignored in the second batch."""
    out = np.zeros((2, 3, n, h, w), np.float32)
    y, x = np.mgrid[:h, :w]
    for b in range(2):
        for i in range(n):
            angle, period = rng.uniform(0, np.pi), rng.uniform(6, 12)
            phase = (np.cos(angle) * x + np.sin(angle) * y) / period + rng.uniform()
            image = (np.floor(phase) % 2) * 0.6 + 0.2 + 0.1 * rng.standard_normal((h, w))
            out[b, 0, i] = np.clip(image, 0, 1)
            out[b, 1, i] = np.abs(phase - np.round(phase)) * period < 0.8
            out[b, 2, i] = 1 if b == 0 else np.arange(h)[:, None] >= h // 5
    return out


def state(model):
    return {k: v.detach().clone() for k, v in model.state_dict().items()}


def case(folder, name, filters, layers, upsampling, n, h, w, frozen):
    torch.manual_seed(len(name))
    rng = np.random.default_rng(len(name))
    shape = dict(classes=1, filters=filters, layers=layers, upsampling=upsampling)
    model = ResHedNet(**shape).double()
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    with torch.no_grad():
        for m in norms:  # anything but the start, so that nothing is left untested
            m.weight.uniform_(0.5, 1.5)
            m.bias.uniform_(-0.3, 0.3)
            m.running_mean.normal_(0, 0.1)
            m.running_var.uniform_(0.3, 0.8)
    model.load_state_dict({k: v.float().double() if v.is_floating_point() else v
                           for k, v in model.state_dict().items()})  # as the file has it
    data = batches(rng, n, h, w)
    pieces = [[torch.from_numpy(part.astype(np.float64))[:, None] for part in batch] for batch in data]
    members, losses = [state(model)], []
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    for step in range(STEPS):
        model.train()
        for m in norms:
            m.train(not frozen)
        image, target, weight = pieces[step % 2]
        loss = loss_of(model.logits(image), target, weight)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        losses.append(float(loss))
        if step == 0:
            gradient = state(model)
            gradient.update({k: p.grad.clone() for k, p in model.named_parameters()})
            members.append(gradient)
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        if step in (0, STEPS - 1):
            members.append(state(model))
    model.eval()
    with torch.no_grad():
        losses.append(float(loss_of(model.logits(pieces[0][0]), *pieces[0][1:])))
    model.load_state_dict(members[0])
    recompute_batch_norm(model, (p[0] for p in pieces))
    members.append(state(model))
    path = os.path.join(folder, f"training_{name}")
    torch.save(metadict(shape, members), path + ".tar")
    np.save(path + "_batch.npy", data.reshape(6, n, h, w))
    np.save(path + "_loss.npy", np.array(losses))
    print(name, losses)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    case(sys.argv[1], "bilinear", 3, [1, 2, 1], "bilinear", 3, 29, 38, False)
    case(sys.argv[1], "nearest", 3, [2, 1, 1], "nearest", 2, 24, 19, False)
    case(sys.argv[1], "frozen", 2, [1, 1, 2], "bilinear", 2, 20, 24, True)


if __name__ == "__main__":
    main()
