"""What is zero: the command and the package are one, and say what they set to zero."""

import json
import unittest

import divker
import matplotlib
import numpy as np
from support import TestCase, command, command_error

matplotlib.use("Agg")
from divker import plot  # noqa: E402  (after the backend is settled)

TEXT = """model pair
param A[2,2] = [[-1, 0], [0, -1]]
param k = 0
param s = 0.5 in (0, inf)
state x[2]
dx[i] = ((A*x)[i] + k*x[i]^2) dt + s dW[i]
init x[i] ~ normal(0, 1)
time 0 : 0.05 : 1
"""


def panel(rows, interval, substeps=40):
    """x[1] drives x[0] and nothing else does: A[0,1] = 0.8, in small Euler steps."""
    normals = np.random.default_rng(4).standard_normal((rows, substeps, 2))
    drift = np.array([[-1.0, 0.8], [0.0, -1.0]])
    dt = interval / substeps
    x, path = np.zeros(2), np.empty((rows, 2))
    for r in range(rows):
        for step in normals[r]:
            x = x + dt * drift @ x + 0.5 * np.sqrt(dt) * step
        path[r] = x
    return {"t": interval * np.arange(rows), "x[0]": path[:, 0], "x[1]": path[:, 1]}


class Structure(TestCase):
    def setUp(self):
        super().setUp()
        self.data = panel(800, 0.4)
        self.model = self.folder / "pair.sde"
        self.model.write_text(TEXT)
        self.file = self.folder / "panel.csv"
        np.savetxt(self.file, np.column_stack(list(self.data.values())), delimiter=",",
                   header='t,"x[0]","x[1]"', comments="", fmt="%.17g")
        self.words = ["fit", self.model, "--data", self.file, "--time", "t", "--series",
                      "--sparse", "A[i,j],k"]

    def test_the_package_gives_what_the_command_gives(self):
        fit = divker.Model(self.model).fit(
            self.data, time="t", series=True, sparse=["A[i,j]", "k"],
            derived=["memory = 1/abs(A[0,0])", "max(s, A[0,1])"])
        answer = json.loads(command(*self.words, "--derived", "memory = 1/abs(A[0,0])",
                                    "--derived", "max(s, A[0,1])", "--json", "--quiet"))
        self.assertEqual(answer["structure"], fit.to_dict()["structure"])
        self.assertEqual(answer["derived"], fit.to_dict()["derived"])
        told = fit.structure
        self.assertEqual((told["kept"], told["zero"]), (["A[0,1]"], ["A[1,0]", "k"]))
        self.assertEqual(told["couplings"], [{"parameter": "A[0,1]", "from": "x[1]", "to": "x[0]",
                                              "by_noise": False}])
        self.assertTrue(0.001 < told["p"] < 0.999 and told["freedom"] == 2)
        self.assertEqual(fit.model.arrays["A"][1, 0], 0)
        self.assertNotIn("k", fit.parameters)
        # 1/|a| has the error of a over a^2.
        place = fit.parameters.index("A[0,0]")
        self.assertAlmostEqual(fit.derived[0]["stderr"],
                               fit.stderr[place] / fit.estimate[place]**2, places=12)
        self.assertEqual(fit.derived[1]["name"], "max(s, A[0,1])")
        self.assertIn("set to zero", repr(fit))

    def test_it_is_said_in_words_in_the_model_and_in_a_picture(self):
        out, picture = self.folder / "found.sde", self.folder / "found.svg"
        text = command(*self.words, "--out", out, "--graph", picture)
        self.assertIn("1 of 3 candidates kept, at a false discovery rate of 0.05; 2 set to zero: "
                      "A[1,0], k", text)
        self.assertIn("x[1] -> x[0] by A[0,1]", text)
        self.assertIn("# Set to zero at a false discovery rate of 0.05", out.read_text())
        self.assertEqual(divker.Model.from_file(out).arrays["A"][1, 0], 0)
        self.assertIn("<svg", picture.read_text())

    def test_the_picture_has_an_arrow_for_each_coupling(self):
        fit = divker.Model(self.model).fit(self.data, time="t", series=True, sparse="A[i,j]")
        figure, ax = plot.plt.subplots()
        self.addCleanup(plot.plt.close, "all")
        plot.couplings(fit, ax)
        arrows = [one for one in ax.texts if one.get_text() == ""]
        self.assertEqual(len(arrows), 1)
        self.assertEqual({one.get_text() for one in ax.texts} - {""}, {"x[0]", "x[1]"})
        with self.assertRaisesRegex(ValueError, "a fit with sparse"):
            plot.couplings({"parameters": []}, ax)

    def test_what_cannot_be_is_refused(self):
        for words, sentence in (
                ([*self.words[:-1], "q*"], "No parameter of the model pair is like 'q*'"),
                ([*self.words[:-1], "s"], "The parameter s is in (0, inf) and cannot be zero"),
                ([*self.words[:-2], "--graph", "a.svg"], "--graph requires --sparse"),
                ([*self.words, "--derived", "x[0] + s"], "depends on the state x[0]")):
            code, text = command_error(*words)
            self.assertEqual(code, 2)
            self.assertIn(sentence, text)


if __name__ == "__main__":
    unittest.main()
