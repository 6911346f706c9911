#!/usr/bin/python3
"""Times predictions through Python: reshed's EnsemblePredictor, PyTorch as AtomAI's predictor uses it, and what the
package adds to a call of the C library.

    PYTHONPATH=build/gcc/python python_predict.py [--weights W.h5] [--size 256] [--threads 2] [--rounds 7]

AtomAI's predictor puts the weights of each member into one skeleton and runs it; so does the peer here, with the
network of training/ensemble (batch normalisation not folded, as there). Rounds are interleaved; medians are printed, as
rows for docs/speed.md. Without PyTorch that row is missing.
"""
import argparse
import os
import statistics
import sys
import time

import numpy as np

import reshed
from reshed import _native as native

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "training"))


class TorchPredictor:
    """What AtomAI 0.8.1's EnsemblePredictor does for one image: load, run and squash member after member."""

    def __init__(self, weights, threads):
        import torch
        from ensemble import reshednet

        torch.set_num_threads(threads)
        self.torch, nets = torch, reshednet.load(weights)
        self.skeleton, self.states = nets[0].eval(), [n.state_dict() for n in nets]
        self.states = [{k: v.clone() for k, v in s.items()} for s in self.states]
        # The networks of training/ensemble give probabilities, or scores, by their own options: ask once.
        with torch.no_grad():
            out = self.skeleton(torch.zeros(1, 1, 16, 16))
        self.squash = bool(((out < 0) | (out > 1)).any())
        self.name = f"PyTorch {torch.__version__}, AtomAI's way"

    def predict(self, image):
        torch = self.torch
        x = ((image - image.min()) / np.ptp(image)).astype(np.float32)
        maps = []
        with torch.no_grad():
            for state in self.states:
                self.skeleton.load_state_dict(state)
                out = self.skeleton(torch.from_numpy(x)[None, None])
                maps.append((torch.sigmoid(out) if self.squash else out).permute(0, 2, 3, 1).numpy())
        return np.mean(maps, axis=0), np.var(maps, axis=0)


def timed(call, clock=time.perf_counter):
    start = clock()
    call()
    return clock() - start


def medians(calls, rounds, clock=time.perf_counter):
    """The median seconds of each, interleaved; warm."""
    for call in calls.values():
        call()
    seconds = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            seconds[name].append(timed(call, clock))
    return {name: statistics.median(s) for name, s in seconds.items()}


def overheads(model, rounds):
    """Seconds that Python adds to a predict and to a pushed line: small frames, so that they stand out, and the
    thread's processor time, so that what else the machine does is not taken for Python's."""
    ffi, lib = native.ffi, native.lib
    image = np.random.default_rng(1).random((32, 32)).astype(np.float32)
    model.predict(image, threads=1, warn=False)
    frame = next(iter(model._frames.values()))
    err, view = native.new_error(), ffi.new("reshed_frame_view *")
    pointer = native.floats(image)

    def raw():
        lib.reshed_frame_run(frame, pointer, 32, 32, 0.0, 0.0, err)
        lib.reshed_frame_get(frame, view)

    predict = medians({"python": lambda: model.predict(image, threads=1, warn=False), "c": raw}, 20 * rounds,
                      time.thread_time)
    size = 64
    options = {"norm": (0, 1), "threads": 1, "preview": "off"}
    through, direct = model.stream(size, size, **options), model.stream(size, size, **options)
    line = np.random.default_rng(2).random(size).astype(np.float32)
    raw_line, state = native.floats(line), ffi.new("reshed_stream_view *")
    pushes = {"python": [], "c": []}
    for _ in range(rounds):
        through.reset()
        direct.reset()
        for row in range(size):
            pushes["python"].append(timed(lambda: through.push(row, line), time.thread_time))

            def call():
                lib.reshed_stream_push(direct._handle, row, 1, raw_line, err)
                lib.reshed_stream_get(direct._handle, state)

            pushes["c"].append(timed(call, time.thread_time))
    push = {k: statistics.median(v) for k, v in pushes.items()}
    return predict["python"] - predict["c"], push["python"] - push["c"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--weights", default=reshed.shipped_weights()["reshednet16x10"])
    p.add_argument("--size", type=int, default=256)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=7)
    a = p.parse_args()
    image = reshed.twin(a.size, seed=3, noise=0.03).amplitude
    ours = reshed.EnsemblePredictor(a.weights, threads=a.threads)
    calls = {f"reshed {reshed.__version__}, EnsemblePredictor.predict": lambda: ours.predict(image)}
    try:
        peer = TorchPredictor(a.weights, a.threads)
        calls[peer.name] = lambda: peer.predict(image)
        difference = np.abs(peer.predict(image)[0] - ours.predict(image)[0]).max()
        print(f"largest difference of the means: {difference:.1e}")
    except ImportError as e:
        print(f"no PyTorch: {e}", file=sys.stderr)
    seconds = medians(calls, a.rounds)
    first = next(iter(seconds.values()))
    for name, s in seconds.items():
        print(f"| {name} | {s:.4f} s | {s / first:.2f} |")
    model = reshed.load(reshed.shipped_weights()["tiny8x4"])
    predict, push = overheads(model, a.rounds)
    print(f"| Python adds to a predict | {1e3 * predict:.3f} ms | |")
    print(f"| Python adds to a pushed line | {1e3 * push:.3f} ms | |")


if __name__ == "__main__":
    main()
