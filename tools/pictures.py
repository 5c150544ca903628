#!/usr/bin/python3
"""Small copies of pictures for docs/pictures: python3 tools/pictures.py PICTURE...

At most 1100 points wide and of few colours, so that each stays below 60 kB in the history. The
pictures are those that `divker reproduce NAME` and the tutorials write.
"""

import pathlib
import sys

from PIL import Image

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "docs" / "pictures"
LARGEST = 60_000


def shrink(source):
    whole = Image.open(source).convert("RGB")
    target = FOLDER / source.name
    for width in (1100, 900, 700, 500):
        width = min(width, whole.width)
        picture = whole.resize((width, round(whole.height * width / whole.width)),
                               Image.Resampling.LANCZOS)
        for colours in (64, 32, 16):
            picture.quantize(colours).save(target, optimize=True)
            if target.stat().st_size < LARGEST:
                return target
    sys.exit(f"pictures: {source} stays above {LARGEST} bytes; make it simpler.")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:]:
        target = shrink(pathlib.Path(name))
        print(f"{target}: {target.stat().st_size} bytes")
