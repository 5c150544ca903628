"""Every function of the package gives what the command gives, to the bit."""

import json
import unittest

import divker
import numpy as np
from support import ROOT, TestCase, command, command_error

OU = divker.Model("ou")


class EqualToTheCommand(TestCase):
    def test_simulate(self):
        self.assert_as_command(OU.simulate([0.5, 1], paths=3000, seed=7, keep=False),
                               "simulate", "ou", "--times", "0.5,1", "--paths", 3000, "--seed", 7)
        file = self.folder / "x.npy"
        command("simulate", "lorenz63", "--paths", 500, "--times", "0.5,1", "--out", file)
        found = divker.simulate("lorenz63", [0.5, 1], paths=500)
        expected = np.load(file)
        np.testing.assert_array_equal(found.table()[1], expected)
        self.assertEqual(found.x.shape, (500, 3))

    def test_sample(self):
        file = self.folder / "x.npy"
        command("sample", "langevin", "-n", 400, "--seed", 3, "--set", "s=0.5", "--set", "T=1",
                "--out", file)
        found = divker.Model("langevin").set(s=0.5, T=1).sample(400, seed=3)
        np.testing.assert_array_equal(found, np.load(file))

    def test_score(self):
        self.assert_as_command(OU.score(paths=4000, seed=2), "score", "ou", "--paths", 4000,
                               "--seed", 2)
        self.assert_as_command(
            divker.score("bumpy", paths=4000, alpha=5, order=2, regressor="bins", bins=20, time=0.5,
                         dt=0.01, grid=5, fokker_planck=True),
            "score", "bumpy", "--paths", 4000, "--alpha", 5, "--order", 2, "--regressor", "bins",
            "--bins", 20, "--time", 0.5, "--set", "dt=0.01", "--grid", 5, "--fokker-planck")
        self.assert_as_command(OU.score(stationary=True, paths=200, alpha=2),
                               "score", "ou", "--stationary", "--paths", 200, "--alpha", 2)

    def test_score_at_points_of_an_array_and_of_a_file(self):
        file = self.folder / "points.csv"
        file.write_text("p,q\n0,0.5\n1,-1\n")
        arguments = ("score", "langevin", "--at", file, "--paths", 2000, "--alpha", 4)
        model = divker.Model("langevin")
        at_file = model.score(file, paths=2000, alpha=4)
        self.assert_as_command(at_file, *arguments)
        self.assert_as_command(model.score([[0.5, 0], [-1, 1]], paths=2000, alpha=4), *arguments)

    def test_response(self):
        self.assert_as_command(OU.response(paths=4000, wrt=["s", "a"]), "response", "ou",
                               "--paths", 4000, "--wrt", "s,a")
        self.assert_as_command(
            divker.response("lorenz96", observable="x[0]^2", paths=500, T=0.4, alpha=10),
            "response", "lorenz96", "--observable", "x[0]^2", "--paths", 500, "--set", "T=0.4",
            "--alpha", 10)
        self.assert_as_command(
            OU.response(paths=3000, fokker_planck=True, wrt="a", alpha="gaussian"),
            "response", "ou", "--paths", 3000, "--fokker-planck", "--wrt", "a", "--alpha",
            "gaussian")

    def test_stationary_response(self):
        for asked, option in (({"observable": "x^2"}, ["--observable", "x^2"]), ({"grid": 3},
                              ["--grid", 3])):
            self.assert_as_command(
                OU.response(stationary=True, paths=200, alpha=2, window=2, spinup=3, **asked),
                "response", "ou", "--stationary", "--paths", 200, "--alpha", 2, "--window", 2,
                "--spinup", 3, *option)

    def test_other_methods(self):
        self.assert_as_command(
            OU.response(method="finite-difference", paths=500, observable="x", fd_step=0.1),
            "response", "ou", "--method", "finite-difference", "--paths", 500, "--observable", "x",
            "--fd-step", 0.1)
        self.assert_as_command(OU.response(method="likelihood-ratio", paths=2000), "response", "ou",
                               "--method", "likelihood-ratio", "--paths", 2000)
        self.assert_as_command(
            OU.response(method="finite-difference", paths=2000, grid=3), "response", "ou",
            "--method", "finite-difference", "--paths", 2000, "--grid", 3)

    def test_finite_changes(self):
        self.assert_as_command(
            OU.response(to={"a": 1.2}, nodes=3, paths=1000, observable="x^2", alpha=3),
            "response", "ou", "--to", "a=1.2", "--nodes", 3, "--paths", 1000, "--observable", "x^2",
            "--alpha", 3)
        self.assert_as_command(OU.response(to={"m": 0.1}, paths=500, grid=2, alpha=3), "response",
                               "ou", "--to", "m=0.1", "--paths", 500, "--grid", 2, "--alpha", 3)

    def test_fit(self):
        file = self.folder / "y.npy"
        command("sample", "ou", "-n", 300, "--set", "m=1", "--out", file)
        history = self.folder / "history.csv"
        out = self.folder / "fitted.sde"
        arguments = ("fit", "ou", "--data", file, "--paths", 4000, "--set", "a=0.8")
        command(*arguments, "--history", history, "--out", out)
        fit = OU.set(a=0.8).fit(file, paths=4000)
        self.assert_as_command(fit, *arguments)
        fit.save(self.folder / "ours.csv")
        fit.save(self.folder / "ours.sde")
        self.assertEqual((self.folder / "ours.sde").read_text(), out.read_text())
        lines = [line for line in (self.folder / "ours.csv").read_text().splitlines()
                 if not line.startswith("#")]
        self.assertEqual(lines, history.read_text().splitlines())
        self.assertEqual(divker.Model(out).parameters, fit.model.parameters)

    def test_fit_of_a_long_table(self):
        file = ROOT / "data/chick_weight.csv"
        result = divker.fit("logistic_growth", file, time="Time", group="Chick",
                            map={"w": "weight"}, paths=1000, iterations=3)
        data = np.genfromtxt(file, delimiter=",", names=True)
        columns = {name: data[name] for name in data.dtype.names}
        same = divker.fit("logistic_growth", columns, time="Time", group="Chick",
                          map={"w": "weight"}, paths=1000, iterations=3)
        np.testing.assert_array_equal(result.estimate, same.estimate)
        self.assertEqual(len(result.marginals), 12)
        self.assertEqual(len(result.marginals[0]["data"]), 50)

    def test_diagnose(self):
        found = OU.diagnose(paths=500, wrt="a").to_dict()
        expected = json.loads(command("diagnose", "ou", "--paths", 500, "--wrt", "a", "--json"))
        self.assertEqual(list(found), list(expected))
        # The verdict on the methods weighs seconds, which differ from run to run.
        for one in (found, expected):
            one["checks"] = [check for check in one["checks"] if check["name"] != "method"]
            for key in ("seconds", "compile_seconds", "pilot_seconds"):
                one.pop(key)
            for method in one["methods"]:
                method.pop("seconds", None)
        self.assertEqual(found, expected)

    def test_show_and_models(self):
        for name in ("lorenz96", "tent"):
            self.assertEqual(divker.Model(name).show(), json.loads(command("show", name, "--json")))
        listed = {one["name"]: one["summary"]
                  for one in json.loads(command("models", "--json"))["models"]}
        self.assertEqual(divker.models(), listed)

    def test_files(self):
        # (the result, the command's arguments)
        cases = [
            (OU.score(paths=1000, alpha=3), ("score", "ou", "--paths", 1000, "--alpha", 3)),
            (OU.response(paths=1000, alpha=3, observable="x"),
             ("response", "ou", "--paths", 1000, "--alpha", 3, "--observable", "x")),
            (OU.response(paths=1000, alpha=3, to={"a": 1.25}, nodes=3, grid=2),
             ("response", "ou", "--paths", 1000, "--alpha", 3, "--to", "a=1.25", "--nodes", 3,
              "--grid", 2)),
            (OU.simulate([0.5, 1], paths=50),
             ("simulate", "ou", "--times", "0.5,1", "--paths", 50)),
        ]
        for result, arguments in cases:
            for extension in (".csv", ".npy"):
                ours, theirs = (self.folder / (name + extension) for name in ("ours", "theirs"))
                result.save(ours)
                command(*arguments, "--out", theirs)
                self.assertEqual(ours.read_bytes(), theirs.read_bytes(), arguments)


class ErrorsOfTheCommand(TestCase):
    def test_sentences_and_classes(self):
        # (what Python does, the class, the command's arguments)
        cases = [
            (lambda: divker.Model("lorenz95"), divker.ModelError, ("show", "lorenz95")),
            (lambda: OU.set(b=1), divker.UsageError, ("show", "ou", "--set", "b=1")),
            (lambda: OU.set(a=-1), divker.ModelError, ("show", "ou", "--set", "a=-1")),
            (lambda: OU.score(alpha="nothing"), divker.UsageError,
             ("score", "ou", "--alpha", "nothing")),
            (lambda: OU.simulate([0.123456]), divker.UsageError,
             ("simulate", "ou", "--times", "0.123456")),
            (lambda: divker.score("lorenz63", paths=100), divker.UsageError,
             ("score", "lorenz63", "--paths", 100)),
            (lambda: divker.simulate("lorenz96", dt=0.1, T=2, paths=100), divker.NumericalError,
             ("simulate", "lorenz96", "--set", "dt=0.1", "--set", "T=2", "--paths", 100)),
        ]
        for act, kind, arguments in cases:
            code, sentence = command_error(*arguments)
            with self.subTest(arguments), self.assertRaises(kind) as caught:
                act()
            self.assertEqual(str(caught.exception), sentence)
            self.assertEqual(type(caught.exception).exit_code, code)

    def test_a_fault_in_a_text_has_its_place(self):
        with self.assertRaises(divker.LanguageError) as caught:
            divker.Model.parse("model m\nstate x\ndx = -x dt + sin( dW\n", "m.sde")
        self.assertEqual((caught.exception.file, caught.exception.line), ("m.sde", 3))
        self.assertIn("m.sde:3", str(caught.exception))

    def test_arguments_that_do_not_fit(self):
        sentences = [
            ({"paths": -3}, "paths: -3 is not a whole number, 0 or more."),
            ({"paths": "many"}, "paths: 'many' is not a whole number, 0 or more."),
            ({"order": 3}, "order: 3 is none of: 1, 2."),
            ({"scheme": "milstein"}, "scheme: 'milstein' is none of: euler, exact."),
            ({"at": np.zeros((2, 3))},
             "at: the array has the shape (2, 3), but needs 1 column, one for each state."),
            ({"at": "abc"}, None),
            ({"at": [["a"]]}, "at: expected an array of numbers, not list."),
            ({"failed_share": 2}, "failed_share: 2 is not between 0 and 1."),
            ({"window": 3}, "window needs stationary."),
        ]
        for arguments, sentence in sentences:
            with self.subTest(arguments), self.assertRaises(divker.Error) as caught:
                OU.score(**arguments)
            if sentence is not None:
                self.assertEqual(str(caught.exception), sentence)
        with self.assertRaisesRegex(divker.UsageError, "^at and observable exclude each other: "):
            OU.response(at=[0.0], observable="x")
        with self.assertRaisesRegex(divker.UsageError, "^wrt names the parameter a twice.$"):
            OU.response(wrt=["a", "a"])
        with self.assertRaisesRegex(TypeError, "did you mean 'paths'"):
            OU.score(path=3)
        with self.assertRaisesRegex(TypeError, "no argument 'alpha'"):
            OU.simulate(alpha=3)


if __name__ == "__main__":
    unittest.main()
