#!/usr/bin/python3
"""Two laws of growth against the weights of chicks: a comparison in words, and a picture.

Usage: draw_growth.py DATA.csv DIRECTORY, which holds what run.sh wrote.
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is settled)
import numpy as np  # noqa: E402

LAWS = {"logistic": "tab:blue", "gompertz": "tab:orange"}


def read_csv(file):
    """Columns by name; lines that begin with # are attributes."""
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    values = np.array([[float(word) for word in line.split(",")] for line in lines[1:]])
    return dict(zip(lines[0].split(","), values.T))


def density(sample, points):
    """Gaussian kernels of Silverman's bandwidth."""
    bandwidth = 0.9 * np.std(sample) * len(sample) ** -0.2
    distance = (points[:, None] - sample[None, :]) / bandwidth
    return np.exp(-0.5 * distance ** 2).mean(axis=1) / (bandwidth * np.sqrt(2 * np.pi))


def compare(fits):
    """Which law is better, and whether the difference means anything."""
    print("\nBoth laws on the same weights:")
    print(f"{'law':>10} {'log-likelihood':>15} {'AIC':>9} {'worst KS p':>11} {'mean energy':>12}")
    aic = {}
    for law, fit in fits.items():
        aic[law] = 2 * len(fit["estimate"]) - 2 * fit["log_likelihood"]
        worst = min(one["kolmogorov_smirnov_p"] for one in fit["goodness"])
        energy = np.mean([one["energy"] for one in fit["goodness"]])
        print(f"{law:>10} {fit['log_likelihood']:>15.2f} {aic[law]:>9.2f} {worst:>11.4f}"
              f" {energy:>12.3f}")
    better, worse = sorted(aic, key=aic.get)
    difference = aic[worse] - aic[better]
    verdict = ("these weights do not tell them apart" if difference < 4
               else f"these weights prefer the {better} law")
    print(f"AIC differs by {difference:.2f}: {verdict}.")
    for law, fit in fits.items():
        place = fit["parameters"].index("K")
        print(f"Final weight K of the {law} law: {fit['estimate'][place]:.0f}"
              f" +- {fit['stderr'][place]:.0f} g.")


def draw_ages(axes, data, samples):
    for axis, age in zip(axes, np.unique(data["Time"])):
        weights = data["weight"][data["Time"] == age]
        points = np.linspace(0.7 * weights.min(), 1.25 * weights.max(), 200)
        axis.hist(weights, bins=10, density=True, color="lightgray", edgecolor="gray", lw=0.5)
        for law, colour in LAWS.items():
            drawn = samples[law]["w"][samples[law]["t"] == age][:5000]
            axis.plot(points, density(drawn, points), color=colour, lw=1.5, label=law)
        axis.set_title(f"day {age:g}, {len(weights)} chicks", fontsize=9)
        axis.set_yticks([])
        axis.tick_params(labelsize=7)
    axes[0].legend(fontsize=7)


def draw_convergence(axis, fits):
    for law, colour in LAWS.items():
        history = fits[law]["history"]
        axis.semilogy([one["iteration"] for one in history],
                      [one["psi_over_noise"] for one in history], "o-", color=colour, ms=4,
                      label=law)
    axis.axhline(0.1, color="gray", lw=0.8)
    axis.set(xlabel="iteration", title="|psi| against its noise, and the tolerance")
    axis.legend(fontsize=8)


def draw_gain(axis, fits):
    for law, colour in LAWS.items():
        gains = np.cumsum([one["gain"] for one in fits[law]["history"]])
        axis.plot(gains[-1] - gains, "o-", color=colour, ms=4, label=law)
    axis.set(xlabel="iteration", title="divergence from the data still to be lost,\nnats a weight")
    axis.set_yscale("symlog", linthresh=1e-3)


def main():
    data = read_csv(pathlib.Path(sys.argv[1]))
    folder = pathlib.Path(sys.argv[2])
    fits = {law: json.loads((folder / f"{law}.json").read_text()) for law in LAWS}
    samples = {law: read_csv(folder / f"{law}.csv") for law in LAWS}
    compare(fits)
    figure = plt.figure(figsize=(14, 9), constrained_layout=True)
    upper, lower = figure.subfigures(2, 1, height_ratios=[3, 1.2])
    draw_ages(upper.subplots(3, 4).ravel(), data, samples)
    left, right = lower.subplots(1, 2)
    draw_convergence(left, fits)
    draw_gain(right, fits)
    upper.suptitle("Weights of chicks (g): data and the two fitted laws at every age")
    figure.savefig(folder / "growth.png", dpi=110)
    print(f"picture: {folder / 'growth.png'}")


if __name__ == "__main__":
    main()
