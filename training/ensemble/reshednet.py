"""The ResHedNet in PyTorch, and weights for it and AtomAI's other networks from a reshed HDF5 file or an
AtomAI *_metadict.tar.

The architecture is that of arXiv:2206.11457, with AtomAI's tensor names, so that a state dict of either file
loads as it is. Needs torch; h5py for HDF5 files.
"""
import pickle
import types

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ensemble import networks


class Block(nn.Module):
    """x = c0(in); y = lrelu(bn1(c1(x))); out = lrelu(bn2(c2(y)) + x)"""

    def __init__(self, cin, cout):
        super().__init__()
        self.c0 = nn.Conv2d(cin, cout, 1)
        self.c1 = nn.Conv2d(cout, cout, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(cout)
        self.c2 = nn.Conv2d(cout, cout, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(cout)

    def forward(self, x):
        x = self.c0(x)
        y = F.leaky_relu(self.bn1(self.c1(x)), 0.01)
        return F.leaky_relu(self.bn2(self.c2(y)) + x, 0.01)


class Level(nn.Module):
    """The residual blocks of one resolution; the wrapper only gives the tensors their names."""

    def __init__(self, cin, cout, blocks):
        super().__init__()
        self.res_module = nn.Sequential(*[Block(c, cout) for c in [cin] + [cout] * (blocks - 1)])

    def forward(self, x):
        return self.res_module(x)


class ResHedNet(nn.Module):
    """[1,1,H,W], normalised to [0,1] -> probabilities [1,classes,H,W]."""

    def __init__(self, classes, filters, layers, upsampling):
        super().__init__()
        self.levels, self.classes, self.upsampling = len(layers), classes, upsampling
        for k, blocks in enumerate(layers):
            c = filters << k
            level = Level(c // 2 if k else 1, c, blocks)
            setattr(self, f"net{k + 1}", nn.Sequential(nn.MaxPool2d(2), level) if k else level)
            setattr(self, f"net{k + 1}score", nn.Sequential(nn.Conv2d(c, classes, 1), nn.BatchNorm2d(classes)))
        self.out = nn.Conv2d(self.levels * classes, classes, 1)

    def logits(self, x):
        """What the sigmoid or softmax is taken of; for training."""
        size, scores = x.shape[2:], []
        for k in range(self.levels):
            x = getattr(self, f"net{k + 1}")(x)
            s = getattr(self, f"net{k + 1}score")(x)
            if k and self.upsampling == "nearest":
                s = F.interpolate(s, size, mode="nearest")
            elif k:
                s = F.interpolate(s, size, mode="bilinear", align_corners=False)
            scores.append(s)
        return self.out(torch.cat(scores, 1))

    def forward(self, x):
        y = self.logits(x)
        return torch.sigmoid(y) if self.classes == 1 else torch.softmax(y, 1)


class _Opaque:
    """Stands for every class that a file names and weights do not need (the optimiser): never run."""

    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __setstate__(self, state):
        pass


class _Unpickler(pickle.Unpickler):
    """A pickle can call anything; this one may build tensors and containers only."""

    def find_class(self, module, name):
        if (module, name) in (("collections", "OrderedDict"), ("torch._utils", "_rebuild_tensor_v2"),
                              ("torch._utils", "_rebuild_parameter")):
            return super().find_class(module, name)
        if module == "torch" and name.endswith("Storage"):
            return super().find_class(module, name)
        return _Opaque


def _load_tar(path):
    meta = torch.load(path, map_location="cpu",
                      pickle_module=types.SimpleNamespace(Unpickler=_Unpickler, load=pickle.load))
    weights = meta["weights"]
    members = [weights[k] for k in sorted(weights)] if 0 in weights else [weights]
    shape = dict(model=meta.get("model", "ResHedNet"), classes=int(meta["nb_classes"]),
                 filters=int(meta["nb_filters"]), layers=[int(v) for v in meta["layers"]],
                 upsampling=meta["upsampling"], norm=bool(meta.get("batch_norm", True)),
                 dropout=bool(meta.get("dropout")), dilated=bool(meta.get("with_dilation")))
    return shape, members


def _load_h5(path):
    import h5py

    def text(v):
        return v.decode() if isinstance(v, bytes) else str(v)

    with h5py.File(path, "r") as f:
        a = f.attrs
        if text(a["format"]) != "reshed-weights":
            raise ValueError(f"{path}: not a reshed weights file")
        shape = dict(model=text(a["model"]), classes=int(a["nb_classes"]), filters=int(a["nb_filters"]),
                     layers=[int(v) for v in a["layers"]], upsampling=text(a["upsampling"]),
                     norm=bool(a.get("batch_norm", 1)), dropout=bool(a.get("dropout", 0)),
                     dilated=bool(a.get("with_dilation", 0)))
        members = [{k: torch.from_numpy(np.array(v)) for k, v in f[f"member_{i:03d}"].items()}
                   for i in range(int(a["n_members"]))]
    return shape, members


def _read_any(path):
    with open(path, "rb") as f:
        is_h5 = f.read(8) == b"\x89HDF\r\n\x1a\n"
    return _load_h5(path) if is_h5 else _load_tar(path)


def read(path):
    """(arguments of ResHedNet, state dictionaries of the members), the file kind found by its bytes."""
    shape, members = _read_any(path)
    if shape.pop("model") != "ResHedNet":
        raise ValueError(f"{path}: not a ResHedNet")
    for key in ("norm", "dropout", "dilated"):
        shape.pop(key)
    return shape, members


def _make(shape):
    """(a network that gives probabilities, the one that has the tensors)"""
    s = dict(shape)
    if s["model"] == "ResHedNet":
        net = ResHedNet(s["classes"], s["filters"], s["layers"], s["upsampling"])
        return net, net
    inner = networks.NETWORKS[s["model"]](s["classes"], s["filters"], s["layers"], s["norm"], s["dropout"],
                                          s["upsampling"], s["dilated"])
    return networks.Probabilities(inner), inner


def load(path):
    """All members of a weights file as networks in evaluation mode."""
    shape, members = _read_any(path)
    nets = []
    for state in members:
        net, inner = _make(shape)
        missing, unexpected = inner.load_state_dict(state, strict=False)
        missing = [k for k in missing if not k.endswith("num_batches_tracked")]
        if missing or unexpected:
            raise ValueError(f"{path}: missing tensors {missing[:3]}, unexpected {unexpected[:3]}")
        nets.append(net.eval())
    return nets
