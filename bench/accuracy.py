#!/usr/bin/python3
"""Accuracy per second of the methods for responses, as JSON lines: mean squared error x time.

The product does not depend on the number of paths where it is noise that errs: half the product is
half the time for the same error. So each method has a number of its own, large enough for the
choice of damping or steps to be a small part of the time. Densities, whose bias does not average
out, have equal numbers. Times are those of the paths and of these choices, without compilation.
Usage: accuracy.py DIVKER [--quick]
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile

# Paths of the means: a difference of paths with the same noise needs few.
SHARE = {"divergence-kernel": 10, "likelihood-ratio": 10, "finite-difference": 1, "path-kernel": 10}
METHODS = ("divergence-kernel", "likelihood-ratio", "finite-difference")  # of densities
ENERGY = "sum(i, 0:39, x[i]^2)/40"
# Lorenz-96 with a parameter of each kind at each site; by symmetry every site of a kind has the
# same response, a fortieth of that to the common value.
SITES = """model sites
param {F} = 8
param {a} = 1
param {q} = 0.01
param {c} = 1
param {s} = 1 in (0, inf)
state x[40] periodic
dx[i] = ({ci}*(x[i+1] - x[i-2])*x[i-1] - {ai}*x[i] - {qi}*x[i]^2 + {Fi}) dt + {si} dW[i]
init x[i] ~ normal(0, 2)
time 0 : 0.004 : 1.5
"""
KINDS = ("F", "a", "q", "c", "s")


def emit(**line):
    print(json.dumps(line), flush=True)


def ask(divker, *words):
    done = subprocess.run([divker, "response", *map(str, words), "--json", "--quiet"], check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)


def seconds(answer):
    return answer["seconds"] + answer["pilot_seconds"]


def flat(values):
    for value in values:
        if isinstance(value, list):
            yield from flat(value)
        else:
            yield value


def measure(divker, words, truth, seeds, relative=False):
    """Mean squared error over seeds and entries, its standard error over seeds, median time."""
    errors, times = [], []
    for seed in range(100, 100 + seeds):
        answer = ask(divker, *words, "--seed", seed)
        values = flat(answer["response"])
        errors.append(statistics.fmean(((v - t) / (t if relative else 1.0))**2
                                       for v, t in zip(values, truth, strict=True)))
        times.append(seconds(answer))
    spread = statistics.stdev(errors) / math.sqrt(len(errors)) if len(errors) > 1 else math.nan
    return statistics.fmean(errors), spread, statistics.median(times)


def compare(case, runs):
    """One line for each method of (method, mse, spread, time), the product relative to the first."""
    first = None
    for method, error, spread, time in runs:
        product = error * time
        first = first or product
        emit(case=f"accuracy/{case}", method=method, rms_error=math.sqrt(error),
             rms_error_relative_uncertainty=0.5 * spread / error, seconds=time,
             mse_times_seconds=product, against_divergence_kernel=product / first)


def bumpy(divker, seeds, paths):
    """The response of a density of one dimension at nine points, truth by Fokker-Planck."""
    for wrt in ("a", "a,b,c,s"):
        exact = ask(divker, "bumpy", "--wrt", wrt, "--fokker-planck", "--paths", 1000)
        points = exact["points"]
        truth = list(flat(exact["exact"]))
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as table:
            table.write("x\n" + "".join(f"{point[0]!r}\n" for point in points))
            table.flush()
            compare(f"bumpy/{len(wrt.split(','))}-parameters", [
                (method, *measure(divker, ["bumpy", "--wrt", wrt, "--at", table.name, "--method",
                                           method, "--paths", paths], truth, seeds))
                for method in METHODS])


def energy(divker, seeds, paths):
    """d E[mean x^2] / dF of Lorenz-96, truth by finite differences of many more paths."""
    for end, step in ((1.5, 0.0625), (6, 0.5)):
        base = ["lorenz96", "--wrt", "F", "--observable", ENERGY, "--set", f"T={end}"]
        truth = ask(divker, *base, "--method", "finite-difference", "--paths", 20 * paths,
                    "--fd-step", step / 2)["response"]
        compare(f"lorenz96-energy/T={end}", [
            (method, *measure(divker, [*base, "--method", method, "--paths",
                                       paths * SHARE[method]], truth, seeds))
            for method in SHARE])


def crossover(divker, seeds, paths):
    """Finite differences against one run of the divergence kernel, for more and more parameters.
    The step of the difference is given: choosing it would cost each parameter a pilot."""
    with tempfile.TemporaryDirectory() as folder:
        common = os.path.join(folder, "common.sde")
        with open(common, "w", encoding="utf-8") as file:
            file.write(SITES.format(**{k: k for k in KINDS}, **{k + "i": k for k in KINDS}))
        sites = os.path.join(folder, "sites.sde")
        with open(sites, "w", encoding="utf-8") as file:
            file.write(SITES.format(**{k: k + "[40]" for k in KINDS},
                                    **{k + "i": k + "[i]" for k in KINDS}))
        asked = ["--observable", ENERGY]
        known = ask(divker, common, *asked, "--method", "finite-difference", "--fd-step", 0.005,
                    "--paths", 20 * paths)
        truth = dict(zip(known["parameters"], known["response"], strict=True))
        for count, model, wrt in ((1, common, ["F"]), (10, sites, [f"F[{i}]" for i in range(10)]),
                                  (40, sites, ["F"]), (200, sites, list(KINDS))):
            if wrt == list(KINDS):
                target = [truth[kind] / 40 for kind in KINDS for _ in range(40)]
            else:
                target = [truth["F"] / (1 if model == common else 40)] * count
            # Relative to the truth, so that large responses do not speak for the small ones.
            words = [model, "--wrt", ",".join(wrt), *asked]
            less = max(paths // count, 100)
            compare(f"crossover/{count}-parameters", [
                ("divergence-kernel", *measure(divker, [*words, "--paths", 10 * paths], target,
                                               seeds, relative=True)),
                ("finite-difference", *measure(divker, [*words, "--paths", less, "--method",
                                                        "finite-difference", "--fd-step", 0.005],
                                               target, 2 if count > 10 else seeds,
                                               relative=True))])


def run(divker, quick):
    bumpy(divker, 4 if quick else 16, 20_000 if quick else 100_000)
    energy(divker, 3 if quick else 8, 1_000 if quick else 4_000)
    crossover(divker, 2 if quick else 4, 1_000 if quick else 4_000)


if __name__ == "__main__":
    run(sys.argv[1], "--quick" in sys.argv)
