"""Response functions in Python are those of the command, and their picture is drawn."""

import json
import unittest

import divker
import matplotlib

matplotlib.use("Agg")
import numpy as np  # noqa: E402  (after the backend is settled)
from divker import plot  # noqa: E402
from support import TestCase, command  # noqa: E402


class ResponseFunctions(TestCase):
    def test_is_that_of_the_command(self):
        answer = divker.response("ou", observable="x", kick="m", lags=[0.0, 0.5, 1.0], paths=500)
        told = json.loads(command("response", "ou", "--observable", "x", "--kick", "m",
                                  "--lags", "0:0.5:1", "--paths", 500, "--json"))
        self.assertEqual(answer.to_dict()["response"], told["response"])
        np.testing.assert_allclose(answer.R, np.exp(-answer.lags), atol=5 * answer.R_stderr.max())
        np.testing.assert_allclose(answer.G, 1 - np.exp(-answer.lags),
                                   atol=5 * answer.G_stderr.max())
        self.assertEqual(answer.table()[0][:3], ["lag", "response", "stderr"])

    def test_a_forcing_is_a_table(self):
        t = np.linspace(0.0, 2.0, 5)
        options = {"observable": "x", "kick": "m", "lags": "0:0.1:6", "stationary": True,
                   "paths": 200}
        first = divker.response("ou", forcing=np.c_[t, 0.1 * t], **options)
        second = divker.response("ou", forcing={"m": 0.1 * t, "t": t}, **options)
        np.testing.assert_array_equal(first.change, second.change)
        np.testing.assert_allclose(first.change, 0.1 * (t - 1 + np.exp(-t)), atol=1e-3)
        with self.assertRaisesRegex(divker.UsageError, "The times of a forcing ascend"):
            divker.response("ou", forcing=np.c_[t[::-1], t], **options)

    def test_the_picture_has_a_curve_and_a_band(self):
        answer = divker.response("ou", observable="x", kick="m", lags=[0.1, 0.5, 1.0], paths=200)
        for integral in (False, True):
            ax = plot.response_function(answer, plot.plt.figure().gca(), integral=integral)
            drawn = answer.G if integral else answer.R
            np.testing.assert_allclose(ax.lines[-1].get_ydata(), drawn)
            self.assertEqual(len(ax.collections), 1)


if __name__ == "__main__":
    unittest.main()
