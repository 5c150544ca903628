#!/usr/bin/python3
"""Are weekly returns normal? A volatility that nobody observes.

Returns of four stock indices, once as geometric Brownian motion, once with a common volatility
exp(h) that itself is a diffusion. Only the returns are data: the fit conditions on what is there.
The standard deviation e of h says how far from normal the returns are.

Usage: volatility.py [PICTURE]
"""

import pathlib
import sys

import divker
import matplotlib

matplotlib.use("Agg")
from divker import plot  # noqa: E402  (after the backend is settled)

DATA = pathlib.Path(__file__).resolve().parents[2] / "data" / "eu_weekly_returns.csv"


def main(picture="volatility.png"):
    fits = {"constant": divker.fit("market_gbm", DATA, paths=4000),
            "stochastic": divker.fit("market_volatility", DATA, paths=50000)}
    stochastic = fits["stochastic"]
    print(stochastic)
    place = stochastic.parameters.index("e")
    print(f"standard deviation of the log volatility: {stochastic.estimate[place]:.2f}"
          f" +- {stochastic.stderr[place]:.2f}; returns are normal if it is 0")

    figure = plot.plt.figure(figsize=(14, 7), constrained_layout=True)
    upper, lower = figure.subfigures(2, 1, height_ratios=[1, 1.4])
    plot.marginals(fits, upper)
    left, right = lower.subplots(1, 2)
    plot.convergence(fits, left)
    plot.correlation(stochastic, right)
    plot.save(figure, picture)
    print(f"picture: {picture}")
    return fits


if __name__ == "__main__":
    main(*sys.argv[1:])
