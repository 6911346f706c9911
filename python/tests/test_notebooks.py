"""The notebooks: their cells run, and they are kept without outputs."""

import contextlib
import glob
import io
import os
import shutil
import sys
import unittest

from support import QUICK, ROOT

sys.path.append(os.path.join(ROOT, "python"))
import run_notebook  # noqa: E402

FOLDER = os.path.join(ROOT, "python", "notebooks")


class Notebooks(unittest.TestCase):
    def test_they_are_kept_without_outputs(self):
        paths = glob.glob(os.path.join(FOLDER, "*.ipynb"))
        self.assertEqual(len(paths), 4)
        for path in paths:
            notebook = run_notebook.read(path)
            self.assertEqual(notebook["nbformat"], 4)
            for cell in notebook["cells"]:
                if cell["cell_type"] == "code":
                    self.assertEqual((cell["outputs"], cell["execution_count"]), ([], None), path)
            for text in run_notebook.code(notebook):
                compile(text, path, "exec")

    def _run(self, name):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            run_notebook.run(os.path.join(FOLDER, name))
        return said.getvalue()

    @unittest.skipIf(QUICK, "takes seconds")
    def test_from_atomai(self):
        self.assertIn("true wall pixels", self._run("1_from_atomai.ipynb"))

    @unittest.skipIf(QUICK, "takes seconds")
    def test_live_scan(self):
        self.assertIn("looks at the map", self._run("2_live_scan.ipynb"))

    @unittest.skipIf(QUICK, "takes seconds")
    def test_loops(self):
        self.assertIn("largest difference of the widths", self._run("3_loops.ipynb"))

    @unittest.skipIf(QUICK, "takes seconds")
    def test_tune(self):
        binaries = os.path.join(ROOT, os.environ.get("BIN", "build"))
        if not shutil.which("reshed-train", path=binaries):
            self.skipTest("reshed-train is not built")
        os.environ["BIN"], os.environ["RESHED_NOTEBOOK_STEPS"] = binaries, "12"
        self.assertIn("edge score F", self._run("4_tune.ipynb"))


if __name__ == "__main__":
    unittest.main()
