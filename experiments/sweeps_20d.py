#!/usr/bin/python3
"""Twenty dimensions, sixty parameters: sweeps of the paper's estimator, ours beside it.

The paper's fifth example on a Lorenz system with a forcing, a damping and a noise amplitude at
every site: learning rate, number of neighbours and number of samples.
"""

import functools

import numpy as np
from common import plt, read_columns, start
from ring import Ring


def final_error(e, ring, data, *words):
    history = e.scratch / "history.csv"
    e.run("fit", ring.model, "--data", data, "--history", history, "--quiet", *words)
    columns = read_columns(history)
    return float(np.mean([(columns[n][-1] - t)**2 for n, t in zip(ring.names, ring.truth)]))


def main(e):
    ring = Ring(e)
    paths, iterations = e.pick(10_000, 2_000), e.pick(20, 3)
    samples = e.pick((1_000, 3_000, 10_000), (1_000, 4_000))
    data = {}
    for count in samples:
        data[count] = e.scratch / f"data_{count}.csv"
        e.sample(data[count], ring.model, count, 21, *ring.words)
    most = samples[-1]

    # The sweeps meet in their middle.
    @functools.cache
    def descend(rate, neighbours, count):
        return final_error(e, ring, data[count], "--match", "neighbours", "--optimizer", "gd",
                           "--paths", paths, "--iterations", iterations, "--rate", rate,
                           "--neighbours", neighbours)

    ours = ("--paths", e.pick(60_000, 20_000), "--iterations", e.pick(40, 10))
    sweeps = {
        "rate": [(r, descend(r, 20, most)) for r in e.pick((0.05, 0.1, 0.2, 0.4), (0.1, 0.2))],
        "neighbours": [(k, descend(0.2, k, most))
                       for k in e.pick((5, 10, 20, 50, 100), (10, 20))],
        "samples": [(n, descend(0.2, 20, n)) for n in samples],
    }
    of_ours = [(n, final_error(e, ring, data[n], *ours)) for n in samples]
    figure, grid = plt.subplots(1, 3, figsize=(13, 4), sharey=True)
    rows = []
    for axes, (what, points) in zip(grid, sweeps.items()):
        axes.loglog(*zip(*points), "o-", color="black", label="paper's estimator")
        if what == "samples":
            axes.loglog(*zip(*of_ours), "s-", color="tab:red", label="default fit")
        else:
            axes.axhline(of_ours[-1][1], color="tab:red", label="default fit")
        axes.set(xlabel=what, ylabel="mean squared error of the parameters")
        axes.legend(fontsize=8)
        rows += [[what, "paper's estimator", *point] for point in points]
    rows += [["samples", "default fit", *point] for point in of_ours]
    e.table("sweeps", ["sweep", "method", "value", "mean_squared_error"], rows)
    e.save(figure)
    best = min(error for points in sweeps.values() for _, error in points)
    e.check("error of the default fit over the best of the paper's estimator",
            of_ours[-1][1] / best, e.pick(0.5, 1.0))


start(main)
