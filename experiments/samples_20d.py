#!/usr/bin/python3
"""Twenty dimensions: samples of the fitted model beside the data.

The paper's sixth example: the fit of `sweeps_20d`, its samples, pairwise marginals, and the energy
distance between the samples of the fit and fresh samples of the truth, beside that of two sets of
samples of the truth.
"""

import numpy as np
from common import as_matrix, energy_distance, plt, start
from ring import Ring


def main(e):
    count = e.pick(10_000, 2_000)
    ring = Ring(e)
    model = ring.model
    data = e.scratch / "data.csv"
    y = as_matrix(e.sample(data, model, count, 31, *ring.words))
    fresh = as_matrix(e.sample(e.scratch / "fresh.csv", model, count, 32, *ring.words))
    fitted = e.scratch / "fitted.sde"
    answer = e.ask("fit", model, "--data", data, "--out", fitted, "--paths",
                   e.pick(120_000, 20_000), "--iterations", 15)
    x = as_matrix(e.sample(e.scratch / "x.csv", fitted, count, 33))
    start_samples = as_matrix(e.sample(e.scratch / "s.csv", model, count, 33))
    order = [answer["parameters"].index(name) for name in ring.names]
    estimate = np.array(answer["estimate"])[order]
    error = np.array(answer["stderr"])[order]

    figure, grid = plt.subplots(4, 4, figsize=(10, 10))
    for i in range(4):
        for j in range(4):
            axes = grid[i, j]
            if i == j:
                bins = np.linspace(y[:, i].min(), y[:, i].max(), 40)
                axes.hist(y[:, i], bins, density=True, color="0.8")
                axes.hist(x[:, i], bins, density=True, histtype="step", color="tab:red")
                axes.set_title(f"x[{i}]", fontsize=9)
            else:
                a, color = (y, "black") if i < j else (x, "tab:red")
                axes.plot(a[:1500, j], a[:1500, i], ".", ms=1, color=color)
            axes.tick_params(labelsize=6)
    figure.suptitle("data (grey, black; above the diagonal) and samples of the fit (red; below)")
    e.save(figure)

    distance = {"data, fresh truth": energy_distance(y, fresh, 3000),
                "fit, fresh truth": energy_distance(x, fresh, 3000),
                "start, fresh truth": energy_distance(start_samples, fresh, 3000)}
    e.table("energy_distance", ["pair", "energy_distance"], distance.items())
    e.table("parameters", ["parameter", "truth", "estimate", "stderr"],
            zip(ring.names, ring.truth, estimate, error))
    e.check("energy distance of the fit from the truth over that of the start",
            distance["fit, fresh truth"] / distance["start, fresh truth"], 0.1)
    e.check("mean squared error of the parameters", np.mean((estimate - ring.truth)**2),
            e.pick(0.006, 0.05))
    z = np.sqrt(np.mean(((estimate - ring.truth) / error)**2))
    # Correlated numbers of mean square one.
    e.check("rms error of a parameter in standard errors", z, e.pick(1.5, 2.5))


start(main)
