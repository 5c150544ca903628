"""Fits to time series: the command and the package are one, and rows that look like a series are questioned."""

import json
import unittest

import divker
import numpy as np
from support import TestCase, command, command_error


def trajectory(rows, interval):
    """An exact path of the OU process with a = 1, m = 0, s = 1, which is the model `ou`."""
    normals = np.random.default_rng(7).standard_normal(rows)
    kept = np.exp(-interval)
    x = np.empty(rows)
    x[0] = normals[0] / np.sqrt(2)
    for i in range(1, rows):
        x[i] = kept * x[i - 1] + np.sqrt((1 - kept**2) / 2) * normals[i]
    return {"t": interval * np.arange(rows), "x": x}


class Series(TestCase):
    def setUp(self):
        super().setUp()
        self.data = trajectory(401, 0.5)
        self.file = self.folder / "series.csv"
        np.savetxt(self.file, np.column_stack([self.data["t"], self.data["x"]]), delimiter=",",
                   header="t,x", comments="", fmt="%.17g")

    def test_the_package_gives_what_the_command_gives(self):
        fit = divker.fit("ou", self.data, time="t", series=True, seed=3)
        answer = json.loads(command("fit", "ou", "--data", self.file, "--time", "t", "--series",
                                    "--seed", 3, "--json", "--quiet"))
        self.assertTrue(fit.converged)
        self.assertEqual(answer["estimate"], list(fit.estimate))
        self.assertEqual(answer["stderr_by_model"], list(fit.stderr_by_model))
        self.assertEqual((fit.transitions, fit.individuals), (400, 1))
        self.assertLess(np.abs((fit.estimate - [1, 0, 1]) / fit.stderr).max(), 4.5)
        self.assertEqual(fit.goodness, [])

    def test_the_estimates_are_printed_with_both_errors(self):
        fitted = self.folder / "fitted.sde"
        text = command("fit", "ou", "--data", self.file, "--time", "t", "--series", "--out", fitted)
        self.assertIn("by the model", text)
        self.assertIn("400 transitions of 1 individuals", text)
        self.assertIn("converged", text)
        self.assertEqual(divker.Model.from_file(fitted).name, "ou")

    def test_residuals_and_forecasts_are_those_of_the_command(self):
        model = divker.Model("ou").set(dt=0.025)
        found = model.residuals(self.data, time="t", seed=3)
        answer = json.loads(command("residuals", "ou", "--set", "dt=0.025", "--data", self.file,
                                    "--time", "t", "--seed", 3, "--json", "--quiet"))
        self.assertEqual(answer["states"], found.to_dict()["states"])
        self.assertEqual(found.uniform.shape, (400, 1))
        self.assertEqual(list(found.t[:2]), [0.5, 1.0])
        self.assertTrue(np.all((found.uniform > 0) & (found.uniform < 1)))
        self.assertIn("mean of z", repr(found))

        future = model.forecast(self.data, time="t", ahead=[0.5, 1], held_out=0.3, quantiles=[0.1, 0.9])
        answer = json.loads(command("forecast", "ou", "--set", "dt=0.025", "--data", self.file,
                                    "--time", "t", "--ahead", "0.5,1", "--held-out", 0.3,
                                    "--quantiles", "0.1,0.9", "--json", "--quiet"))
        for told, one in zip(answer["forecasts"], future.to_dict()["forecasts"], strict=True):
            self.assertEqual((told["t"], told["value"], told["stderr"]),
                             (one["t"], one["value"], one["stderr"]))
        self.assertEqual(answer["scores"], future.to_dict()["scores"])
        exact = np.exp(-1) * self.data["x"][-1]
        one = future.forecasts[1]
        self.assertLess(abs(one["value"][0][0] - exact), 4.5 * one["stderr"][0][0])
        self.assertIn("q0.9", repr(future))
        with self.assertRaisesRegex(divker.UsageError, "ascending"):
            model.forecast(self.data, time="t", ahead=[2, 1])
        with self.assertRaisesRegex(divker.UsageError, "no column 'z'"):
            model.residuals(self.data, time="z")

    def test_rows_that_look_like_a_series_are_questioned(self):
        few = {name: column[:20] for name, column in self.data.items()}
        with self.assertWarnsRegex(divker.DivkerWarning, "is this a series[?] series fits it as one"):
            divker.fit("ou", few, time="t", dt=0.5, T=10, paths=4096, iterations=1)

    def test_what_belongs_to_snapshots_is_refused(self):
        for option in ("match", "optimizer", "alpha"):
            value = {"match": "centred", "optimizer": "gd", "alpha": "2"}[option]
            with self.subTest(option):
                code, sentence = command_error("fit", "ou", "--data", self.file, "--time", "t",
                                               "--series", f"--{option}", value)
                self.assertEqual(code, 2)
                self.assertRegex(sentence, f"--series excludes --{option}|--{option} excludes --series")
        with self.assertRaisesRegex(divker.UsageError, "series excludes optimizer"):
            divker.fit("ou", self.data, time="t", series=True, optimizer="gd")


if __name__ == "__main__":
    unittest.main()
