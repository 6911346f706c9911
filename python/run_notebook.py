#!/usr/bin/env python3
"""run_notebook.py NOTEBOOK...: executes the code cells of notebooks, one after the other, as Jupyter would.

Without matplotlib cells that plot are left out. Nothing is written. nbformat and Jupyter are not needed.
"""

import json
import sys


def read(path):
    """The notebook: {"cells": [...], ...}"""
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def code(notebook):
    """The texts of its code cells, those that plot left out where matplotlib is missing."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        plots = True
    except ImportError:
        plots = False
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    return [c for c in cells if plots or ".plot(" not in c]


def run(path):
    """Executes a notebook; what a cell raises is raised, with the cell in the traceback."""
    space = {"__name__": "__main__"}
    for k, text in enumerate(code(read(path))):
        exec(compile(text, f"{path}, cell {k + 1}", "exec"), space)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        run(name)
