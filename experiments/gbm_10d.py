#!/usr/bin/python3
"""Beyond the paper: geometric Brownian motion in ten dimensions with a common factor.

The logarithms are Gaussian, so that the best estimate is known: the fit is compared with the
parameters and with the moments of the logarithms of the same samples.
"""

import numpy as np
from common import plt, start

SIZE = 10
MODEL = f"""model gbm10
param mu[{SIZE}] = 0.1
param v[{SIZE}] = 0.3 in (0, inf)
param f = 0.2 in (0, inf)
state x[{SIZE}]
dx[i] = mu[i]*x[i] dt + v[i]*x[i] dW[i] + f*x[i] dC
init x[i] ~ lognormal(0, 0.2)
time 0 : 0.02 : 1
"""


def main(e):
    random = np.random.default_rng(5)
    mu = random.uniform(-0.1, 0.3, SIZE)
    v = random.uniform(0.2, 0.5, SIZE)
    f, count = 0.3, e.pick(5_000, 2_000)
    logs = (0.2 * random.normal(size=(count, SIZE)) + mu - (v**2 + f**2) / 2
            + v * random.normal(size=(count, SIZE)) + f * random.normal(size=(count, 1)))
    data, model = e.scratch / "data.csv", e.scratch / "gbm10.sde"
    header = ",".join(f"x[{i}]" for i in range(SIZE))
    np.savetxt(data, np.exp(logs), delimiter=",", header=header, comments="")
    model.write_text(MODEL)
    answer = e.ask("fit", model, "--data", data, "--paths", e.pick(60_000, 20_000))
    names = answer["parameters"]
    truth = np.array([*mu, *v, f])[[[*(f"mu[{i}]" for i in range(SIZE)),
                                     *(f"v[{i}]" for i in range(SIZE)), "f"].index(n)
                                    for n in names]]
    estimate, error = np.array(answer["estimate"]), np.array(answer["stderr"])

    covariance = np.cov(logs.T)
    factor = (covariance.sum() - np.trace(covariance)) / (SIZE * (SIZE - 1))
    own = np.diag(covariance) - 0.04 - factor
    moments = dict(zip(names, [np.nan] * len(names)))
    for i in range(SIZE):
        moments[f"v[{i}]"] = np.sqrt(own[i])
        moments[f"mu[{i}]"] = logs[:, i].mean() + (own[i] + factor) / 2
    moments["f"] = np.sqrt(factor)
    known = np.array([moments[name] for name in names])
    e.table("parameters", ["parameter", "truth", "fit", "stderr", "moments"],
            zip(names, truth, estimate, error, known))
    figure, axes = plt.subplots(figsize=(5, 5))
    axes.plot([-0.15, 0.6], [-0.15, 0.6], color="0.7")
    axes.errorbar(truth, estimate, 2 * error, fmt=".", color="tab:red", label="fit")
    axes.plot(truth, known, "kx", ms=4, label="moments of the logarithms")
    axes.set(xlabel="truth", ylabel="estimate")
    axes.legend()
    e.save(figure)
    e.check("rms error of a parameter in standard errors",
            np.sqrt(np.mean(((estimate - truth) / error)**2)), 1.6)
    e.check("rms error of the fit over that of the moments",
            np.sqrt(np.mean((estimate - truth)**2) / np.mean((known - truth)**2)), 1.5)


start(main)
