#!/usr/bin/python3
"""Lorenz-96, 40 dimensions, multiplicative noise: averages and their responses.

The paper's second example, T = 1.5: a typical orbit, and the mean energy E[|x|^2]/40 against the
forcing and the noise amplitude with its response drawn as slopes. Beyond the paper: the error bar
against the horizon up to T = 20, beside that of finite differences with common random numbers, and
the automatic damping against a sweep of constants.
"""

import numpy as np
from common import Z_LIMIT, largest_z, plot, plt, read_columns, start

# All methods answer for one Euler chain, and the error bars compared are those of sampling.
ENERGY = ("--observable", "sum(i, 0:39, x[i]^2)/40", "--ignore-time-step")
# In the quick mode no pilots but that of the last panel: this is what they choose, nearly.
QUICK_DAMPING = ("--alpha", "jacobian:4,0.5")
TIMES = np.arange(0, 376, 3) * 0.004


def orbit(e, axes):
    path = e.scratch / "orbit.csv"
    e.run("simulate", "lorenz96", "--paths", 1, "--seed", 3, "--times",
          ",".join(f"{t:.6g}" for t in TIMES), "--out", path, "--quiet")
    columns = read_columns(path)
    axes.plot(columns["x[0]"], columns["x[1]"], color="black", lw=0.8)
    axes.set(xlabel=r"$x_0$", ylabel=r"$x_1$", title="a typical orbit")
    e.table("orbit", ["time", "x0", "x1"], zip(TIMES, columns["x[0]"], columns["x[1]"]))


def against(e, axes, name, values, paths):
    """The slopes on the curve of averages over a range of one parameter."""
    rows, largest = [], 0.0
    for value in values:
        words = ("lorenz96", *ENERGY, "--wrt", name, "--set", f"{name}={value}")
        answer = e.ask("response", *words, "--paths", paths, *e.pick((), QUICK_DAMPING))
        exact = e.ask("response", *words, "--method", "finite-difference", "--paths", paths // 4,
                      "--seed", 2)
        largest = max(largest, largest_z(answer["response"], exact["response"],
                                         np.hypot(answer["stderr"], exact["stderr"])))
        rows.append([value, answer["value"], answer["response"][0], answer["stderr"][0],
                     exact["response"][0], exact["stderr"][0]])
    table = np.array(rows)
    axes.plot(table[:, 0], table[:, 1], "k-", lw=0.8)
    plot.slopes(axes, *table[:, :4].T)
    axes.set(xlabel=name, ylabel=r"$E|x_T|^2/40$", title=f"averages and responses to {name}")
    e.table(f"against_{name}", [name, "average", "response", "stderr", "finite_difference",
                                "finite_difference_stderr"], rows)
    e.check(f"largest difference of a response to {name} from finite differences, in standard "
            "errors", largest, Z_LIMIT)


def horizons(e, axes, paths):
    times = e.pick((0.5, 1.5, 3, 6, 12, 20), (1.5, 3))
    rows = []
    for end in times:
        words = ("lorenz96", *ENERGY, "--wrt", "F", "--set", f"T={end}", "--paths", paths)
        ours = e.ask("response", *words, *e.pick((), QUICK_DAMPING))
        other = e.ask("response", *words, "--method", "finite-difference")
        rows.append([end, ours["response"][0], ours["stderr"][0], other["response"][0],
                     other["stderr"][0]])
    table = np.array(rows)
    axes.loglog(table[:, 0], table[:, 2], "o-", color="tab:red", label="divergence kernel")
    axes.loglog(table[:, 0], table[:, 4], "s--", color="black",
                label="finite difference, 3 times the paths")
    axes.set(xlabel="T", ylabel="standard error", title=f"error bar against horizon, {paths} paths")
    axes.legend(fontsize=8)
    e.table("horizons", ["T", "response", "stderr", "finite_difference",
                         "finite_difference_stderr"], rows)
    # Once the start is forgotten I is a sum of bounded terms: no faster than the root of time.
    late = table[table[:, 0] >= 1.5]
    growth = late[-1, 2] / late[0, 2] / np.sqrt(late[-1, 0] / late[0, 0])
    e.check("growth of the standard error over that of the root of T, from T = 1.5", growth, 1.5)


def dampings(e, axes, paths):
    words = ("lorenz96", *ENERGY, "--paths", paths)
    rows = []
    constants = e.pick((2, 3, 5, 7, 10, 14, 20, 40), (10, 20))
    for alpha in constants:
        answer = e.ask("response", *words, "--alpha", alpha)
        rows.append([alpha, *answer["stderr"]])
    best = e.ask("response", *words)
    table = np.array(rows)
    for k, name in enumerate(("F", "s")):
        line, = axes.loglog(table[:, 0], table[:, k + 1], "o-", label=f"to {name}, constant")
        axes.axhline(best["stderr"][k], ls="--", color=line.get_color(),
                     label=f"to {name}, {best['alpha']} (auto)")
        e.check(f"standard error to {name} of the automatic damping over the best constant's",
                best["stderr"][k] / table[:, k + 1].min(), 1.1)
    axes.set(xlabel=r"constant damping $\alpha$", ylabel="standard error", title="damping")
    axes.legend(fontsize=7)
    e.table("dampings", ["alpha", "stderr_F", "stderr_s"], [*rows, [best["alpha"],
                                                                     *best["stderr"]]])


def main(e):
    figure, axes = plt.subplots(1, 5, figsize=(22, 4))
    orbit(e, axes[0])
    paths = e.pick(40_000, 4_000)
    against(e, axes[1], "F", e.pick(np.arange(5, 11.1), (6, 10)), paths)
    against(e, axes[2], "s", e.pick((0.5, 0.75, 1, 1.25, 1.5, 2), (0.75, 1.25)), paths)
    horizons(e, axes[3], e.pick(4_000, 1_000))
    dampings(e, axes[4], e.pick(10_000, 2_000))
    e.save(figure)


start(main)
