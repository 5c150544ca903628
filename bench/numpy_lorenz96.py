#!/usr/bin/python3
"""NumPy's speed at the work of lorenz96_reference: x, nu and two responses, one core.

Prints JSON lines: {"case": ..., "path_steps_per_s": ...} for the step written straightforwardly, all
paths of an ensemble of ordinary size at once and again with so few that its arrays stay in the
second-level cache, for the step in place over blocks of paths, and the rate of
Generator.standard_normal. Medians of --repeats runs, one more for warming up. Formulas: see
lorenz96_step.hpp.
"""

import argparse
import json
import os
import statistics
import time

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402  (after the threads are settled)

SIZE = 40
QUADRATIC = 0.01


def start(generator, paths):
    """State [component, path] of the initial law normal(0, 2) with its score."""
    x = 2 * generator.standard_normal((SIZE, paths))
    return x, -x / 4, np.zeros((2, paths))


def run_straightforward(paths, steps, F=8.0, s=1.0, alpha=5.0, dt=0.004, normals=None):
    """All paths at once, an array a formula."""
    generator = np.random.default_rng(1)
    x, nu, response = start(generator, paths)
    for step in range(steps):
        z = generator.standard_normal((SIZE, paths)) if normals is None else normals[step]
        db = np.sqrt(dt) * z
        q = (x * x).sum(axis=0)
        bump = np.exp(-q / 2)
        sigma = bump + s
        nu_db = (nu * db).sum(axis=0)
        nu_x = (nu * x).sum(axis=0)
        after, before, before2 = np.roll(x, -1, 0), np.roll(x, 1, 0), np.roll(x, 2, 0)
        drift = (after - before2) * before - x * (1 + QUADRATIC * x) + F
        gradient = (before2 * np.roll(nu, 1, 0) - after * np.roll(nu, -2, 0)
                    + (np.roll(x, -2, 0) - before) * np.roll(nu, -1, 0)
                    - (1 + 2 * QUADRATIC * x) * nu - 2 * QUADRATIC)
        factor = (-bump * ((x * db).sum(axis=0) - nu_db)
                  - dt * bump**2 * (2 * q - SIZE - 1 - nu_x))
        response[1] += dt * bump * (q - SIZE - nu_x) - nu_db
        nu = nu - dt * gradient + bump * db + factor * x
        nu = (1 - alpha * dt) * nu - alpha * db / sigma
        response[0] -= dt * nu.sum(axis=0)
        x = x + drift * dt + sigma * db
    return x, nu, response


class Block:
    """The step in place for one block of paths; rows -2, -1, SIZE, SIZE + 1 repeat the other end."""

    def __init__(self, generator, paths):
        self.generator = generator
        self.x, self.nu = np.empty((SIZE + 4, paths)), np.empty((SIZE + 4, paths))
        self.z = np.empty((SIZE, paths))
        self.drift, self.work, self.next = (np.empty((SIZE, paths)) for _ in range(3))
        self.q, self.nu_z, self.x_z, self.nu_x, self.bump, self.sigma, self.row, self.factor = (
            np.empty(paths) for _ in range(8))
        self.inner = slice(2, SIZE + 2)
        self.x[self.inner], self.nu[self.inner], self.response = start(generator, paths)
        self.wrap()

    def wrap(self):
        for array in (self.x, self.nu):
            array[:2] = array[SIZE:SIZE + 2]
            array[SIZE + 2:] = array[2:4]

    def sums(self):
        x, nu = self.x[self.inner], self.nu[self.inner]
        np.einsum("ij,ij->j", x, x, out=self.q)
        np.einsum("ij,ij->j", x, self.z, out=self.x_z)
        np.einsum("ij,ij->j", nu, self.z, out=self.nu_z)
        np.einsum("ij,ij->j", nu, x, out=self.nu_x)
        np.multiply(self.q, -0.5, out=self.bump)
        np.exp(self.bump, out=self.bump)

    def advance_response_to_amplitude(self, dt):
        row = self.row
        np.subtract(self.q, SIZE, out=row)
        row -= self.nu_x
        row *= self.bump
        row *= dt
        self.response[1] += row
        np.multiply(self.nu_z, np.sqrt(dt), out=row)
        self.response[1] -= row

    def advance_response_to_forcing(self, dt):
        row = self.row
        np.sum(self.nu[self.inner], axis=0, out=row)
        row *= dt
        self.response[0] -= row

    def step(self, F, s, alpha, dt, z=None):
        if z is None:
            self.generator.standard_normal(out=self.z)
        else:
            self.z[:] = z
        self.sums()
        self.advance_response_to_amplitude(dt)
        np.add(self.bump, s, out=self.sigma)
        self.prepare_drift(F, dt)
        self.advance_nu(alpha, dt)
        self.advance_response_to_forcing(dt)
        x = self.x[self.inner]
        x += self.drift
        self.sigma *= np.sqrt(dt)
        np.multiply(self.z, self.sigma, out=self.work)
        x += self.work
        self.wrap()

    def prepare_drift(self, F, dt):
        x, drift, work = self.x, self.drift, self.work
        np.subtract(x[3:SIZE + 3], x[:SIZE], out=drift)
        drift *= x[1:SIZE + 1]
        np.multiply(x[self.inner], QUADRATIC, out=work)
        work += 1
        work *= x[self.inner]
        drift -= work
        drift += F
        drift *= dt

    def advance_nu(self, alpha, dt):
        x, nu, work, new = self.x, self.nu, self.work, self.next
        keep, root = 1 - alpha * dt, np.sqrt(dt)
        np.subtract(x[4:], x[1:SIZE + 1], out=new)
        new *= nu[3:SIZE + 3]
        np.multiply(x[:SIZE], nu[1:SIZE + 1], out=work)
        new += work
        np.multiply(x[3:SIZE + 3], nu[4:], out=work)
        new -= work
        new *= -keep * dt
        np.multiply(x[self.inner], 2 * QUADRATIC * keep * dt, out=work)
        work += keep * (1 + dt)
        work *= nu[self.inner]
        new += work
        new += 2 * QUADRATIC * keep * dt
        row, factor = self.row, self.factor
        np.subtract(self.nu_z, self.x_z, out=factor)
        factor *= root
        np.multiply(self.q, 2, out=row)
        row -= SIZE + 1
        row -= self.nu_x
        row *= self.bump
        row *= dt
        factor -= row
        factor *= self.bump
        factor *= keep
        np.multiply(x[self.inner], factor, out=work)
        new += work
        np.divide(-alpha * root, self.sigma, out=row)
        np.multiply(self.bump, keep * root, out=factor)
        row += factor
        np.multiply(self.z, row, out=work)
        new += work
        nu[self.inner] = new


def run_blocked(paths, steps, block=256, F=8.0, s=1.0, alpha=5.0, dt=0.004):
    """In place, `block` paths at a time: nine arrays of 40 x 256 numbers are 0.7 MB."""
    generator = np.random.default_rng(1)
    for _ in range(0, paths, block):
        made = Block(generator, block)
        for _ in range(steps):
            made.step(F, s, alpha, dt)


def check():
    """Both versions give the same numbers from the same normals."""
    paths, steps = 16, 20
    generator = np.random.default_rng(1)
    block = Block(generator, paths)
    normals = np.random.default_rng(2).standard_normal((steps, SIZE, paths))
    for z in normals:
        block.step(8.0, 1.0, 5.0, 0.004, z)
    x, nu, response = run_straightforward(paths, steps, normals=normals)
    np.testing.assert_allclose(block.x[block.inner], x, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(block.nu[block.inner], nu, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(block.response, response, rtol=1e-9, atol=1e-9)


def median_seconds(work, repeats):
    work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paths", type=int, default=10_000)
    parser.add_argument("--few-paths", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    check()
    for case, run, paths in (
            ("numpy-straightforward", run_straightforward, options.paths),
            ("numpy-straightforward-in-cache", run_straightforward, options.few_paths),
            ("numpy-blocked", run_blocked, options.few_paths)):
        work = paths * options.steps
        seconds = median_seconds(lambda: run(paths, options.steps), options.repeats)
        print(json.dumps({"case": case, "paths": paths, "path_steps_per_s": work / seconds,
                          "ns_per_component_step": 1e9 * seconds / (work * SIZE)}), flush=True)
    generator, numbers = np.random.default_rng(1), np.empty(1 << 16)
    seconds = median_seconds(
        lambda: [generator.standard_normal(out=numbers) for _ in range(50)], options.repeats)
    print(json.dumps({"case": "numpy-normals", "normals_per_s": 50 * numbers.size / seconds,
                      "ns_per_normal": 1e9 * seconds / (50 * numbers.size)}))


if __name__ == "__main__":
    main()
