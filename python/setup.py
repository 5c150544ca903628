"""The wheel holds what CMake's component `python` installs: the package, the library, the models.

The build folder is $DIVKER_BUILD, or build/ beside this folder; it is configured if it is not there.
Version and contents are CMake's: nothing is said twice.
"""

import os
import pathlib
import re
import shutil
import subprocess

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("DIVKER_BUILD", ROOT / "build")).resolve()
VERSION = re.search(r"project\(divker VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]


class BuildByCMake(build_py):
    def run(self):
        if not (BUILD / "CMakeCache.txt").exists():
            subprocess.run(["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja",
                            "-DCMAKE_BUILD_TYPE=Release", "-DDIVKER_TESTS=OFF", "-DDIVKER_BENCH=OFF"],
                           check=True)
        subprocess.run(["cmake", "--build", BUILD, "--target", "divker_python"], check=True)
        target = pathlib.Path(self.build_lib).resolve()
        shutil.rmtree(target / "divker", ignore_errors=True)
        subprocess.run(["cmake", "--install", BUILD, "--component", "python", "--prefix", target],
                       check=True)


class WithCompiledParts(Distribution):
    def has_ext_modules(self):
        return True


setup(version=VERSION, cmdclass={"build_py": BuildByCMake}, distclass=WithCompiledParts)
