#!/usr/bin/python3
"""Writes each member of an ensemble as an ONNX file for one image size.

    export_onnx.py WEIGHTS HEIGHT WIDTH PREFIX [--members N]

WEIGHTS is a reshed HDF5 file or an AtomAI *_metadict.tar; the files are PREFIX_000.onnx, PREFIX_001.onnx, ...
Input "image" [1,1,H,W] normalised to [0,1], output "probability" [1,classes,H,W]. Batch normalisation is left
in place: a runtime's optimiser folds it. Needs torch (Debian: python3-torch), and h5py for HDF5 weights.
"""
import argparse
import os
import sys
import warnings

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ensemble import reshednet  # noqa: E402


def main():
    p = argparse.ArgumentParser(description="One ONNX file per member, for one image size.")
    p.add_argument("weights")
    p.add_argument("height", type=int)
    p.add_argument("width", type=int)
    p.add_argument("prefix")
    p.add_argument("--members", type=int, default=0, help="only the first N")
    a = p.parse_args()
    warnings.filterwarnings("ignore")
    nets = reshednet.load(a.weights)
    for i, net in enumerate(nets[:a.members] if a.members else nets):
        path = f"{a.prefix}_{i:03d}.onnx"
        with torch.no_grad():
            torch.onnx.export(net, torch.zeros(1, 1, a.height, a.width), path, opset_version=13,
                              input_names=["image"], output_names=["probability"],
                              training=torch.onnx.TrainingMode.PRESERVE)
        print(path)


if __name__ == "__main__":
    main()
