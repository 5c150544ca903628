#!/usr/bin/python3
"""The whole benchmark table as JSON lines: `divker bench`, the step written by hand (divker_bench,
beside DIVKER) and NumPy at the same work in turn with it, start-up time, peak memory, and the
accuracy per second of the methods for responses.
Usage: compare.py DIVKER [--quick]

Ratios are medians over repeats in one run: absolute times on a shared machine mean little.
"""

import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import accuracy

HERE = pathlib.Path(__file__).resolve().parent


def lines(command):
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {line["case"]: line for line in map(json.loads, done.stdout.splitlines())}


def against_numpy(divker, repeats):
    """NumPy and divker in turn: medians of the ratios pair by pair."""
    ratios = {"numpy-straightforward": [], "numpy-straightforward-in-cache": [],
              "numpy-blocked": [], "numpy-normals": []}
    for _ in range(repeats):
        numpy = lines(["/usr/bin/python3", HERE / "numpy_lorenz96.py", "--repeats", "3"])
        ours = lines([divker, "bench", "--repeats", "5", "--only", "lorenz96-40/response,normals"])
        steps = ours["lorenz96-40/response"]["path_steps_per_s"]
        for case in ("numpy-straightforward", "numpy-straightforward-in-cache", "numpy-blocked"):
            ratios[case].append(steps / numpy[case]["path_steps_per_s"])
        ratios["numpy-normals"].append(
            ours["normals/fast"]["normals_per_s"] / numpy["numpy-normals"]["normals_per_s"])
    for case, values in ratios.items():
        accuracy.emit(case=f"lorenz96-40/against-{case}" if case != "numpy-normals" else "normals/against-numpy",
             ratio_to_reference=statistics.median(values), ratios=values)


def start_up(divker, repeats):
    """From the start of the command to the first path of Lorenz-96, compilation included."""
    seconds = {}
    for what, command in (
            ("states", ["simulate", "lorenz96", "--paths", "8", "--set", "T=0.004", "--json"]),
            ("response", ["response", "lorenz96", "--paths", "8", "--set", "T=0.004", "--json",
                          "--alpha", "5", "--observable", "x[0]", "--ignore-time-step"])):
        times, compile_times = [], []
        for _ in range(repeats):
            began = time.perf_counter()
            done = subprocess.run([divker, *command], check=True, capture_output=True, text=True)
            times.append(time.perf_counter() - began)
            compile_times.append(json.loads(done.stdout)["compile_seconds"])
        seconds[what] = statistics.median(times)
        accuracy.emit(case=f"lorenz96-40/start-to-first-path/{what}", seconds=seconds[what],
             compile_seconds=statistics.median(compile_times))


def peak_memory(divker, horizons):
    """Peak resident memory of 10,000 paths of the response, whatever the number of steps."""
    peaks = []
    for steps in horizons:
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "x.npy")
            command = [divker, "response", "lorenz96", "--alpha", "5", "--paths", "10000",
                       "--set", f"dt={1.5 / steps!r}", "--observable", "x[0]", "--json",
                       "--out", out]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            if status != 0:
                raise SystemExit(f"{command} failed")
            peaks.append(usage.ru_maxrss / 1024)
        accuracy.emit(case=f"memory/{steps}-steps", peak_mib=peaks[-1], ratio_to_first=peaks[-1] / peaks[0])


def main():
    divker = sys.argv[1]
    quick = "--quick" in sys.argv
    subprocess.run([divker, "bench"] + (["--repeats", "3"] if quick else []), check=True)
    subprocess.run([pathlib.Path(divker).with_name("divker_bench"), "3" if quick else "7"],
                   check=True)
    against_numpy(divker, 1 if quick else 3)
    start_up(divker, 3 if quick else 7)
    peak_memory(divker, (375, 3750) if quick else (375, 3750, 37500))
    accuracy.run(divker, quick)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
