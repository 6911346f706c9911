#!/usr/bin/env python3
"""Trains the members of a ResHedNet ensemble and writes them as one file.

  train_ensemble.py train --out DIR --members 0-9 --twin build/reshed-twin
  train_ensemble.py train --out DIR --members 0 --start weights/reshednet16x10.h5 \\
                          --pair film.png film_walls.png --share 0.5 --steps 1500     (fine-tuning)
  train_ensemble.py calibrate --out DIR --holdout SET.h5
  train_ensemble.py export --out DIR -o reshednet16x10_ensemble_metadict.tar
  train_ensemble.py evaluate --weights FILE --test image.npy walls.npy ... [--holdout SET.h5]

A run that was stopped goes on from its last checkpoint when the same command is given again.
Needs Debian's python3-torch, python3-h5py and python3-skimage; takes a GPU when there is one."""

import argparse
import contextlib
import json
import os
import sys
import time

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ensemble import data, files, reshednet, scores  # noqa: E402
from ensemble.loss import recompute_batch_norm, wall_loss  # noqa: E402


def numbers(text):
    """"0-3,7" as [0, 1, 2, 3, 7]."""
    found = []
    for part in text.split(","):
        lo, _, hi = part.partition("-")
        found += range(int(lo), int(hi or lo) + 1)
    return found


def learning_rate(args, step):
    """A short warm-up, a half cosine, and a constant rate while weights are averaged."""
    warm, swa = max(1, args.steps // 20), int(args.steps * (1 - args.swa))
    if step < warm:
        return args.rate * (step + 1) / warm
    if step >= swa:
        return args.rate * args.swa_rate
    t = (step - warm) / max(1, swa - warm)
    return args.rate * (args.swa_rate + (1 - args.swa_rate) * 0.5 * (1 + np.cos(np.pi * t)))


@torch.no_grad()
def predict(model, image, device):
    x = torch.from_numpy(np.ascontiguousarray(image, np.float32))[None, None].to(device)
    return model(x)[0, 0].float().cpu().numpy()


class Judge:
    """The scores printed during training: twin hold-out and labelled images, never trained on."""

    def __init__(self, args, device):
        self.device = device
        self.tests = [(os.path.basename(i), *data.load_pair(i, w)) for i, w in args.test or []]
        self.holdout = None
        if args.holdout:
            images, labels = data.load_dataset(args.holdout)
            scale = 255 if images.dtype == np.uint8 else 1
            self.holdout = [a.astype(np.float32) / scale for a in images[:args.holdout_images]], \
                labels[:args.holdout_images]

    def __call__(self, models):
        """Scores of the mean of the models' probabilities."""
        for model in models:
            model.eval()
        mean = lambda a: np.mean([predict(m, a, self.device) for m in models], axis=0)
        out = {}
        if self.holdout:
            maps = [mean(a) for a in self.holdout[0]]
            out["holdout_f"] = scores.pooled_f(maps, self.holdout[1])
            out["holdout_ece"] = scores.calibration_error(maps, self.holdout[1])
        for name, image, walls in self.tests:
            p = mean(image)
            precision, recall, f = scores.edge_scores(p, walls)
            best, at = scores.best_f(p, walls)
            out[name] = {"p": precision, "r": recall, "f": f, "best": best, "at": at}
        if self.tests:
            out["test_f"] = float(np.mean([out[name]["f"] for name, _, _ in self.tests]))
        return out


def describe(result):
    parts = []
    for key, value in result.items():
        if isinstance(value, dict):
            parts.append("{} F {f:.3f} (P {p:.3f} R {r:.3f} best {best:.3f}@{at:.2f})".format(
                key, **value))
        else:
            parts.append(f"{key} {value:.3f}")
    return ", ".join(parts)


class Trainer:
    def __init__(self, args, member, device):
        self.args, self.member, self.device = args, member, device
        torch.manual_seed(args.seed + 7919 * member)
        self.rng = np.random.default_rng([args.seed, member])
        self.shape = dict(classes=1, filters=args.filters, layers=list(args.layers),
                          upsampling="bilinear")
        if args.start:
            self.shape, members = reshednet.read(args.start)
        self.model = reshednet.ResHedNet(**self.shape).to(device)
        self.model = self.model.to(memory_format=torch.channels_last)  # faster on CPUs and GPUs
        if args.start:
            self.model.load_state_dict(members[member % len(members)])
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=args.rate,
                                           weight_decay=args.decay)
        self.augment = data.Augment(args.size, args.augment, noisy=args.noisy)
        self.pairs = data.PairSource([data.load_pair(*p) for p in args.pair]) if args.pair else None
        self.source = None
        if args.data:
            self.source = data.FileSource(args.data, member)
        elif args.twin:
            self.source = data.TwinSource(args.twin, args.out, member, args.twin_images,
                                          args.twin_size, args.twin_option or (),
                                          max(0, args.seed - 1))
        elif not self.pairs:
            raise SystemExit("train_ensemble.py: nothing to train on: give --twin, --data or --pair")
        self.also = data.FileSource(args.also, member) if args.also else None
        self.step, self.averaged, self.average = 0, 0, None
        self.path = os.path.join(args.out, f"member_{member:03d}.ckpt")
        self.final = os.path.join(args.out, f"member_{member:03d}.pt")

    # -------------------------------------------------------------------------------- checkpoints

    def settings(self):
        keys = ("steps", "batch", "size", "rate", "seed", "swa", "swa_rate")
        return {"shape": self.shape, **{k: getattr(self.args, k) for k in keys}}

    def save(self):
        files.save_atomic({
            "settings": self.settings(), "step": self.step, "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(), "rng": self.rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(), "averaged": self.averaged, "average": self.average,
        }, self.path)

    def resume(self):
        if not os.path.exists(self.path):
            return
        c = torch.load(self.path, map_location=self.device)
        if c["settings"] != self.settings():
            raise SystemExit(f"{self.path}: made with other settings "
                             f"(expected {self.settings()}, found {c['settings']})")
        self.model.load_state_dict(c["model"])
        self.optimizer.load_state_dict(c["optimizer"])
        self.rng.bit_generator.state = c["rng"]
        torch.set_rng_state(c["torch_rng"].cpu())
        self.step, self.averaged, self.average = c["step"], c["averaged"], c["average"]
        print(f"member {self.member}: goes on at step {self.step}", flush=True)

    # -------------------------------------------------------------------------------------- steps

    def batch(self):
        a = self.args
        own = 0
        if self.pairs:
            own = a.batch if not self.source else int(self.rng.binomial(a.batch, a.share))
        parts = []
        if own:
            parts.append(self.augment.batch(self.rng, *self.pairs.pick(self.rng, own), True))
        other = int(self.rng.binomial(a.batch - own, a.also_share)) if self.also else 0
        if other:
            picked = self.also.pick(self.rng, self.step * a.batch, other)
            parts.append(self.augment.batch(self.rng, *picked))
        if own + other < a.batch:
            picked = self.source.pick(self.rng, self.step * a.batch, a.batch - own - other)
            parts.append(self.augment.batch(self.rng, *picked))
        x, y = (torch.cat(t).to(self.device) for t in zip(*parts))
        return x.to(memory_format=torch.channels_last), y

    def one_step(self):
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.args, self.step)
        self.model.train()
        x, y = self.batch()
        autocast = torch.autocast(self.device.type, torch.bfloat16) if self.args.bf16 else \
            contextlib.nullcontext()
        with autocast:
            logits = self.model.logits(x)
        loss = wall_loss(logits.float(), y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        if self.step > self.args.steps * (1 - self.args.swa) and self.step % self.args.swa_every == 0:
            self.add_to_average()
        return float(loss)

    def add_to_average(self):
        state = {k: v.detach() for k, v in self.model.state_dict().items() if v.is_floating_point()}
        if self.average is None:
            self.average = {k: v.double().clone() for k, v in state.items()}
        else:
            for k, v in state.items():
                self.average[k] += (v.double() - self.average[k]) / (self.averaged + 1)
        self.averaged += 1

    def averaged_model(self):
        model = reshednet.ResHedNet(**self.shape).to(self.device)
        state = self.model.state_dict()
        for k, v in (self.average or {}).items():
            state[k] = v.to(state[k].dtype)
        model.load_state_dict(state)
        recompute_batch_norm(model, (self.batch()[0] for _ in range(self.args.bn_batches)))
        return model

    def run(self, judge):
        a = self.args
        started, loss_sum, count = time.time(), 0.0, 0
        while self.step < a.steps:
            loss_sum += self.one_step()
            count += 1
            if self.step % a.report == 0:
                pace = (time.time() - started) / count
                print(f"member {self.member} step {self.step}/{a.steps} loss {loss_sum / count:.4f} "
                      f"{pace:.3f} s/step, {pace * (a.steps - self.step) / 60:.0f} min left",
                      flush=True)
                started, loss_sum, count = time.time(), 0.0, 0
            if self.step % a.evaluate == 0:
                print(f"member {self.member} step {self.step}: {describe(judge([self.model]))}",
                      flush=True)
            if self.step % a.checkpoint == 0:
                self.save()
            if self.step == a.stop_at:
                return
        self.save()
        model = self.averaged_model()
        result = judge([model])
        print(f"member {self.member} done, average of {self.averaged}: {describe(result)}", flush=True)
        files.save_atomic({"state": files.plain(model.state_dict()), "shape": self.shape,
                           "settings": self.settings(), "scores": result}, self.final)


def pick_device(args):
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    return torch.device("cuda" if torch.cuda.is_available() and not args.cpu else "cpu")


def train(args):
    os.makedirs(args.out, exist_ok=True)
    device = pick_device(args)
    judge = Judge(args, device)
    for member in numbers(args.members):
        trainer = Trainer(args, member, device)
        if os.path.exists(trainer.final):
            print(f"member {member}: done already", flush=True)
            continue
        trainer.resume()
        trainer.run(judge)


def finished(folder):
    names = sorted(n for n in os.listdir(folder) if n.startswith("member_") and n.endswith(".pt"))
    if not names:
        raise SystemExit(f"train_ensemble.py: {folder}: no finished member (member_*.pt)")
    return [torch.load(os.path.join(folder, n), map_location="cpu") for n in names]


def finished_alike(folder):
    """The shape of the members, and their states."""
    members = finished(folder)
    shape = members[0]["shape"]
    if any(m["shape"] != shape for m in members):
        raise SystemExit(f"train_ensemble.py: {folder}: members of different shapes")
    return shape, [m["state"] for m in members]


def export(args):
    shape, states = finished_alike(args.out)
    for state in states:  # the last layer is linear, so this is a * logit + b
        state["out.weight"] = state["out.weight"] * args.scale
        state["out.bias"] = state["out.bias"] * args.scale + args.shift
    files.save_atomic(files.metadict(shape, states), args.output)
    print(f"{args.output}: {len(states)} members")


@torch.no_grad()
def calibrate(args):
    """Trained on pixels, a network says 0.3 where a wall is certain and its place is not, and at
    probability 0.5 thin walls break. Prints what scaling and shifting every member's logit does to
    simulated frames; nothing real is looked at."""
    device = pick_device(args)
    shape, states = finished_alike(args.out)
    models = []
    for state in states:
        models.append(reshednet.ResHedNet(**shape).to(device).eval())
        models[-1].load_state_dict(state)
    images, labels = data.load_dataset(args.holdout)
    images, labels = images[:args.holdout_images], labels[:args.holdout_images]
    unit = 255 if images.dtype == np.uint8 else 1
    logits = []
    for image in images:
        x = torch.from_numpy(image.astype(np.float32) / unit)[None, None].to(device)
        logits.append(np.stack([m.logits(x)[0, 0].cpu().numpy() for m in models]))
    best = None
    for scale in args.scales:
        for shift in args.shifts:
            maps = [(1 / (1 + np.exp(-scale * z - shift))).mean(0) for z in logits]
            f, ece = scores.pooled_f(maps, labels), scores.calibration_error(maps, labels)
            print(f"scale {scale:.2f} shift {shift:+.2f}: F {f:.4f}, calibration error {ece:.4f}",
                  flush=True)
            if ece <= args.most_error and (best is None or f > best[0]):
                best = f, scale, shift
    if best:
        print(f"best with an error of at most {args.most_error}: --scale {best[1]} --shift {best[2]}")


def evaluate(args):
    device = pick_device(args)
    models = [m.to(device) for m in reshednet.load(args.weights)]
    judge = Judge(args, device)
    results = {f"member {i}": judge([m]) for i, m in enumerate(models)}
    results["ensemble"] = judge(models)
    if args.json:
        print(json.dumps(results))
    else:
        for name, result in results.items():
            print(f"{name}: {describe(result)}")


def parser():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    sub = p.add_subparsers(dest="command", required=True)
    tests = argparse.ArgumentParser(add_help=False)
    tests.add_argument("--test", nargs=2, action="append", metavar=("IMAGE", "WALLS"),
                       help="a labelled image to score (never to train on); may be repeated")
    tests.add_argument("--holdout", metavar="SET.h5", help="a twin data set to score")
    tests.add_argument("--holdout-images", type=int, default=60)
    tests.add_argument("--threads", type=int, default=0, help="0: torch decides")
    tests.add_argument("--cpu", action="store_true", help="even where there is a GPU")

    t = sub.add_parser("train", parents=[tests])
    t.add_argument("--out", required=True, help="folder for checkpoints and members")
    t.add_argument("--members", default="0", help='such as "0-9" or "3,4"')
    t.add_argument("--twin", metavar="PROGRAM", help="reshed-twin: fresh images as training goes on")
    t.add_argument("--twin-images", type=int, default=8000, help="images of one round")
    t.add_argument("--twin-size", type=int, default=128)
    t.add_argument("--twin-option", action="append", help="passed on to it, e.g. --harsh=1.5")
    t.add_argument("--data", action="append", metavar="SET.h5", help="data sets made beforehand")
    t.add_argument("--also", action="append", metavar="SET.h5",
                   help="data sets mixed in beside the twin or --data")
    t.add_argument("--also-share", type=float, default=0.25, help="of the images, from --also")
    t.add_argument("--pair", nargs=2, action="append", metavar=("IMAGE", "WALLS"),
                   help="one of your own images (PNG, TIFF, NPY) and its walls, any size")
    t.add_argument("--share", type=float, default=0.5, help="of a batch that is your own images")
    t.add_argument("--start", metavar="WEIGHTS", help="weights to start from (HDF5 or .tar)")
    t.add_argument("--steps", type=int, default=12000)
    t.add_argument("--batch", type=int, default=8)
    t.add_argument("--size", type=int, default=112, help="pixels a side of a training piece")
    t.add_argument("--filters", type=int, default=16)
    t.add_argument("--layers", type=int, nargs=3, default=[3, 4, 5])
    t.add_argument("--rate", type=float, default=2e-3, help="largest learning rate")
    t.add_argument("--decay", type=float, default=1e-4, help="weight decay")
    t.add_argument("--augment", type=float, default=1.0, help="strength of the augmentation")
    t.add_argument("--noisy", type=float, default=0.0, help="share of images with heavy noise added")
    t.add_argument("--swa", type=float, default=0.25, help="last part in which weights are averaged")
    t.add_argument("--swa-rate", type=float, default=0.1, help="rate then, of the largest")
    t.add_argument("--swa-every", type=int, default=20, help="steps")
    t.add_argument("--bn-batches", type=int, default=100)
    t.add_argument("--bf16", action="store_true", help="forward pass in bfloat16")
    t.add_argument("--seed", type=int, default=1)
    t.add_argument("--report", type=int, default=100, help="steps between lines of the log")
    t.add_argument("--evaluate", type=int, default=500)
    t.add_argument("--checkpoint", type=int, default=250)
    t.add_argument("--stop-at", type=int, default=0, help="a step to leave off at, as if stopped")
    t.set_defaults(run=train)

    e = sub.add_parser("export")
    e.add_argument("--out", required=True, help="folder of `train`")
    e.add_argument("-o", "--output", required=True, help="NAME_ensemble_metadict.tar")
    e.add_argument("--scale", type=float, default=1.0, help="of every logit: see calibrate")
    e.add_argument("--shift", type=float, default=0.0, help="added to every logit")
    e.set_defaults(run=export)

    c = sub.add_parser("calibrate", help="what --scale and --shift of export do")
    c.add_argument("--out", required=True, help="folder of `train`")
    c.add_argument("--holdout", required=True, metavar="SET.h5", help="a twin data set")
    c.add_argument("--holdout-images", type=int, default=60)
    c.add_argument("--scales", type=float, nargs="+", default=[1.0, 1.15, 1.3, 1.5])
    c.add_argument("--shifts", type=float, nargs="+", default=[0, 0.2, 0.4, 0.6, 0.8])
    c.add_argument("--most-error", type=float, default=0.055)
    c.add_argument("--threads", type=int, default=1)
    c.add_argument("--cpu", action="store_true")
    c.set_defaults(run=calibrate)

    v = sub.add_parser("evaluate", parents=[tests])
    v.add_argument("--weights", required=True)
    v.add_argument("--json", action="store_true")
    v.set_defaults(run=evaluate)
    return p


def main():
    args = parser().parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
