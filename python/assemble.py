#!/usr/bin/env python3
"""assemble.py TO LIBRARIES: puts the package together in the folder TO.

Copies the modules, makes _c.py and _rooms_c.py from the C headers (the declarations are written
down there and nowhere else), and links the shared libraries and the weights; setup.py copies them.
Needs cffi and nothing else.
"""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


def strip(path):
    """A header as cffi takes it: no comments, no preprocessor, no C++."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.S)
    sizes = dict(re.findall(r"^#define (RS_[A-Z_]+) (\d+)$", text, flags=re.M))
    text = re.sub(r"^#[^\n]*\n", "", text, flags=re.M)
    for name, value in sizes.items():
        text = re.sub(rf"\b{name}\b", value, text)
    text = re.sub(r"\bRESHED_API\b", "", text)
    return re.sub(r"\n\s*\n+", "\n", text)


def define(name, header="reshed_base.h"):
    """The value of a #define."""
    with open(os.path.join(ROOT, "include", header), encoding="utf-8") as f:
        return re.search(rf'^#define {name} "?([^"\n]*)"?$', f.read(), flags=re.M).group(1)


def declarations():
    """{module: declarations}"""
    base, main = (strip(os.path.join(ROOT, "include", h)) for h in ("reshed_base.h", "reshed.h"))
    made = {"_c": base + main}
    rooms = os.path.join(ROOT, "src", "python", "rooms.h")
    if os.path.exists(rooms):
        driver = strip(os.path.join(ROOT, "include", "reshed_driver.h"))
        made["_rooms_c"] = base + driver + strip(rooms)
    return made


def checksum():
    """Of the headers of _rooms_c, as the Makefile gives it to src/python/headers.c."""
    names = ("include/reshed_base.h", "include/reshed_driver.h", "src/python/rooms.h")
    text = b"".join(open(os.path.join(ROOT, name), "rb").read() for name in names)
    told = subprocess.run(["cksum"], input=text, check=True, stdout=subprocess.PIPE).stdout.decode()
    return "".join(c for c in told if c.isdigit())


def make_module(name, text, to):
    """An out-of-line module of cffi in ABI mode: plain Python, no compiler."""
    import cffi

    ffi = cffi.FFI()
    ffi.cdef(text)
    ffi.set_source(f"reshed.{name}", None)
    path = os.path.join(to, f"{name}.py")
    ffi.emit_python_code(path)
    with open(path, "a", encoding="utf-8") as f:
        if name == "_rooms_c":
            f.write(f'HEADERS = "{checksum()}"\n')
            f.write(f'DRIVER_ABI = {define("RS_DRIVER_ABI", "reshed_driver.h")}\n')
        f.write(f'VERSION = "{define("RESHED_VERSION")}"\nABI = {define("RESHED_ABI")}\n')


def place(source, to, link):
    if os.path.lexists(to):
        os.remove(to)
    if link:
        os.symlink(os.path.abspath(source), to)
    else:
        shutil.copyfile(os.path.realpath(source), to)


def libraries():
    names = [f"libreshed.so.{define('RESHED_ABI')}"]
    if os.path.isdir(os.path.join(ROOT, "src", "python")):
        names.append("libreshed_rooms.so")
    return names


def assemble(to, folder, link):
    package = os.path.join(to, "reshed")
    for sub in ("lib", "weights"):
        os.makedirs(os.path.join(package, sub), exist_ok=True)
    source = os.path.join(HERE, "reshed")
    for name in sorted(os.listdir(source)):
        if name.endswith(".py") or name == "py.typed":
            place(os.path.join(source, name), os.path.join(package, name), link)
    for name, text in declarations().items():
        make_module(name, text, package)
    for name in libraries():
        place(os.path.join(folder, name), os.path.join(package, "lib", name), link)
    weights = os.path.join(ROOT, "weights")
    for name in sorted(os.listdir(weights)):
        if name.endswith(".h5"):
            place(os.path.join(weights, name), os.path.join(package, "weights", name), link)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    assemble(sys.argv[1], sys.argv[2], link=True)
