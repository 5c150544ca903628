"""Pictures of results, by matplotlib. Each function draws one thing and returns its axes; `draw`
draws a whole answer, whatever it is, and returns the figure.

Answers are results of this package, or objects that the command printed with --json (for fits with
the key `marginals`, a list of objects name, t, data, model). What cannot be drawn is a ValueError
that says why. As a program it draws what the command hands it:

    plot.py ANSWER.json PICTURE [answer | couplings]
"""

from __future__ import annotations

import json
import os
import pathlib
import sys

import matplotlib
import matplotlib.colors

if __name__ == "__main__":
    matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is settled)
import numpy as np  # noqa: E402

__all__ = ["bars", "convergence", "correlation", "couplings", "damping", "density", "draw", "fan",
           "fit", "marginal", "marginals", "remaining_gain", "residuals", "response",
           "response_function", "response_slopes", "save", "score", "score_slopes", "slopes"]

BAND = 2.0         # error bars and bands are that many standard errors
MOST_DRAWN = 5000  # numbers of a sample that a density is drawn from
# Colours that colour-blind readers tell apart: M. Okabe and K. Ito, Color Universal Design (2008).
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
ESTIMATE = COLOURS[1]
TRUTH = "black"
MAP = "cividis"      # of numbers that are not negative
SIGNED = "RdBu_r"    # of numbers of both signs, white at zero
MOST_PANELS = 12


def as_dict(answer):
    """The object of the command's JSON; a fit's marginals beside it."""
    if isinstance(answer, dict):
        return answer
    values = answer.to_dict()
    if hasattr(answer, "marginals"):
        values["marginals"] = answer.marginals
    model = getattr(answer, "model", None)
    if model is not None:
        values.update(titles=model.titles, state_names=model.states)
    values.update(answer.beside)
    return values


def title_of(answer, name):
    """The label of a state, parameter or observation, with its unit; else its name."""
    return answer.get("titles", {}).get(name, name)


def numbers(values):
    """As an array; what JSON calls null is not a number."""
    return np.array(values, dtype=float)


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


def density(score, responses=None, parameter=None, point=0, axes=None):
    """Of an answer of `Model.density` the curve or map, at its last time. Of a score and responses
    the density of one state and its derivatives: on the left along the parameter, the response as
    slopes, on the right along the state, the score as slopes. All answers have fokker_planck=True,
    those of the response at the same points for several values of the parameter."""
    law = as_dict(score)
    if "density" in law or "laws" in law:
        return density_of_law({**law, **law.get("laws", [{}])[-1]}, axes)
    if axes is None:
        axes = plt.subplots(1, 2, figsize=(9, 4), constrained_layout=True)[1]
    response_slopes(responses, parameter, axes[0], point)
    score_slopes(score, axes[1])
    return axes


def places(points):
    """The columns in which points differ: a curve has one of them, a map two."""
    points = numbers(points)
    varying = [c for c in range(points.shape[1]) if np.ptp(points[:, c]) > 0]
    if len(varying) > 2:
        raise ValueError(f"The points differ in {len(varying)} states, and a picture shows one or "
                         "two: hold the others still.")
    return varying


def states_of(answer):
    """Names of the columns of the points of an answer."""
    names = answer.get("states") or answer.get("state_names")
    return names or ["x"] if len(answer["points"][0]) == 1 else names or [
        f"x[{c}]" for c in range(len(answer["points"][0]))]


def held_still(answer, varying):
    """Where the other states are, in words."""
    names = states_of(answer)
    return ", ".join(f"{name} = {x:.3g}" for c, (name, x) in
                     enumerate(zip(names, answer["points"][0])) if c not in varying)


def curve(ax, x, value, error, colour, label=None):
    """A line with a band of two standard errors."""
    order = np.argsort(x)
    x, value, error = x[order], value[order], BAND * error[order]
    ax.fill_between(x, value - error, value + error, color=colour, alpha=0.25, lw=0)
    ax.plot(x, value, ".-", color=colour, lw=1, ms=4, label=label)


def plane(ax, answer, varying, value, signed, label):
    """Numbers at points of a plane as colours: cells where the points are a grid, else dots. What is
    hidden by its own error bar is left to the reader; points outside the sample are crossed."""
    points = numbers(answer["points"])[:, varying]
    names = [states_of(answer)[c] for c in varying]
    x, y = points.T
    finite = value[np.isfinite(value)]
    if finite.size == 0:
        raise ValueError(f"{label} is not known at any of the points.")
    reach = np.abs(finite).max() or 1.0
    colours = {"cmap": SIGNED, "vmin": -reach, "vmax": reach} if signed else {"cmap": MAP}
    across, up = np.unique(x), np.unique(y)
    if len(across) * len(up) == len(points):
        cells = np.full((len(up), len(across)), np.nan)
        cells[np.searchsorted(up, y), np.searchsorted(across, x)] = value
        image = ax.pcolormesh(across, up, cells, shading="nearest", **colours)
    else:
        image = ax.scatter(x, y, c=value, s=24, edgecolors="gray", linewidths=0.3, **colours)
    outside = np.array(answer.get("outside", [False] * len(points)), dtype=bool)
    ax.plot(x[outside], y[outside], "x", color="gray", ms=4)
    ax.figure.colorbar(image, ax=ax, label=label)
    ax.set(xlabel=title_of(answer, names[0]), ylabel=title_of(answer, names[1]),
           title=held_still(answer, varying))
    return ax


def panels(count, figure=None, wide=4.2, high=3.2, most=3):
    """A figure with so many axes."""
    columns = min(most, count)
    rows = -(-count // columns)
    if figure is None:
        figure = plt.figure(figsize=(wide * columns, high * rows), constrained_layout=True)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[count:]:
        ax.set_axis_off()
    return axes[:count]


def density_of_law(law, ax=None):
    """A density at points: along one state a curve with a band, of two states a map."""
    ax = ax or plt.gca()
    varying = places(law["points"])
    value, error = numbers(law["density"]), numbers(law["stderr"])
    when = f"density at t = {law['t']:g}" if "t" in law else "density"
    if len(varying) == 2:
        return plane(ax, law, varying, np.maximum(value, 0.0), False, when)
    place = varying[0] if varying else 0
    curve(ax, numbers(law["points"])[:, place], value, error, COLOURS[0])
    ax.set(xlabel=title_of(law, states_of(law)[place]), ylabel=when, title=held_still(law, [place]))
    ax.set_ylim(bottom=min(0.0, value.min()))
    return ax


def score(answer, ax=None):
    """The gradient of the log density: along one state a curve with a band, in a plane arrows. Those
    shorter than two of their standard errors are grey."""
    answer = as_dict(answer)
    ax = ax or plt.gca()
    varying = places(answer["points"])
    points, value = numbers(answer["points"]), numbers(answer["score"])
    error = numbers(answer["stderr"])
    names = states_of(answer)
    if len(varying) < 2:
        place = varying[0] if varying else 0
        for colour, (c, name) in zip(COLOURS * len(names), enumerate(names)):
            curve(ax, points[:, place], value[:, c], error[:, c], colour, title_of(answer, name))
            if "exact" in answer:
                ax.plot(points[:, place], numbers(answer["exact"])[:, c], "--", color=TRUTH, lw=1)
        ax.axhline(0, color="gray", lw=0.6)
        ax.set(xlabel=title_of(answer, names[place]), ylabel="score")
        if len(names) > 1:
            ax.legend(fontsize=8)
        return ax
    arrows, bars_of = value[:, varying], error[:, varying]
    x, y = points[:, varying].T
    # Lengths in units of the picture: the two states may have different ones.
    unit = np.array([np.ptp(x), np.ptp(y)])
    drawn = arrows * unit
    length = np.hypot(*drawn.T)
    told = np.hypot(*arrows.T) > BAND * np.hypot(*bars_of.T)
    across = np.sqrt(len(points))
    scale = np.nanpercentile(length, 90) * across / 0.9 or 1.0
    for which, colour in ((told, COLOURS[0]), (~told, "lightgray")):
        ax.quiver(x[which], y[which], *drawn[which].T, color=colour, angles="uv", scale=scale,
                  width=0.004, pivot="tail")
    ax.plot(x, y, ".", color="gray", ms=2)
    ax.set(xlabel=title_of(answer, names[varying[0]]), ylabel=title_of(answer, names[varying[1]]),
           title="score" + (f" at {held_still(answer, varying)}" if len(names) > 2 else ""))
    return ax


def bars(answer, ax=None):
    """The responses of a mean as bars, with two standard errors; where the errors of a fit are told,
    the inner error bar is that of the paths."""
    answer = as_dict(answer)
    ax = ax or plt.gca()
    names = answer["parameters"]
    value, error = numbers(answer["response"]), numbers(answer["stderr"])
    place = np.arange(len(names))[::-1]
    ax.barh(place, value, color=COLOURS[0], alpha=0.75, height=0.6)
    ax.errorbar(value, place, xerr=BAND * error, fmt="none", ecolor=TRUTH, capsize=4, lw=1.2)
    if "fit_error" in answer:
        paths = np.sqrt(np.maximum(error ** 2 - numbers(answer["fit_error"]) ** 2, 0.0))
        ax.errorbar(value, place, xerr=BAND * paths, fmt="none", ecolor=ESTIMATE, lw=3)
    ax.axvline(0, color="gray", lw=0.8)
    ax.set_yticks(place, [title_of(answer, name) for name in names])
    mean = f"E[{answer['observable']}]"
    ax.set(xlabel=f"d {mean} / d parameter",
           title=f"{mean} = {answer['value']:.4g} ± {answer['value_stderr']:.1g}")
    return ax


def response(answer, ax=None, parameters=None, state=0):
    """Responses: of a mean bars; of the log density along one state a curve with a band of two
    standard errors for each parameter, dashed what the Fokker-Planck equation says, where it was
    asked for; in a plane a map of one parameter (`draw` has one for each)."""
    answer = as_dict(answer)
    ax = ax or plt.gca()
    if "observable" in answer:
        return bars(answer, ax)
    varying = places(answer["points"])
    names = answer["parameters"]
    wanted = [parameters] if isinstance(parameters, str) else list(parameters or names)
    if len(varying) == 2:
        if len(wanted) > 1:
            raise ValueError("In a plane a map shows one parameter: name it, or take `draw`, which "
                             "has a map for each.")
        value = numbers(answer["response"])[:, names.index(wanted[0])]
        return plane(ax, answer, varying, value, True,
                     f"d log density / d {title_of(answer, wanted[0])}")
    state = varying[0] if varying else state
    x = numbers(answer["points"])[:, state]
    order = np.argsort(x)
    for colour, name in zip(COLOURS * len(names), wanted):
        place = names.index(name)
        curve(ax, x, numbers(answer["response"])[:, place], numbers(answer["stderr"])[:, place],
              colour, title_of(answer, name))
        if "exact" in answer:
            ax.plot(x[order], numbers(answer["exact"])[order, place], "--", color=TRUTH, lw=1)
    ax.set(xlabel=title_of(answer, states_of(answer)[state]),
           ylabel="d log density / d parameter", title=held_still(answer, [state]))
    ax.legend(fontsize=8)
    return ax


def fan(ax, times, levels, quantiles, colour=COLOURS[0]):
    """Quantiles over time, rows times and columns levels: bands between the outer ones, a line for
    the median."""
    times, quantiles = numbers(times), numbers(quantiles)
    if len(times) < 2:
        raise ValueError("A fan over time needs two times at least: ask for more of them.")
    bands = len(levels) // 2
    for k in range(bands):
        # Opaque tints, so that the legend shows what is seen; trajectories are drawn over them.
        tint = 1 - (1 - np.array(matplotlib.colors.to_rgb(colour))) * 0.6 * (k + 1) / (bands + 0.5)
        ax.fill_between(times, quantiles[:, k], quantiles[:, -1 - k], color=tint, lw=0,
                        zorder=0.5 + 0.01 * k, label=f"{levels[-1 - k] - levels[k]:.0%}")
    if 0.5 in levels:
        ax.plot(times, quantiles[:, levels.index(0.5)], color=colour, lw=1.5, label="median")
    return ax


def legend_above(ax):
    """Beside the bands, which fill the axes."""
    ax.legend(fontsize=7, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=5,
              borderaxespad=0.2, handlelength=1.5, columnspacing=1.2)


def simulation(answer, figure=None):
    """Trajectories and the fan of their quantiles over time, a panel for each state or observation;
    data as dots."""
    answer = as_dict(answer)
    if "levels" not in answer:
        raise ValueError("A fan needs quantiles: simulate with bands, such as 0.05,0.5,0.95.")
    names = answer["names"][:MOST_PANELS]
    times = [one["t"] for one in answer["snapshots"]]
    axes = panels(len(names), figure, most=2, wide=5.5)
    for c, (ax, name) in enumerate(zip(axes, names)):
        for path in answer.get("trajectories", []):
            if path["name"] == name:
                ax.plot(times, numbers(path["values"]).T, color="gray", lw=0.5, alpha=0.6)
        fan(ax, times, answer["levels"], [one["quantile"][c] for one in answer["snapshots"]])
        dots = [(one["t"], y) for one in answer.get("data", []) if one["name"] == name
                for y in one["values"]]
        if dots:
            ax.plot(*np.array(dots).T, ".", color=ESTIMATE, ms=4, alpha=0.7, label="data")
        ax.set(xlabel="t", ylabel=title_of(answer, name))
        legend_above(ax)
    return axes


def forecast(answer, figure=None):
    """The fans of a forecast, a panel for each individual and state; what went before as dots."""
    answer = as_dict(answer)
    pairs = [(who, c) for who in answer["individuals"] for c in range(len(answer["states"]))]
    axes = panels(min(len(pairs), MOST_PANELS), figure, most=2, wide=5.5)
    for ax, (who, c) in zip(axes, pairs):
        laws = [one for one in answer["forecasts"] if one["individual"] == who]
        name = answer["states"][c]
        times = [one["t"] for one in laws]
        rows = [one["value"][c][1:] for one in laws]
        for past in answer.get("history", []):
            if past["individual"] != who or past["state"] != name:
                continue
            ax.plot(past["t"], past["values"], ".-", color="gray", lw=0.8, ms=4, label="data")
            # The fan opens at the last row.
            times, rows = [past["t"][-1], *times], [[past["values"][-1]] * len(rows[0]), *rows]
        fan(ax, times, answer["levels"], rows)
        ax.set(xlabel="t", ylabel=title_of(answer, name))
        if len(answer["individuals"]) > 1:
            ax.set_title(who, fontsize=9, loc="right")
        legend_above(ax)
    return axes


def residuals(answer, figure=None):
    """Probability integral transforms, a histogram for each state: flat if the model is right. The
    band is where 95% of the heights of a flat one lie."""
    answer = as_dict(answer)
    names = [one["state"] for one in answer["states"]][:MOST_PANELS]
    uniform = numbers(answer["uniform"])
    axes = panels(len(names), figure)
    bins = int(np.clip(len(uniform) // 15, 5, 20))
    expected = len(uniform) / bins
    spread = BAND * np.sqrt(expected * (1 - 1 / bins))
    for c, (ax, name) in enumerate(zip(axes, names)):
        ax.axhspan(max(expected - spread, 0), expected + spread, color="lightgray", lw=0)
        ax.axhline(expected, color="gray", lw=0.8)
        ax.hist(uniform[:, c], bins=bins, range=(0, 1), histtype="step", color=COLOURS[0], lw=1.6)
        ax.set(xlim=(0, 1), xlabel=f"predicted probability below {title_of(answer, name)}",
               ylabel="rows" if c == 0 else "")
        ax.set_ylim(bottom=0)
    return axes


def draw(answer):
    """The picture of a whole answer: a density, score, response, fit, simulation with bands,
    forecast, residuals or diagnosis. Returns the figure."""
    answer = as_dict(answer)
    if "marginals" in answer:
        return fit(answer)
    if "snapshots" in answer:
        axes = simulation(answer)
    elif "forecasts" in answer:
        axes = forecast(answer)
    elif "uniform" in answer:
        axes = residuals(answer)
    elif "candidates" in answer:
        axes = [damping(answer, panels(1, wide=6)[0])]
    elif "density" in answer or "laws" in answer:
        laws = answer.get("laws") or [answer]
        axes = panels(len(laws), wide=4.8, high=3.6)
        for ax, law in zip(axes, laws):
            density_of_law({**answer, **law}, ax)
    elif "lags" in answer:
        axes = panels(2, wide=4.8, high=3.6)
        for ax, integral in zip(axes, (False, True)):
            response_function(answer, ax, integral)
    elif "score" in answer:
        axes = [score(answer, panels(1, wide=5, high=4)[0])]
    elif "response" in answer:
        is_map = "observable" not in answer and len(places(answer["points"])) == 2
        wanted = [[name] for name in answer["parameters"][:MOST_PANELS]] if is_map else [None]
        axes = panels(len(wanted), wide=4.8, high=3.6)
        for ax, names in zip(axes, wanted):
            response(answer, ax, names)
    else:
        raise ValueError("There is no picture of this answer; its keys are "
                         f"{', '.join(list(answer)[:8])}, ...")
    figure = axes[0].figure
    figure.suptitle(answer.get("model", ""), fontsize=10)
    return figure


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


def couplings(fit, ax=None):
    """What drives what, by the couplings that a fit with `sparse` kept: an arrow from one state to
    another for each parameter, red where it is positive and blue where it is negative, dashed where
    it is in the noise, the wider the more standard errors it is from zero. States stand on a circle
    in the order in which the couplings name them; what depends on no state has no arrow."""
    fit = as_dict(fit)
    if "structure" not in fit:
        raise ValueError("couplings needs a fit with sparse, which says what is zero.")
    ax = ax or plt.gca()
    edges = [one for one in fit["structure"]["couplings"] if one["from"]]
    names = []
    for one in edges:
        names += [name for name in (one["from"], one["to"]) if name not in names]
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(names)) / max(len(names), 1)
    place = dict(zip(names, np.column_stack([np.cos(angles), np.sin(angles)])))
    of = {name: (value, error) for name, value, error in
          zip(fit["parameters"], fit["estimate"], fit["stderr"])}
    for one in edges:
        value, error = of.get(one["parameter"], (1.0, None))
        sure = abs(value) / error if error else BAND
        colour = ESTIMATE if value > 0 else "tab:blue"
        style = dict(color=colour, lw=np.clip(0.4 + 0.15 * sure, 0.6, 4.0),
                     ls="--" if one["by_noise"] else "-")
        start, end = place[one["from"]], place[one["to"]]
        if one["from"] == one["to"]:
            ax.add_patch(plt.Circle(1.14 * start, 0.09, fill=False, **style))
        else:
            ax.annotate("", end, start, arrowprops=dict(
                arrowstyle="-|>", shrinkA=13, shrinkB=13, connectionstyle="arc3,rad=0.12", **style))
    for name, (x, y) in place.items():
        ax.text(x, y, name, ha="center", va="center", fontsize=9,
                bbox=dict(boxstyle="round,pad=0.3", fc="white", ec=TRUTH))
    told = fit["structure"]
    ax.set(xlim=(-1.35, 1.35), ylim=(-1.35, 1.35), aspect="equal",
           title=f"{len(told['kept'])} of {len(told['candidates'])} kept")
    ax.axis("off")
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


def couplings_alone(fit):
    figure, ax = plt.subplots(figsize=(6, 6), constrained_layout=True)
    couplings(fit, ax)
    return figure


def main(arguments):
    drawn = {"answer": draw, "couplings": couplings_alone}
    part = arguments[2] if len(arguments) == 3 else "answer"
    if len(arguments) not in (2, 3) or part not in drawn:
        sys.exit(__doc__)
    try:
        figure = drawn[part](json.loads(pathlib.Path(arguments[0]).read_text(encoding="utf-8")))
    except ValueError as problem:
        sys.exit(f"divker: no picture: {problem}")
    save(figure, arguments[1])


if __name__ == "__main__":
    main(sys.argv[1:])
