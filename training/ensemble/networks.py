"""AtomAI's Unet, dilnet and SegResNet in PyTorch, written anew from a description of their blocks.

Convolutions are followed by dropout (where it is trained with), activation and batch normalisation, in this
order; a dilated block sums the outputs of all its sub-layers; up-sampling comes before its 1x1 convolution.
Tensor names are AtomAI's. forward gives logits [1,classes,H,W]; the sides must be multiples of `unit`.
"""
import torch
from torch import nn
from torch.nn import functional as F

SLOPE = 0.01


# -------------------------------------------------------------------------------------------- blocks
def layers_of(count, cin, cout, norm, dropout, dilated):
    """Convolution, dropout, activation, normalisation, `count` times, as one flat list."""
    out = []
    for i in range(count):
        d = 2 * (i + 1) if dilated else 1
        out.append(nn.Conv2d(cin if i == 0 else cout, cout, 3, padding=d, dilation=d))
        if dropout > 0:
            out.append(nn.Dropout(dropout))
        out.append(nn.LeakyReLU(SLOPE))
        if norm:
            out.append(nn.BatchNorm2d(cout))
    return nn.Sequential(*out)


class ConvBlock(nn.Module):
    def __init__(self, count, cin, cout, norm, dropout=0.0):
        super().__init__()
        self.block = layers_of(count, cin, cout, norm, dropout, False)

    def forward(self, x):
        return self.block(x)


class DilatedBlock(nn.Module):
    def __init__(self, count, cin, cout, norm, dropout=0.0):
        super().__init__()
        self.atrous_module = layers_of(count, cin, cout, norm, dropout, True)

    def forward(self, x):
        total = 0
        for layer in self.atrous_module:
            x = layer(x)
            total = total + x
        return total


class ResBlock(nn.Module):
    def __init__(self, cin, cout, norm):
        super().__init__()
        self.c0 = nn.Conv2d(cin, cout, 1)
        self.c1 = nn.Conv2d(cout, cout, 3, padding=1)
        self.c2 = nn.Conv2d(cout, cout, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(cout) if norm else None
        self.bn2 = nn.BatchNorm2d(cout) if norm else None

    def forward(self, x):
        x = self.c0(x)
        y = self.c1(x)
        y = F.leaky_relu(self.bn1(y) if self.bn1 else y, SLOPE)
        y = self.c2(y)
        y = self.bn2(y) if self.bn2 else y
        return F.leaky_relu(y + x, SLOPE)


class ResModule(nn.Module):
    def __init__(self, count, cin, cout, norm):
        super().__init__()
        self.res_module = nn.Sequential(*[ResBlock(cin if i == 0 else cout, cout, norm) for i in range(count)])

    def forward(self, x):
        return self.res_module(x)


class UpsampleBlock(nn.Module):
    def __init__(self, cin, cout, mode):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 1)
        self.mode = mode

    def forward(self, x):
        corners = None if self.mode == "nearest" else False
        return self.conv(F.interpolate(x, scale_factor=2, mode=self.mode, align_corners=corners))


# ------------------------------------------------------------------------------------------ networks
class Unet(nn.Module):
    unit = 8

    def __init__(self, classes, f, layers, norm, dropout, mode, dilated):
        super().__init__()
        n = layers
        a, b = (0.1, 0.2) if dropout else (0.0, 0.0)
        self.c1 = ConvBlock(n[0], 1, f, norm)
        self.c2 = ConvBlock(n[1], f, 2 * f, norm)
        self.c3 = ConvBlock(n[2], 2 * f, 4 * f, norm, a)
        self.bn = (DilatedBlock if dilated else ConvBlock)(n[3], 4 * f, 8 * f, norm, b)
        self.upsample_block1 = UpsampleBlock(8 * f, 4 * f, mode)
        self.c4 = ConvBlock(n[2], 8 * f, 4 * f, norm, a)
        self.upsample_block2 = UpsampleBlock(4 * f, 2 * f, mode)
        self.c5 = ConvBlock(n[1], 4 * f, 2 * f, norm)
        self.upsample_block3 = UpsampleBlock(2 * f, f, mode)
        self.c6 = ConvBlock(n[0], 2 * f, f, norm)
        self.px = nn.Conv2d(f, classes, 1)

    def forward(self, x):
        c1 = self.c1(x)
        c2 = self.c2(F.max_pool2d(c1, 2))
        c3 = self.c3(F.max_pool2d(c2, 2))
        u = self.upsample_block1(self.bn(F.max_pool2d(c3, 2)))
        u = self.upsample_block2(self.c4(torch.cat([c3, u], 1)))
        u = self.upsample_block3(self.c5(torch.cat([c2, u], 1)))
        return self.px(self.c6(torch.cat([c1, u], 1)))


class Dilnet(nn.Module):
    unit = 2

    def __init__(self, classes, f, layers, norm, dropout, mode, dilated=False):
        super().__init__()
        p = 0.3 if dropout else 0.0
        self.c1 = ConvBlock(layers[0], 1, f, norm)
        self.at1 = DilatedBlock(layers[1], f, 2 * f, norm, p)
        self.at2 = DilatedBlock(layers[2], 2 * f, 2 * f, norm, p)
        self.up1 = UpsampleBlock(2 * f, f, mode)
        self.c2 = ConvBlock(layers[3], 2 * f, f, norm)
        self.px = nn.Conv2d(f, classes, 1)

    def forward(self, x):
        c1 = self.c1(x)
        u = self.up1(self.at2(self.at1(F.max_pool2d(c1, 2))))
        return self.px(self.c2(torch.cat([c1, u], 1)))


class SegResNet(nn.Module):
    unit = 4

    def __init__(self, classes, f, layers, norm, dropout, mode, dilated=False):
        super().__init__()
        self.c1 = ConvBlock(1, 1, f, norm)
        self.c2 = ResModule(layers[0], f, 2 * f, norm)
        self.bn = ResModule(layers[1], 2 * f, 4 * f, norm)
        self.upsample_block1 = UpsampleBlock(4 * f, 2 * f, mode)
        self.c3 = ResModule(layers[2], 4 * f, 2 * f, norm)
        self.upsample_block2 = UpsampleBlock(2 * f, f, mode)
        self.c4 = ConvBlock(1, 2 * f, f, norm)
        self.px = nn.Conv2d(f, classes, 1)

    def forward(self, x):
        c1 = self.c1(x)
        c2 = self.c2(F.max_pool2d(c1, 2))
        u = self.upsample_block1(self.bn(F.max_pool2d(c2, 2)))
        u = self.upsample_block2(self.c3(torch.cat([c2, u], 1)))
        return self.px(self.c4(torch.cat([c1, u], 1)))


NETWORKS = {"Unet": Unet, "dilnet": Dilnet, "SegResNet": SegResNet}


class Probabilities(nn.Module):
    """The sigmoid or softmax of a network's logits."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        y = self.net(x)
        return torch.sigmoid(y) if y.shape[1] == 1 else torch.softmax(y, 1)
