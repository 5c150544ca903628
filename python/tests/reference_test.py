"""docs/command.md and docs/python.md name everything there is, and nothing that there is not."""

import inspect
import json
import os
import re
import subprocess
import unittest

import divker
from divker import plot
from support import ROOT, TestCase, command

COMMAND = os.environ["DIVKER_COMMAND"]
# Of every command line; told in the text above the tables.
EVERYWHERE = {"--help", "--version"}


def help_of(*words):
    return subprocess.run([COMMAND, *words, "--help"], capture_output=True, text=True,
                          check=True).stdout


def options_of(subcommand):
    return set(re.findall(r"^ +(?:-\w,)?(-{1,2}[a-z][a-z-]*)", help_of(subcommand), re.M))


def keys_of(values):
    """Keys of an object and of those within; what `operations` and `to` count is no key of ours."""
    if isinstance(values, list):
        return {key for one in values for key in keys_of(one)}
    if not isinstance(values, dict):
        return set()
    inner = [one for key, one in values.items() if key not in ("operations", "to")]
    return set(values) | keys_of(inner)


class Command(TestCase):
    def setUp(self):
        super().setUp()
        self.page = (ROOT / "docs" / "command.md").read_text()
        self.subcommands = re.findall(r"^  (\w+) ", help_of().split("Subcommands:")[1], re.M)

    def test_every_subcommand_is_described(self):
        self.assertGreaterEqual(len(self.subcommands), 10)
        listed = re.findall(r"^\| `(\w+)[^`]*` \|", self.page.split("## ")[0], re.M)
        self.assertEqual(sorted(self.subcommands), sorted(listed))

    def test_every_option_is_named(self):
        named = set(re.findall(r"(?<![\w-])-{1,2}[a-z][a-z-]*", self.page))
        known = set(EVERYWHERE)
        for subcommand in self.subcommands:
            options = options_of(subcommand)
            with self.subTest(subcommand):
                self.assertIn("--help", options)
                self.assertEqual(options - named, set())
            known |= options
        self.assertEqual({word for word in named if word.startswith("--")} - known, set())


    def test_every_key_of_the_json_is_named(self):
        data = self.folder / "y.npy"
        command("sample", "ou", "-n", 100, "--out", data)
        asked = [("models",), ("show", "ou"), ("simulate", "ou", "--paths", 100),
                 ("diagnose", "ou", "--paths", 300, "--wrt", "a", "--alpha", 3)]
        asked += [("response", "ou", "--paths", 300, "--alpha", 3, *more) for more in (
            ("--fokker-planck", "--grid", 3), ("--observable", "x"), ("--to", "a=1.1"),
            ("--stationary", "--grid", 3, "--spinup", 5, "--window", 3, "--length", 9),
            ("--method", "finite-difference", "--wrt", "a", "--grid", 3),
            ("--method", "finite-difference", "--wrt", "a", "--observable", "x"))]
        asked.append(("fit", "ou", "--data", data, "--set", "a=1.2", "--paths", 4096))
        series = self.folder / "series.csv"
        times = ",".join(str(0.5 * n) for n in range(1, 31))
        command("simulate", "ou", "--paths", 1, "--times", times, "--set", "T=15", "--out", series)
        asked.append(("fit", "ou", "--data", series, "--time", "t", "--series"))
        asked.append(("residuals", "ou", "--data", series, "--time", "t"))
        asked.append(("forecast", "ou", "--data", series, "--time", "t", "--ahead", "0.5",
                      "--held-out", "0.6"))
        for words in asked:
            with self.subTest(words[:5]):
                answer = json.loads(command(*words, "--json"))
                unnamed = {key for key in keys_of(answer) if f"`{key}`" not in self.page}
                self.assertEqual(unnamed, set())


class Python(TestCase):
    def setUp(self):
        super().setUp()
        self.page = (ROOT / "docs" / "python.md").read_text()
        self.words = set(re.findall(r"\w+", self.page))

    def test_every_public_name_is_in_the_page(self):
        for owner in (divker, divker.Model, plot):
            names = getattr(owner, "__all__", None) or [
                name for name in vars(owner) if not name.startswith("_")]
            with self.subTest(owner):
                self.assertEqual([name for name in names if name not in self.words], [])

    def test_every_argument_is_in_the_page_or_among_the_options(self):
        options = {word.replace("-", "_")
                   for word in re.findall(r"--([a-z-]+)", (ROOT / "docs/command.md").read_text())}
        for name in ("simulate", "sample", "density", "score", "response", "fit", "diagnose", "ensemble",
                     "residuals", "forecast"):
            arguments = set(inspect.signature(getattr(divker.Model, name)).parameters) - {"self"}
            with self.subTest(name):
                self.assertEqual(arguments - self.words - options, set())


if __name__ == "__main__":
    unittest.main()
