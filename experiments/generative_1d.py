#!/usr/bin/python3
"""A diffusion as a generative model in one dimension: gradient descent and Newton's method.

The paper's third example: histograms of data and of samples at iterations 0, 2 and 10 of its
gradient descent (neighbours matching), with our model `generative`, whose drift is a line and five
tanh features, at the largest of the rates 0.05, 0.1, 0.2 and 0.5 that does not overshoot. Beyond the
paper: the default fit beside it, and a target with three modes.
"""

import numpy as np
from common import HERE, energy_distance, plt, read_columns, start

TARGETS = {
    "two modes": ((0.6, -1.2, 0.45), (0.4, 1.3, 0.35)),
    "three modes": ((0.35, -2.0, 0.35), (0.35, 0.2, 0.4), (0.3, 2.1, 0.35)),
}


def draw(target, count, seed):
    rng = np.random.default_rng(seed)
    weights, means, deviations = np.array(TARGETS[target]).T
    chosen = rng.choice(len(weights), size=count, p=weights)
    return rng.normal(means[chosen], deviations[chosen])


def samples_of(e, parameters, count):
    words = [word for name, value in parameters.items() for word in ("--set", f"{name}={value}")]
    return e.sample(e.scratch / "x.csv", HERE / "generative.sde", count, 77, *words)["x"]


def iterations_of(e, data, *words):
    history = e.scratch / "history.csv"
    e.run("fit", HERE / "generative.sde", "--data", data, "--history", history, "--quiet", *words)
    columns = read_columns(history)
    names = [name for name in columns if name[0] in "cabs" and name not in ("step",)]
    return [{name: columns[name][k] for name in names} for k in range(len(columns["c"]))]


def main(e):
    count = e.pick(5000, 2000)
    figure, grid = plt.subplots(2, 5, figsize=(17, 6))
    rows = []
    bins = np.linspace(-4, 4, 49)
    for axes_row, target in zip(grid, TARGETS):
        x = draw(target, count, 1)
        fresh = draw(target, count, 2)
        data = e.scratch / "data.csv"
        data.write_text("x\n" + "".join(f"{v!r}\n" for v in x))
        descent = iterations_of(e, data, "--match", "neighbours", "--optimizer", "gd", "--rate",
                                0.2, "--iterations", 10, "--paths", e.pick(20_000, 5_000))
        newton = iterations_of(e, data, "--paths", e.pick(100_000, 20_000), "--iterations",
                               e.pick(50, 20))
        shown = [("descent", 0, descent[0]), ("descent", 2, descent[2]),
                 ("descent", 10, descent[10]), ("default fit", min(2, len(newton) - 1),
                                                newton[min(2, len(newton) - 1)]),
                 ("default fit", len(newton) - 1, newton[-1])]
        noise = energy_distance(x[:, None], fresh[:, None])
        for axes, (method, number, parameters) in zip(axes_row, shown):
            y = samples_of(e, parameters, count)
            distance = energy_distance(fresh[:, None], y[:, None])
            rows.append([target, method, number, distance, noise, *parameters.values()])
            axes.hist(x, bins, density=True, color="0.8")
            axes.hist(y, bins, density=True, histtype="step", color="tab:red")
            axes.set_title(f"{target}, {method},\niteration {number}: distance {distance:.3f}",
                           fontsize=9)
        by = {(row[1], row[2]): row[3] for row in rows if row[0] == target}
        last = by[("default fit", len(newton) - 1)]
        e.check(f"{target}: energy distance of the default fit over that of 10 descents",
                last / by[("descent", 10)], 0.5)
        # The distance is a mean over pairs: its own noise is of the order of a few times 1/count.
        e.check(f"{target}: energy distance of the default fit", last, 0.02)
    e.table("distances", ["target", "method", "iteration", "energy_distance", "two_samples",
                          *descent[0]], rows)
    e.save(figure)


start(main)
