"""Models from expressions, when a text will not do: sizes computed, terms made in loops.

    m = divker.builder("ou")
    a = m.param("a", 1.0)
    s = m.param("s", 1.0, lower=0)
    x = m.state("x")
    dW = m.noise("W")
    m.d(x, -a * x, s * dW)                 # dx = -a x dt + s dW
    m.init(x, divker.normal(0, 1))
    m.time(0, 0.01, 1)
    model = m.build()
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike

from . import _core
from .errors import UsageError
from .model import Model

Expression = _core.Expression
Number = float | Expression


class NoiseTerm(NamedTuple):
    """amplitude * d(Brownian motion)."""

    amplitude: Number
    name: str


class Brownian:
    """The differential of one Brownian motion; a map's standard normal number."""

    __array_ufunc__ = None  # NumPy's scalars leave the product to this class

    def __init__(self, name: str) -> None:
        self.name = name

    def __mul__(self, amplitude: Number) -> NoiseTerm:
        return NoiseTerm(amplitude, self.name)

    __rmul__ = __mul__

    def __neg__(self) -> NoiseTerm:
        return NoiseTerm(-1.0, self.name)

    def __repr__(self) -> str:
        return f"d{self.name}"


class Vector(Sequence):
    """Components of a state, a parameter or a noise. With periodic=True indices wrap."""

    def __init__(self, name: str, components: Iterable, periodic: bool = False) -> None:
        self.name = name
        self._components = list(components)
        self._periodic = periodic

    def __len__(self) -> int:
        return len(self._components)

    def __iter__(self):
        return iter(self._components)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self._components[index]
        size = len(self._components)
        if self._periodic:
            return self._components[index % size]
        if not 0 <= index < size:
            raise IndexError(f"{self.name}[{index}]: the components are {self.name}[0] to "
                             f"{self.name}[{size - 1}].")
        return self._components[index]

    def __repr__(self) -> str:
        return f"<{self.name}[0] ... {self.name}[{len(self) - 1}]>"


class InitialLaw(NamedTuple):
    kind: str
    a: Number
    b: Number


def normal(mean: Number, deviation: Number) -> InitialLaw:
    """The initial law with this mean and standard deviation: numbers, or expressions of
    parameters."""
    return InitialLaw("normal", mean, deviation)


def lognormal(mu: Number, deviation: Number) -> InitialLaw:
    """The law of exp(z), z normal with mean mu and this standard deviation."""
    return InitialLaw("lognormal", mu, deviation)


class Builder:
    """A model in the making, about as many lines as it has equations. Names are those of the
    language (docs/language.md); `build` checks everything and raises ModelError."""

    def __init__(self, name: str, *, map: bool = False) -> None:
        self._core = _core.Builder(name, map)
        self.t = self._core.time_variable()

    def param(self, name: str, value: float | Sequence[float], *, lower: float = -math.inf,
              upper: float = math.inf, fixed: bool = False) -> Expression | Vector:
        """A parameter inside the open interval (lower, upper), or a vector of some if there are
        several values; fixed ones are neither differentiated nor fitted."""
        if np.ndim(value) == 0:
            return self._core.parameter(name, float(cast(float, value)), lower, upper, fixed)
        values = [float(one) for one in cast(Sequence[float], value)]
        return Vector(name, self._core.parameters(name, values, lower, upper, fixed))

    def state(self, name: str, size: int | None = None, *, periodic: bool = False,
              positive: bool = False, lower: float = -math.inf,
              upper: float = math.inf) -> Expression | Vector:
        """A state, or a vector of `size` of them, whose indices wrap if it is periodic. One with a
        range (lower, upper) is stepped so that paths stay inside (docs/robust.md); `positive` says
        (0, inf)."""
        if positive:
            lower = max(lower, 0.0)
        if size is None:
            return self._core.state(name, lower, upper)
        return Vector(name, self._core.states(name, size, periodic, lower, upper), periodic)

    def input(self, name: str, t: ArrayLike, values: ArrayLike, *, step: bool = False,
              hold: bool = False) -> Expression:
        """A measured function of time: `values` at the ascending times `t`, linear in between or,
        with step=True, constant from each time on. The model's time lies within `t`, unless
        hold=True keeps the first and the last value beyond."""
        return self._core.input(name, t, values, step, hold)

    def noise(self, name: str, size: int | None = None) -> Brownian | Vector:
        """dW of an independent Brownian motion W, or of `size` of them."""
        if size is None:
            return Brownian(name)
        return Vector(f"d{name}", [Brownian(f"{name}[{i}]") for i in range(size)])

    def d(self, state: Expression, drift: Number, *noise: NoiseTerm | Brownian) -> None:
        """dx = drift dt + amplitude * dW + ...; terms of several calls add up. Of a map: x'."""
        for term in noise:
            if not isinstance(term, (NoiseTerm, Brownian)):
                raise UsageError(f"d({state!r}): {term!r} is no noise; write amplitude * dW with "
                                 "dW = m.noise('W').")
        self._core.drift(state, drift)
        for term in noise:
            amplitude, name = (1.0, term.name) if isinstance(term, Brownian) else term
            self._core.noise(state, name, amplitude)

    def let(self, name: str, value: Number | Sequence[Number]) -> Number | Sequence[Number]:
        """A name for an expression, or for several, in observables. Returns the value."""
        self._core.let(name, [value] if isinstance(value, (int, float, Expression)) else
                       list(value))
        return value

    def init(self, state: Expression | Vector, law: InitialLaw | Number) -> None:
        """The initial law: normal(mean, deviation), lognormal(mu, deviation), or a point. For a
        vector it is that of every component."""
        for one in state if isinstance(state, Vector) else [state]:
            if not isinstance(law, InitialLaw):
                self._core.initial_point(one, law)
            elif law.kind == "normal":
                self._core.initial_normal(one, law.a, law.b)
            else:
                self._core.initial_lognormal(one, law.a, law.b)

    def observe(self, name: str, value: Number, deviation: Number | None = None) -> None:
        """What is measured: exactly, or with normal noise of this standard deviation."""
        if deviation is None:
            self._core.observe(name, value)
        else:
            self._core.observe_normal(name, value, deviation)

    def path(self, name: str, kind: str, followed: Number) -> Expression:
        """A functional of the path for observables: kind 'max', 'min' or 'integral' of an
        expression, or 'first', the first time at which it is above zero (docs/path_functionals.md).
        Components of a vector are 'm[0]', 'm[1]', ... in this order."""
        return self._core.path(name, kind, followed)

    def time(self, start: float, step: float, end: float, *, tamed: float = 0.0) -> None:
        """The time grid; a map's step is 1. With tamed > 0 the drift moves no state further than
        that in one step (docs/robust.md); True is 1."""
        self._core.time(start, step, end, float(tamed))

    def build(self) -> Model:
        """The finished model. Raises ModelError where something is missing or does not fit."""
        return Model._of(self._core.build())


def builder(name: str, *, map: bool = False) -> Builder:
    """Begins a model of an SDE, or of a discrete-time map."""
    return Builder(name, map=map)


def _function(name: str, of_number):
    apply = _core.functions[name]

    def function(x: Number) -> Number:
        return apply(x) if isinstance(x, Expression) else of_number(x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name}(x) of an expression, or of a number."
    return function


sin = _function("sin", math.sin)
cos = _function("cos", math.cos)
tan = _function("tan", math.tan)
exp = _function("exp", math.exp)
log = _function("log", math.log)
sqrt = _function("sqrt", math.sqrt)
tanh = _function("tanh", math.tanh)
sinh = _function("sinh", math.sinh)
cosh = _function("cosh", math.cosh)
atan = _function("atan", math.atan)
erf = _function("erf", math.erf)
erfc = _function("erfc", math.erfc)
expm1 = _function("expm1", math.expm1)
log1p = _function("log1p", math.log1p)
asinh = _function("asinh", math.asinh)
abs = _function("abs", math.fabs)


def minimum(a: Number, b: Number) -> Number:
    """The smaller of two expressions or numbers."""
    if isinstance(a, Expression):
        return _core.minimum(a, b)
    return _core.minimum(b, a) if isinstance(b, Expression) else min(a, b)


def maximum(a: Number, b: Number) -> Number:
    """The larger of two expressions or numbers."""
    if isinstance(a, Expression):
        return _core.maximum(a, b)
    return _core.maximum(b, a) if isinstance(b, Expression) else max(a, b)


def sum(terms: Iterable[Number]) -> Number:
    """The sum of expressions and numbers, balanced: faster than adding one by one."""
    expressions: list[Expression] = []
    constant = 0.0
    for term in terms:
        if isinstance(term, Expression):
            expressions.append(term)
        else:
            constant += term
    total: Number = _core.sum_of(expressions) if expressions else 0.0
    return total if constant == 0.0 else total + constant
