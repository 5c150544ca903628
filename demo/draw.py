#!/usr/bin/python3
"""The demo's picture of derivatives. Usage: draw.py DIRECTORY, which holds what run.sh wrote."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python" / "divker"))
import plot  # noqa: E402  (the package's pictures need no compiled part)


def main():
    folder = pathlib.Path(sys.argv[1])
    score = json.loads((folder / "score.json").read_text())
    response = json.loads((folder / "response.json").read_text())
    lorenz96 = [json.loads(line) for line in (folder / "lorenz96.jsonl").read_text().splitlines()]
    figure, axes = plot.plt.subplots(1, 3, figsize=(14, 4.5), constrained_layout=True)
    plot.score_slopes(score, axes[0])
    axes[0].set_title("bumpy: dots Fokker-Planck,\nslopes the score from one forward pass")
    plot.response(response, axes[1])
    axes[1].set_title("bumpy: response of the log density\n(dashed: Fokker-Planck)")
    plot.response_slopes(lorenz96, "F", axes[2])
    axes[2].set(ylabel=r"$E|x_T|^2/40$", title="Lorenz-96, 40 dimensions: means\nand their "
                "responses, 20,000 paths each")
    plot.save(figure, folder / "demo.png")
    print(f"picture: {folder / 'demo.png'}")


if __name__ == "__main__":
    main()
