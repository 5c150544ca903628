"""Pictures show what they are given; the command draws by the same functions."""

import os
import subprocess
import sys
import unittest

import matplotlib

matplotlib.use("Agg")
import divker  # noqa: E402  (after the backend is settled)
import numpy as np  # noqa: E402
from divker import plot  # noqa: E402
from support import COMMAND, ROOT, TestCase  # noqa: E402

OU = divker.Model("ou")
RUN = {"paths": 500, "alpha": 3}


class Plots(TestCase):
    def setUp(self):
        super().setUp()
        self.figure, self.axes = plot.plt.subplots(1, 2)
        self.addCleanup(plot.plt.close, "all")

    def test_density(self):
        score = OU.score(grid=5, fokker_planck=True, **RUN)
        responses = [OU.set(a=a).response(at=[0.5], fokker_planck=True, wrt="a", **RUN)
                     for a in (0.5, 1.5)]
        left, right = plot.density(score, responses, "a", axes=self.axes)
        np.testing.assert_array_equal(right.lines[-1].get_xdata(), score.points[:, 0])
        np.testing.assert_array_equal(right.lines[-1].get_ydata(), score.log_density)
        np.testing.assert_array_equal(left.lines[-1].get_xdata(), [0.5, 1.5])
        # Lines with the answers' slopes.
        for line, slope in zip(right.lines, score.score[:, 0]):
            x, y = line.get_data()
            self.assertAlmostEqual((y[1] - y[0]) / (x[1] - x[0]), slope, places=9)
        for line, one in zip(left.lines, responses):
            x, y = line.get_data()
            self.assertAlmostEqual((y[1] - y[0]) / (x[1] - x[0]), one.response[0, 0], places=9)

    def test_density_needs_the_density(self):
        with self.assertRaisesRegex(ValueError, "fokker_planck=True"):
            plot.score_slopes(OU.score(**RUN), self.axes[0])

    def test_response(self):
        answer = OU.response(fokker_planck=True, grid=5, wrt=["a", "s"], **RUN)
        ax = plot.response(answer, self.axes[0])
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), answer.response[:, 0])
        np.testing.assert_array_equal(ax.lines[3].get_ydata(), answer.exact[:, 1])
        self.assertEqual(len(ax.collections), 2)
        band = ax.collections[0].get_paths()[0].vertices[:, 1]
        self.assertAlmostEqual(band.max(), (answer.response + 2 * answer.stderr)[:, 0].max())

    def test_fit(self):
        fit = OU.fit([(OU.set(T=0.5).sample(200), 0.5), (OU.sample(200, seed=3), 1.0)],
                     paths=2000, iterations=5)
        axes = plot.marginals(fit, self.figure)
        self.assertEqual([ax.get_title() for ax in axes], ["x, t = 0.5, 200 rows",
                                                           "x, t = 1, 200 rows"])
        ax = plot.convergence({"one": fit, "two": fit}, self.axes[0])
        self.assertEqual(len(ax.get_legend().get_texts()), 2)
        np.testing.assert_allclose(ax.lines[0].get_ydata(),
                                   [one["psi_over_noise"] for one in fit.history])
        ax = plot.correlation(fit, self.axes[1])
        np.testing.assert_array_equal(ax.images[0].get_array(), fit.correlation)
        one_unknown = {"parameters": ["a", "b"], "correlation": [[1.0, None], [None, None]]}
        ax = plot.correlation(one_unknown, plot.plt.subplots()[1])
        self.assertEqual([text.get_text() for text in ax.texts], ["1.00"])
        whole = plot.fit(fit)
        plot.save(whole, self.folder / "fit.png")
        self.assertEqual((self.folder / "fit.png").read_bytes()[:4], b"\x89PNG")
        self.assertEqual(os.listdir(self.folder), ["fit.png"])

    def test_damping(self):
        diagnosis = OU.diagnose(paths=500, wrt="a")
        ax = plot.damping(diagnosis, self.axes[0])
        self.assertEqual(ax.get_yticklabels()[0].get_text(), diagnosis.candidates[0]["alpha"])
        with self.assertRaisesRegex(ValueError, "made with a given alpha"):
            plot.damping({"candidates": []}, self.axes[0])

    def test_densities_integrate_to_one(self):
        sample = np.random.default_rng(1).normal(size=2000)
        points = np.linspace(-6, 6, 400)
        total = plot.gaussian_density(sample, points).sum() * (points[1] - points[0])
        self.assertAlmostEqual(total, 1, places=3)

    def test_values_in_a_model_text(self):
        model = divker.Model("market_gbm").set({"mu[1]": 0.7, "s[0]": 3.25})
        for name, value in model.parameters.items():
            self.assertEqual(plot.parameter_value({"model_text": model.text}, name), value, name)


class WholeAnswers(TestCase):
    """`draw` draws what it is given, or says why not."""

    def setUp(self):
        super().setUp()
        self.addCleanup(plot.plt.close, "all")
        self.plane = divker.Model.parse("""
model plane
param k = 1 "stiffness" [N/m]
param s = 0.7
state x "position" [m]
state v
dx = v dt + 0.3 dU
dv = -k*x dt + s dW
init x ~ normal(1, 0.5)
init v ~ normal(0, 0.5)
observe y ~ normal(x, 0.1) "measured"
time 0 : 0.05 : 1
""")

    def test_maps_of_two_states(self):
        answer = self.plane.response(grid=4, paths=500, alpha=3)
        self.assertEqual(len(answer.points), 16)
        figure = plot.draw(answer)
        maps = [ax for ax in figure.axes if ax.get_xlabel() == "position [m]"]
        self.assertEqual(len(maps), 2)
        for ax, column in zip(maps, answer.response.T):
            cells = ax.collections[0].get_array()
            np.testing.assert_allclose(np.ravel(cells), column.reshape(4, 4).T.ravel())
            self.assertEqual(ax.collections[0].norm.vmin, -ax.collections[0].norm.vmax)
        with self.assertRaisesRegex(ValueError, "name it"):
            plot.response(answer)

    def test_arrows_and_densities(self):
        score = self.plane.score(grid=4, paths=500, alpha=3)
        ax = plot.draw(score).axes[0]
        arrows = sum(len(one.U) for one in ax.collections)
        self.assertEqual(arrows, 16)
        density = self.plane.density(grid=4, paths=500, alpha=3)
        ax = plot.density(density, plot.plt.subplots()[1])
        self.assertEqual(ax.collections[0].get_array().size, 16)
        several = OU.density(times=[0.5, 1.0], grid=5, paths=500)
        self.assertEqual([ax.get_ylabel() for ax in plot.draw(several).axes],
                         ["density at t = 0.5", "density at t = 1"])

    def test_scattered_points_and_lines(self):
        cloud = [[0.5, 0.1], [0.7, -0.3], [0.2, 0.4], [0.6, 0.2]]
        ax = plot.response(self.plane.response(at=cloud, wrt="k", paths=500, alpha=3),
                           plot.plt.subplots()[1])
        np.testing.assert_allclose(ax.collections[0].get_offsets(), cloud)
        line = [[0.5, 0.1], [0.7, 0.1], [0.9, 0.1]]
        ax = plot.response(self.plane.response(at=line, wrt="k", paths=500, alpha=3),
                           plot.plt.subplots()[1])
        np.testing.assert_allclose(ax.lines[0].get_xdata(), [0.5, 0.7, 0.9])
        self.assertIn("v = 0.1", ax.get_title())
        three = {"points": [[0, 0, 0], [1, 1, 1]], "response": [[1], [1]], "parameters": ["a"],
                 "stderr": [[1], [1]]}
        with self.assertRaisesRegex(ValueError, "differ in 3 states"):
            plot.draw(three)
        with self.assertRaisesRegex(ValueError, "no picture of this answer"):
            plot.draw({"verdict": "good"})

    def test_bars_of_a_mean(self):
        answer = self.plane.response(observable="x^2", paths=500, alpha=3)
        ax = plot.draw(answer).axes[0]
        np.testing.assert_allclose([bar.get_width() for bar in ax.patches], answer.response)
        self.assertEqual([one.get_text() for one in ax.get_yticklabels()],
                         ["stiffness [N/m]", "s"])

    def test_fans(self):
        data = self.plane.simulate([0.5, 1.0], observed=True, paths=20)
        self.assertEqual(data.names, ["y"])
        self.assertEqual(data.x.shape, (20, 1))
        table = {"t": np.repeat([0.5, 1.0], 20), "y": np.concatenate([a[:, 0] for a in data.arrays])}
        bands = self.plane.simulate(keep=False, data=table, time="t", paths=500)
        self.assertEqual(bands.coverage[0]["rows"], 40)
        ax = plot.draw(bands).axes[0]
        self.assertEqual(ax.get_ylabel(), "measured")
        median = [one for one in ax.lines if one.get_label() == "median"][0]
        self.assertEqual(median.get_ydata()[0], bands.snapshots[0]["quantile"][0][2])
        with self.assertRaisesRegex(ValueError, "two times at least"):
            plot.draw(self.plane.simulate(keep=False, bands=[0.1, 0.9], paths=100))
        with self.assertRaisesRegex(ValueError, "needs quantiles"):
            plot.draw(self.plane.simulate(keep=False, paths=100))

    def test_the_command_draws_every_answer(self):
        model = self.folder / "plane.sde"
        self.plane.save(model)
        rows = self.folder / "rows.csv"
        OU.set(T=20).simulate([0.5 * k for k in range(1, 41)], paths=1).save(rows)
        asked = {"simulate": [model], "density": [model, "--grid", "4"],
                 "score": [model, "--grid", "3"],
                 "response": [model, "--observable", "x"],
                 "residuals": ["ou", "--data", rows, "--time", "t"],
                 "forecast": ["ou", "--data", rows, "--time", "t", "--ahead", "0.5,1"]}
        for question, words in asked.items():
            with self.subTest(question):
                picture = self.folder / f"{question}.svg"
                done = subprocess.run([COMMAND, question, *map(str, words), "--paths", "500",
                                       "--quiet", "--picture", str(picture)], check=False,
                                      capture_output=True, text=True,
                                      env={**os.environ, "DIVKER_PYTHON": sys.executable})
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(picture.read_bytes()[:5], b"<?xml")


class Pictures(TestCase):
    arguments = (COMMAND, "fit", "logistic_growth", "--data", ROOT / "data/chick_weight.csv",
                 "--time", "Time", "--map", "w=weight", "--paths", "1000", "--json")

    def run_fit(self, file, **environment):
        return subprocess.run([*map(str, self.arguments), "--picture", str(file)], check=False,
                              capture_output=True, text=True, env={**os.environ, **environment})

    def test_the_command_draws_its_fit(self):
        done = self.run_fit(self.folder / "fit.svg", DIVKER_PYTHON=sys.executable)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.folder / "fit.svg").read_bytes()[:5], b"<?xml")
        self.assertEqual(os.listdir(self.folder), ["fit.svg"])

    def test_what_is_missing_is_said_before_the_run(self):
        done = self.run_fit(self.folder / "fit.png", DIVKER_PYTHON="/bin/false")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/bin/false has no matplotlib; Debian's package is python3-matplotlib",
                      done.stderr)
        done = self.run_fit(self.folder / "fit.txt")
        self.assertEqual(done.returncode, 2)
        self.assertIn("pictures are .png, .pdf or .svg files", done.stderr)
        done = self.run_fit("/nowhere/fit.png")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/nowhere", done.stderr)


class NetCdf(TestCase):
    def test_what_needs_xarray_says_so(self):
        answer = OU.score(**RUN)
        try:
            import xarray  # noqa: F401
        except ImportError:
            for act in (answer.to_xarray, lambda: answer.save(self.folder / "x.nc")):
                with self.assertRaisesRegex(divker.UsageError, "need the package xarray"):
                    act()
        else:
            data = answer.to_xarray()
            np.testing.assert_array_equal(data["score.x"], answer.score[:, 0])
            self.assertEqual(data.sizes, {"row": len(answer.points)})

    def test_a_netcdf_file_is_read_back(self):
        try:
            import netCDF4  # noqa: F401
            import xarray
        except ImportError as error:
            self.skipTest(f"{error.name} is not installed; Debian's packages are python3-xarray "
                          "and python3-netcdf4")
        for answer in (OU.score(**RUN), OU.response(observable="x^2", **RUN)):
            answer.save(self.folder / "answer.nc")
            columns, rows = answer.table()
            with xarray.open_dataset(self.folder / "answer.nc") as data:
                self.assertEqual(sorted(data.variables), sorted(columns))
                for c, name in enumerate(columns):
                    np.testing.assert_array_equal(data[name], rows[:, c])
                self.assertEqual(data.attrs["model_text"], OU.text)
                self.assertEqual(data.attrs["seed"], str(answer.seed))


if __name__ == "__main__":
    unittest.main()
