"""Sensitivities of densities of stochastic differential equations.

    import divker

    model = divker.Model("lorenz96")                      # a shipped model, a file or a text
    answer = model.response(observable="x[0]^2", paths=10_000)
    print(answer)                                         # d E[x_0^2] / d F, with standard errors

A model says how a density evolves, `score` and `response` differentiate its logarithm in the state
and in the parameters, `fit` finds the parameters of a population from snapshots. Results hold NumPy
arrays and standard errors. The functions of this module take a model, its name or its file as the
first argument; they are the methods of `Model`. `divker.plot` draws, `divker.builder` makes models
from expressions, `divker.probability_flow` moves samples by a score.
"""

from ._core import version as __version__
from .builder import (Builder, Expression, abs, asinh, atan, builder, cos, cosh, erf, erfc, exp,
                      expm1, log, log1p, lognormal, maximum, minimum, normal, sin, sinh, sqrt, sum,
                      tan, tanh)
from .errors import DivkerWarning, Error, LanguageError, ModelError, NumericalError, UsageError
from .flow import ScoreFunction, probability_flow, reverse_time, score_function
from .model import (Model, compare, density, diagnose, ensemble, fit, forecast, likelihood, models,
                    residuals, response, sample, score, simulate)
from .results import (ChangeResult, Comparison, DensityResult, Diagnosis, EnsembleResult, FitResult,
                      Forecast, LikelihoodResult, MomentsResult, ObservableResult, PointResult,
                      ResponseFunction, Result, SeriesResiduals, Simulation)

__all__ = [
    "Builder", "ChangeResult", "Comparison", "LikelihoodResult", "compare", "likelihood",
    "DensityResult", "Diagnosis", "DivkerWarning", "EnsembleResult", "Error", "Expression", "FitResult",
    "Forecast", "SeriesResiduals", "forecast", "residuals",
    "LanguageError", "Model", "ModelError", "MomentsResult", "NumericalError", "ObservableResult",
    "PointResult", "ResponseFunction", "Result", "ScoreFunction", "Simulation", "UsageError", "__version__", "abs",
    "asinh", "atan", "builder", "cos", "cosh", "density", "diagnose", "ensemble", "erf", "erfc",
    "exp", "expm1", "fit", "log", "log1p", "lognormal", "maximum", "minimum", "models", "normal", "probability_flow", "response",
    "reverse_time", "sample", "score", "score_function", "simulate", "sin", "sinh", "sqrt", "sum",
    "tan", "tanh",
]


def __getattr__(name):
    # NOTE: matplotlib takes a second to import, and most calls draw nothing.
    if name == "plot":
        import importlib
        return importlib.import_module(".plot", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
