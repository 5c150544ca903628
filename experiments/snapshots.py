#!/usr/bin/python3
"""Beyond the paper: the parameters of predator and prey from ten snapshots of fifty samples.

Stochastic Lotka-Volterra. The snapshots are of different populations: nobody was followed.
"""

import numpy as np
from common import plt, read_columns, start

TRUTH = {"a": 1.2, "b": 0.8, "c": 0.7, "d": 1.1, "s[0]": 0.25, "s[1]": 0.15}


def main(e):
    times = np.arange(1, 11) * 0.6
    words = [word for name, value in TRUTH.items() for word in ("--set", f"{name}={value}")]
    data, clouds = [], []
    for k, time in enumerate(times):
        path = e.scratch / f"y{k}.csv"
        clouds.append(e.sample(path, "lotka_volterra", 50, 40 + k, *words, "--set",
                               f"T={time:.6g}"))
        data += ["--data", f"{path}@{time:.6g}"]
    fitted = e.scratch / "fitted.sde"
    answer = e.ask("fit", "lotka_volterra", *data, "--set", "T=6", "--paths",
                   e.pick(60_000, 10_000), "--out", fitted)
    names = answer["parameters"]
    truth = np.array([TRUTH[name] for name in names])
    estimate, error = np.array(answer["estimate"]), np.array(answer["stderr"])
    e.table("parameters", ["parameter", "truth", "estimate", "stderr"],
            zip(names, truth, estimate, error))

    paths = e.scratch / "paths.csv"
    e.run("simulate", fitted, "--paths", 500, "--times", ",".join(f"{t:.6g}" for t in times),
          "--out", paths, "--quiet")
    model = read_columns(paths)
    figure, grid = plt.subplots(2, 5, figsize=(14, 6), sharex=True, sharey=True)
    for axes, time, cloud in zip(grid.flat, times, clouds):
        here = np.isclose(model["t"], time)
        axes.plot(model["u"][here], model["v"][here], ".", color="tab:red", ms=2, alpha=0.5)
        axes.plot(cloud["u"], cloud["v"], "k.", ms=3)
        axes.set(title=f"t = {time:.1f}", xlabel="prey", ylabel="predator")
    e.save(figure)
    e.check("rms error of a parameter in standard errors",
            np.sqrt(np.mean(((estimate - truth) / error)**2)), 2.0)
    e.check("largest relative error of a parameter", np.max(np.abs(estimate / truth - 1)), 0.3)


start(main)
