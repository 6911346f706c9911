"""The loss, and batch norm of averaged weights."""

import torch
from torch import nn
from torch.nn import functional as F


def wall_loss(logits, target):
    """Cross-entropy plus Dice. No weight for the rare class: it would thicken the lines and merge
    neighbouring walls; Dice keeps the rare class from being ignored."""
    entropy = F.binary_cross_entropy_with_logits(logits, target)
    p = torch.sigmoid(logits)
    dice = 1 - (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)
    return entropy + dice


@torch.no_grad()
def recompute_batch_norm(model, batches):
    """Sets the running statistics to their plain average over the batches: averaged weights have
    statistics of their own."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [m.momentum for m in norms]
    for m in norms:
        m.reset_running_stats()
        m.momentum = None
    model.train()
    for x in batches:
        model.logits(x)
    for m, momentum in zip(norms, momenta):
        m.momentum = momentum
    model.eval()
