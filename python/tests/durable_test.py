"""Runs that are saved: ended by an exception, gone on with, and the same to the bit."""

import json
import unittest

import divker
from support import TestCase, command, without_times


class Stop(Exception):
    pass


class Saved(TestCase):
    def run_to_a_third(self, work):
        """work(progress) raises once a third of its paths are there."""
        def progress(done, total):
            if 3 * done > total:
                raise Stop
        with self.assertRaises(Stop):
            work(progress)

    def test_answers_go_on(self):
        model = divker.Model("lorenz96").set(T=0.4)
        asked = {"paths": 60_000, "alpha": 8, "threads": 1}
        for kind in ({"observable": "x[0]^2"}, {"at": [[2.0] * 40], "wrt": "F"}):
            file = self.folder / f"{len(kind)}.run"
            self.run_to_a_third(lambda progress: model.response(
                **kind, **asked, checkpoint=file, checkpoint_every=0, progress=progress))
            self.assertTrue(file.exists())
            told = []
            resumed = model.response(**kind, **asked, checkpoint=file,
                                     progress=lambda done, total: told.append(done))
            whole = model.response(**kind, **asked)
            self.assertEqual(resumed.response.tolist(), whole.response.tolist())
            self.assertEqual(resumed.stderr.tolist(), whole.stderr.tolist())
            self.assertGreater(min(told), 5000)

    def test_the_command_ends_what_python_began(self):
        file = self.folder / "moments.run"
        model = divker.Model("lorenz63")
        self.run_to_a_third(lambda progress: model.simulate(
            keep=False, paths=200_000, checkpoint=file, checkpoint_every=0, progress=progress))
        arguments = ("simulate", "lorenz63", "--paths", 200_000)
        resumed = json.loads(command(*arguments, "--checkpoint", file, "--json", "--quiet"))
        whole = model.simulate(keep=False, paths=200_000).to_dict()
        self.assertEqual(without_times(resumed), without_times(whole))

    def test_a_fit_saves_its_runs(self):
        model = divker.Model("ou").set(dt=0.02)
        data = model.sample(300, seed=5)
        asked = {"paths": 4000, "alpha": 1, "iterations": 2, "optimizer": "gd"}
        whole = model.fit(data, **asked)
        saved = model.fit(data, **asked, checkpoint=self.folder / "fit", checkpoint_every=0)
        self.assertEqual(saved.estimate.tolist(), whole.estimate.tolist())
        self.assertEqual([file.name for file in self.folder.iterdir()], ["fit"])

    def test_wrong_uses(self):
        file = self.folder / "x.run"
        model = divker.Model("ou")
        wrong = [
            (lambda: model.simulate(paths=100, checkpoint=file),
             "checkpoint is for keep=False: the paths themselves are kept in memory alone."),
            (lambda: model.score(paths=100, checkpoint_every=5), "checkpoint_every needs checkpoint."),
            (lambda: model.score(paths=100, checkpoint=file, checkpoint_every=float("nan")),
             "checkpoint_every: nan is not a finite number."),
            (lambda: model.response(paths=100, method="likelihood-ratio", checkpoint=file),
             "checkpoint saves one run: it excludes method and to, which make several."),
            (lambda: model.response(paths=100, to={"a": 1.2}, checkpoint=file),
             "checkpoint saves one run: it excludes method and to, which make several."),
            (lambda: model.diagnose(paths=100, checkpoint=file),
             "checkpoint does not apply here: it belongs to another kind of answer.")]
        for work, sentence in wrong:
            with self.assertRaises(divker.UsageError) as caught:
                work()
            self.assertEqual(str(caught.exception), sentence)
        model.score(paths=1000, alpha=2, checkpoint=file, checkpoint_every=0)
        with self.assertRaises(divker.UsageError) as caught:
            model.score(paths=1000, alpha=2, seed=2, checkpoint=file)
        self.assertIn("the seed is 1 there, and 2 here", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
