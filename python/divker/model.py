"""Models, and what can be asked of them."""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypedDict, TypeVar, Unpack

import numpy as np
from numpy.typing import ArrayLike

from . import _core
from .data import tables_of
from .errors import UsageError
from .results import (ChangeResult, Comparison, DensityResult, Diagnosis, EnsembleResult,
                      FitResult, Forecast, LikelihoodResult, MomentsResult, ObservableResult,
                      PointResult, ResponseFunction, SeriesResiduals, Simulation)


class RunOptions(TypedDict, total=False):
    """What every run takes, with the defaults of the command (docs/command.md)."""

    paths: int              # 100,000; 4096 for stationary answers, 20,000 for a diagnosis
    seed: int               # 1
    threads: int            # 0: all cores. Results do not depend on it
    block: int              # 0: chosen. Nor on this
    scheme: str             # 'euler' or 'exact'
    resolution: str         # 'fast' or 'full': random numbers from 32 or 52 bits
    failed_share: float     # 0.001
    dt: float               # step and end of the time grid, instead of the model's
    T: float
    tamed: float            # largest displacement by the drift in one step; True is 1, 0 is none
    samples: ArrayLike      # (N, states): paths start from rows of this array, drawn at random
    progress: Callable[[int, int], Any]  # called now and then with paths finished, and in all


class SeriesOptions(TypedDict, total=False):
    """What predictions of time series take."""

    paths: int              # from each row: 1,000 for residuals, 10,000 for forecasts
    seed: int
    threads: int            # 0: all cores
    dt: float               # step of the time grid, instead of the model's


class DampedOptions(RunOptions, total=False):
    """And what runs with covectors take."""

    alpha: float | str      # damping: 'auto', a number per unit of time, 'gaussian', ...
    order: int              # 1, or 2 for less bias of dt


class AnswerOptions(DampedOptions, total=False):
    """And what scores, responses and fits take."""

    regressor: str          # by dimension and size; 'local-linear', 'polynomial', 'bins', ...
    neighbours: int         # numbers of the regressors; 0: chosen
    bins: int
    bandwidth: float
    degree: int


class SavedOptions(TypedDict, total=False):
    """What answers of one run take: the run is saved now and then (docs/durable.md)."""

    checkpoint: str | os.PathLike[str]  # the file; where it is there, the run goes on from it
    checkpoint_every: float  # seconds between two saves: 60


class PointOptions(AnswerOptions, SavedOptions, total=False):
    """And what answers at points and of means take."""

    time: float             # of the density, on the time grid; the end


class PathOptions(RunOptions, SavedOptions, total=False):
    """What simulations take."""


Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


def check_names(given: Mapping[str, Any], options: type, function: str) -> None:
    """The complaint that Python makes of unknown arguments, with the name that may be meant."""
    known = list(options.__annotations__)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; it has: {', '.join(known)}"
            raise TypeError(f"{function}() has no argument '{name}'{hint}")


class Model:
    """A stochastic differential equation, or a map, with its parameters and time grid. Immutable.

    Model("lorenz96") is a shipped model, Model("own.sde") a file; Model.parse reads a text,
    `divker.builder` makes models from expressions. Raises ModelError (LanguageError with the place
    for a fault in a text).
    """

    def __init__(self, file_or_name: str | os.PathLike[str]) -> None:
        self._core = _core.load_model(os.fspath(file_or_name))

    @classmethod
    def _of(cls, core: Any) -> Model:
        model = cls.__new__(cls)
        model._core = core
        return model

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Model:
        """Of a file in the language (docs/language.md), never of a shipped model's name."""
        path = os.fspath(path)
        return cls(path if os.path.dirname(path) else os.path.join(os.curdir, path))

    @classmethod
    def parse(cls, text: str, source: str = "<text>") -> Model:
        """Of a text in the language; `source` names it in messages."""
        return cls._of(_core.parse_model(text, source))

    @property
    def name(self) -> str:
        return self._core.name

    @property
    def text(self) -> str:
        """The model in the language, with its current values; parses to an equal model."""
        return self._core.text

    @property
    def hash(self) -> str:
        """A number for the equations, not for the values, in 16 hexadecimal digits."""
        return self._core.hash

    @property
    def states(self) -> list[str]:
        """Names of the states; components of a vector are 'x[0]', 'x[1]', ..."""
        return self._core.states

    @property
    def functionals(self) -> list[str]:
        """Names of the functionals of the path, which observables know (docs/path_functionals.md)."""
        return self._core.functionals

    @property
    def parameters(self) -> dict[str, float]:
        """Values by name, in the order of declaration; components are 'a[0]', 'a[1]', ... and of
        a matrix 'A[0,0]', 'A[0,1]', ..."""
        return {name: value for name, value, *_ in self._core.parameters}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The same as arrays of the shapes of their declarations: () of a number, (3,) of a
        vector, (2, 3) of a matrix."""
        values = np.array([value for _, value, *_ in self._core.parameters])
        return {name: values[first:first + int(np.prod(shape, dtype=int))].reshape(shape)
                for name, first, shape in self._core.parameter_arrays}

    @property
    def free_parameters(self) -> list[str]:
        """Names of those that are not fixed: what responses and fits are about by default."""
        return [name for name, _, _, _, fixed in self._core.parameters if not fixed]

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """The open interval of each parameter."""
        return {name: (lower, upper) for name, _, lower, upper, _ in self._core.parameters}

    @property
    def time_grid(self) -> tuple[float, float, float]:
        """(start, step, end), in the model's unit of time; a map's step is 1."""
        return self._core.time_grid

    @property
    def inputs(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Times and values of each measured input, by its name."""
        return {name: (t, values) for name, t, values in self._core.inputs}

    def with_input(self, name: str, t: ArrayLike, values: ArrayLike) -> Model:
        """A new model with other values of an input: `values` at the ascending times `t`."""
        inputs: dict[str, tuple[ArrayLike, ArrayLike]] = {**self.inputs}
        if name not in inputs:
            raise UsageError(f"The model {self.name} has no input '{name}'; its inputs are: "
                             f"{', '.join(inputs) or 'none'}.")
        inputs[name] = (t, values)
        return Model._of(self._core.with_inputs(list(inputs.values())))

    def set(self, values: Mapping[str, ArrayLike | str] | None = None,
            **more: ArrayLike | str) -> Model:
        """A new model with other values: set(F=8.2), set(a=[1, 2, 3]), set(A=np.eye(2)),
        set({'a[2]': 1}), set(a=0) for all components, and `dt`, `T` and `tamed` for the time grid: its step, its end, and the
        largest displacement by the drift in one step (docs/robust.md), 0 for the drift as it is.
        A text is an expression of the model's own values: set(a='0.5*a', b='2*a + 1').
        Raises UsageError for unknown names, ModelError outside the bounds."""
        pairs: list[tuple[str, str | float]] = []
        given: dict[str, Any] = {**(values or {}), **more}
        for name, value in given.items():
            if np.ndim(value) == 0:
                pairs.append((name, value if isinstance(value, str) else float(value)))
            else:
                pairs += [(f"{name}[{','.join(map(str, index))}]", float(one))
                          for index, one in np.ndenumerate(np.asarray(value))]
        if any(isinstance(value, str) for _, value in pairs):
            return Model._of(self._core.with_settings(
                [(name, value if isinstance(value, str) else repr(value))
                 for name, value in pairs]))
        return Model._of(self._core.with_values(pairs))

    def fix(self, *names: str) -> Model:
        """A new model in which these parameters are left as they are: they get no response and no
        estimate. Names as in set(). Raises UsageError for unknown names."""
        return Model._of(self._core.with_fixed(list(names), True))

    def free(self, *names: str) -> Model:
        """A new model in which these parameters are free, though fixed in the text. Raises
        ModelError where an exact observation depends on one of them."""
        return Model._of(self._core.with_fixed(list(names), False))

    def starting_from(self, samples: ArrayLike) -> Model:
        """A new model whose paths start from rows of an (N, states) array, drawn at random. The
        start is then without a score: scores and responses need noise on every state."""
        return Model._of(self._core.starting_from(samples))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the text to a .sde file, and the weights of each network h to 'NAME.h.npy' beside
        it. Raises UsageError where a file cannot be written."""
        path = os.fspath(path)
        if not path.endswith(".sde"):
            raise UsageError(f"save('{path}'): a model is written to a .sde file.")
        written = self._core.with_weights_written(path)
        _core.write_text(path, written.text)

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors of the parameters, by name, where the model comes from a fit."""
        return self._core.errors

    @property
    def titles(self) -> dict[str, str]:
        """What states, parameters and observations are called in pictures: their labels with the
        units, by name; those without a label are not there."""
        shown = self._core.show()
        names = [*self.states, *(one["name"] for one in shown["parameters"]),
                 *shown.get("observations", [])]
        titles = {name: self._core.title_of(name) for name in names}
        return {name: title for name, title in titles.items() if title != name}

    def show(self) -> dict[str, Any]:
        """What the model is and what its step costs, with the keys of `divker show --json`."""
        return self._core.show()

    def latex(self) -> str:
        """The equations, laws and parameters as lines of an `aligned` display formula."""
        return self._core.latex()

    def __repr__(self) -> str:
        start, step, end = self.time_grid
        values = ", ".join(f"{name} = {value:g}" for name, value in
                           list(self.parameters.items())[:8])
        more = ", ..." if len(self.parameters) > 8 else ""
        return (f"<divker.Model {self.name}: {len(self.states)} states, {values}{more}, "
                f"time {start:g} : {step:g} : {end:g}>")

    def _repr_html_(self) -> str:
        return f"<div>{self._core.mathml()}</div>"

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model) or self.text != other.text:
            return False
        mine, theirs = self._core.samples, other._core.samples
        if mine is None or theirs is None:
            same_samples = mine is theirs
        else:
            same_samples = np.array_equal(mine, theirs)
        return same_samples and all(
            np.array_equal(a, b) for name, arrays in self.inputs.items()
            for a, b in zip(arrays, other.inputs[name]))

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self):
        return restored, (self._core.with_inline_weights().text, self._core.samples,
                          list(self.inputs.values()))

    def _run(self, compute: Callable[[Any, dict], Any], own: dict, run: Mapping[str, Any],
             kind: type) -> list[Any]:
        """compute(core, options) for the model with the options dt, T and samples applied: the
        model as it ran, the values, what a file holds, and what else there is."""
        check_names(run, kind, compute.__name__)
        options = {**own, **run}
        model = self
        grid = {name: options.pop(name) for name in ("dt", "T", "tamed") if name in options}
        if grid:
            model = model.set(**grid)
        samples = options.pop("samples", None)
        if samples is not None:
            model = model.starting_from(samples)
        core, *rest = compute(model._core, options)
        return [Model._of(core), *rest]

    def simulate(self, times: Sequence[float] | None = None, *, keep: bool = True,
                 observed: bool = False, with_fit_errors: bool = False,
                 bands: Sequence[float] | None = None, data: Any = None,
                 time: str | None = None, map: Mapping[str, str] | None = None,
                 **run: Unpack[PathOptions]) -> Simulation | MomentsResult:
        """Paths at the snapshot times (default: the end of the time grid).

        keep=True: the states of all paths, paths * len(times) * states doubles, as a Simulation, and
        the functionals of the path beside them.
        keep=False: means and deviations from sums alone, as a MomentsResult; with `checkpoint`
        the run survives its process.
        observed: what is measured, by the model's observe statements with their noise, instead of
        the states. with_fit_errors: each path has parameters of its own, drawn from the errors of a
        fit (docs/prediction.md). With keep=False, bands: levels of quantiles over the paths; data:
        measurements to hold against them, with `time` and `map` as those of `fit`.
        """
        own = {"times": times, "keep": keep, "observed": observed,
               "with_fit_errors": with_fit_errors,
               "bands": None if bands is None else list(bands),
               "data": None if data is None else tables_of(data, time)[0], "time": time,
               "map": map}
        answer = self._run(_core.simulate, own, run, PathOptions)
        return Simulation(*answer) if keep else MomentsResult(*answer)

    def sample(self, n: int = 100_000, **run: Unpack[RunOptions]) -> np.ndarray:
        """(n, states): samples of the law at the end of the time grid; paths that failed are
        left out."""
        run["paths"] = n
        return self.simulate(**run).x

    def density(self, at: ArrayLike | str | None = None, *,
                marginal: str | Iterable[str] | None = None, grid: int | None = None,
                time: float | None = None, times: Sequence[float] | None = None,
                cdf: bool = False, quantile: float | Sequence[float] | None = None,
                wrt: str | Iterable[str] | None = None, stationary: bool = False,
                spinup: float | None = None, length: float | None = None,
                richardson: bool = False, ignore_time_step: bool = False,
                checkpoint: str | os.PathLike[str] | None = None,
                checkpoint_every: float | None = None, **run: Unpack[DampedOptions]
                ) -> DensityResult:
        """The density of the law, or of a marginal of one state or two, without a bandwidth
        (docs/density.md).

        at: (m,) or (m, 2), or a file; default a grid of the law's own, `grid` points along each
        state. marginal: 'x[3]' or ['x[3]', 'x[4]']. cdf: the distribution function at the points;
        quantile: a level in (0, 1), or several, such as 0.05 for value at risk; wrt: parameters
        that both respond to. stationary: of the stationary law. The bias of dt is in `stderr`;
        richardson=True takes it off, ignore_time_step=True does neither.
        """
        if at is not None and not isinstance(at, (str, os.PathLike)):
            at = np.asarray(at, dtype=float)
            at = at[:, None] if at.ndim == 1 else at
        own = {"at": at, "marginal": marginal, "grid": grid, "time": time, "times": times,
               "cdf": cdf, "quantile": None if quantile is None else np.atleast_1d(quantile).tolist(),
               "wrt": wrt, "stationary": stationary, "spinup": spinup, "length": length,
               "richardson": richardson, "ignore_time_step": ignore_time_step,
               "checkpoint": checkpoint, "checkpoint_every": checkpoint_every}
        return DensityResult(*self._run(_core.density, own, run, DampedOptions))

    def score(self, at: ArrayLike | str | None = None, *, grid: int = 9, stationary: bool = False,
              window: float | None = None, spinup: float | None = None,
              length: float | None = None, fokker_planck: bool = False,
              richardson: bool = False, ignore_time_step: bool = False,
              **run: Unpack[PointOptions]) -> PointResult:
        """grad log h at points: at (m, states), or a file; default a grid for one state.

        stationary=True: of the stationary density, from long paths (docs/stationary.md), with
        `spinup` and `length` in the model's unit of time; chosen by default. fokker_planck=True
        adds `exact` and `log_density` from the equation of that name (one state). The bias of dt
        is in `stderr`; richardson=True takes it off the score, ignore_time_step=True does neither.
        Cost: paths * steps, and a pilot for alpha='auto'.
        """
        own = {"at": at, "grid": grid, "stationary": stationary, "window": window,
               "spinup": spinup, "length": length, "fokker_planck": fokker_planck,
               "richardson": richardson, "ignore_time_step": ignore_time_step}
        return PointResult(*self._run(_core.score, own, run, PointOptions))

    def response(self, *, wrt: str | Iterable[str] | None = None,
                 at: ArrayLike | str | None = None, observable: str | None = None, grid: int = 9,
                 stationary: bool = False, window: float | None = None,
                 spinup: float | None = None, length: float | None = None,
                 method: str | None = None, fd_step: float | None = None,
                 to: Mapping[str, float] | None = None, nodes: int | None = None,
                 kick: str | None = None, lags: Iterable[float] | str | None = None,
                 frequencies: Iterable[float] | None = None,
                 forcing: Any = None,
                 period: float | None = None, phase: float | None = None,
                 fokker_planck: bool = False, richardson: bool = False,
                 ignore_time_step: bool = False, with_fit_errors: bool = False,
                 **run: Unpack[PointOptions]
                 ) -> PointResult | ObservableResult | ChangeResult | ResponseFunction:
        """d log h / d parameter at points, or d E[observable] / d parameter.

        wrt: names (default: all that are not fixed). at: (m, states), or a file. observable: an
        expression such as 'x^2'. stationary: of the stationary law, with `window`, `spinup` and
        `length`. method: 'divergence-kernel', 'likelihood-ratio', 'path-kernel',
        'finite-difference' (with `fd_step`) or 'auto'. to={'F': 9}: the change over a finite
        distance, with `nodes` of the quadrature.
        kick='F': the effect on E[observable] after the `lags` (an array, or '0:0.1:10') of a unit
        impulse in F at the start, or at any time of the stationary law; then with `frequencies` of
        the susceptibility, and `forcing`, a table of t and the change of F: (m, 2), or a file;
        `period` and `phase` of a law of seasons (with `spinup`)
        (docs/response_functions.md).
        The bias of dt is in `stderr`; richardson=True takes it off the response,
        ignore_time_step=True does neither. with_fit_errors: what the errors of the fitted model's
        parameters add is in `stderr` too, and told in `fit_error` (docs/prediction.md).
        """
        own = {"wrt": wrt, "at": at, "observable": observable, "grid": grid,
               "with_fit_errors": with_fit_errors, "stationary": stationary, "window": window, "spinup": spinup, "length": length,
               "method": method, "fd_step": fd_step, "to": to, "nodes": nodes,
               "kick": kick, "lags": lags if lags is None or isinstance(lags, str)
               else ",".join(repr(float(lag)) for lag in lags),
               "frequencies": None if frequencies is None else list(frequencies),
               "period": period, "phase": phase,
               "forcing": None if forcing is None else tables_of(forcing, None)[0],
               "fokker_planck": fokker_planck, "richardson": richardson,
               "ignore_time_step": ignore_time_step}
        answer = self._run(_core.response, own, run, PointOptions)
        if to is not None:
            return ChangeResult(*answer)
        if kick is not None:
            return ResponseFunction(*answer)
        return ObservableResult(*answer) if observable else PointResult(*answer)

    def fit(self, data: Any, *, time: str | None = None, map: Mapping[str, str] | None = None,
            group: str | None = None, stationary: bool = False, series: bool = False,
            substeps: int | None = None, sparse: str | Iterable[str] | None = None,
            fdr: float | None = None, derived: str | Iterable[str] | None = None,
            match: str = "centred",
            optimizer: str | None = None, divergence: str = "kl", features: int = 300,
            iterations: int = 50, starts: int = 1,
            tolerance: float = 0.1, rate: float | None = None, window: float | None = None,
            richardson: bool = False, ignore_time_step: bool = False,
            checkpoint: str | os.PathLike[str] | None = None,
            checkpoint_every: float | None = None, **run: Unpack[AnswerOptions]) -> FitResult:
        """The parameters that are not fixed, from snapshots of a population (docs/fit.md).

        data: a table, or a list of tables: an (N, states) array, a dictionary or data frame of
        columns, a file, a pair (table, time), or (table, 'stationary'). Without a time it is that
        of the end of the grid. time: the column with the time of each row. map: {state: column}.
        group: the column with the individuals, numbers or texts. series: the rows of each individual
        are a time series, fitted by its transitions (docs/series.md), with `paths` and `substeps`
        for each. sparse: parameters that may be zero, names or patterns ("A[i,j]"); those that the
        data do not tell from zero at the false discovery rate fdr (0.05) are set to it, see
        `structure` of the result and docs/structure.md. derived: expressions of the parameters, such
        as "index = 1 + 2/c^2", told with their standard errors in `derived`. Columns that are nothing in the
        model are left out, whatever they hold; `remarks` names them, and says what files were taken
        for. The model's values are the start. A fit that does not converge says so in `converged`
        and `reason`. optimizer: 'newton', 'dual', 'adam' or 'gd'; by default newton, and dual for
        another divergence than 'kl' and for more parameters than the law has features. divergence:
        'kl', 'reverse-kl', 'jensen-shannon', 'chi-square' or 'hellinger'. `progress` is called with
        iterations done, and at most. window: the time before a snapshot over which responses are
        accumulated, chosen by default, half the grid for stationary data. The bias of dt is in `stderr`; richardson=True takes it off the estimates,
        ignore_time_step=True does neither. Raises ModelError for texts where numbers are needed and for columns that seem
        slips, UsageError for options that name no column.
        """
        tables, of_stationary = tables_of(data, time)
        own = {"tables": tables, "time": time, "map": map,
               "group": group, "stationary": stationary or of_stationary,
               "series": series or None, "substeps": substeps,
               "sparse": sparse, "fdr": fdr, "derived": derived, "match": match,
               "optimizer": optimizer, "divergence": divergence, "features": features,
               "iterations": iterations, "starts": starts,
               "tolerance": tolerance, "rate": rate, "window": window,
               "richardson": richardson, "ignore_time_step": ignore_time_step,
               "checkpoint": checkpoint, "checkpoint_every": checkpoint_every}
        if series:  # what only snapshots have is asked for where it is not the default
            usual = {"match": "centred", "divergence": "kl", "features": 300, "starts": 1,
                     "tolerance": 0.1}
            own.update({name: None for name, value in usual.items() if own[name] == value})
        return FitResult(*self._run(_core.fit, own, run, AnswerOptions))

    def likelihood(self, data: Any, *, time: str | None = None, map: Mapping[str, str] | None = None,
                   group: str | None = None, ignore_time_step: bool = False,
                   **run: Unpack[DampedOptions]) -> LikelihoodResult:
        """The log-likelihood of snapshots of a population under the model as it stands, with its
        Monte-Carlo error, AIC and BIC (docs/prediction.md).

        data, time, map, group: as those of `fit`. Observations with noise in any number, or one or
        two states without.
        """
        own = {"data": tables_of(data, time)[0], "time": time, "map": map, "group": group,
               "ignore_time_step": ignore_time_step}
        return LikelihoodResult(*self._run(_core.likelihood, own, run, DampedOptions))

    def diagnose(self, *, wrt: str | Iterable[str] | None = None, observable: str | None = None,
                 at: ArrayLike | str | None = None, grid: int = 9, **run: Unpack[PointOptions]
                 ) -> Diagnosis:
        """Can the answers be trusted, and is this the method to use? (docs/diagnose.md)

        `paths` (20,000) is for each of its runs. Arguments as those of `response`.
        """
        own = {"wrt": wrt, "at": at, "observable": observable, "grid": grid}
        return Diagnosis(*self._run(_core.diagnose, own, run, PointOptions))

    def residuals(self, data: Any, *, time: str, group: str | None = None,
                  map: Mapping[str, str] | None = None, **run: Unpack[SeriesOptions]
                  ) -> SeriesResiduals:
        """Is the model right about a time series? (docs/forecast.md)

        Each row is predicted from the one before. data, time, group, map: as those of `fit`.
        """
        own = {"data": tables_of(data, time)[0], "time": time, "group": group, "map": map}
        return SeriesResiduals(*self._run(_core.residuals, own, run, SeriesOptions))

    def forecast(self, data: Any, *, time: str, ahead: float | Sequence[float],
                 quantiles: Sequence[float] | None = None, held_out: float = 0.0,
                 group: str | None = None, map: Mapping[str, str] | None = None,
                 **run: Unpack[SeriesOptions]) -> Forecast:
        """The law of the states at times `ahead` of the last row of each individual
        (docs/forecast.md).

        data, time, group, map: as those of `fit`. quantiles: levels, ascending. held_out: share of
        the rows, the last of each individual, against which forecasts are scored.
        """
        own = {"data": tables_of(data, time)[0], "time": time, "group": group, "map": map,
               "ahead": np.atleast_1d(ahead).tolist(),
               "quantiles": None if quantiles is None else list(quantiles),
               "held_out": held_out or None}
        return Forecast(*self._run(_core.forecast, own, run, SeriesOptions))

    def ensemble(self, times: Sequence[float] | None = None, *,
                 wrt: str | Iterable[str] | None = None, score: bool = True,
                 **run: Unpack[DampedOptions]) -> EnsembleResult:
        """Paths with their covectors nu and integrals I (of `wrt`, none by default) at the times:
        paths * len(times) * (2 states + len(wrt)) doubles."""
        own = {"times": times, "wrt": wrt, "score": score}
        return EnsembleResult(*self._run(_core.ensemble, own, run, DampedOptions))


def restored(text: str, samples: np.ndarray | None,
             inputs: Sequence[tuple[np.ndarray, np.ndarray]] = ()) -> Model:
    """What pickle makes a model of."""
    core = _core.parse_model_with_inputs(text, list(inputs))
    return Model._of(core if samples is None else core.with_samples(samples))


def as_model(model: Model | str | os.PathLike[str]) -> Model:
    return model if isinstance(model, Model) else Model(model)


def free(method: Callable[Concatenate[Model, Parameters], Answer]
         ) -> Callable[Concatenate[Model | str, Parameters], Answer]:
    """The method as a function of a model, a shipped model's name or a file."""
    @functools.wraps(method)
    def function(model: Model | str, *args: Parameters.args, **named: Parameters.kwargs) -> Answer:
        return method(as_model(model), *args, **named)
    function.__qualname__ = method.__name__
    return function


def compare(models: Mapping[str, Model] | Sequence[Model | str], data: Any, *,
            time: str | None = None, map: Mapping[str, str] | None = None,
            group: str | None = None, ignore_time_step: bool = False, nested: bool = False,
            **run: Unpack[DampedOptions]) -> Comparison:
    """Models ranked by their likelihoods of the same data (docs/prediction.md).

    models: {name: model}, or a list. nested: the first of two is the second one with some
    parameters held, which a likelihood-ratio test then asks for.
    """
    if isinstance(models, Mapping):
        named = {name: as_model(one) for name, one in models.items()}
    else:
        every = [as_model(one) for one in models]
        names = [one.name for one in every]
        named = {name if names.count(name) == 1 else f"{name} {k + 1}": one
                 for k, (name, one) in enumerate(zip(names, every))}
    check_names(run, DampedOptions, "compare")
    options = {"data": tables_of(data, time)[0], "time": time, "map": map, "group": group,
               "ignore_time_step": ignore_time_step, "nested": nested, **run}
    core, *rest = _core.compare([(name, one._core) for name, one in named.items()], options)
    return Comparison(Model._of(core), *rest)


simulate = free(Model.simulate)
sample = free(Model.sample)
density = free(Model.density)
score = free(Model.score)
response = free(Model.response)
fit = free(Model.fit)
likelihood = free(Model.likelihood)
diagnose = free(Model.diagnose)
residuals = free(Model.residuals)
forecast = free(Model.forecast)
ensemble = free(Model.ensemble)


def models() -> dict[str, str]:
    """Names of the shipped models, and what they are."""
    return {name: summary for name, _, summary in _core.shipped_models()}
