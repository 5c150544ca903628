#!/usr/bin/python3
"""How fast do chicks grow? Parameters from snapshots of a population.

Fifty chicks were weighed at twelve ages. The law of their weights is fitted, not their trajectories:
logistic growth with noise in proportion to the weight. Standard errors count chicks, not weighings.

Usage: growth.py [PICTURE]
"""

import pathlib
import sys

import divker
import matplotlib

matplotlib.use("Agg")
from divker import plot  # noqa: E402  (after the backend is settled)

DATA = pathlib.Path(__file__).resolve().parents[2] / "data" / "chick_weight.csv"


def main(picture="growth.png"):
    fit = divker.fit("logistic_growth", DATA, time="Time", group="Chick", map={"w": "weight"},
                     paths=4000)
    print(fit)

    # The fitted model is a model: what would chicks weigh that grow for ten more days?
    later = fit.model.set(T=31).simulate([21, 31], paths=4000, keep=False)
    print(later)

    figure = plot.fit(fit, "Weights of chicks (g) and the fitted logistic growth")
    plot.save(figure, picture)
    print(f"picture: {picture}")
    return fit


if __name__ == "__main__":
    main(*sys.argv[1:])
