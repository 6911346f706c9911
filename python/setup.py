"""Builds the C libraries and puts them, the declarations and the weights into the package. The
rest is pyproject.toml."""

import os
import subprocess

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import assemble  # noqa: E402

try:
    from wheel.bdist_wheel import bdist_wheel
except ImportError:
    bdist_wheel = None


class Build(build_py):
    """Everything that assemble.py puts together, as copies."""

    def run(self):
        super().run()
        folder = os.environ.get("RESHED_LIBRARIES")
        if not folder:
            subprocess.check_call(["make", "-C", assemble.ROOT, "lib", "python-lib"])
            folder = os.path.join(assemble.ROOT, "build", "gcc")
        assemble.assemble(self.build_lib, folder, link=False)


class Binary(Distribution):
    """A wheel for one kind of machine."""

    def has_ext_modules(self):
        return True


commands = {"build_py": Build}
if bdist_wheel:

    class Wheel(bdist_wheel):
        """One for all Pythons: nothing is compiled against one."""

        def get_tag(self):
            return "py3", "none", super().get_tag()[2]

    commands["bdist_wheel"] = Wheel

setup(version=assemble.define("RESHED_VERSION"), cmdclass=commands, distclass=Binary)
