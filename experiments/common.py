"""What the experiments share: asking the command, tables, pictures, verdicts.

An experiment is a script of this folder with a function `main(experiment)`. It asks `divker` for
JSON, writes its numbers as CSV and its picture as PNG, and states what it expects of them: every
`check` prints a line with the figure and its limit, and one that fails makes the exit status 1.
"""

import argparse
import csv
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import time

try:
    import matplotlib
    import numpy as np
except ImportError as error:
    print(f"divker reproduce: {sys.executable} has no {error.name}; Debian's packages are "
          "python3-numpy and python3-matplotlib.", file=sys.stderr)
    sys.exit(2)

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is settled)

HERE = pathlib.Path(__file__).resolve().parent
# The package's pictures, as the command installs them beside the experiments, or in the source tree.
sys.path += [str(HERE.parent), str(HERE.parent / "python" / "divker")]
import plot  # noqa: E402, F401  (for the experiments)

# Of the statistical checks: one in 150,000 normal numbers is beyond it.
Z_LIMIT = 4.5


class Experiment:
    def __init__(self, name, divker, out, quick):
        self.name, self.divker, self.quick = name, divker, quick
        self.out = pathlib.Path(out)
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fail(f"the folder {self.out} cannot be made: {error.strerror}.")
        self.failed = []
        self.began = time.perf_counter()

    def pick(self, full, quick):
        """The size of something in full, or in the quick mode."""
        return quick if self.quick else full

    def run(self, *words):
        """`divker WORDS`; its message is what a user sees where it fails."""
        done = subprocess.run([self.divker, *map(str, words)], capture_output=True, text=True)
        if done.returncode not in (0, 4):
            fail(f"`divker {' '.join(map(str, words))}` failed:\n{done.stderr.strip()}")
        return done

    def ask(self, *words):
        """The JSON of `divker WORDS`."""
        return json.loads(self.run(*words, "--json", "--quiet").stdout)

    def peak_mib(self, *words):
        """Peak resident memory of `divker WORDS`."""
        probe = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
                 "stdout=subprocess.DEVNULL); "
                 "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        done = subprocess.run([sys.executable, "-c", probe, self.divker, *map(str, words)],
                              check=True, capture_output=True, text=True)
        return int(done.stdout) / 1024

    def sample(self, path, model, count, seed, *words):
        """Samples of a model's law at the end of its grid, in a file and as an array."""
        self.run("sample", model, "--paths", count, "--seed", seed, "--out", path, "--quiet",
                 *words)
        return read_columns(path)

    def table(self, name, header, rows):
        with open(self.out / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)

    def save(self, figure, name=None):
        figure.tight_layout()
        figure.savefig(self.out / f"{name or self.name}.png", dpi=120)
        plt.close(figure)

    def check(self, what, value, limit, at_least=False):
        """States that value <= limit (or >= with `at_least`)."""
        holds = value >= limit if at_least else value <= limit
        if not holds or math.isnan(value):
            self.failed.append(what)
        relation = ">=" if at_least else "<="
        print(f"  {'good' if holds else 'BAD '} {what}: {value:.4g} ({relation} {limit:.4g})",
              flush=True)

    def finish(self):
        seconds = time.perf_counter() - self.began
        verdict = "as expected" if not self.failed else "NOT AS EXPECTED: " + "; ".join(self.failed)
        print(f"{self.name}: {verdict}, {seconds:.0f} s, results in {self.out}")
        return 1 if self.failed else 0


def fail(sentence):
    """Ends the experiment that could not be made."""
    print(f"divker reproduce: {sentence}", file=sys.stderr)
    sys.exit(2)


def read_columns(path):
    """{column: array} of a CSV file with a header, after lines of remarks."""
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    names = next(csv.reader(lines[:1]))
    values = np.loadtxt(lines[1:], delimiter=",", ndmin=2)
    return {name: values[:, k] for k, name in enumerate(names)}


def as_matrix(columns, names=None):
    return np.column_stack([columns[name] for name in (names or columns)])


def fitted_slope(x, y):
    """Of log y against log x."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def largest_z(value, exact, error):
    value, exact, error = (np.asarray(a, dtype=float) for a in (value, exact, error))
    return float(np.max(np.abs(value - exact) / error))


def energy_distance(a, b, most=1500):
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| of at most `most` rows of each."""
    a, b = a[:most], b[:most]

    def mean_distance(p, q):
        squares = (p**2).sum(1)[:, None] + (q**2).sum(1)[None, :] - 2 * p @ q.T
        return float(np.sqrt(np.maximum(squares, 0)).mean())

    n, m = len(a), len(b)
    return (2 * mean_distance(a, b) - mean_distance(a, a) * n / (n - 1)
            - mean_distance(b, b) * m / (m - 1))


def start(main):
    """Runs an experiment from the command line."""
    name = pathlib.Path(sys.argv[0]).stem
    parser = argparse.ArgumentParser(prog=f"divker reproduce {name}")
    parser.add_argument("--divker", default="divker")
    parser.add_argument("--out", default=None)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    out = arguments.out or f"reproduced/{name}"
    experiment = Experiment(name, arguments.divker, out, arguments.quick)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            experiment.scratch = pathlib.Path(scratch)
            main(experiment)
    except KeyboardInterrupt:
        print(f"divker reproduce: {name} was interrupted; what is finished is in {out}.",
              file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}.")
    sys.exit(experiment.finish())
