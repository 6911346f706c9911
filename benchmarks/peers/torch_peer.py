#!/usr/bin/python3
"""PyTorch as a peer of reshed-bench: one process that holds the ensemble and runs it on request.

    torch_peer.py --weights W.h5 --image X.npy --threads N

Talks in lines: first, once everything is loaded, warmed up and the fastest configuration has been found, one JSON
object about itself (name, version, config, and what was tried with seconds a member); then for each line "run" the object {"seconds": ..., "cpu_seconds": ...} of one pass over all
members, and for "save PATH" the members' probabilities [N,C,H,W] of the last run as a float32 .npy. The time is the
forward passes alone, with neither normalisation nor the ensemble's mean and variance.
"""
import argparse
import copy
import json
import os
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import torch.fx.experimental.optimization as fx

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "training"))
from ensemble import reshednet  # noqa: E402


def channels_last(t):
    return t.to(memory_format=torch.channels_last)


def fused(net, x):
    return fx.fuse(net), x


def fused_channels_last(net, x):
    return channels_last(fx.fuse(net)), channels_last(x)


def frozen(net, x):
    return torch.jit.freeze(torch.jit.trace(fx.fuse(net), x)), x


def frozen_channels_last(net, x):
    net, x = fused_channels_last(net, x)
    return torch.jit.freeze(torch.jit.trace(net, x)), x


def jit_optimized(net, x):
    return torch.jit.optimize_for_inference(torch.jit.trace(net, x)), x


def fx_optimized(net, x):
    return fx.optimize_for_inference(net), x


# Batch normalisation is folded into the convolutions in all of them.
BUILDS = (fused, fused_channels_last, frozen, frozen_channels_last, jit_optimized, fx_optimized)


class Runner:
    """Members one after another with all threads, or side by side with one thread each."""

    def __init__(self, nets, x, threads, side_by_side):
        self.nets, self.x = nets, x
        self.pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads,
                                       initargs=(1,)) if side_by_side else None

    def one(self, net):
        with torch.inference_mode():
            return net(self.x)

    def __call__(self):
        return list(self.pool.map(self.one, self.nets)) if self.pool else [self.one(n) for n in self.nets]


def timed(run):
    cpu, wall = time.process_time(), time.perf_counter()
    out = run()
    return out, time.perf_counter() - wall, time.process_time() - cpu


def fastest(runs, rounds):
    """The best seconds of each run; in turn, so that whatever else the machine does hits all alike."""
    best = dict.fromkeys(runs, float("inf"))
    for run in runs.values():
        run()
    for _ in range(rounds):
        for key, run in runs.items():
            best[key] = min(best[key], timed(run)[1])
    return best


def say(**fields):
    print(json.dumps(fields), flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--weights", required=True)
    p.add_argument("--image", required=True, help="float32 .npy [H,W], normalised to [0,1]")
    p.add_argument("--threads", type=int, required=True)
    a = p.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(a.threads)
    nets = reshednet.load(a.weights)
    x = torch.from_numpy(np.load(a.image).astype(np.float32))[None, None]

    # Each way of building, in each way of sharing the threads out, on as many members as there are threads.
    few, runs = nets[:a.threads], {}
    with torch.no_grad():
        for build in BUILDS:
            try:
                built = [build(copy.deepcopy(n), x) for n in few]
            except Exception as e:  # a build that this version of torch cannot do is no candidate
                print(f"torch_peer: {build.__name__}: {e}".splitlines()[0][:200], file=sys.stderr)
                continue
            for side_by_side in (False, True) if a.threads > 1 and len(nets) > 1 else (False,):
                runs[build, side_by_side] = Runner([b[0] for b in built], built[0][1], a.threads, side_by_side)
        tried = {k: v / len(few) for k, v in fastest(runs, 4).items()}
        build, side_by_side = min(tried, key=tried.get)
        runs.clear()
        built = [build(n, x) for n in nets]
    run = Runner([b[0] for b in built], built[0][1], a.threads, side_by_side)

    def words(b, s):
        return b.__name__ + (", members side by side" if s else "")

    out = run()
    say(name="PyTorch", version=torch.__version__, config=words(build, side_by_side),
        tried="; ".join(f"{words(*k)} {v:.4f} s" for k, v in tried.items()))
    for line in sys.stdin:
        what, _, argument = line.rstrip("\n").partition(" ")
        if what == "run":
            out, wall, cpu = timed(run)
            say(seconds=wall, cpu_seconds=cpu)
        elif what == "save":
            np.save(argument, np.concatenate([o.contiguous().numpy() for o in out]))
            say(saved=argument)
        else:
            break


if __name__ == "__main__":
    main()
