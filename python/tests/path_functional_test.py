"""Functionals of the path in Python: the same model by text and by builder, arrays, responses."""

import math
import tempfile
import unittest

import divker
import numpy as np
from support import TestCase

TEXT = """
model brownian
param m = 0.3
param s = 0.8 in (0, inf)
state x
dx = m dt + s dW
init x = 0
path high = max(x)
path tau = first(x > 0.5)
time 0 : 0.125 : 1
"""


def built():
    b = divker.builder("brownian")
    m = b.param("m", 0.3)
    s = b.param("s", 0.8, lower=0)
    x = b.state("x")
    b.d(x, m, s * b.noise("W"))
    b.init(x, 0)
    b.path("high", "max", x)
    b.path("tau", "first", x - 0.5)
    b.time(0, 0.125, 1)
    return b.build()


class PathFunctionals(TestCase):
    def test_builder_and_text_make_one_model(self):
        model = divker.Model.parse(TEXT)
        self.assertEqual(model.hash, built().hash)
        self.assertEqual(model.functionals, ["high", "tau"])
        with self.assertRaisesRegex(divker.UsageError, "kinds are max, min, integral and first"):
            divker.builder("b").path("m", "median", divker.builder("b").t)

    def test_paths_carry_them(self):
        run = built().simulate([0.5, 1], paths=400)
        self.assertEqual(run.functionals[0].shape, (400, 2))
        high, tau = run.path("high"), run.path("tau")
        self.assertTrue(np.all(high >= np.maximum(run.x[:, 0], 0)))
        self.assertTrue(np.all(run.functionals[0][:, 0] <= high))
        self.assertTrue(np.all(np.isinf(tau[high <= 0.5 - 0.8])))
        self.assertTrue(0 < np.mean(np.isinf(tau)) < 1)
        names, rows = run.table()
        self.assertEqual(names, ["t", "x", "high", "tau"])
        self.assertEqual(rows.shape, (800, 4))
        with tempfile.TemporaryDirectory() as folder:
            run.save(f"{folder}/paths.csv")

    def test_means_and_responses(self):
        model = built()
        moments = model.simulate(keep=False, paths=20_000)
        passed = 0.5 * math.erfc(0.2 / 0.8 / math.sqrt(2)) + math.exp(0.3 / 0.64) * 0.5 * math.erfc(
            0.8 / 0.8 / math.sqrt(2))
        at_end = moments.snapshots[0]
        self.assertLess(abs(at_end["mean"][2] - passed), 5 * at_end["stderr"][2])
        answer = model.response(observable="if(tau < 1, 1, 0)", paths=20_000,
                                method="likelihood-ratio")
        self.assertLess(abs(answer.value - passed), 5 * answer.value_stderr)
        with self.assertRaisesRegex(divker.ModelError, "jumps where tau = 1"):
            model.response(observable="if(tau < 1, 1, 0)", paths=500, method="path-kernel")


if __name__ == "__main__":
    unittest.main()
