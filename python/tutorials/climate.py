#!/usr/bin/python3
"""How does a chaotic climate answer to more forcing?

Lorenz's model of 1996: twelve variables on a circle of latitude, forced, damped and chaotic. Single
trajectories say nothing about the response to the forcing F, for their derivatives explode. The
density of the states has a derivative all the same, and with it every mean.

Usage: climate.py [PICTURE]
"""

import sys

import divker
import matplotlib

matplotlib.use("Agg")
from divker import plot  # noqa: E402  (after the backend is settled)


def climate(size):
    """Lorenz-96 with weak noise that is equal everywhere."""
    m = divker.builder("climate")
    forcing = m.param("F", 8)
    s = m.param("s", 1, lower=0)
    x = m.state("x", size, periodic=True)
    dW = m.noise("W", size)
    for i in range(size):
        m.d(x[i], (x[i + 1] - x[i - 2]) * x[i - 1] - x[i] - 0.01 * x[i] ** 2 + forcing, s * dW[i])
    m.init(x, divker.normal(0, 2))
    m.time(0, 0.004, 1.2)
    return m.build()


def main(picture="climate.png"):
    model = climate(12)
    energy = "sum(i, 0:11, x[i]^2)/12"

    # One run: the mean energy and its derivatives, at several forcings.
    answers = [model.set(F=F).response(observable=energy, paths=4000, alpha="jacobian:4,0.5")
               for F in (6, 7, 8, 9)]
    here = answers[2]
    print(here)

    # Check by what it costs two more runs to know: a central difference.
    difference = (answers[3].value - answers[1].value) / 2
    error = (answers[3].value_stderr ** 2 + answers[1].value_stderr ** 2) ** 0.5 / 2
    print(f"central difference over F = 7 and 9: {difference:.3f} +- {error:.3f}")

    figure, axes = plot.plt.subplots(1, 2, figsize=(10, 4), constrained_layout=True)
    plot.response_slopes(answers, "F", axes[0])
    axes[0].set_title("mean energy, and its response to F as slopes")
    law = model.simulate(paths=4000).x[:, 0]
    plot.marginal({"name": "x[0]", "t": 1.2, "data": law, "model": law}, axes[1])
    plot.save(figure, picture)
    print(f"picture: {picture}")
    return here, difference, error


if __name__ == "__main__":
    main(*sys.argv[1:])
