"""Models from expressions are the models of the language, and give the same numbers."""

import unittest

import divker
import numpy as np
from support import TestCase


def ornstein_uhlenbeck():
    m = divker.builder("ou")
    a = m.param("a", 1.0, lower=0)
    mean = m.param("m", 0)
    s = m.param("s", 1.0, lower=0)
    x = m.state("x")
    m.d(x, -a * (x - mean), s * m.noise("W"))
    m.init(x, divker.normal(0, 2))
    m.time(0, 0.01, 1)
    return m.build()


def lorenz96(size=40):
    m = divker.builder("lorenz96")
    forcing = m.param("F", 8)
    s = m.param("s", 1, lower=0)
    x = m.state("x", size, periodic=True)
    dW = m.noise("W", size)
    sigma = m.let("sigma", divker.exp(-divker.sum(y ** 2 for y in x) / 2) + s)
    for i in range(size):
        m.d(x[i], (x[i + 1] - x[i - 2]) * x[i - 1] - x[i] - 0.01 * x[i] ** 2 + forcing,
            sigma * dW[i])
    m.init(x, divker.normal(0, 2))
    m.time(0, 0.004, 1.5)
    return m.build()


def two_factors():
    """Every operator and function, shared noise, a point and a lognormal start, observations."""
    m = divker.builder("two")
    a = m.param("a", [1.0, 2.0], lower=0)
    k = m.param("k", 0.5, fixed=True)
    x, y = m.state("x"), m.state("y")
    dM, dW = m.noise("M"), m.noise("W")
    inner = divker.sin(x) + 2 / (1 + divker.cosh(y)) - divker.tanh(x * y) ** 3
    m.d(x, np.float64(0.5) * inner - a[0] * x + k * m.t, a[1] * dM, 0.3 * dW)
    m.d(y, divker.maximum(-y, -3.0 * y) + divker.atan(x) - abs(x) + (+a[0]) * 0, dM * 0.4, dW)
    m.init(x, 0.25)
    m.init(y, 1.0)
    m.observe("z", divker.exp(x) - y)
    m.observe("w", x, divker.sqrt(a[1]))
    m.time(0, 0.01, 0.5)
    return m.build()


TWO_FACTORS = """
model two
param a[2] = [1, 2] in (0, inf)
param k = 0.5 fixed
state x, y
dx = (0.5*(sin(x) + 2/(1 + cosh(y)) - tanh(x*y)^3) - a[0]*x + k*t) dt + a[1] dM + 0.3 dW
dy = (max(-y, -3*y) + atan(x) - abs(x)) dt + 0.4 dM + 1 dW
init x = 0.25
init y = 1
observe z = exp(x) - y
observe w ~ normal(x, sqrt(a[1]))
time 0 : 0.01 : 0.5
"""


def tent_like():
    m = divker.builder("circle", map=True)
    r = m.param("r", 0.4)
    x = m.state("x")
    m.d(x, divker.cos(3 * x) * r, 0.2 * m.noise("xi"))
    m.init(x, divker.lognormal(0, 0.5))
    m.time(0, 1, 20)
    return m.build()


class Inputs(TestCase):
    def test_arrays_are_a_function_of_time(self):
        def driven(u_of):
            m = divker.builder("driven")
            a = m.param("a", 0.8)
            u = u_of(m)
            x = m.state("x")
            m.d(x, u - a * x, (0.3 + 0.1 * u) * m.noise("W"))
            m.init(x, divker.normal(0, 1))
            m.observe("y", x * u, 0.1)
            m.time(0, 0.01, 1)
            return m.build()

        times = np.linspace(0, 1, 101)
        model = driven(lambda m: m.input("u", times, times))
        formula = driven(lambda m: m.t)
        self.assertIn('input u(t) from "u.csv"\n', model.text)
        mine, theirs = (one.response(observable="x^2", paths=500, alpha=2)
                        for one in (model, formula))
        np.testing.assert_allclose(mine.response, theirs.response, rtol=1e-9)
        steps = driven(lambda m: m.input("u", [0, 0.5], [1, 2], step=True, hold=True))
        self.assertIn('input u(t) from "u.csv" step hold\n', steps.text)
        self.assertEqual(len(steps.sample(50)), 50)
        with self.assertRaisesRegex(divker.UsageError, "t: the array has the shape"):
            driven(lambda m: m.input("u", [[0, 1], [2, 3]], [1, 2]))
        with self.assertRaisesRegex(divker.ModelError, "there are 2 times and 3 values"):
            driven(lambda m: m.input("u", [0, 1], [1, 2, 3]))


class SameModels(TestCase):
    def test_equations_are_equal(self):
        # (built, parsed)
        pairs = [
            (ornstein_uhlenbeck(), divker.Model("ou")),
            (lorenz96(), divker.Model("lorenz96")),
            (two_factors(), divker.Model.parse(TWO_FACTORS)),
            (tent_like(), divker.Model.parse(
                "model circle\nparam r = 0.4\nstate x\nx' = r*cos(3*x) + 0.2*xi\n"
                "init x ~ lognormal(0, 0.5)\ntime 0 : 1 : 20\n")),
        ]
        for built, parsed in pairs:
            with self.subTest(built.name):
                self.assertEqual(built.hash, parsed.hash)
                self.assertEqual(built.parameters, parsed.parameters)
                self.assertEqual(built.states, parsed.states)
                self.assertEqual(built.bounds, parsed.bounds)
                self.assertEqual(built.free_parameters, parsed.free_parameters)
                self.assertEqual(built.time_grid, parsed.time_grid)
                self.assertEqual(divker.Model.parse(built.text).hash, built.hash)

    def test_answers_are_equal(self):
        self.assertEqual(ornstein_uhlenbeck().response(paths=500, alpha=3).response.tolist(),
                         divker.response("ou", paths=500, alpha=3).response.tolist())
        options = {"observable": "sigma*x[3]", "paths": 256, "T": 0.2, "alpha": 10}
        self.assertEqual(lorenz96().response(**options).value,
                         divker.response("lorenz96", **options).value)

    def test_sizes_are_free(self):
        self.assertEqual(len(lorenz96(7).states), 7)
        self.assertEqual(lorenz96(7).sample(10).shape, (10, 7))


class Faults(TestCase):
    def test_what_is_missing_is_named(self):
        m = divker.builder("m")
        x = m.state("x")
        with self.assertRaisesRegex(divker.ModelError, "The state x has no equation"):
            m.build()
        m.d(x, -x, m.noise("W"))
        with self.assertRaisesRegex(divker.ModelError, "no initial law"):
            m.build()
        with self.assertRaisesRegex(divker.ModelError, "'x' is declared twice"):
            m.param("x", 1)

    def test_what_does_not_fit_together(self):
        m, other = divker.builder("m"), divker.builder("other")
        x, y = m.state("x"), other.state("y")
        with self.assertRaisesRegex(divker.UsageError, "two builders"):
            x + y
        with self.assertRaisesRegex(divker.UsageError, "is no noise; write amplitude"):
            m.d(x, -x, 2 * x)
        v = m.state("v", 3)
        with self.assertRaisesRegex(IndexError, r"v\[3\]: the components are v\[0\] to v\[2\]"):
            v[3]

    def test_expressions_print_as_the_language(self):
        m = divker.builder("m")
        x = m.state("x")
        self.assertEqual(repr(2 * divker.sin(x) ** 2 + 1), "1 + 2*sin(x)^2")
        self.assertEqual(divker.exp(0.0), 1.0)
        self.assertEqual(divker.minimum(1, 2), 1)
        self.assertEqual(x + x, 2 * x)

    def test_positive_states_and_tamed_grids(self):
        m = divker.builder("growth")
        r = m.param("r", 0.2)
        w = m.state("w", positive=True)
        n = m.state("n", 2, periodic=True, positive=True)
        m.d(w, r * w * (1 - w), 0.1 * w * m.noise("W"))
        dV = m.noise("V", 2)
        for i in range(2):
            m.d(n[i], -n[i] * n[i + 1], n[i] * dV[i])
        m.init(w, 0.5)
        m.init(n, divker.lognormal(0, 1))
        m.time(0, 0.1, 1, tamed=2)
        built = m.build()
        parsed = divker.Model.parse("""
            model growth
            param r = 0.2
            state w positive, n[2] periodic positive
            dw = r*w*(1 - w) dt + 0.1*w dW
            dn[i] = -n[i]*n[i+1] dt + n[i] dV[i]
            init w = 0.5
            init n ~ lognormal(0, 1)
            time 0 : 0.1 : 1 tamed 2
            """)
        self.assertEqual(built.hash, parsed.hash)
        self.assertNotEqual(built.hash, built.set(tamed=0).hash)
        here, there = (model.simulate(paths=500) for model in (built, parsed))
        np.testing.assert_array_equal(here.x, there.x)
        self.assertGreater(here.x.min(), 0)
        run = built.simulate(paths=10, tamed=True)
        self.assertEqual(run.model.text.splitlines()[-1], "time 0 : 0.1 : 1 tamed")


if __name__ == "__main__":
    unittest.main()
