#!/usr/bin/python3
"""Five dimensions, fifteen parameters: squared errors of the parameters against the iteration.

The paper's fourth example with our model `ring`: the paper's estimator (means over neighbours,
gradient descent) and the default (centred matching, Newton), on the same samples.
"""

import numpy as np
from common import plt, read_columns, start

TRUTH = {"F": (4.6, 3.5, 4.2, 3.8, 4.9), "d": (1.2, 0.9, 1.1, 0.85, 1.0),
         "s": (1.3, 0.8, 1.1, 0.9, 1.2)}


def main(e):
    names = [f"{kind}[{i}]" for kind in TRUTH for i in range(5)]
    truth = np.array([value for kind in TRUTH.values() for value in kind])
    data = e.scratch / "data.csv"
    e.sample(data, "ring", e.pick(10_000, 4_000), 11,
             *(word for name, value in zip(names, truth) for word in ("--set", f"{name}={value}")))
    runs = {
        "paper's estimator": ("--match", "neighbours", "--optimizer", "gd", "--rate", 0.2,
                              "--paths", e.pick(20_000, 5_000), "--iterations", e.pick(40, 10)),
        "default": ("--paths", e.pick(120_000, 20_000), "--iterations", e.pick(30, 6)),
    }
    figure, axes = plt.subplots(figsize=(6, 4.5))
    last, rows = {}, []
    for (name, words), color in zip(runs.items(), ("black", "tab:red")):
        history = e.scratch / "history.csv"
        e.run("fit", "ring", "--data", data, "--history", history, "--quiet", *words)
        columns = read_columns(history)
        errors = np.column_stack([(columns[n] - t)**2 for n, t in zip(names, truth)])
        axes.semilogy(errors, color=color, lw=0.4, alpha=0.5)
        axes.semilogy(errors.mean(1), "o-", color=color, ms=3, label=f"{name}, mean")
        rows += [[name, k, row.mean(), *row] for k, row in enumerate(errors)]
        last[name] = errors.mean(1)[-1]
    axes.set(xlabel="iteration", ylabel="squared error of a parameter")
    axes.legend(fontsize=8)
    e.table("errors", ["method", "iteration", "mean", *names], rows)
    e.save(figure)
    e.check("mean squared error of the default fit", last["default"], e.pick(0.005, 0.05))
    e.check("over that of the paper's estimator",
            last["default"] / last["paper's estimator"], e.pick(0.3, 0.8))


start(main)
