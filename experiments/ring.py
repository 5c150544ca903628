"""The shipped model `ring` with twenty sites and sixty parameters (eight and twenty-four in the quick
mode), and the parameters that its samples are drawn with."""

import json

import numpy as np


class Ring:
    def __init__(self, e):
        size = e.pick(20, 8)
        self.names = [f"{kind}[{i}]" for kind in "Fds" for i in range(size)]
        random = np.random.default_rng(2020)
        self.truth = np.concatenate([middle + spread * random.uniform(-1, 1, size)
                                     for middle, spread in ((4, 0.6), (1, 0.2), (1, 0.3))]).round(3)
        self.words = [word for name, value in zip(self.names, self.truth)
                      for word in ("--set", f"{name}={value}")]
        models = json.loads(e.run("models", "--json").stdout)["models"]
        shipped = next(m for m in models if m["name"] == "ring")
        self.model = e.scratch / "ring.sde"
        with open(shipped["path"], encoding="utf-8") as file:
            self.model.write_text(file.read().replace("const n = 5", f"const n = {size}"))
