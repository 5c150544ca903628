"""The tutorials run, say what they promise, and write their pictures."""

import importlib.util
import unittest

from support import ROOT, TestCase


class Tutorials(TestCase):
    def run_tutorial(self, name):
        file = ROOT / "python/tutorials" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        picture = self.folder / f"{name}.png"
        result = module.main(picture)
        self.assertEqual(picture.read_bytes()[:4], b"\x89PNG")
        return result

    def test_climate(self):
        answer, difference, error = self.run_tutorial("climate")
        # The difference spans two units of F: its bias, of second order, is below 0.3.
        bar = (answer.stderr[0] ** 2 + error ** 2) ** 0.5
        self.assertLess(abs(answer.response[0] - difference), 4.5 * bar + 0.3)
        self.assertLess(answer.stderr[0], 0.5)

    def test_growth(self):
        fit = self.run_tutorial("growth")
        self.assertTrue(fit.converged)
        rate = fit.parameters.index("r")
        self.assertLess(abs(fit.estimate[rate] - 0.107), 2 * fit.stderr[rate])

    def test_volatility(self):
        fit = self.run_tutorial("volatility")["stochastic"]
        place = fit.parameters.index("e")
        self.assertGreater(fit.estimate[place], 3 * fit.stderr[place])


if __name__ == "__main__":
    unittest.main()
