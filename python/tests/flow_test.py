"""The probability flow and the reversed process lead from one law of the process to another."""

import unittest

import divker
import numpy as np
from divker import _core
from support import TestCase

# Two wells and a rotation: two dimensions, noise that varies in space and is correlated.
WELLS = """
model wells
param s = 0.7 in (0, inf)
state x, y
dx = (x - x^3 + 0.5*y) dt + s dU
dy = (-0.5*x - y) dt + 0.3 dU + s*sqrt(1 + 0.2*sin(x)^2) dW
init x ~ normal(0.3, 0.5)
init y ~ normal(0, 0.5)
time 0 : 0.01 : 1
"""


class Fields(TestCase):
    def test_against_the_formulas(self):
        x = np.random.default_rng(1).normal(size=(5, 2))
        fields = _core.Fields(divker.Model.parse(WELLS)._core)
        s, q = 0.7, 1 + 0.2 * np.sin(x[:, 0]) ** 2
        np.testing.assert_allclose(fields.drift(0, x), np.column_stack(
            [x[:, 0] - x[:, 0] ** 3 + 0.5 * x[:, 1], -0.5 * x[:, 0] - x[:, 1]]))
        noise = fields.noise(0, x)
        covariance = np.einsum("mik,mjk->mij", noise, noise)
        np.testing.assert_allclose(fields.covariance(0, x), covariance, rtol=1e-14)
        np.testing.assert_allclose(covariance[:, 1, 1], 0.09 + s ** 2 * q)
        # D_yy does not depend on y, nor D_xy on anything.
        np.testing.assert_allclose(fields.divergence(0, x), 0 * x, atol=1e-14)
        gbm = _core.Fields(divker.Model.parse(
            "model g\nstate x\ndx = 0 dt + 0.5*x dW\ninit x ~ lognormal(0, 1)\ntime 0 : 0.1 : 1\n"
        )._core)
        np.testing.assert_allclose(gbm.divergence(0, [[2.0]]), [[0.5 * 2.0]])

    def test_maps_are_refused(self):
        with self.assertRaisesRegex(divker.UsageError, "has no drift"):
            _core.Fields(divker.Model("tent")._core)


class ExactScore(TestCase):
    """Ornstein and Uhlenbeck: variance v(t) and score -x / v(t) are known."""

    @staticmethod
    def score(t, x):
        return -x / (np.exp(-2 * t) * 4 + (1 - np.exp(-2 * t)) / 2)

    def test_the_flow_scales_points(self):
        ends = [4.0, np.exp(-2.0) * 4 + (1 - np.exp(-2.0)) / 2]
        x = np.array([[-2.0], [0.5], [3.0]])
        there = divker.probability_flow(self.score, x, model="ou")
        np.testing.assert_allclose(there, x * np.sqrt(ends[1] / ends[0]), rtol=1e-4)
        back = divker.probability_flow(self.score, there, model="ou", start=1, end=0)
        np.testing.assert_allclose(back, x, rtol=1e-4)
        # Heun's method: half the step, a quarter of the error.
        errors = [np.abs(divker.probability_flow(self.score, x, model="ou", steps=n)
                         - x * np.sqrt(ends[1] / ends[0])).max() for n in (10, 20, 40)]
        self.assertTrue(3 < errors[0] / errors[1] < 5.5 and 3 < errors[1] / errors[2] < 5, errors)

    def test_reversed_time_restores_the_variance(self):
        n = 40_000
        end = np.random.default_rng(3).normal(size=(n, 1)) * np.sqrt(
            np.exp(-2.0) * 4 + (1 - np.exp(-2.0)) / 2)
        start = divker.reverse_time(self.score, end, model="ou", steps=200)
        # Sampling, and the first order of Euler's method in the step 1/200.
        self.assertLess(abs(start.var() - 4), 4.5 * 4 * np.sqrt(2 / n) + 0.05)
        self.assertLess(abs(start.mean()), 4.5 * 2 / np.sqrt(n) + 0.01)

    def test_lost_points_are_named(self):
        cubic = divker.Model.parse("model c\nstate x\ndx = -x^3 dt + 1 dW\ninit x ~ normal(0, 1)\n"
                                   "time 0 : 0.1 : 2\n")
        with np.errstate(all="ignore"), self.assertRaisesRegex(
                divker.NumericalError, "^1 of 2 points are not finite at t = .*, point 1 first"):
            divker.reverse_time(lambda t, x: 0 * x, [[0.0], [9.0]], model=cubic)

    def test_a_function_needs_a_model(self):
        for move in (divker.reverse_time, divker.probability_flow):
            with self.assertRaisesRegex(divker.UsageError, "knows no model; give `model`"):
                move(lambda t, x: -x, [[1.0]])

    def test_directions(self):
        with self.assertRaisesRegex(divker.UsageError, "not before"):
            divker.reverse_time(self.score, [[1.0]], model="ou", start=0, end=1)
        with self.assertRaisesRegex(divker.UsageError, "starts and ends"):
            divker.probability_flow(self.score, [[1.0]], model="ou", start=1, end=1)


class RegressedScore(TestCase):
    def test_both_reach_the_law_of_the_paths_in_two_dimensions(self):
        model = divker.Model.parse(WELLS)
        score = divker.score_function(model, snapshots=10, paths=2000, seed=11, alpha=3)
        self.assertIn("10 times", repr(score))
        n = 500
        paths = model.simulate([0.1, 1.0], paths=n, seed=5)
        early, late = paths.arrays
        forward = divker.probability_flow(score, early, start=0.1, end=1, steps=9)
        backward = divker.reverse_time(score, late, start=1, end=0.1, steps=18)
        for found, law in ((forward, late), (backward, early)):
            # Two samples: 4.5 standard errors of each moment, and 0.04 for the regression and the
            # steps, which the moments of Gaussian scores above leave no room for.
            spread = law.std(axis=0)
            self.assertTrue((np.abs(found.mean(axis=0) - law.mean(axis=0))
                             < 4.5 * spread * np.sqrt(2 / n) + 0.04).all())
            self.assertTrue((np.abs(found.var(axis=0) / law.var(axis=0) - 1)
                             < 4.5 * np.sqrt(4 / n) + 0.08).all(),
                            found.var(axis=0) / law.var(axis=0))
        # The wells: fourth moments tell two humps from a Gaussian.
        kurtosis = [np.mean((one[:, 0] - one[:, 0].mean()) ** 4) / one[:, 0].var() ** 2
                    for one in (forward, late)]
        self.assertLess(abs(kurtosis[0] - kurtosis[1]), 0.25)
        self.assertLess(kurtosis[1], 2.6)


if __name__ == "__main__":
    unittest.main()
