#!/usr/bin/python3
"""Beyond the paper: the score of a fitted model flags samples that do not come from it.

Predator and prey at the end of the grid, a crescent, fitted to samples. Half of the points are
fresh samples of the truth, half are samples that were moved. The larger the score, the less a point
looks like a sample: the curve shows the share of moved points found against false alarms.
"""

import numpy as np
from common import as_matrix, plt, start


def curve(genuine, moved):
    """False alarms and detections for every threshold, and the area under the curve."""
    thresholds = np.sort(np.concatenate([genuine, moved]))[::-1]
    false_alarms = np.array([(genuine >= t).mean() for t in thresholds])
    found = np.array([(moved >= t).mean() for t in thresholds])
    area = np.mean(moved[:, None] > genuine[None, :])
    return false_alarms, found, area


def main(e):
    count = e.pick(2_000, 500)
    truth = ("--set", "a=1.2", "--set", "d=1.1", "--set", "s[0]=0.25")
    data, fitted = e.scratch / "data.csv", e.scratch / "fitted.sde"
    e.sample(data, "lotka_volterra", count, 50, *truth)
    e.run("fit", "lotka_volterra", "--data", data, "--out", fitted, "--paths",
          e.pick(60_000, 10_000), "--quiet")
    samples = as_matrix(e.sample(e.scratch / "x.csv", "lotka_volterra", count, 51, *truth),
                        ("u", "v"))
    random = np.random.default_rng(52)
    spread = samples.std(0)
    figure, axes = plt.subplots(figsize=(5, 5))
    rows, areas = [], {}
    for size in (0.5, 1.0, 2.0):
        half = count // 2
        direction = random.normal(size=(half, 2))
        direction /= np.linalg.norm(direction, axis=1)[:, None]
        points = np.concatenate([samples[:half], samples[half:2 * half] + size * spread *
                                 direction])
        at = e.scratch / "points.csv"
        np.savetxt(at, points, delimiter=",", header="u,v", comments="")
        answer = e.ask("score", fitted, "--at", at, "--paths", e.pick(200_000, 40_000))
        score = np.array(answer["score"])
        # Far outside the sample there is no score to be had, which is as good an alarm.
        height = np.where(answer["outside"], np.inf, np.linalg.norm(score * spread, axis=1))
        false_alarms, found, areas[size] = curve(height[:half], height[half:])
        axes.plot(false_alarms, found, label=f"moved by {size} deviations: area {areas[size]:.2f}")
        rows += [[size, *pair] for pair in zip(false_alarms, found)]
    axes.plot([0, 1], [0, 1], color="0.7")
    axes.set(xlabel="false alarms", ylabel="moved points found")
    axes.legend(fontsize=8)
    e.table("curves", ["size", "false_alarms", "found"], rows)
    e.save(figure)
    e.check("area under the curve for points moved by two deviations", areas[2.0], 0.7,
            at_least=True)
    e.check("gain of area from a move of 0.5 to one of 2", areas[2.0] - areas[0.5], 0.05,
            at_least=True)


start(main)
