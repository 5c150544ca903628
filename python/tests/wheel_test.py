"""The wheel works by itself: installed elsewhere, without the build folder's paths."""

import os
import pathlib
import subprocess
import sys
import unittest

import divker
from support import ROOT, TestCase

SCRIPT = """
import divker, pathlib
home = pathlib.Path(divker.__file__).parent
assert {folder!r} in str(home), home
(home / "models" / "only_here.sde").write_text(divker.Model("ou").text.replace("model ou",
                                                                              "model only_here"))
assert "only_here" in divker.models()
maps = open("/proc/self/maps").read()
assert str(home / "libdivker.so") in maps, "the library is not the wheel's own"
print(divker.__version__, divker.Model("only_here").response(observable="x", paths=500,
                                                             alpha=3).value)
"""


class Wheel(TestCase):
    def test_an_installed_wheel_stands_alone(self):
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        build = pathlib.Path(divker.__file__).resolve().parents[2]
        environment = {**os.environ, "DIVKER_BUILD": str(build)}

        def run(*words):
            done = subprocess.run(words, capture_output=True, text=True, env=environment,
                                  cwd=self.folder, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return done.stdout

        run(*pip, "wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", self.folder,
            ROOT / "python")
        wheel, = self.folder.glob("divker-*.whl")
        place = self.folder / "site"
        run(*pip, "install", "--no-deps", "--no-index", "--target", place, wheel)
        for name in ("DIVKER_MODELS", "LD_LIBRARY_PATH"):
            environment.pop(name, None)
        environment["PYTHONPATH"] = str(place)
        value = divker.response("ou", observable="x", paths=500, alpha=3).value
        self.assertEqual(run(sys.executable, "-c", SCRIPT.format(folder=str(place))),
                         f"{divker.__version__} {value}\n")


if __name__ == "__main__":
    unittest.main()
