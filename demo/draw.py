#!/usr/bin/python3
"""The demo's picture. Usage: draw.py DIRECTORY, which holds what run.sh wrote."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is settled)
import numpy as np  # noqa: E402


def slopes(axes, x, y, slope, error, length):
    """Short lines of the given slopes through the points (x, y), with a fan for the error bar."""
    for x0, y0, s, e in zip(x, y, slope, error):
        h = length / np.hypot(1.0, s)
        axes.fill([x0 - h, x0 + h, x0 + h, x0 - h],
                  [y0 - h * (s - 2 * e), y0 + h * (s - 2 * e), y0 + h * (s + 2 * e),
                   y0 - h * (s + 2 * e)], color="tab:red", alpha=0.25, lw=0)
        axes.plot([x0 - h, x0 + h], [y0 - h * s, y0 + h * s], color="tab:red", lw=1.8)


def draw_score(axes, answer):
    x = np.array(answer["points"])[:, 0]
    log_density = np.array(answer["log_density"])
    axes.plot(x, log_density, ".", color="black", ms=6)
    slopes(axes, x, log_density, np.array(answer["score"])[:, 0], np.array(answer["stderr"])[:, 0],
           0.06)
    axes.set(xlabel="x", ylabel="log density at T",
             title="bumpy: dots Fokker-Planck,\nslopes the score from one forward pass")


def draw_response(axes, answer):
    x = np.array(answer["points"])[:, 0]
    axes.plot(x, np.array(answer["exact"])[:, 0], color="black", lw=1, label="Fokker-Planck")
    axes.errorbar(x, np.array(answer["response"])[:, 0], 2 * np.array(answer["stderr"])[:, 0],
                  fmt=".", color="tab:red", capsize=2, label="divker, 2 standard errors")
    axes.set(xlabel="x", ylabel=r"$\partial_a \log h_T(x)$",
             title="bumpy: response of the log density\nto the height of the bumps")
    axes.legend(fontsize=8)


def draw_lorenz96(axes, answers):
    forcing = np.array([float(json_parameter(answer, "F")) for answer in answers])
    value = np.array([answer["value"] for answer in answers])
    slope = np.array([answer["response"][0] for answer in answers])
    error = np.array([answer["stderr"][0] for answer in answers])
    axes.plot(forcing, value, ".", color="black", ms=6)
    slopes(axes, forcing, value, slope, error, 1.0)
    axes.set(xlabel="forcing F", ylabel=r"$E|x_T|^2/40$",
             title="Lorenz-96, 40 dimensions: averages\nand their responses, 20,000 paths each")


def json_parameter(answer, name):
    """The value of a parameter in the model text that every answer carries."""
    for line in answer["model_text"].splitlines():
        words = line.split()
        if words[:2] == ["param", name]:
            return words[3]
    raise SystemExit(f"the model text has no parameter {name}")


def main():
    folder = pathlib.Path(sys.argv[1])
    score = json.loads((folder / "score.json").read_text())
    response = json.loads((folder / "response.json").read_text())
    lorenz96 = [json.loads(line) for line in (folder / "lorenz96.jsonl").read_text().splitlines()]
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.5), constrained_layout=True)
    draw_score(axes[0], score)
    draw_response(axes[1], response)
    draw_lorenz96(axes[2], lorenz96)
    figure.savefig(folder / "demo.png", dpi=120)
    print(f"picture: {folder / 'demo.png'}")


if __name__ == "__main__":
    main()
