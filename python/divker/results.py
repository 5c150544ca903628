"""What the functions of divker return: NumPy arrays, standard errors, and how they came about.

Every result has the keys of the command's JSON as attributes (docs/command.md): `alpha` (the
damping in words), `seed`, `paths` (the sound ones), `failed_paths`, `seconds`, `model_text`, ... -
except `model`, which is the Model.
"""

from __future__ import annotations

import html
import json
import math
import os
import pathlib
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from .errors import DivkerWarning, UsageError

if TYPE_CHECKING:
    from .model import Model

SHOWN_ROWS = 12


def plain(value: Any) -> Any:
    """Lists and numbers of Python in place of arrays; None for numbers that are not finite."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class Result:
    """The base of all results. Attributes are the keys of `to_dict`."""

    model: Model          # as it was run
    alpha: str            # the damping, in words
    seed: int
    paths: int            # that were finished and sound
    failed_paths: int
    seconds: float        # wall time of the paths
    compile_seconds: float
    pilot_seconds: float

    def __init__(self, model: Model, values: dict[str, Any], file: dict[str, Any]) -> None:
        self.model = model
        self._values = values
        self._file = file  # what a file holds
        for warning in values.get("warnings", []):
            # The line that asked is the one that called the method of Model.
            warnings.warn(warning["sentence"], DivkerWarning, stacklevel=3)

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("_values", {})
        if name in values:
            return values[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}; it has: "
                             f"{', '.join(['model', *values])}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._values})

    @property
    def beside(self) -> dict[str, Any]:
        """What pictures show beside the answer: data, some trajectories, rows of residuals."""
        return plain(self._file.get("picture", {}))

    def to_dict(self) -> dict[str, Any]:
        """The object that the command prints with --json: lists in place of arrays."""
        return plain(self._values)

    def table(self) -> tuple[list[str], np.ndarray]:
        """Names of columns, and rows of numbers: what `save` writes."""
        return self._file["columns"], self._file["rows"]

    def _attributes(self) -> dict[str, str]:
        """What a file says of the run, and as JSON how the answer was made."""
        return {**self._file["attributes"],
                **{key: json.dumps(plain(value), separators=(",", ":"))
                   for key, value in self._file["record"].items()}}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a .csv, .npy or .h5 file, whole or not at all, as the command's --out; or .nc
        (NetCDF) if xarray is installed. Raises UsageError for other extensions."""
        if pathlib.Path(path).suffix == ".nc":
            self.to_xarray().to_netcdf(path)
            return
        columns, rows = self.table()
        _core.write_table(os.fspath(path), columns, rows, self._attributes())

    def to_xarray(self):
        """The table as an xarray.Dataset, one variable a column, with the same attributes as a
        file. Raises UsageError if xarray is not installed."""
        try:
            import xarray
        except ImportError:
            raise UsageError("NetCDF and to_xarray() need the package xarray (in Debian "
                             "python3-xarray, and python3-netcdf4 for files).") from None
        columns, rows = self.table()
        return xarray.Dataset({name: ("row", rows[:, c]) for c, name in enumerate(columns)},
                              attrs=self._attributes())

    def _summary(self) -> str:
        text = f"{self.paths} paths in {self.seconds:.3g} s"
        if self.alpha:
            text += f", damping {self.alpha}"
        if self.failed_paths:
            text += f", {self.failed_paths} failed"
        return text

    def _lines(self) -> tuple[list[str], list[list[str]]]:
        """Names of columns and rows of texts, for people."""
        columns, rows = self.table()
        return columns, [[f"{value:.5g}" for value in row] for row in rows[:SHOWN_ROWS + 1]]

    def __repr__(self) -> str:
        columns, rows = self._lines()
        shown = [columns, *rows[:SHOWN_ROWS]]
        widths = [max(len(row[c]) for row in shown) for c in range(len(columns))]
        lines = [f"{type(self).__name__} of {self.model.name}: {self._summary()}"]
        lines += ["  ".join(cell.rjust(width) for cell, width in zip(row, widths))
                  for row in shown]
        if len(rows) > SHOWN_ROWS:
            lines.append("...")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        columns, rows = self._lines()

        def line(tag: str, cells: list[str]) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(line("td", row) for row in rows[:SHOWN_ROWS])
        return (f"<table><caption>{type(self).__name__} of {html.escape(self.model.name)}: "
                f"{html.escape(self._summary())}</caption>{line('th', columns)}{body}</table>")


def with_bar(value: float, error: float) -> str:
    return f"{value:.5g} +- {error:.2g}"


class PointResult(Result):
    """Scores or responses at m points.

    points (m, states), `score` (m, states) or `response` (m, parameters), stderr, bias and
    tail_index of the same shape, effective_samples (m,), outside (m,): too few paths there to tell.
    `stderr` is sqrt(deviation^2 + bias^2 + time_step^2), where time_step is what dt adds (maps have
    none); it holds for a tail_index below 0.5 and means little above 0.7 (NaN: not known). Units:
    score 1/state, response 1/parameter.
    """

    points: np.ndarray
    stderr: np.ndarray
    time_step: np.ndarray
    bias: np.ndarray
    tail_index: np.ndarray
    effective_samples: np.ndarray
    outside: np.ndarray
    regressor: str

    @property
    def kind(self) -> str:
        """'score' or 'response'."""
        return "response" if "response" in self._values else "score"

    @property
    def values(self) -> np.ndarray:
        """The score or the response, (m, len(names))."""
        return self._values[self.kind]

    @property
    def names(self) -> list[str]:
        """States of a score, parameters of a response."""
        return self._values.get("parameters", self.model.states)

    def _lines(self):
        columns = [*self.model.states, *(f"{self.kind} {name}" for name in self.names)]
        rows = [[*(f"{x:.5g}" for x in point), *map(with_bar, values, errors)]
                for point, values, errors in zip(self.points, self.values, self.stderr)]
        return columns, rows


class DensityResult(Result):
    """Densities at m points: of the law, or of a marginal.

    states; points (m, 1 or 2), density, stderr, time_step, bias, log_density, log_stderr (NaN where
    the density is not above two bars), tail_index and outside, each (m,); with cdf=True
    cdf, cdf_stderr, cdf_response (m, parameters), cdf_response_stderr; with quantile= levels,
    quantile, quantile_stderr, quantile_response (levels, parameters), quantile_response_stderr.
    Several times: laws, a list of dictionaries with these keys and t. `stderr` is
    sqrt(deviation^2 + bias^2 + time_step^2). Units: density 1/state.
    """

    states: list[str]
    parameters: list[str]
    points: np.ndarray
    density: np.ndarray
    stderr: np.ndarray
    time_step: np.ndarray
    bias: np.ndarray
    log_density: np.ndarray
    log_stderr: np.ndarray
    tail_index: np.ndarray
    outside: np.ndarray

    def _lines(self):
        laws = self._values.get("laws") or [self._values]
        times = ["t"] if len(laws) > 1 else []
        rows = [[*([f"{law['t']:.5g}"] if times else []), *(f"{x:.5g}" for x in point),
                 with_bar(value, error)]
                for law in laws
                for point, value, error in zip(law["points"], law["density"], law["stderr"])]
        return [*times, *self.states, "density"], rows


class ObservableResult(Result):
    """E[Phi] and its derivatives: value, value_stderr; response and stderr (parameters,). What dt
    adds to the errors: value_time_step, time_step (parameters,); maps have none.

    tail_index (parameters,): stderr holds below 0.5 and means little above 0.7.
    """

    parameters: list[str]
    observable: str
    value: float
    value_stderr: float
    value_time_step: float
    response: np.ndarray
    stderr: np.ndarray
    tail_index: np.ndarray
    time_step: np.ndarray

    def _lines(self):
        rows = [[name, with_bar(value, error)]
                for name, value, error in zip(self.parameters, self.response, self.stderr)]
        mean = f"E[{self.observable}] = {with_bar(self.value, self.value_stderr)}"
        return ["parameter", f"derivative of {mean}"], rows


class ResponseFunction(Result):
    """What a kick of a parameter does to E[observable], at L lags (docs/response_functions.md).

    lags (L,); R and R_stderr (L,), the effect of a unit impulse, G and G_stderr (L,), that of a
    lasting change; value and value_stderr (L,), E[observable] without a kick. `response`, `stderr`,
    `integral`, `integral_stderr` and `time_step` are the same as columns (L, 1), one for the kicked
    parameter. With `frequencies`: susceptibility_real, susceptibility_imaginary, and their
    ..._stderr. With a forcing: forcing_t, forcing, change, change_stderr, and `table()` is of them.
    Units: R observable / parameter / time, G observable / parameter.
    """

    parameters: list[str]
    observable: str
    lags: np.ndarray
    response: np.ndarray
    stderr: np.ndarray
    integral: np.ndarray
    integral_stderr: np.ndarray
    value: np.ndarray
    value_stderr: np.ndarray

    @property
    def R(self) -> np.ndarray:
        return self.response[:, 0]

    @property
    def R_stderr(self) -> np.ndarray:
        return self.stderr[:, 0]

    @property
    def G(self) -> np.ndarray:
        return self.integral[:, 0]

    @property
    def G_stderr(self) -> np.ndarray:
        return self.integral_stderr[:, 0]

    def _lines(self):
        name = self.parameters[0]
        rows = [[f"{lag:.5g}", with_bar(r, e), with_bar(g, f)] for lag, r, e, g, f in
                zip(self.lags, self.R, self.R_stderr, self.G, self.G_stderr)]
        return ["lag", f"R of E[{self.observable}] to {name}", "G"], rows


class ChangeResult(Result):
    """What changes when parameters take the values `to`.

    At points: points (m, states), log_ratio (m,), stderr, deviation, bias, quadrature, tail_index,
    outside. Of a mean: observable, change, stderr, deviation, quadrature, tail_index.
    """


class MomentsResult(Result):
    """Means of the states at the snapshot times, from sums alone.

    `snapshots` is a list of dictionaries t, mean, stderr (of the mean), deviation: (states,).
    """

    snapshots: list[dict[str, Any]]


class Simulation(Result):
    """States of all paths, or with observed=True their measurements: names; times (k,), and x
    (paths, states) at the last of them. Functionals of the
    path, up to each time, are beside them; one that has not happened is infinite."""

    names: list[str]  # of the columns: states and functionals, or observations
    times: np.ndarray
    arrays: list[np.ndarray]  # one (paths, states) for each time
    functionals: list[np.ndarray]  # one (paths, functionals) for each time

    def __init__(self, model: Model, values: dict[str, Any], file: dict[str, Any]) -> None:
        snapshots = values.pop("arrays")
        self.names = values.pop("names")
        super().__init__(model, values, file)
        # Measurements have no functionals beside them.
        states = len(self.names) if self.names != [*model.states, *model.functionals] else len(
            model.states)
        self.times = np.array([time for time, _ in snapshots])
        self.arrays = [x if states == x.shape[1] else np.ascontiguousarray(x[:, :states])
                       for _, x in snapshots]
        self.functionals = [np.ascontiguousarray(x[:, states:]) for _, x in snapshots]

    @property
    def x(self) -> np.ndarray:
        """(paths, states) at the last snapshot time."""
        return self.arrays[-1]

    def path(self, name: str) -> np.ndarray:
        """(paths,): a functional of the path at the last snapshot time."""
        return self.functionals[-1][:, self.model.functionals.index(name)]

    def at(self, time: float) -> np.ndarray:
        """(paths, states) at the snapshot nearest to the time."""
        return self.arrays[int(np.argmin(np.abs(self.times - time)))]

    def table(self) -> tuple[list[str], np.ndarray]:
        names = self.names
        rows = [np.hstack([x, path]) if path.shape[1] else x
                for x, path in zip(self.arrays, self.functionals)]
        if len(self.times) == 1:
            return names, rows[0]
        return (["t", *names], np.vstack([np.column_stack([np.full(len(x), t), x])
                                          for t, x in zip(self.times, rows)]))

    def _lines(self):
        rows = [[f"{t:.5g}", name, f"{x[:, i].mean():.5g}", f"{x[:, i].std():.5g}"]
                for t, x in zip(self.times, self.arrays)
                for i, name in enumerate(self.names[:x.shape[1]])]
        return ["t", "state", "mean", "deviation"], rows


class EnsembleResult(Result):
    """Paths with their covectors and integrals: what scores and responses are means of.

    times (k,); for each time x (paths, states), nu (paths, states), integrals (paths, parameters):
    score = E[nu | x], response = E[I | x].
    """

    def __init__(self, model: Model, values: dict[str, Any], file: dict[str, Any]) -> None:
        snapshots = values.pop("arrays")
        super().__init__(model, values, file)
        self.times = np.array([one[0] for one in snapshots])
        self.x = [one[1] for one in snapshots]
        self.nu = [one[2] for one in snapshots]
        self.integrals = [one[3] for one in snapshots]

    def table(self) -> tuple[list[str], np.ndarray]:
        columns = ["t", *self.model.states]
        if self.nu[0].size:
            columns += [f"nu.{name}" for name in self.model.states]
        columns += [f"I[{p}]" for p in range(self.integrals[0].shape[1])]
        blocks = [np.hstack([np.full((len(x), 1), t), x, *(a for a in (nu, i) if a.size)])
                  for t, x, nu, i in zip(self.times, self.x, self.nu, self.integrals)]
        return columns, np.vstack(blocks)


class FitResult(Result):
    """Parameters of a population from snapshots; `model` is the fitted one.

    parameters (names), estimate (p,), stderr (p,), stderr_of_paths (p,): the part of the
    simulation, time_step (p,): what dt adds to stderr (maps have none); correlation (p, p); all three are NaN for `undetermined` parameters (names), which
    can change together without the data noticing; `determined`: what has a standard error instead,
    a list of dictionaries combination ("k*c"), parameters, estimate, stderr; tail_index (p,): both
    standard errors mean little above 0.7; converged, reason, iterations, goodness, joint (of snapshots
    with several coordinates) and history (lists of dictionaries), rejected (sentences: where the
    law is not that of the data), remarks (sentences: what of the data was moved or left out,
    such as rows of NaN, what files were taken for, data far outside the law at the start),
    log_likelihood (if each snapshot has one coordinate). `marginals`: what the goodness compares, a
    list of dictionaries name, t, data (rows,), model (paths,). `text`: the fitted model in the
    language, with standard errors in comments. By features of the law (docs/fit.md) also divergence
    (its name), divergence_estimate and divergence_stderr of the data held out. Of a time series also stderr_by_model (p,),
    step_bias (p,), transitions, paths_each and most_substeps, and where states are hidden or measured
    with noise log_likelihood, log_likelihood_stderr and aic. derived: what was asked for, a list of
    dictionaries name, expression, estimate, stderr. With sparse also structure, a dictionary: kept,
    zero, score, p, couplings and more (docs/structure.md).
    """

    parameters: list[str]
    estimate: np.ndarray
    stderr: np.ndarray
    stderr_of_paths: np.ndarray
    time_step: np.ndarray
    tail_index: np.ndarray
    correlation: np.ndarray
    undetermined: list[str]
    determined: list[dict[str, Any]]
    converged: bool
    iterations: int
    history: list[dict[str, Any]]
    goodness: list[dict[str, Any]]
    joint: list[dict[str, Any]]
    rejected: list[str]
    remarks: list[str]
    derived: list[dict[str, Any]]
    structure: dict[str, Any]

    def __init__(self, model: Model, values: dict[str, Any], file: dict[str, Any],
                 marginals: list[dict[str, Any]], text: str) -> None:
        super().__init__(model, values, file)
        self.marginals = marginals
        self.text = text

    def save(self, path: str | os.PathLike[str]) -> None:
        """A .sde file gets the fitted model, and 'NAME.h.npy' beside it the weights of a network h;
        .csv, .npy, .h5 the iterations; .nc as ever."""
        if pathlib.Path(path).suffix == ".sde":
            written = self.model._core.with_weights_written(os.fspath(path)).text
            networks = iter([line for line in written.splitlines(True) if line.startswith("net ")])
            lines = [next(networks) if line.startswith("net ") else line
                     for line in self.text.splitlines(True)]
            _core.write_text(os.fspath(path), "".join(lines))
        else:
            super().save(path)

    def _summary(self) -> str:
        state = "converged" if self.converged else f"NOT converged ({self.reason})"
        return f"{state} in {self.iterations} iterations, {super()._summary()}"

    def _lines(self):
        rows = []
        for name, value, error, of_paths in zip(self.parameters, self.estimate, self.stderr,
                                                self.stderr_of_paths):
            bars = (["undetermined", ""] if math.isnan(error)
                    else [f"{error:.2g}", f"{of_paths:.2g}"])
            rows.append([name, f"{value:.6g}", *bars])
        for one in self.determined:
            rows.append([one["combination"], f"{one['estimate']:.6g}", f"{one['stderr']:.2g}", ""])
        for one in self.derived:
            rows.append([one["name"], f"{one['estimate']:.6g}", f"{one['stderr']:.2g}", ""])
        if "structure" in self._values:
            rows.extend([name, "0", "set to zero", ""] for name in self.structure["zero"])
        return ["parameter", "estimate", "+-", "of the paths"], rows


class Diagnosis(Result):
    """Checks of a model: `checks` (name, verdict 'good', 'caution' or 'bad', finding, advice),
    `candidates` of the damping (alpha, variance), `methods` with their standard errors."""

    checks: list[dict[str, str]]
    candidates: list[dict[str, Any]]
    methods: list[dict[str, Any]]

    @property
    def verdict(self) -> str:
        """The worst of the checks."""
        order = ("good", "caution", "bad")
        return max((check["verdict"] for check in self.checks), key=order.index)

    def _lines(self):
        rows = [[one["verdict"], one["name"], one["finding"], one["advice"]] for one in self.checks]
        return ["verdict", "check", "finding", "advice"], rows


class LikelihoodResult(Result):
    """log_likelihood and log_likelihood_stderr, of which time_step is the part of dt; aic, bic,
    free_parameters, rows, individuals, and fewest_paths, on which a row rests. `each` (rows,): the
    log density of each row. Nats.
    """

    log_likelihood: float
    log_likelihood_stderr: float
    aic: float
    bic: float
    free_parameters: int
    rows: int

    @property
    def each(self) -> np.ndarray:
        """(rows,): the log density of each row of the data."""
        return np.asarray(self._file["rows"])[:, 2]

    def _lines(self):
        return ["log-likelihood", "AIC", "BIC"], [
            [with_bar(self.log_likelihood, self.log_likelihood_stderr), f"{self.aic:.5g}",
             f"{self.bic:.5g}"]]


class Comparison(Result):
    """`models`, the best by AIC first, a list of dictionaries name, log_likelihood,
    log_likelihood_stderr, aic, bic, weight, and of all but the first behind, behind_stderr,
    vuong_p and verdict, a sentence. With nested=True `nested`: statistic, stderr, freedom, p.
    """

    models: list[dict[str, Any]]
    nested: dict[str, float]

    def _lines(self):
        rows = [[one["name"], with_bar(one["log_likelihood"], one["log_likelihood_stderr"]),
                 f"{one['aic']:.5g}", f"{one['bic']:.5g}", f"{one['weight']:.3g}"]
                for one in self.models]
        return ["model", "log-likelihood", "AIC", "BIC", "weight"], rows


class SeriesResiduals(Result):
    """Predictions of each row of a series from the one before: transitions, individuals, lags, and
    `states`, a list of z_mean, z_deviation, coverage90 and crps with their `_stderr`,
    kolmogorov_smirnov, ljung_box and ljung_box_squares with their `_p`, crps_expected.

    z is standard normal, and independent from row to row, if the model is right.
    """

    transitions: int
    individuals: int
    lags: int
    states: list[dict[str, Any]]

    @property
    def uniform(self) -> np.ndarray:
        """(transitions, states): the distribution function of each prediction at what came."""
        return np.asarray(self._file["rows"])[:, 2:]

    @property
    def t(self) -> np.ndarray:
        """(transitions,): the times of the rows that were predicted."""
        return np.asarray(self._file["rows"])[:, 1]

    def _lines(self):
        rows = [[one["state"], with_bar(one["z_mean"], one["z_mean_stderr"]),
                 with_bar(one["z_deviation"], one["z_deviation_stderr"]),
                 f"{one['kolmogorov_smirnov_p']:.2g}", f"{one['ljung_box_p']:.2g}",
                 f"{one['ljung_box_squares_p']:.2g}"] for one in self.states]
        return ["state", "mean of z", "deviation of z", "p uniform", "p independent", "p steady"], rows


class Forecast(Result):
    """The law of the future: states, individuals, levels, and `forecasts`, a list of individual, t,
    ahead, and value, stderr, time_step, each (states, 1 + levels): the mean, then the quantiles.
    With held_out `scores`, a list of state, ahead, forecasts, crps, crps_expected, crps_climate and
    coverage, crps and coverage with their `_stderr`.
    """

    states: list[str]
    individuals: list[str]
    levels: list[float]
    forecasts: list[dict[str, Any]]
    scores: list[dict[str, Any]]

    def _lines(self):
        rows = [[one["individual"], f"{one['t']:.5g}", state, with_bar(value[0], error[0]),
                 *(f"{x:.5g}" for x in value[1:])]
                for one in self.forecasts
                for state, value, error in zip(self.states, one["value"], one["stderr"])]
        return ["individual", "t", "state", "mean", *(f"q{level:g}" for level in self.levels)], rows
