#!/usr/bin/env python3
"""Lines covered by the tests, for each folder of src/: from gcovr's JSON summary."""
import collections
import json
import sys


def main(path):
    with open(path, encoding="utf-8") as file:
        summary = json.load(file)
    folders = collections.defaultdict(lambda: [0, 0])
    for entry in summary["files"]:
        for name in (entry["filename"].split("/")[1], "all"):
            folders[name][0] += entry["line_covered"]
            folders[name][1] += entry["line_total"]
    print("| folder | lines | covered |\n| --- | --- | --- |")
    for name in sorted(folders, key=lambda name: (name == "all", name)):
        covered, lines = folders[name]
        print(f"| {name} | {lines} | {100 * covered / lines:.1f} % |")


if __name__ == "__main__":
    main(sys.argv[1])
