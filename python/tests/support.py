"""What the tests of the package share: the command beside it, and a scratch folder."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ["DIVKER_COMMAND"]

# Wall times differ from run to run, and only these keys hold some.
TIMES = ("seconds", "compile_seconds", "pilot_seconds")


def command(*arguments):
    """Standard output of the command, which must succeed."""
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"divker {arguments} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def command_error(*arguments):
    """(exit code, the sentence) of a command that must fail."""
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stderr.removeprefix("divker: ").rstrip("\n")


def without_times(values):
    """The object without wall times, here and in the lists within."""
    if isinstance(values, dict):
        return {key: without_times(one) for key, one in values.items() if key not in TIMES}
    if isinstance(values, list):
        return [without_times(one) for one in values]
    return values


class TestCase(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def assert_as_command(self, result, *arguments):
        """The result's dictionary is the command's JSON: the same keys, numbers to the bit."""
        expected = without_times(json.loads(command(*arguments, "--json", "--quiet")))
        found = without_times(result.to_dict())
        self.assertEqual(found, expected)
        return expected
