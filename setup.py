"""Build: a wheel holds conf/, sweeps/ and constraints.txt inside the package; a checkout has them at its top level."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

TOP_LEVEL = ("conf", "sweeps", "constraints.txt")


class BuildPy(build_py):
    """Copy the top-level files into the package; an editable install reads them where they are."""

    def run(self) -> None:
        """Build the package, then copy."""
        super().run()
        if self.editable_mode:
            return
        for name in TOP_LEVEL:
            source, target = Path(name), Path(self.build_lib, "sr", name)
            if source.is_dir():
                shutil.rmtree(target, ignore_errors=True)  # build/ may hold a file that was removed since
                shutil.copytree(source, target)
            else:
                shutil.copyfile(source, target)


setup(cmdclass={"build_py": BuildPy})
