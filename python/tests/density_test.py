"""Densities, distribution functions and quantiles from Python."""

import math
import unittest

import numpy as np

import divker


class Density(unittest.TestCase):
    def test_of_one_state_with_quantiles_and_what_moves_them(self):
        model = divker.Model("ou")
        law = model.density([-1.0, 0.0], cdf=True, quantile=0.05, wrt=["a", "m"], paths=20_000)
        variance = 4 * math.exp(-2) + (1 - math.exp(-2)) / 2
        for x, value, error in zip(law.points[:, 0], law.density, law.stderr):
            truth = math.exp(-x * x / (2 * variance)) / math.sqrt(2 * math.pi * variance)
            self.assertLess(abs(value - truth), 5 * error)
        self.assertEqual(law.cdf.shape, (2,))
        self.assertEqual(law.cdf_response.shape, (2, 2))
        quantile = -1.6448536 * math.sqrt(variance)
        self.assertLess(abs(law.quantile[0] - quantile), 5 * law.quantile_stderr[0])
        # The mean moves by 1 - exp(-a T), and every quantile with it.
        self.assertLess(abs(law.quantile_response[0, 1] - (1 - math.exp(-1))),
                        5 * law.quantile_response_stderr[0, 1])
        self.assertIn("density", repr(law))

    def test_of_a_marginal_at_several_times(self):
        law = divker.density("langevin", marginal="q", times=[1, 2], grid=4, paths=2000)
        self.assertEqual([one["t"] for one in law.laws], [1.0, 2.0])
        self.assertEqual(np.shape(law.laws[0]["points"]), (4, 1))
        with self.assertRaisesRegex(divker.UsageError, "Did you mean 'p'"):
            divker.density("langevin", marginal="P")


if __name__ == "__main__":
    unittest.main()
