#!/usr/bin/python3
"""Beyond the paper: a Markov approximation of fractional noise, its weights as parameters.

Motion driven by a sum of relaxing modes. They are never observed and the observed coordinate has no
noise of its own: the noise is degenerate. The weights decide how the variance grows, like t^(2H) for fractional noise.
"""

import numpy as np
from common import plt, read_columns, start

RATES = (0.3, 3.0, 30.0)
MODEL = """model rough
param w[3] = [1, 1, 1] in (0, inf)
state x, z[3]
dx = (w[0]*z[0] + w[1]*z[1] + w[2]*z[2]) dt
dz[0] = -0.3*z[0] dt + sqrt(0.6) dW[0]
dz[1] = -3*z[1] dt + sqrt(6) dW[1]
dz[2] = -30*z[2] dt + sqrt(60) dW[2]
init x ~ normal(0, 0.05)
init z[i] ~ normal(0, 1)
time 0 : 0.005 : 2
"""
TRUTH = np.array((0.5, 1.2, 2.5))


def variance(weights, times):
    """Of x: 2 w^2 (r t - 1 + exp(-r t)) / r^2 for each mode of rate r, stationary from the start."""
    t = np.asarray(times)[:, None]
    r = np.array(RATES)
    return 0.0025 + (2 * weights**2 * (r * t - 1 + np.exp(-r * t)) / r**2).sum(1)


def main(e):
    times = np.array((0.05, 0.1, 0.2, 0.4, 0.8, 1.4, 2.0))
    random = np.random.default_rng(6)
    count = e.pick(2_000, 1_000)
    model = e.scratch / "rough.sde"
    model.write_text(MODEL)
    data, spread = [], []
    for k, time in enumerate(times):
        x = np.sqrt(variance(TRUTH, [time])[0]) * random.normal(size=count)
        path = e.scratch / f"y{k}.csv"
        np.savetxt(path, x, header="x", comments="")
        data += ["--data", f"{path}@{time:.6g}"]
        spread.append(x.var())
    answer = e.ask("fit", model, *data, "--paths", e.pick(60_000, 20_000))
    estimate, error = np.array(answer["estimate"]), np.array(answer["stderr"])
    e.table("weights", ["rate", "truth", "estimate", "stderr"],
            zip(RATES, TRUTH, estimate, error))
    fine = np.geomspace(times[0], times[-1], 60)
    figure, axes = plt.subplots(figsize=(5.5, 4.5))
    axes.loglog(times, spread, "ko", label="samples")
    axes.loglog(fine, variance(TRUTH, fine), color="black", lw=0.8, label="truth")
    axes.loglog(fine, variance(estimate, fine), color="tab:red", ls="--", label="fit")
    axes.set(xlabel="t", ylabel="variance of x", title="growth of the variance")
    axes.legend()
    e.save(figure)
    e.check("rms error of a weight in standard errors",
            np.sqrt(np.mean(((estimate - TRUTH) / error)**2)), 2.5)
    e.check("largest relative error of the variance over time",
            np.max(np.abs(variance(estimate, fine) / variance(TRUTH, fine) - 1)),
            e.pick(0.1, 0.15))


start(main)
