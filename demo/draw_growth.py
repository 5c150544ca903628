#!/usr/bin/python3
"""Two laws of growth against the weights of chicks: a comparison in words, and a picture.

Usage: draw_growth.py DATA.csv DIRECTORY, which holds what run.sh wrote.
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import numpy as np  # noqa: E402  (after the backend is settled)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python" / "divker"))
import plot  # noqa: E402  (the package's pictures need no compiled part)

LAWS = ("logistic", "gompertz")


def read_csv(file):
    """Columns by name; lines that begin with # are attributes."""
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    values = np.array([[float(word) for word in line.split(",")] for line in lines[1:]])
    return dict(zip(lines[0].split(","), values.T))


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


def marginals(data, sample):
    """Data against the fitted law's sample, at every age."""
    return [{"name": "w", "t": age, "data": data["weight"][data["Time"] == age],
             "model": sample["w"][sample["t"] == age]} for age in np.unique(data["Time"])]


def main():
    data = read_csv(pathlib.Path(sys.argv[1]))
    folder = pathlib.Path(sys.argv[2])
    fits = {law: json.loads((folder / f"{law}.json").read_text()) for law in LAWS}
    compare(fits)
    for law, fit in fits.items():
        fit["marginals"] = marginals(data, read_csv(folder / f"{law}.csv"))
    figure = plot.fit(fits, "Weights of chicks (g): data and the two fitted laws at every age")
    plot.save(figure, folder / "growth.png")
    print(f"picture: {folder / 'growth.png'}")


if __name__ == "__main__":
    main()
