"""Samples moved by a score: the probability flow, and the process run backwards in time.

With D = S S^T the density h_t of dx = F dt + S dB is also carried by

    dx/dt = F - (div D + D s_t) / 2                     (the probability flow, no noise)

and the process backwards in time is, for tau = T - t,

    dx = -(F - div D - D s_t) dtau + S dB               (B. Anderson, Stoch. Proc. Appl. 12 (1982))

where s_t = grad log h_t. Both are exact for the true score; here it is regressed on paths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from . import _core
from .errors import NumericalError, UsageError
from .model import AnswerOptions, Model, as_model

Score = Callable[[float, np.ndarray], np.ndarray]


class ScoreFunction:
    """s(t, x): (m, states) at points x (m, states), linear in t between the snapshot times and
    constant beyond them. Made by `score_function`."""

    def __init__(self, model: Model, times: np.ndarray, regressors: list) -> None:
        self.model = model
        self.times = times
        self._regressors = regressors

    def __call__(self, t: float, x: ArrayLike) -> np.ndarray:
        position = np.interp(t, self.times, np.arange(len(self.times)))
        k = int(position)
        weight = position - k
        if weight < 1e-9:
            return self._regressors[k].evaluate(x)
        if weight > 1 - 1e-9:
            return self._regressors[k + 1].evaluate(x)
        return ((1 - weight) * self._regressors[k].evaluate(x)
                + weight * self._regressors[k + 1].evaluate(x))

    def __repr__(self) -> str:
        return (f"<score of {self.model.name} at {len(self.times)} times from {self.times[0]:g} to "
                f"{self.times[-1]:g}>")


def grid_times(model: Model, snapshots: int) -> list[float]:
    """About that many times of the grid, from the first step to the end."""
    start, step, end = model.time_grid
    steps = round((end - start) / step)
    chosen = np.unique(np.linspace(1, steps, min(snapshots, steps)).round().astype(int))
    return [start + step * int(n) for n in chosen]


def score_function(model: Model | str, times: Sequence[float] | None = None, *,
                   snapshots: int = 20, **run: Unpack[AnswerOptions]) -> ScoreFunction:
    """The score as a function of time and place, regressed on one run of paths (default 20,000)
    at the times, or at `snapshots` of them. Memory: paths * times * 2 states doubles. `regressor`:
    by dimension; 'neighbours' is twenty times as fast for each point as 'local-linear', but flat
    outside the sample, where points of a flow may then be lost."""
    model = as_model(model)
    regressor = run.pop("regressor", "")
    run.setdefault("paths", 20_000)
    times = grid_times(model, snapshots) if times is None else list(times)
    paths = model.ensemble(times, **run)
    fitted = [_core.Regressor(regressor, x, nu) for x, nu in zip(paths.x, paths.nu)]
    return ScoreFunction(paths.model, paths.times, fitted)


def steps_between(model: Model, x: ArrayLike, start: float | None, end: float | None,
                  steps: int | None, backwards: bool) -> tuple[np.ndarray, np.ndarray]:
    """The points as an array, and the times from the first to the last."""
    first, step, last = model.time_grid
    if start is None:
        start = last if backwards else first
    if end is None:
        end = first if backwards else last
    if start == end:
        raise UsageError(f"The flow starts and ends at the time {start:g}; give another `end`.")
    if steps is None:
        steps = max(1, round(abs(end - start) / step))
    if steps < 1:
        raise UsageError(f"steps: {steps} is less than 1.")
    return np.atleast_2d(np.array(x, dtype=float)), np.linspace(start, end, steps + 1)


def model_of(score: Score, model: Model | str | None) -> Model:
    """The model given, or that of a ScoreFunction."""
    if model is not None:
        return as_model(model)
    if not isinstance(score, ScoreFunction):
        raise UsageError("A score that no `score_function` made knows no model; give `model`.")
    return score.model


def require_finite(x: np.ndarray, time: float) -> None:
    lost = np.flatnonzero(~np.isfinite(x).all(axis=1))
    if lost.size:
        raise NumericalError(f"{lost.size} of {len(x)} points are not finite at t = {time:g}, point "
                             f"{lost[0]} first: the score says too little outside its sample. More "
                             "paths, more snapshots or more steps may help.")


def probability_flow(score: Score, x: ArrayLike, *, model: Model | str | None = None,
                     start: float | None = None, end: float | None = None,
                     steps: int | None = None) -> np.ndarray:
    """Points x (m, states) of the time `start` carried to `end` by the flow: (m, states).

    score: a ScoreFunction, or any s(t, x) with `model`. Default: from the start of the time grid to
    its end, in its steps; end < start goes backwards. Heun's method, of second order. Samples of
    h_start become samples of h_end, and the way back leads to where they came from. Raises
    UsageError for a map.
    """
    model = model_of(score, model)
    fields = _core.Fields(model._core)

    def velocity(t: float, at: np.ndarray) -> np.ndarray:
        pull = np.einsum("mij,mj->mi", fields.covariance(t, at), score(t, at))
        return fields.drift(t, at) - 0.5 * (fields.divergence(t, at) + pull)

    at, times = steps_between(model, x, start, end, steps, backwards=False)
    for t, following in zip(times[:-1], times[1:]):
        dt = following - t
        here = velocity(t, at)
        at = at + 0.5 * dt * (here + velocity(following, at + dt * here))
        require_finite(at, following)
    return at


def reverse_time(score: Score, x: ArrayLike, *, model: Model | str | None = None,
                 start: float | None = None, end: float | None = None, steps: int | None = None,
                 seed: int = 1) -> np.ndarray:
    """Points x (m, states) of the time `start` (default: the end of the grid) moved back to `end`
    (its start) by the process in reversed time: (m, states). Euler-Maruyama, noise of NumPy."""
    model = model_of(score, model)
    fields = _core.Fields(model._core)
    random = np.random.default_rng(seed)
    at, times = steps_between(model, x, start, end, steps, backwards=True)
    if times[-1] > times[0]:
        raise UsageError(f"Reversed time goes from {times[0]:g} to {times[-1]:g}, which is not "
                         "before it.")
    for t, following in zip(times[:-1], times[1:]):
        dt = t - following
        noise = fields.noise(t, at)
        pull = np.einsum("mij,mj->mi", fields.covariance(t, at), score(t, at))
        kick = np.einsum("mik,mk->mi", noise, random.standard_normal((len(at), noise.shape[2])))
        at = at - dt * (fields.drift(t, at) - fields.divergence(t, at) - pull) + np.sqrt(dt) * kick
        require_finite(at, following)
    return at
