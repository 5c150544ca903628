"""Pictures of results, by matplotlib. Each function draws one thing and returns its axes.

Answers are results of this package, or objects that the command printed with --json (for fits with
the key `marginals`, a list of objects name, t, data, model). As a program it draws what the command
hands it:

    plot.py fit FIT.json PICTURE
"""

from __future__ import annotations

import json
import os
import pathlib
import sys

import matplotlib

if __name__ == "__main__":
    matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is settled)
import numpy as np  # noqa: E402

__all__ = ["convergence", "correlation", "damping", "density", "fit", "marginal", "marginals",
           "remaining_gain", "response", "response_function", "response_slopes", "save", "score_slopes", "slopes"]

BAND = 2.0         # error bars and bands are that many standard errors
MOST_DRAWN = 5000  # numbers of a sample that a density is drawn from
ESTIMATE = "tab:red"
TRUTH = "black"
COLOURS = plt.rcParams["axes.prop_cycle"].by_key()["color"]


def as_dict(answer):
    """The object of the command's JSON; a fit's marginals beside it."""
    if isinstance(answer, dict):
        return answer
    values = answer.to_dict()
    if hasattr(answer, "marginals"):
        values["marginals"] = answer.marginals
    return values


def labelled(fits):
    """Fits by label: one alone has none."""
    is_one = not isinstance(fits, dict) or "estimate" in fits
    return {name: as_dict(one) for name, one in ({"": fits} if is_one else fits).items()}


def parameter_value(answer, name):
    """The value of a parameter in the model text that every answer carries."""
    stem, _, index = name.partition("[")
    for line in answer["model_text"].splitlines():
        words = line.split("#")[0].replace("=", " = ").split()
        if len(words) > 3 and words[0] == "param" and words[1].partition("[")[0] == stem:
            values = " ".join(words[3:]).split(" in ")[0].replace("fixed", "").strip(" []")
            several = [float(one) for one in values.split(",")]
            return several[int(index.rstrip("]")) if index and len(several) > 1 else 0]
    raise ValueError(f"the model text has no parameter {name}")


def gaussian_density(sample, points):
    """Density by Gaussian kernels of Silverman's bandwidth, at the points."""
    sample = np.asarray(sample, dtype=float)[:MOST_DRAWN]
    quartiles = np.subtract(*np.percentile(sample, [75, 25]))
    spread = min(sample.std(), quartiles / 1.34) or sample.std() or 1.0
    bandwidth = 0.9 * spread * len(sample) ** -0.2
    distance = (np.asarray(points)[:, None] - sample[None, :]) / bandwidth
    return np.exp(-0.5 * distance ** 2).mean(axis=1) / (bandwidth * np.sqrt(2 * np.pi))


def slopes(ax, x, y, slope, error):
    """Short lines of the given slopes through the points (x, y), with a fan for the error bar."""
    x, y, slope, error = (np.asarray(one, dtype=float) for one in (x, y, slope, error))
    width = np.ptp(x) or 1.0
    # A line is as long on the paper whatever its slope, for axes that are about as wide as high.
    height = np.ptp(y) or np.abs(slope).max() * width or 1.0
    for x0, y0, s, e in zip(x, y, slope, error):
        h = 0.06 * width / np.hypot(1.0, s * width / height)
        ax.fill([x0 - h, x0 + h, x0 + h, x0 - h],
                [y0 - h * (s - BAND * e), y0 + h * (s - BAND * e), y0 + h * (s + BAND * e),
                 y0 - h * (s + BAND * e)], color=ESTIMATE, alpha=0.25, lw=0)
        ax.plot([x0 - h, x0 + h], [y0 - h * s, y0 + h * s], color=ESTIMATE, lw=1.8)
    ax.plot(x, y, ".", color=TRUTH, ms=6)
    return ax


def score_slopes(score, ax=None, log_density=None):
    """The log density of one state as dots, the score as their slopes. The dots are the answer's
    own `log_density` (fokker_planck=True), or numbers given for its points."""
    score = as_dict(score)
    if log_density is None:
        log_density = score.get("log_density")
    if log_density is None:
        raise ValueError("score_slopes needs the log density at the points: ask for the score with "
                         "fokker_planck=True, or give log_density.")
    ax = ax or plt.gca()
    slopes(ax, np.array(score["points"])[:, 0], log_density, np.array(score["score"])[:, 0],
           np.array(score["stderr"])[:, 0])
    ax.set(xlabel="x", ylabel="log density", title="score")
    return ax


def response_function(answer, ax=None, integral=False, label=None):
    """The effect of a kick against the lag with a band of two standard errors; with integral=True
    that of a lasting change."""
    answer = as_dict(answer)
    ax = ax or plt.gca()
    what, bar = ("integral", "integral_stderr") if integral else ("response", "stderr")
    lags = np.array(answer["lags"])
    value = np.array(answer[what])[:, 0]
    error = np.array(answer[bar])[:, 0]
    ax.axhline(0.0, color=TRUTH, lw=0.6)
    line, = ax.plot(lags, value, lw=1.6, label=label)
    ax.fill_between(lags, value - BAND * error, value + BAND * error, color=line.get_color(),
                    alpha=0.25, lw=0)
    name = answer["parameters"][0]
    ax.set(xlabel="lag", ylabel=f"change of E[{answer['observable']}]",
           title=f"{'lasting change' if integral else 'impulse'} of {name}")
    return ax


def response_slopes(answers, parameter, ax=None, point=0):
    """Answers at several values of a parameter: the mean of the observable, or the log density at
    one of the points (its number), as dots, the responses as their slopes."""
    answers = [as_dict(answer) for answer in answers]
    ax = ax or plt.gca()
    place = answers[0]["parameters"].index(parameter)
    if "observable" in answers[0]:
        height = [answer["value"] for answer in answers]
        slope = [answer["response"][place] for answer in answers]
        error = [answer["stderr"][place] for answer in answers]
        label = f"E[{answers[0]['observable']}]"
    else:
        height = [answer["log_density"][point] for answer in answers]
        slope = [answer["response"][point][place] for answer in answers]
        error = [answer["stderr"][point][place] for answer in answers]
        where = ", ".join(f"{x:.3g}" for x in answers[0]["points"][point])
        label = f"log density at {where}"
    slopes(ax, [parameter_value(answer, parameter) for answer in answers], height, slope, error)
    ax.set(xlabel=parameter, ylabel=label, title="response")
    return ax


def density(score, responses, parameter, point=0, axes=None):
    """A density of one state and its derivatives: on the left along the parameter, the response as
    slopes, on the right along the state, the score as slopes. All answers have fokker_planck=True,
    those of the response at the same points for several values of the parameter."""
    if axes is None:
        axes = plt.subplots(1, 2, figsize=(9, 4), constrained_layout=True)[1]
    response_slopes(responses, parameter, axes[0], point)
    score_slopes(score, axes[1])
    return axes


def response(answer, ax=None, parameters=None, state=0):
    """Responses of the log density along one state, a curve with a band of two standard errors for
    each parameter; dashed what the Fokker-Planck equation says, where it was asked for."""
    answer = as_dict(answer)
    ax = ax or plt.gca()
    x = np.array(answer["points"])[:, state]
    order = np.argsort(x)
    names = answer["parameters"]
    for colour, name in zip(COLOURS * len(names), parameters or names):
        place = names.index(name)
        value = np.array(answer["response"])[order, place]
        error = BAND * np.array(answer["stderr"])[order, place]
        ax.fill_between(x[order], value - error, value + error, color=colour, alpha=0.25, lw=0)
        ax.plot(x[order], value, ".-", color=colour, lw=1, label=name)
        if "exact" in answer:
            ax.plot(x[order], np.array(answer["exact"])[order, place], "--", color=TRUTH, lw=1)
    ax.set(xlabel="x", ylabel="d log density / d parameter", title="response")
    ax.legend(fontsize=8)
    return ax


def marginal(one, ax=None, models=None):
    """One measured coordinate at one time: the data as a histogram, the model's density, or those
    of several fits as {label: marginal}."""
    ax = ax or plt.gca()
    data = np.asarray(one["data"], dtype=float)
    models = models or {"": one}
    reach = np.concatenate([data, *(np.percentile(each["model"], [1, 99])
                                    for each in models.values())])
    points = np.linspace(reach.min(), reach.max(), 200)
    bins = int(np.clip(np.sqrt(len(data)), 6, 40))
    ax.hist(data, bins=bins, density=True, color="lightgray", edgecolor="gray", lw=0.5)
    for colour, (label, each) in zip(COLOURS, models.items()):
        ax.plot(points, gaussian_density(each["model"], points), color=colour, lw=1.5, label=label)
    ax.set_title(f"{one['name']}, t = {one['t']:g}, {len(data)} rows", fontsize=9)
    ax.set_yticks([])
    ax.tick_params(labelsize=7)
    return ax


def marginals(fits, figure=None):
    """Data against model, a panel for each measured coordinate and time. `fits`: a fit, or several
    of the same data as {label: fit}."""
    fits = labelled(fits)
    first = next(iter(fits.values()))["marginals"]
    columns = min(4, len(first))
    rows = -(-len(first) // columns)
    if figure is None:
        figure = plt.figure(figsize=(3.4 * columns, 2.2 * rows), constrained_layout=True)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for k, (ax, one) in enumerate(zip(axes, first)):
        marginal(one, ax, {label: each["marginals"][k] for label, each in fits.items()})
    for ax in axes[len(first):]:
        ax.set_axis_off()
    if len(fits) > 1:
        axes[0].legend(fontsize=7)
    return axes


def over_iterations(fits, ax, values, title):
    """values(history) of a fit, or of several as {label: fit}, against the iteration."""
    fits = labelled(fits)
    ax = ax or plt.gca()
    for colour, (label, each) in zip(COLOURS, fits.items()):
        history = each["history"]
        ax.plot([one["iteration"] for one in history], values(history), "o-", color=colour, ms=4,
                label=label)
    ax.set(xlabel="iteration", title=title)
    if len(fits) > 1:
        ax.legend(fontsize=8)
    return ax


def convergence(fits, ax=None):
    """|psi| over its noise at every iteration of a fit, or of several as {label: fit}."""
    ax = over_iterations(fits, ax, lambda history: [max(one["psi_over_noise"], 1e-6)
                                                    for one in history],
                         "|psi| over its noise, and the tolerance")
    ax.axhline(0.1, color="gray", lw=0.8)
    ax.set_yscale("log")
    return ax


def remaining_gain(fits, ax=None):
    """Mean log-likelihood of a row of data still to be gained at every iteration."""
    def still_to_gain(history):
        gains = np.cumsum([one["gain"] for one in history])
        return gains[-1] - gains

    ax = over_iterations(fits, ax, still_to_gain, "log-likelihood still to be gained, nats a row")
    ax.set_yscale("symlog", linthresh=1e-3)
    return ax


def correlation(fit, ax=None):
    """The correlation matrix of a fit's estimates, blue for negative and red for positive."""
    fit = as_dict(fit)
    ax = ax or plt.gca()
    matrix = np.array(fit["correlation"], dtype=float)
    names = fit["parameters"]
    image = ax.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    ax.set_xticks(range(len(names)), names, rotation=90 if len(names) > 6 else 0, fontsize=8)
    ax.set_yticks(range(len(names)), names, fontsize=8)
    if len(names) <= 8:
        for (i, j), value in np.ndenumerate(matrix):
            if np.isnan(value):  # of a parameter that is undetermined
                continue
            ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=7,
                    color="white" if abs(value) > 0.7 else "black")
    ax.figure.colorbar(image, ax=ax, shrink=0.8)
    ax.set_title("correlation of the estimates", fontsize=10)
    return ax


def damping(diagnosis, ax=None, shown=12):
    """The variances that the pilot of a diagnosis measured, the best damping on top."""
    diagnosis = as_dict(diagnosis)
    ax = ax or plt.gca()
    least = {}
    for one in diagnosis["candidates"]:
        if one["variance"] is not None:
            least.setdefault(one["alpha"], one["variance"])
    if not least:
        raise ValueError("The diagnosis has no dampings to compare: it was made with a given alpha.")
    names = list(least)[:shown]
    ax.barh(range(len(names)), [least[name] for name in names],
            color=[ESTIMATE if k == 0 else "lightgray" for k in range(len(names))])
    ax.set_yticks(range(len(names)), names, fontsize=8)
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.set(xlabel="geometric mean of the variances of nu and I", title="damping, by the pilot")
    return ax


def fit(fits, title=None):
    """A fit, or several of the same data as {label: fit}: data against model at every time, and
    how the iterations went. Returns the figure."""
    fits = labelled(fits)
    panels = len(next(iter(fits.values()))["marginals"])
    height = 2.1 * -(-panels // 4)
    figure = plt.figure(figsize=(13, height + 3), constrained_layout=True)
    upper, lower = figure, figure  # fits of time series compare no marginals
    if panels:
        upper, lower = figure.subfigures(2, 1, height_ratios=[height, 3])
        marginals(fits, upper)
    left, right = lower.subplots(1, 2)
    convergence(fits, left)
    remaining_gain(fits, right)
    names = sorted({one["model"] for one in fits.values()})
    upper.suptitle(title or f"{', '.join(names)}: {'data and model' if panels else 'iterations'}")
    return figure


def save(figure, path):
    """Writes the picture, whole or not at all; the extension decides the format."""
    path = pathlib.Path(path)
    part = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        figure.savefig(part, dpi=110)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
        plt.close(figure)


def main(arguments):
    if len(arguments) != 3 or arguments[0] != "fit":
        sys.exit(__doc__)
    save(fit(json.loads(pathlib.Path(arguments[1]).read_text(encoding="utf-8"))), arguments[2])


if __name__ == "__main__":
    main(sys.argv[1:])
