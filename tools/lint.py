"""Lint: clang-format on all C++ files, clang-tidy on the compiled ones, syntax of the scripts.

What clang-tidy found clean is remembered in BUILD/lint under a hash of everything that decides the
verdict (the file, the project's headers that it includes, the compile command, the configuration,
the version of clang-tidy), so that a second run looks only at what has changed.
"""

import argparse
import ast
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("include", "src", "app", "tests", "bench", "python")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)
# Options of g++ that clang does not know must not count as findings.
EXTRA = ("-Wno-unknown-warning-option", "-Wno-unused-command-line-argument",
         "-Wno-ignored-optimization-argument")


def files(*suffixes):
    """All files of the project with one of the suffixes, sorted."""
    found = []
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in suffixes and path.is_file():
                found.append(path)
    return sorted(found)


def tool(name):
    """The executable, version 14 by its own name where both exist."""
    path = shutil.which(name + "-14") or shutil.which(name)
    if path is None:
        sys.exit(f"lint: {name} is not installed; run `make deps`.")
    return path


def included(path, directories):
    """The project's files that `path` includes, directly or not, itself among them."""
    seen, pending = set(), [path]
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        for name in INCLUDE.findall(current.read_text(encoding="utf-8", errors="replace")):
            for directory in (current.parent, *directories):
                candidate = (directory / name).resolve()
                if candidate.is_file() and ROOT in candidate.parents:
                    pending.append(candidate)
                    break
    return sorted(seen)


def configurations(path):
    """The .clang-tidy files that apply to `path`."""
    return [folder / ".clang-tidy" for folder in path.parents
            if (folder == ROOT or ROOT in folder.parents) and (folder / ".clang-tidy").is_file()]


def fingerprint(path, command, version):
    digest = hashlib.sha256()
    directories = (ROOT / "include", ROOT / "src", ROOT / "tests", ROOT / "bench", ROOT)
    for source in [*included(path, directories), *configurations(path)]:
        digest.update(str(source.relative_to(ROOT)).encode())
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    for text in (command, version, *EXTRA):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def check_format(fix):
    sources = [str(path) for path in files(".cpp", ".hpp")]
    if not sources:
        return True
    mode = ["-i"] if fix else ["--dry-run", "-Werror"]
    done = subprocess.run([tool("clang-format"), "--style=file", *mode, *sources], check=False)
    print(f"lint: clang-format, {len(sources)} files: {'clean' if done.returncode == 0 else 'FAILED'}"
          + ("" if done.returncode == 0 else " (`make format` lays them out)"))
    return done.returncode == 0


def check_tidy(build, jobs):
    database = build / "compile_commands.json"
    if not database.is_file():
        sys.exit(f"lint: {database} is missing; run `make build` first.")
    wanted = set(files(".cpp"))
    units = {}
    for entry in json.loads(database.read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if path in wanted:
            units.setdefault(path, entry["command"])

    clang_tidy = tool("clang-tidy")
    version = subprocess.run([clang_tidy, "--version"], check=True, capture_output=True,
                             text=True).stdout
    version = re.search(r"version (\S+)", version).group(1)  # not the processor, which it also names
    cache = build / "lint"
    cache.mkdir(parents=True, exist_ok=True)
    marks = {path: cache / fingerprint(path, command, version) for path, command in units.items()}
    changed = [path for path, mark in marks.items() if not mark.exists()]
    # Longest first, so that the last one to finish does not leave the other cores idle.
    changed.sort(key=lambda path: path.stat().st_size, reverse=True)

    def tidy(path):
        arguments = [clang_tidy, "--quiet", f"-p={build}",
                     *(f"--extra-arg={option}" for option in EXTRA), str(path)]
        return path, subprocess.run(arguments, check=False, capture_output=True, text=True)

    started = time.monotonic()
    failed = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for path, done in pool.map(tidy, changed):
            if done.returncode == 0:
                marks[path].touch()
            else:
                failed.append(path)
                print(done.stdout.strip() or done.stderr.strip(), flush=True)
    keep = set(marks.values())
    for mark in cache.iterdir():
        if mark not in keep:
            mark.unlink()
    print(f"lint: clang-tidy, {len(units)} files, {len(changed)} of them changed, "
          f"{time.monotonic() - started:.0f} s: " + (f"{len(failed)} FAILED" if failed else "clean"))
    return not failed


def check_scripts():
    clean = True
    python = [*files(".py"), *sorted((ROOT / "tools").glob("*.py"))]
    for path in python:
        try:
            ast.parse(path.read_text(encoding="utf-8"), str(path))
        except SyntaxError as error:
            print(f"{path}:{error.lineno}: {error.msg}")
            clean = False
    shell = [ROOT / ".ci/run", *(path for folder in ("tools", "demo", "tests", "bench")
                                 for path in sorted((ROOT / folder).rglob("*.sh")))]
    for path in shell:
        clean &= subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0
    print(f"lint: scripts, {len(python) + len(shell)} files: {'clean' if clean else 'FAILED'}")
    return clean


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="build directory with compile_commands.json")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--fix-format", action="store_true", help="lay out all files and stop")
    arguments = parser.parse_args()
    if arguments.fix_format:
        sys.exit(0 if check_format(fix=True) else 1)
    results = [check_format(fix=False), check_scripts(),
               check_tidy(arguments.build.resolve(), arguments.jobs)]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
