#!/usr/bin/env python3
"""Writes nsid_h5py.h5 and nsid_latest.h5: small NSID data as h5py makes them, independent of our
writer, in the oldest and the newest file layout.

    python3 tests/data/make_nsid.py tests/data
"""
import sys

import h5py
import numpy as np

H, W = 4, 6
PATTERN = 10 * np.arange(H)[:, None] + np.arange(W)[None, :] + 1  # row 0 is the top


def main_dataset(group, name, data, axes, skip=(), fixed=False, **attrs):
    """axes: (name, values, quantity, units, type) for each axis; skip: attributes left out."""
    group = group.create_group(name)
    chunks = attrs.pop("chunks", None)
    dset = group.create_dataset(name, data=data, chunks=chunks, track_times=False,
                                **({"compression": 4, "shuffle": True, "fletcher32": True} if chunks else {}))
    all_attrs = dict(quantity="generic", units="generic", main_data_name=name, pyNSID_version="0.0.7.2",
                     data_type="IMAGE", modality="generic", source="generic")
    all_attrs.update(attrs)
    for key, value in all_attrs.items():
        if key not in skip:
            dset.attrs[key] = np.bytes_(value) if fixed else value
    for i, (label, values, quantity, units, kind) in enumerate(axes):
        scale = group.create_dataset(label, data=values, track_times=False)
        scale.attrs.update(name=label, quantity=quantity, units=units, dimension_type=kind)
        scale.make_scale(label)
        dset.dims[i].label = label
        dset.dims[i].attach_scale(scale)
    return group


def spatial(name, values, units="m"):
    return (name, np.asarray(values, float), "Position", units, "SPATIAL")


x, y = 3e-9 * np.arange(W), 2e-9 * np.arange(H)

with h5py.File(sys.argv[1] + "/nsid_h5py.h5", "w") as f:
    m = f.create_group("Measurement_000")
    # As SciFiReaders writes an Asylum image: x first, y upwards.
    main_dataset(m.create_group("Channel_000"), "Height", PATTERN[::-1].T.astype("<f4"),
                 [spatial("x", x), spatial("y", y)], quantity="HeightRetrace", units="m")
    g = main_dataset(m.create_group("Channel_001"), "Amp", (0.5 * PATTERN[::-1]).T.astype(">f8"),
                     [spatial("x", x), spatial("y", y)], quantity="PFM Amplitude", units="V")
    meta = g.create_group("original_metadata")
    meta.attrs["ScanAngle"] = "90"
    meta.attrs["ScanSize"] = np.float32(0.5)
    meta.attrs["ScanLines"] = np.int16(4)
    # Rows first, from the top down; axes with the unit of the phase.
    main_dataset(m.create_group("Channel_002"), "Phase", (-PATTERN).astype(">i2"),
                 [spatial("y", y[::-1], "deg"), spatial("x", x, "deg")], quantity="Phase", units="deg",
                 title="Phase map", chunks=(2, 4))
    z = np.arange(12).reshape(2, 2, 3) + 1j * np.arange(12, 0, -1).reshape(2, 2, 3)
    main_dataset(m.create_group("Channel_003"), "BE", z.astype("<c8"),
                 [spatial("X", [0, 1e-6]), spatial("Y", [0, 1e-6]),
                  ("Frequency", np.array([300e3, 325e3, 350e3]), "Frequency", "Hz", "SPECTRAL")],
                 data_type="SPECTRAL_IMAGE", quantity="Response", units="V")
    # Not main: an attribute is missing, an axis has no scale, a label names something of another length.
    n = f.create_group("No")
    main_dataset(n, "a", PATTERN, [spatial("x", y), spatial("y", x)], skip=["modality"])
    main_dataset(n, "b", PATTERN, [spatial("x", y)])
    g = main_dataset(n, "c", PATTERN, [spatial("x", y), spatial("y", x)])
    g.create_dataset("short", data=[1.0, 2.0]).attrs.update(name="short", quantity="q", units="m",
                                                            dimension_type="SPATIAL")
    g["c"].dims[0].label = "short"
    # Main, though its texts have a fixed length.
    main_dataset(f, "fixed", PATTERN[::-1].T.astype("u1"), [spatial("x", x), spatial("y", y)], fixed=True,
                 quantity="Fixed")
    f["plain"] = np.arange(6.0).reshape(2, 3)
    f["elsewhere"] = h5py.ExternalLink("other.h5", "/secret")
    f["alias"] = h5py.SoftLink("/plain")
    f["text"] = "a string"

with h5py.File(sys.argv[1] + "/nsid_latest.h5", "w", libver="latest") as f:
    main_dataset(f.create_group("Channel_000"), "Stack", PATTERN[::-1].T[:, :, None].astype("<f2"),
                 [spatial("x", x), spatial("y", y), spatial("z", [0.0])], data_type="IMAGE_STACK",
                 quantity="One layer", units="nm")
