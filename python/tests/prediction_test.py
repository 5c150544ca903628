"""Predictions, likelihoods and comparisons from Python: what the command says, as arrays."""

import unittest

import divker
import numpy as np
from support import TestCase

COOLING = """
model cooling
param a = 1 in (0, inf)
param m = 0.5
state x
dx = a*(m - x) dt + 0.6 dW
init x ~ normal(2, 0.5)
observe y ~ normal(x, 0.2)
time 0 : 0.05 : 2
"""
ERRORS = "estimated a +- 0.2\nestimated m +- 0.1 correlations [0.5]\n"


class Predictions(TestCase):
    def setUp(self):
        super().setUp()
        self.model = divker.Model.parse(COOLING + ERRORS)
        self.file = self.folder / "cooling.sde"
        self.model.save(self.file)

    def test_errors_travel(self):
        self.assertEqual(self.model.errors, {"a": 0.2, "m": 0.1})
        self.assertEqual(divker.Model(self.file), self.model)
        self.assertEqual(self.model.set(a=1).errors, {"m": 0.1})
        fit = divker.Model.parse(COOLING).fit(
            {"y": self.model.simulate(observed=True, paths=80).x[:, 0]}, paths=2000)
        known = {name: error for name, error in zip(fit.parameters, fit.stderr)
                 if np.isfinite(error)}
        self.assertEqual(set(fit.model.errors), set(known))
        for name, error in known.items():
            self.assertAlmostEqual(fit.model.errors[name] / error, 1.0, places=9)

    def test_expressions(self):
        moved = self.model.set(a="2*a", m="a + m", T="T/2")
        self.assertEqual(moved.parameters, {"a": 2.0, "m": 1.5})
        self.assertEqual(moved.time_grid[2], 1.0)
        with self.assertRaisesRegex(divker.UsageError, "q"):
            self.model.set(a="2*q")

    def test_as_the_command(self):
        run = {"paths": 500}
        self.assert_as_command(
            self.model.simulate([1, 2], keep=False, observed=True, with_fit_errors=True,
                                bands=[0.1, 0.9], **run),
            "simulate", self.file, "--times", "1,2", "--observed", "--with-fit-errors", "--bands",
            "0.1,0.9", "--paths", 500)
        self.assert_as_command(
            self.model.response(observable="x", with_fit_errors=True, **run),
            "response", self.file, "--observable", "x", "--with-fit-errors", "--paths", 500)
        data = self.folder / "data.csv"
        self.model.simulate([1, 2], observed=True, paths=30).save(data)
        found = self.model.likelihood(str(data), time="t", paths=20_000)
        self.assert_as_command(found, "likelihood", self.file, "--data", data, "--time", "t",
                               "--paths", 20_000)
        self.assertEqual(found.each.shape, (60,))
        self.assertAlmostEqual(found.each.sum(), found.log_likelihood, places=9)

    def test_paths_have_their_own_parameters(self):
        plain = self.model.simulate(paths=4000)
        drawn = self.model.simulate(paths=4000, with_fit_errors=True)
        self.assertEqual(drawn.x.shape, (4000, 1))
        self.assertGreater(drawn.x.var(), plain.x.var() + 0.002)
        self.assertEqual(drawn.model, self.model)

    def test_compare(self):
        data = {"y": self.model.simulate(observed=True, paths=60, seed=3).x[:, 0]}
        off = self.model.set(m=1.0)
        ranked = divker.compare({"off": off, "right": self.model}, data, paths=20_000)
        self.assertEqual([one["name"] for one in ranked.models], ["right", "off"])
        self.assertAlmostEqual(sum(one["weight"] for one in ranked.models), 1.0)
        self.assertIn("right", repr(ranked))
        with self.assertRaisesRegex(divker.UsageError, "two models"):
            divker.compare([self.model], data)


if __name__ == "__main__":
    unittest.main()
