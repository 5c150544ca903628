"""Lint: clang-format on all C++ files, clang-tidy on the compiled ones, syntax of the scripts.

What clang-tidy found clean is remembered in BUILD/lint under a hash of the file itself, its compile
command, the configuration and the version of clang-tidy, so that a second run looks only at what
has changed. A header that has changed is seen through one file that includes it: what the change
means to all the others is left to continuous integration (CI in the environment), which looks at
every file whatever is remembered.
"""

import argparse
import ast
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("include", "src", "app", "tests", "bench", "python", "experiments")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)
# Options of g++ that clang does not know must not count as findings.
EXTRA = ("-Wno-unknown-warning-option", "-Wno-unused-command-line-argument",
         "-Wno-ignored-optimization-argument",
         "-Wno-shadow")  # g++'s own, which is an error, sees each file alone
# Findings count where they are in a file of ours.
HEADERS = r"/(include/divker|src|app|tests|bench)/[^ ]*\.[ch]pp$"
# clang-tidy spends most of its time in the headers of the system, and reads them once for a unit of
# several files. More lines in a unit save less than they hold up the other cores.
UNIT_LINES = 5000


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


def included(path):
    """The project's files that `path` includes, directly or not, itself among them."""
    directories = (ROOT / "include", ROOT / "src", ROOT / "tests", ROOT / "bench", ROOT / "app")
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
    return seen


def configurations(path):
    """The .clang-tidy files that apply to `path`."""
    return [folder / ".clang-tidy" for folder in path.parents
            if (folder == ROOT or ROOT in folder.parents) and (folder / ".clang-tidy").is_file()]


def fingerprint(path, command, version):
    digest = hashlib.sha256()
    for source in (path, *configurations(path)):
        digest.update(str(source.relative_to(ROOT)).encode())
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    for text in (command, version, *EXTRA):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def witnesses(commands):
    """For each header the file through which it is seen: one that the same checks apply to, of the
    same name if there is one, else the shortest."""
    found = {}
    for path in commands:
        for header in included(path) - {path}:
            rank = (configurations(path) != configurations(header), path.stem != header.stem,
                    path.stat().st_size, path)
            found[header] = min(rank, found.get(header, rank))
    return {header: path for header, (*_, path) in found.items()}


def compile_commands(database):
    """How each of the project's .cpp files is compiled: file -> command; a file that is compiled
    as part of a unit has that unit's command with its own name in it."""
    wanted = set(files(".cpp"))
    commands = {}
    for entry in json.loads(database.read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        words = [word for word in shlex.split(entry["command"])
                 if not word.endswith("ccache")]
        words = words[:words.index("-o")]
        words = [word for word in words if word not in ("-MD", "-MT", "-MF")
                 and not word.endswith((".o", ".o.d"))]
        members = [path]
        if "/Unity/" in str(path):
            members = [pathlib.Path(name).resolve()
                       for name in re.findall(r'#include "([^"]+)"', path.read_text())]
        for member in members:
            if member in wanted:
                commands.setdefault(member, shlex.join(words))
    return commands


def unit_text(paths):
    """One file that holds several: their headers first, then each file, in a namespace of its own
    where they may use the same names (tests, benchmarks)."""
    separate = paths[0].relative_to(ROOT).parts[0] in ("tests", "bench")
    if not separate:
        return "".join(f'#include "{path}"\n' for path in paths)
    lines = []
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            if re.match(r"#include [<\"]", line) and line not in lines:
                lines.append(line)
    inner = sorted({name for path in files(".hpp")
                    for name in re.findall(r"^namespace divker::(\w+)", path.read_text(), re.M)})
    seen = " ".join(f"namespace {name} {{ using namespace ::divker::{name}; }}" for name in inner)
    for number, path in enumerate(paths):
        lines.append(f"namespace unit_{number} {{\n"
                     f"namespace divker {{ using namespace ::divker; {seen} }}\n"
                     f'#include "{path}"\n}}')
    empty = "".join(f"namespace divker::{name} {{}}\n" for name in inner)
    return empty + "\n".join(lines) + "\n"


def check_format(fix):
    sources = [str(path) for path in files(".cpp", ".hpp")]
    if not sources:
        return True
    mode = ["-i"] if fix else ["--dry-run", "-Werror"]
    done = subprocess.run([tool("clang-format"), "--style=file", *mode, *sources], check=False)
    print(f"lint: clang-format, {len(sources)} files: {'clean' if done.returncode == 0 else 'FAILED'}"
          + ("" if done.returncode == 0 else " (`make format` lays them out)"))
    return done.returncode == 0


class Tidy:
    """Runs clang-tidy on files, several at a time as one unit."""

    def __init__(self, folder):
        self.program = tool("clang-tidy")
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        # A unit lies below copies of the configurations that its files have above them.
        for source in [ROOT / ".clang-tidy",
                       *(path for name in FOLDERS for path in (ROOT / name).rglob(".clang-tidy"))]:
            copy = folder / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)

    def version(self):
        text = subprocess.run([self.program, "--version"], check=True, capture_output=True,
                              text=True).stdout
        return re.search(r"version (\S+)", text).group(1)  # not the processor, which it also names

    def run(self, path, command):
        flags = shlex.split(command)[1:]
        return subprocess.run(
            [self.program, "--quiet", f"--header-filter={HEADERS}",
             *(f"--extra-arg={option}" for option in EXTRA), str(path), "--", *flags],
            check=False, capture_output=True, text=True)

    def check(self, batch):
        """[(file, "" or findings)] of a batch of (file, command) that are compiled alike: of all
        files if none has findings, else of those that may have some."""
        if len(batch) == 1:
            (path, command), = batch
            return [(path, self.findings(path, command))]
        paths = [path for path, _ in batch]
        home = self.folder / paths[0].parent.relative_to(ROOT)
        home.mkdir(parents=True, exist_ok=True)
        unit = home / f"from_{paths[0].name}"
        unit.write_text(unit_text(paths))
        findings = self.findings(unit, batch[0][1])
        if not findings:
            return [(path, "") for path in paths]
        log = unit.with_suffix(".log")
        log.write_text(findings)
        again = [single for single in batch if str(single[0]) in findings] or batch
        if "[clang-diagnostic-error" in findings:
            print(f"lint: {len(paths)} files are checked one by one, which takes longer, because "
                  f"together they do not compile: {log}", flush=True)
            again = batch
        # Those without findings are not told: a header that they share may have some.
        return [told for single in again for told in self.check([single])]

    def findings(self, path, command):
        done = self.run(path, command)
        return "" if done.returncode == 0 else done.stdout.strip() or done.stderr.strip()


def batches(changed):
    """Files of one folder that are compiled alike, at most some thousand lines together: those of a
    floor do not use the same names, those of different floors may."""
    alike = {}
    for path, command in changed.items():
        alike.setdefault((path.parent, command), []).append(path)
    result = []
    for (_, command), paths in alike.items():
        lines = UNIT_LINES
        for path in sorted(paths):
            length = path.read_bytes().count(b"\n")
            if lines + length > UNIT_LINES:
                result.append([])
                lines = 0
            result[-1].append((path, command))
            lines += length
    # Longest first, so that the last one to finish does not leave the other cores idle.
    result.sort(key=lambda batch: sum(path.stat().st_size for path, _ in batch), reverse=True)
    return result


def check_tidy(build, jobs):
    database = build / "compile_commands.json"
    if not database.is_file():
        sys.exit(f"lint: {database} is missing; run `make build` first.")
    commands = compile_commands(database)
    cache = build / "lint"
    tidy = Tidy(cache / "units")
    version = tidy.version()
    marks = {path: cache / fingerprint(path, command, version)
             for path, command in commands.items()}
    headers = {}  # file -> the headers that are seen through it
    for header, path in witnesses(commands).items():
        headers.setdefault(path, []).append(cache / fingerprint(header, "", version))
    everything = "CI" in os.environ
    changed = {path: commands[path] for path, mark in marks.items()
               if everything or not all(m.exists() for m in (mark, *headers.get(path, [])))}

    started = time.monotonic()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for told in pool.map(tidy.check, batches(changed)):
            for path, findings in told:
                if findings:
                    failed += 1
                    print(findings, flush=True)
                else:
                    for mark in (marks[path], *headers.get(path, [])):
                        mark.touch()
    keep = {*marks.values(), *(mark for marks in headers.values() for mark in marks), tidy.folder}
    for mark in cache.iterdir():
        if mark not in keep:
            mark.unlink()
    print(f"lint: clang-tidy, {len(commands)} files, {len(changed)} of them changed, "
          f"{time.monotonic() - started:.0f} s: " + (f"{failed} FAILED" if failed else "clean"))
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
