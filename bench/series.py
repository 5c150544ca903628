#!/usr/bin/python3
"""Fits to time series beside exact maximum likelihood and two quasi-likelihoods, as JSON lines.

Series of 1,000 transitions of an Ornstein-Uhlenbeck process, a Cox-Ingersoll-Ross process, a
geometric Brownian motion and a double well, at intervals of 0.1, 1 and 3 relaxation times. Peers,
written here: the exact likelihood (of the double well by the Fokker-Planck equation, on a grid),
Euler's quasi-likelihood, and that of M. Kessler, Scand. J. Stat. 24 (1997) 211, of second order.
For each parameter: rms distance of the fit to the exact estimate in its standard errors, root mean
square errors over the exact one's, bars over the exact ones, coverage of 95% intervals.
Usage: PYTHONPATH=build/python series.py [--sets N] [--only MODEL] [--interval D]
"""

import argparse
import json
import time

import numpy as np
from scipy import optimize, special

import divker

TRANSITIONS = 1000


class Case:
    """A model with its equations, and `log_density` of transitions at parameters in `names`."""

    text = names = truth = positive = None

    def free(self, values):
        return np.where(self.positive, np.log(np.maximum(values, 1e-300)), values)

    def values(self, free):
        return np.where(self.positive, np.exp(free), free)


class OrnsteinUhlenbeck(Case):
    names, truth = ("a", "m", "s"), np.array([1.0, 0.3, 0.7])
    positive = np.array([True, False, True])
    text = """model ou
param a = 1 in (0, inf)
param m = 0
param s = 1 in (0, inf)
state x
dx = -a*(x - m) dt + s dW
init x ~ normal(0, 2)
time 0 : 0.01 : 1
"""

    def drift(self, x, p):
        return -p[0] * (x - p[1]), -p[0] + 0 * x, 0 * x

    def noise(self, x, p):
        return p[2] ** 2 + 0 * x, 0 * x, 0 * x

    def step(self, x, interval, rng):
        a, m, s = self.truth
        kept = np.exp(-a * interval)
        return m + kept * (x - m) + s * np.sqrt((1 - kept**2) / (2 * a)) * rng.standard_normal()

    def start(self, rng):
        return self.truth[1] + self.truth[2] / np.sqrt(2 * self.truth[0]) * rng.standard_normal()

    def log_density(self, x, y, interval, p):
        kept = np.exp(-p[0] * interval)
        variance = p[2] ** 2 * (1 - kept**2) / (2 * p[0])
        return -0.5 * (y - p[1] - kept * (x - p[1])) ** 2 / variance - 0.5 * np.log(variance)


class CoxIngersollRoss(Case):
    names, truth = ("k", "m", "s"), np.array([1.0, 1.0, 0.5])
    positive = np.array([True, True, True])
    text = """model cir
param k = 1 in (0, inf)
param m = 1 in (0, inf)
param s = 0.7 in (0, inf)
state r
dr = k*(m - r) dt + s*sqrt(r) dW
init r ~ lognormal(0, 0.2)
time 0 : 0.01 : 1
"""

    def drift(self, x, p):
        return p[0] * (p[1] - x), -p[0] + 0 * x, 0 * x

    def noise(self, x, p):
        return p[2] ** 2 * x, p[2] ** 2 + 0 * x, 0 * x

    def step(self, x, interval, rng):
        k, m, s = self.truth
        c = 2 * k / (s**2 * (1 - np.exp(-k * interval)))
        return rng.noncentral_chisquare(4 * k * m / s**2, 2 * c * x * np.exp(-k * interval)) / (2 * c)

    def start(self, rng):
        k, m, s = self.truth
        return rng.gamma(2 * k * m / s**2, s**2 / (2 * k))

    def log_density(self, x, y, interval, p):
        k, m, s = p
        c = 2 * k / (s**2 * (1 - np.exp(-k * interval)))
        u, v, q = c * x * np.exp(-k * interval), c * y, 2 * k * m / s**2 - 1
        bessel = special.ive(q, 2 * np.sqrt(u * v))
        return (np.log(c) - (np.sqrt(u) - np.sqrt(v)) ** 2 + 0.5 * q * np.log(v / u)
                + np.log(np.maximum(bessel, 1e-300)))


class GeometricBrownianMotion(Case):
    names, truth = ("mu", "v"), np.array([0.1, 0.3])
    positive = np.array([False, True])
    text = """model gbm
param mu = 0
param v = 0.2 in (0, inf)
state x positive
dx = mu*x dt + v*x dW
init x ~ lognormal(0, 0.2)
time 0 : 0.01 : 1
"""

    def drift(self, x, p):
        return p[0] * x, p[0] + 0 * x, 0 * x

    def noise(self, x, p):
        return (p[1] * x) ** 2, 2 * p[1] ** 2 * x, 2 * p[1] ** 2 + 0 * x

    def step(self, x, interval, rng):
        mu, v = self.truth
        return x * np.exp((mu - 0.5 * v**2) * interval + v * np.sqrt(interval) * rng.standard_normal())

    def start(self, rng):
        return 1.0

    def log_density(self, x, y, interval, p):
        variance = p[1] ** 2 * interval
        off = np.log(y / x) - (p[0] - 0.5 * p[1] ** 2) * interval
        return -0.5 * off**2 / variance - 0.5 * np.log(variance) - np.log(y)


class DoubleWell(Case):
    names, truth = ("a", "b", "s"), np.array([1.0, 1.0, 0.7])
    positive = np.array([False, True, True])
    text = """model well
param a = 0.5
param b = 0.5 in (0, inf)
param s = 1 in (0, inf)
state x
dx = (a*x - b*x^3) dt + s dW
init x ~ normal(0, 1)
time 0 : 0.01 : 1
"""
    grid = np.linspace(-3.2, 3.2, 321)

    def drift(self, x, p):
        return p[0] * x - p[1] * x**3, p[0] - 3 * p[1] * x**2, -6 * p[1] * x

    def noise(self, x, p):
        return p[2] ** 2 + 0 * x, 0 * x, 0 * x

    def step(self, x, interval, rng):
        steps = max(100, int(500 * interval))
        dt = interval / steps
        for normal in rng.standard_normal(steps):
            x += dt * (x - x**3) + 0.7 * np.sqrt(dt) * normal
        return x

    def start(self, rng):
        return 1.0 if rng.random() < 0.5 else -1.0

    def log_density(self, x, y, interval, p):
        # exp(L D) by the eigenvectors of the symmetric form of a reversible chain on the grid:
        # rates D/h^2 sqrt(pi_j/pi_i), second order in h.
        h = self.grid[1] - self.grid[0]
        log_pi = (p[0] * self.grid**2 - 0.5 * p[1] * self.grid**4) / p[2] ** 2
        log_pi -= log_pi.max()
        rate = 0.5 * p[2] ** 2 / h**2
        half = 0.5 * np.clip(np.diff(log_pi), -600, 600)
        diagonal = np.zeros(len(self.grid))
        diagonal[:-1] -= rate * np.exp(half)
        diagonal[1:] -= rate * np.exp(-half)
        from scipy.linalg import eigh_tridiagonal
        values, vectors = eigh_tridiagonal(diagonal, np.full(len(half), rate))
        kernel = (vectors * np.exp(np.minimum(values, 0) * interval)) @ vectors.T
        at = (np.array([x, y]) - self.grid[0]) / h
        left = np.clip(at.astype(int) - 1, 0, len(self.grid) - 4)
        t = at - left
        weights = np.stack([-(t - 1) * (t - 2) * (t - 3) / 6, t * (t - 2) * (t - 3) / 2,
                            -t * (t - 1) * (t - 3) / 2, t * (t - 1) * (t - 2) / 6])
        root = np.exp(0.5 * log_pi)
        density = np.zeros(len(x))
        for i in range(4):
            for j in range(4):
                k, m = left[0] + i, left[1] + j
                density += (weights[i, 0] * weights[j, 1] * kernel[k, m] * root[m]
                            / np.maximum(root[k], 1e-150))
        return np.log(np.maximum(density / h, 1e-300))


def euler(case, x, y, interval, p):
    drift, variance = case.drift(x, p)[0], case.noise(x, p)[0]
    return -0.5 * (y - x - drift * interval) ** 2 / (variance * interval) - 0.5 * np.log(variance)


def kessler(case, x, y, interval, p):
    """Normal, with mean and variance to second order in the interval by the generator."""
    (f, f1, f2), (c, c1, c2) = case.drift(x, p), case.noise(x, p)
    mean = x + f * interval + 0.5 * interval**2 * (f * f1 + 0.5 * c * f2)
    variance = interval * c + 0.5 * interval**2 * (2 * c * f1 + f * c1 + 0.5 * c * c2)
    variance = np.where(variance > 0, variance, np.nan)
    return -0.5 * (y - mean) ** 2 / variance - 0.5 * np.log(variance)


def maximum(case, log_density, x, y, interval):
    """Estimate and standard errors, in the coordinates of `free`."""
    def target(free):
        with np.errstate(all="ignore"):
            value = -log_density(x, y, interval, case.values(free)).sum()
        return value if np.isfinite(value) else 1e12
    at = optimize.minimize(target, case.free(case.truth), method="Nelder-Mead",
                           options={"xatol": 1e-6, "fatol": 1e-6, "maxiter": 4000}).x
    if target(at) >= 1e12:  # no variance of the expansion is positive near the truth
        return np.full(len(at), np.nan), np.full(len(at), np.nan)
    step, count = 1e-3, len(at)
    hessian = np.empty((count, count))
    for i in range(count):
        for j in range(count):
            e, d = step * np.eye(count)[i], step * np.eye(count)[j]
            hessian[i, j] = (target(at + e + d) - target(at + e - d) - target(at - e + d)
                             + target(at - e - d)) / (4 * step**2)
    return at, np.sqrt(np.maximum(np.diag(np.linalg.pinv(hessian)), 1e-300))


def finite(ratios):
    return [round(float(one), 2) if np.isfinite(one) else None for one in ratios]


def compare(case, interval, sets):
    model = divker.Model.parse(case.text)
    state = model.states[0]
    ours, exact, errors, bars, model_bars, peers, seconds, bad = [], [], [], [], [], [], [], 0
    for number in range(sets):
        rng = np.random.default_rng(number)
        path = [case.start(rng)]
        for _ in range(TRANSITIONS):
            path.append(case.step(path[-1], interval, rng))
        path = np.array(path)
        x, y = path[:-1], path[1:]
        began = time.perf_counter()
        fit = model.fit({"t": interval * np.arange(len(path)), state: path}, time="t", series=True,
                        seed=number + 1)
        seconds.append(time.perf_counter() - began)
        bad += not fit.converged
        slope = np.where(case.positive, fit.estimate, 1.0)
        ours.append(case.free(fit.estimate))
        bars.append(np.asarray(fit.stderr) / slope)
        model_bars.append(np.asarray(fit.stderr_by_model) / slope)
        at, error = maximum(case, case.log_density, x, y, interval)
        exact.append(at)
        errors.append(error)
        peers.append([maximum(case, lambda *a, f=f: f(case, *a), x, y, interval)[0]
                      for f in (euler, kessler)])
    truth = case.free(case.truth)
    ours, exact, errors, bars, peers = map(np.array, (ours, exact, errors, bars, peers))
    rmse = lambda estimates: np.sqrt(np.mean((estimates - truth) ** 2, axis=0))
    print(json.dumps({
        "case": type(case).__name__, "interval": interval, "sets": sets, "parameters": case.names,
        "distance": np.sqrt(np.mean(((ours - exact) / errors) ** 2, axis=0)).round(3).tolist(),
        "rmse_ratio": (rmse(ours) / rmse(exact)).round(3).tolist(),
        "bar_ratio": np.mean(bars / errors, axis=0).round(3).tolist(),
        "model_bar_ratio": np.mean(np.array(model_bars) / errors, axis=0).round(3).tolist(),
        "coverage": np.mean(np.abs(ours - truth) < 1.96 * bars, axis=0).round(3).tolist(),
        "euler_rmse_ratio": finite(rmse(peers[:, 0]) / rmse(exact)),
        "kessler_rmse_ratio": finite(rmse(peers[:, 1]) / rmse(exact)),
        "seconds": round(float(np.median(seconds)), 3), "not_converged": bad}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=20)
    parser.add_argument("--only", default="")
    parser.add_argument("--interval", type=float)
    options = parser.parse_args()
    for case in (OrnsteinUhlenbeck(), CoxIngersollRoss(), GeometricBrownianMotion(), DoubleWell()):
        if options.only.lower() not in type(case).__name__.lower():
            continue
        for interval in (0.1, 1.0, 3.0):
            if options.interval in (None, interval):
                compare(case, interval, options.sets)


if __name__ == "__main__":
    main()
