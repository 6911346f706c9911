"""Reads a session file with h5py, for tests/spm/session/test_session.c.

    read_session.py live FILE    while it is written: for each line of the standard input
                                 "ARRIVED LOST POINTS EVENTS COL ROW BIN RE IM" compares, and makes
                                 FILE.ack
    read_session.py whole FILE   after it was finished: what pyNSID asks of a main dataset
                                 (check_if_main), and orientation
    read_session.py numbers FILE CSV
                                 the loops in a table of reshed-beps are those in the session
"""

import csv
import sys

import h5py
import numpy as np

TEXTS = ("quantity", "units", "main_data_name", "pyNSID_version", "data_type", "modality", "source")


def live(path):
    f = h5py.File(path, "r", libver="latest", swmr=True)
    lines, spectra = f["Lines/Trace"], f["Measurement_000/Trace/BE_spectra/BE_spectra"]
    points, events = f["Points/table"], f["Log/events"]
    for command in sys.stdin:
        arrived, lost, n_points, n_events, col, row, k = map(int, command.split()[:7])
        value = complex(*map(float, command.split()[7:]))
        for d in (lines, spectra, points, events):
            d.refresh()
        state = lines["state"]
        assert (state == 1).sum() == arrived, (state, arrived)
        assert (state == 2).sum() == lost, (state, lost)
        assert len(points) == n_points and len(events) == n_events, (len(points), len(events))
        assert spectra.dtype == np.complex64
        assert spectra[col, spectra.shape[1] - 1 - row, k] == value
        if n_events:
            assert events[0]["text"].decode() == "event 0 \u00b0", events[0]
        open(path + ".ack", "w").close()


def is_main(d):
    if not all(isinstance(d.attrs.get(t), str) for t in TEXTS):
        return False
    for i, dim in enumerate(d.dims):
        if len(dim) < 1 or dim.label not in d.parent:
            return False
        axis = d.parent[dim.label]
        if axis.shape != (d.shape[i],) or axis != dim[0]:
            return False
        if not all(isinstance(axis.attrs.get(t), str)
                   for t in ("name", "quantity", "units", "dimension_type")):
            return False
    return True


def whole(path):
    f = h5py.File(path, "r")
    mains = []
    f.visititems(lambda name, d: mains.append(name) if isinstance(d, h5py.Dataset)
                 and "main_data_name" in d.attrs else None)
    assert len(mains) == 2 * 2 + 2 + 6 + 2, mains
    for name in mains:
        assert is_main(f[name]), name
    for a, b in (("Raw", "Amplitude"), ("Prediction", "Wall_probability"),
                 ("Uncertainty", "Wall_variance"), ("Binary Object", "Walls"),
                 ("Skeletonize Object", "Skeleton")):
        image, main = f["Images/" + a], f["Measurement_000/Results/%s/%s" % (b, b)]
        assert np.array_equal(image[:], main[:].T) and not np.isnan(image[:]).any()
    x = f["Measurement_000/Results/Walls/x"][:]
    y = f["Measurement_000/Results/Walls/y"][:]
    assert np.allclose(np.diff(x), 1e-7) and np.allclose(np.diff(y), 1e-7)
    assert np.isclose(x.mean(), 1e-6) and np.isclose(y.mean(), -2e-6)
    p = f["Points/table"][:]
    for name in "Target", "Rearange", "Measure", "Convert":
        assert f["Coordinates/" + name].shape == (len(p), 2), name
    assert np.array_equal(f["Coordinates/Rearange"][:, 0], p["x"])
    assert np.array_equal(f["Coordinates/Target"][:][p["target"]][:, 1], p["y"])
    assert np.array_equal(f["Coordinates/Convert"][:, 1], p["device_y"])
    assert np.array_equal(f["Coordinates/Measure"][:, 0], p["measured_x"], equal_nan=True)
    assert f["BEPS/coordinates"].shape == (len(p), 2)
    assert f["BEPS/metric_names"][0] == b"width_mid" and f["BEPS/metrics"].shape == (3, 2)
    assert list(f["BEPS/vdc_waveform"][:]) == [0, 5, 0, -5]
    assert f["Session/settings"].attrs["alarm-bits"] == "1 ood"
    assert f["Session"].attrs["start_time"] == "2026-11-25T10:15:00Z"
    assert f["Session/complete"][0] == 1


def numbers(path, table):
    f = h5py.File(path, "r")
    names = [n.decode() for n in f["BEPS/metric_names"][:]]
    metrics, points = f["BEPS/metrics"][:], f["Points/table"][:]
    rows = list(csv.DictReader(open(table)))
    assert len(rows) == len(points)
    compared = 0
    for heading in rows[0]:
        name = heading.split(" ")[0]
        got = None if name in ("flags", "kind") else np.array([float(r[heading] or "nan") for r in rows])
        want = metrics[:, names.index(name)] if name in names and got is not None else \
            points[name] if name in ("row", "col", "x", "y", "wall") else None
        if want is None:
            continue
        compared += 1
        assert np.allclose(got, want, rtol=1e-9, atol=0, equal_nan=True), name
    assert compared > 60, compared


if sys.argv[1] == "numbers":
    numbers(*sys.argv[2:4])
else:
    (live if sys.argv[1] == "live" else whole)(sys.argv[2])
