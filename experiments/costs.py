#!/usr/bin/python3
"""Memory against the horizon, cost against dimension and number of parameters.

Lorenz-96 and the response of its energy. Memory is measured; what backpropagation would keep is
counted: the states of every step, 8 bytes a number.
"""

import numpy as np
from common import fitted_slope, plt, start

PATHS = 2000


def lorenz96(e, size, kinds):
    """Lorenz-96 of `size` sites with `kinds` parameters at every site (0: one forcing in all)."""
    names = ("F", "a", "q", "c", "s")
    values = dict(zip(names, ("8", "1", "0.01", "1", "1 in (0, inf)")))
    lines = ["model sites"]
    here = {}
    for k, name in enumerate(names):
        local = k < kinds
        here[name] = name + ("[i]" if local else "")
        word = "param" if local or (name == "F" and kinds == 0) else "const"
        value = values[name] if word == "param" else values[name].split()[0]
        lines.append(f"{word} {name}{f'[{size}]' if local else ''} = {value}")
    lines += [f"state x[{size}] periodic",
              "dx[i] = ({c}*(x[i+1] - x[i-2])*x[i-1] - {a}*x[i] - {q}*x[i]^2 + {F}) dt + {s} dW[i]"
              .format(**here), "init x[i] ~ normal(0, 2)", "time 0 : 0.004 : 0.4"]
    path = e.scratch / f"sites_{size}_{kinds}.sde"
    path.write_text("\n".join(lines) + "\n")
    return path


def seconds(e, cases):
    """Of one path and step of each (sites, kinds of parameters), the best of three runs. Each
    round runs all, so that what else the machine does is shared among them."""
    models = {case: lorenz96(e, *case) for case in cases}
    best = dict.fromkeys(cases, float("inf"))
    for seed in range(3):
        for (sites, kinds), model in models.items():
            answer = e.ask("response", model, "--observable", "x[0]^2", "--alpha", 10, "--paths",
                           PATHS, "--threads", 1, "--seed", seed)
            assert len(answer["parameters"]) == max(1, sites * kinds)
            best[sites, kinds] = min(best[sites, kinds], answer["seconds"] / (PATHS * 100))
    return [best[case] for case in cases]


def memory(e, axes):
    steps = e.pick((375, 3750, 37500), (375, 3750))
    peaks = [e.peak_mib("response", "lorenz96", "--alpha", 5, "--paths", e.pick(10_000, 2_000),
                        "--observable", "x[0]", "--set", f"dt={1.5 / n!r}", "--json", "--out",
                        e.scratch / "x.npy") for n in steps]
    backward = [e.pick(10_000, 2_000) * 40 * 8 * n / 2**20 for n in steps]
    e.table("memory", ["steps", "peak_mib", "states_of_a_backward_pass_mib"],
            zip(steps, peaks, backward))
    axes.loglog(steps, backward, "k--", label="states kept by a backward pass")
    axes.loglog(steps, peaks, "o-", color="tab:red", label="divker, measured")
    axes.set(xlabel="steps", ylabel="memory in MiB", title="memory against the horizon")
    axes.legend(fontsize=8)
    e.check("largest peak memory over the smallest", max(peaks) / min(peaks), 1.05)


def main(e):
    figure, (of_memory, of_size, of_parameters) = plt.subplots(1, 3, figsize=(14, 4))
    memory(e, of_memory)

    sizes = e.pick((20, 40, 80, 160, 320, 640, 1000), (20, 40, 80, 160))
    times = seconds(e, [(n, 0) for n in sizes])
    slope = fitted_slope(sizes, times)
    e.table("dimension", ["dimension", "seconds_per_path_step"], zip(sizes, times))
    of_size.loglog(sizes, times, "o-", color="tab:red")
    of_size.set(xlabel="dimension", ylabel="seconds a path and step",
                title=f"cost against dimension: slope {slope:.2f}")
    # Proportional, plus some for larger blocks that leave the caches.
    e.check("exponent of the cost in the dimension", slope, 1.35)

    cases = e.pick(((200, 0), (200, 1), (200, 2), (200, 3), (200, 4), (200, 5)),
                   ((100, 0), (100, 1), (100, 5)))
    counts = [max(1, n * kinds) for n, kinds in cases]
    times = seconds(e, cases)
    e.table("parameters", ["parameters", "seconds_per_path_step"], zip(counts, times))
    of_parameters.loglog(counts, times, "o-", color="tab:red", label="divker, measured")
    of_parameters.loglog(counts, times[0] * (2 * np.array(counts) + 1) / 3, "k--",
                         label="finite differences, counted")
    of_parameters.set(xlabel="parameters", title=f"cost against parameters, {cases[0][0]} states",
                      ylabel="seconds a path and step")
    of_parameters.legend(fontsize=8)
    e.check(f"cost of {counts[-1]} parameters over that of one", times[-1] / times[0], 8)
    e.save(figure)


start(main)
