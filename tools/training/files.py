"""Weights in and out: AtomAI's ensemble dictionary, the project's HDF5, and checkpoints."""

import os
from collections import OrderedDict

import h5py
import numpy as np
import torch


def save_atomic(thing, path):
    """torch.save that leaves the old file or the new one, never half of one."""
    temp = path + ".tmp"
    torch.save(thing, temp)
    with open(temp, "rb+") as f:
        os.fsync(f.fileno())
    os.replace(temp, path)


def plain(state):
    return OrderedDict((k, v.detach().cpu().clone()) for k, v in state.items())


def metadict(model, members):
    """What AtomAI's save_ensemble writes, for a list of state dictionaries."""
    return {
        "model_type": "seg", "model": "ResHedNet", "nb_classes": 1, "batch_norm": True,
        "dropout": None, "upsampling": model.upsampling, "nb_filters": model.filters,
        "layers": list(model.layers), "optimizer": None,
        "weights": {i: plain(state) for i, state in enumerate(members)},
    }


def load_members(path):
    """(filters, layers, upsampling, [state dictionaries]) of a weights file of either kind."""
    with open(path, "rb") as f:
        is_hdf5 = f.read(8) == b"\x89HDF\r\n\x1a\n"
    if not is_hdf5:
        meta = torch.load(path, map_location="cpu")
        weights = meta["weights"]
        members = [weights[i] for i in sorted(weights)] if 0 in weights else [weights]
        return meta["nb_filters"], list(meta["layers"]), meta["upsampling"], members
    with h5py.File(path, "r") as f:
        text = lambda v: v.decode() if isinstance(v, bytes) else str(v)
        members = []
        for name in sorted(k for k in f if k.startswith("member_")):
            state = OrderedDict()
            for tensor, data in f[name].items():
                a = np.asarray(data[()])
                state[tensor] = torch.as_tensor(a if a.dtype.kind == "i" else a.astype(np.float32))
            members.append(state)
        return (int(f.attrs["nb_filters"]), [int(n) for n in f.attrs["layers"]],
                text(f.attrs["upsampling"]), members)
