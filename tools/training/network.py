"""ResHedNet, written after the description in docs and with AtomAI's tensor names, so that the C
engine and AtomAI read the weights alike.

At level k (k = 0, 1, 2) the network has filters * 2**k channels at 1 / 2**k of the resolution; every
level gives a score map, the coarser ones are resized to the input, and a 1x1 convolution joins the
three. The output is the logit of "this pixel is a wall"."""

import torch
from torch import nn
from torch.nn import functional as F


class ResBlock(nn.Module):
    def __init__(self, inputs, channels):
        super().__init__()
        self.c0 = nn.Conv2d(inputs, channels, 1)
        self.c1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.c2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        x = self.c0(x)
        y = F.leaky_relu(self.bn1(self.c1(x)), 0.01)
        return F.leaky_relu(self.bn2(self.c2(y)) + x, 0.01)


class ResModule(nn.Module):
    def __init__(self, blocks, inputs, channels):
        super().__init__()
        self.res_module = nn.Sequential(
            *[ResBlock(inputs if i == 0 else channels, channels) for i in range(blocks)])

    def forward(self, x):
        return self.res_module(x)


def score_head(channels):
    return nn.Sequential(nn.Conv2d(channels, 1, 1), nn.BatchNorm2d(1))


class ResHedNet(nn.Module):
    def __init__(self, filters=16, layers=(3, 4, 5), upsampling="bilinear"):
        super().__init__()
        self.filters, self.layers, self.upsampling = filters, list(layers), upsampling
        f = filters
        self.net1 = ResModule(layers[0], 1, f)
        self.net2 = nn.Sequential(nn.MaxPool2d(2), ResModule(layers[1], f, 2 * f))
        self.net3 = nn.Sequential(nn.MaxPool2d(2), ResModule(layers[2], 2 * f, 4 * f))
        self.net1score = score_head(f)
        self.net2score = score_head(2 * f)
        self.net3score = score_head(4 * f)
        self.out = nn.Conv2d(3, 1, 1)

    def resize(self, x, size):
        if self.upsampling == "bilinear":
            return F.interpolate(x, size=size, mode="bilinear", align_corners=False)
        return F.interpolate(x, size=size, mode=self.upsampling)

    def forward(self, x):
        """x [N,1,H,W], min-max normalised to [0,1]; returns logits [N,1,H,W]."""
        size = x.shape[-2:]
        x1 = self.net1(x)
        x2 = self.net2(x1)
        x3 = self.net3(x2)
        s2, s3 = self.resize(self.net2score(x2), size), self.resize(self.net3score(x3), size)
        return self.out(torch.cat([self.net1score(x1), s2, s3], dim=1))


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
        model(x)
    for m, momentum in zip(norms, momenta):
        m.momentum = momentum
    model.eval()
