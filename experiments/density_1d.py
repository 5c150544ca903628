#!/usr/bin/python3
"""One dimension, multiplicative noise: response and score as slopes on the exact log density.

The paper's first example, with our model `bumpy`. Left: log h_T(y) against the noise amplitude s
at four y, its response drawn as slopes. Right: log h_T against y, the score drawn as slopes. The
curves are solutions of the Fokker-Planck equation. Beyond the paper: error bars, the largest error
in units of them, and mean squared error x time against the two other methods.
"""

import numpy as np
from common import Z_LIMIT, largest_z, plot, plt, start

POINTS = (-0.9, -0.5, 0.3, 1.1)
# With 400,000 paths the error bar of the score is 0.2% where the density is high: 0.0025 would show.
RESPONSE_STEP, SCORE_STEP = 0.0025, 0.000625
AMPLITUDES = (0.65, 0.75, 0.85, 0.95, 1.05)


def step(e, full):
    """The bias of the shipped dt would show beside the error bars of the full number of paths."""
    return ("--order", 2, "--set", f"dt={e.pick(full, 0.005)}")


def at_points(e, points):
    path = e.scratch / "points.csv"
    path.write_text("x\n" + "".join(f"{p}\n" for p in points))
    return path


def of_response(e, axes, paths):
    points = at_points(e, POINTS)
    rows, largest = [], 0.0
    heights = {}
    amplitudes = e.pick(AMPLITUDES, AMPLITUDES[1::2])
    for s in amplitudes:
        answer = e.ask("response", "bumpy", "--wrt", "s", "--at", points, "--set", f"s={s}",
                       "--fokker-planck", *step(e, RESPONSE_STEP), "--paths", paths)
        height = heights[s] = answer["log_density"]
        value, error, exact = (np.array(answer[key])[:, 0] for key in
                               ("response", "stderr", "exact"))
        largest = max(largest, largest_z(value, exact, error))
        rows += [[s, y, *numbers] for y, *numbers in zip(POINTS, height, value, error, exact)]
    for s in e.pick(np.linspace(0.7, 1.0, 4).round(3), ()):
        heights[s] = e.ask("score", "bumpy", "--at", points, "--set", f"s={s}", "--paths", 1000,
                           "--fokker-planck")["log_density"]
    for k in range(len(POINTS)):
        axes.plot(sorted(heights), [heights[s][k] for s in sorted(heights)], color="black", lw=0.8)
    table = np.array(rows)
    plot.slopes(axes, table[:, 0], table[:, 2], table[:, 3], table[:, 4])
    e.table("response", ["s", "y", "log_density", "response", "stderr", "exact"], rows)
    axes.set(xlabel="noise amplitude s", ylabel=r"$\log h_T(y)$", title="response, at four y")
    e.check("largest error of a response in standard errors", largest, Z_LIMIT)


def of_score(e, axes, paths):
    answer = e.ask("score", "bumpy", "--grid", 21, "--paths", paths, *step(e, SCORE_STEP),
                   "--fokker-planck")
    y = np.array(answer["points"])[:, 0]
    value, error, exact = (np.array(answer[key])[:, 0] for key in ("score", "stderr", "exact"))
    curve = answer
    if not e.quick:
        curve = e.ask("score", "bumpy", "--grid", 201, "--paths", 1000, "--fokker-planck")
    axes.plot(np.array(curve["points"])[:, 0], curve["log_density"], color="black", lw=0.8)
    plot.slopes(axes, y, answer["log_density"], value, error)
    axes.set(xlabel="y", ylabel=r"$\log h_T(y)$", title="score")
    e.table("score", ["y", "log_density", "score", "stderr", "exact"],
            zip(y, answer["log_density"], value, error, exact))
    e.check("largest error of a score in standard errors", largest_z(value, exact, error), Z_LIMIT)
    relative = np.sqrt(np.mean((value - exact)**2) / np.mean(exact**2))
    e.check("rms error of the score relative to its rms", relative, e.pick(0.1, 0.3))


def methods(e, paths):
    wrt = e.pick("a,b,c,s", "a,s")
    exact = e.ask("response", "bumpy", "--wrt", wrt, "--fokker-planck", "--paths", 1000)
    points = at_points(e, [p[0] for p in exact["points"]])
    rows, products = [], {}
    for method in ("divergence-kernel", "likelihood-ratio", "finite-difference"):
        errors, seconds = [], []
        for seed in range(e.pick(8, 1)):
            answer = e.ask("response", "bumpy", "--wrt", wrt, "--at", points, "--method",
                           method, "--paths", paths, "--seed", seed)
            errors.append(np.mean((np.array(answer["response"]) - np.array(exact["exact"]))**2, 0))
            seconds.append(answer["seconds"])
        per_parameter = np.mean(errors, 0)
        products[method] = float(np.mean(per_parameter) * np.median(seconds))
        rows.append([method, *per_parameter, np.median(seconds), products[method]])
    e.table("methods", ["method", *(f"mse_{name}" for name in wrt.split(",")), "seconds",
                        "mse_times_seconds"], rows)
    ratio = products["finite-difference"] / products["divergence-kernel"]
    e.check("mse x time of finite differences over ours", ratio, 2.0, at_least=True)
    print(f"       and of the likelihood ratio over ours: "
          f"{products['likelihood-ratio'] / products['divergence-kernel']:.2g}")


def main(e):
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    of_response(e, left, e.pick(400_000, 20_000))
    of_score(e, right, e.pick(400_000, 20_000))
    e.save(figure)
    methods(e, e.pick(50_000, 10_000))


start(main)
