"""Checks the order of the floors and the rules that keep the sources readable.

    floors.py ROOT         first the self-test, then the tree under ROOT
    floors.py --self-test  the self-test alone: every rule must notice a tree that breaks it

A public header belongs to the floor where the .cpp of its stem is; those without one are in the
table HEADER_ONLY. CONTRIBUTING.md says what the floors are.
"""

import pathlib
import re
import sys
import tempfile

# What the sources and headers of a floor may include. `base` is what everybody may use.
ALLOWED = {
    "base": {"base"},
    "ranks": {"base", "ranks"},
    "numbers": {"base", "numbers"},
    "graph": {"base", "graph"},
    "model": {"base", "graph", "model"},
    "language": {"base", "graph", "model", "language"},
    "derive": {"base", "numbers", "graph", "model", "derive"},
    "jit": {"base", "ranks", "graph", "jit"},
    "march": {"base", "ranks", "numbers", "graph", "model", "derive", "jit", "march"},
    "estimate": {"base", "ranks", "numbers", "graph", "estimate"},
    "io": {"base", "io"},
}
# The rest of the house stands on all that is before it.
ALLOWED["tune"] = ALLOWED["march"] | {"tune"}
ALLOWED["answer"] = ALLOWED["tune"] | ALLOWED["estimate"] | {"language", "answer"}
ALLOWED["fit"] = ALLOWED["answer"] | {"fit"}
ALLOWED["present"] = ALLOWED["fit"] | {"io", "present"}
ALLOWED["app"] = ALLOWED["present"] | {"app"}
ALLOWED["python"] = ALLOWED["app"] | {"python"}
OUTSIDE_SRC = ("app", "python")
FLOORS = [floor for floor in ALLOWED if floor not in ("base", *OUTSIDE_SRC)]
# Public headers without a .cpp of the same stem.
HEADER_ONLY = {"archive": "base", "covector_covariance": "derive", "error": "base", "matrix": "base",
               "method": "derive", "record": "answer",
               "text_column": "base"}

# Not in public headers: a user needs the standard library alone.
PRIVATE_LIBRARY = re.compile(
    r"^(llvm|llvm-c|clang|hdf5|fmt|Eigen|unsupported|nanoflann|CLI|nlohmann|gtest|gmock)(/|\.|$)"
    r"|^(H5\w*|mpi|sleef|nanoflann|zlib)\.h(pp)?$|^hdf5")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)

LINE_LIMIT = 800
TEXT = {".cpp", ".hpp", ".h", ".py", ".md", ".sde", ".txt", ".cmake", ".sh"}
CHECKED = ("src", "include", "app", "tests", "docs", "models", "bench", "python", "demo", "tools",
           "README.md", "CONTRIBUTING.md", "CMakeLists.txt", "Makefile")
SKIPPED = ("tests/data", "tests/fuzz/corpus")
# Brackets keep this file from containing what it forbids.
FORBIDDEN = re.compile(
    r"\b[T]ODO\b|\b[F]IXME\b|\b[X]XX\b|\b[H]ACK\b|\b[Ii]ssues? *#?\d|(?<![&\w'\"])#\d{1,4}\b"
    r"|\b(?:this|the|an?|one|next|last|previous|earlier|each|our) [s]essions?\b"
    r"|\b[Tt][i]ckets?\b|\b[Pp]ull [r]equests?\b")


def includes(path):
    return INCLUDE.findall(path.read_text(encoding="utf-8"))


class Tree:
    """The sources under one root, and on which floor each of them is."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.errors = []
        self.floor_of = {}
        for floor in FLOORS:
            for path in self.sources(self.root / "src" / floor):
                self.floor_of[path] = floor
        for floor in OUTSIDE_SRC:
            for path in self.sources(self.root / floor):
                self.floor_of[path] = floor
        stems = {path.stem: floor for path, floor in self.floor_of.items()
                 if path.suffix == ".cpp" and floor not in OUTSIDE_SRC}
        for path in self.sources(self.root / "include"):
            floor = stems.get(path.stem) or HEADER_ONLY.get(path.stem)
            if floor is None:
                self.report(path, "belongs to no floor: there is neither a src/FLOOR/"
                                  f"{path.stem}.cpp nor an entry in HEADER_ONLY of tests/floors.py")
            else:
                self.floor_of[path] = floor

    @staticmethod
    def sources(folder):
        return sorted(path for path in folder.rglob("*") if path.suffix in (".cpp", ".hpp"))

    def report(self, path, sentence):
        self.errors.append(f"{path.relative_to(self.root)}: {sentence}")

    def resolve(self, path, name):
        """The project's file that `path` means by `name`, or None for a foreign one."""
        for folder in (path.parent, self.root / "include", self.root / "src", self.root / "app"):
            candidate = (folder / name).resolve()
            if candidate.is_file() and self.root in candidate.parents:
                return candidate
        return None

    def check_order(self):
        for path, floor in self.floor_of.items():
            for name in includes(path):
                target = self.resolve(path, name)
                if target is None:
                    if name.startswith("divker/"):
                        self.report(path, f"includes {name}, which does not exist")
                    continue
                other = self.floor_of.get(target)
                if other is not None and other not in ALLOWED[floor]:
                    self.report(path, f"is on floor {floor} and must not include {name} "
                                      f"of floor {other}")

    def check_cycles(self):
        graph = {path: [target for target in (self.resolve(path, name) for name in includes(path))
                        if target in self.floor_of] for path in self.floor_of}
        done = set()

        def visit(path, chain):
            if path in chain:
                cycle = [*chain[chain.index(path):], path]
                self.report(path, "includes itself: "
                            + " -> ".join(str(p.relative_to(self.root)) for p in cycle))
            elif path not in done:
                for target in graph[path]:
                    visit(target, [*chain, path])
                done.add(path)

        for path in graph:
            visit(path, [])

    def check_public_headers(self):
        for path in self.sources(self.root / "include"):
            for name in includes(path):
                if PRIVATE_LIBRARY.search(name):
                    self.report(path, f"is public and must not include {name}")
                target = self.resolve(path, name)
                if target is not None and self.root / "include" not in target.parents:
                    self.report(path, f"is public and must not include the internal {name}")

    def check_texts(self):
        for start in CHECKED:
            start = self.root / start
            for path in sorted(start.rglob("*")) if start.is_dir() else [start]:
                relative = path.relative_to(self.root).as_posix()
                if (not path.is_file() or relative.startswith(SKIPPED)
                        or (path.suffix not in TEXT and path.name != "Makefile")):
                    continue
                lines = path.read_text(encoding="utf-8").splitlines()
                if len(lines) >= LINE_LIMIT:
                    self.report(path, f"has {len(lines)} lines; split it by meaning below "
                                      f"{LINE_LIMIT}")
                for number, line in enumerate(lines, 1):
                    word = FORBIDDEN.search(line)
                    if word:
                        self.report(path, f"line {number} says '{word.group()}': texts speak of "
                                          "what is, not of how it came about")

    def check(self):
        self.check_order()
        self.check_cycles()
        self.check_public_headers()
        self.check_texts()
        return self.errors


SOUND = {
    "include/divker/error.hpp": "#pragma once\n",
    "include/divker/matrix.hpp": "#pragma once\n",
    "include/divker/expression.hpp": "#include <vector>\n",
    "include/divker/program.hpp": '#include "divker/expression.hpp"\n',
    "src/graph/program.cpp": '#include "divker/program.hpp"\n',
    "include/divker/model.hpp": '#include "divker/expression.hpp"\n',
    "include/divker/step.hpp": '#include "divker/program.hpp"\n',
    "include/divker/kernel.hpp": '#include "divker/program.hpp"\n',
    "include/divker/ensemble.hpp": '#include "divker/model.hpp"\n',
    "include/divker/regressor.hpp": '#include "divker/matrix.hpp"\n',
    "include/divker/fit.hpp": '#include "divker/regressor.hpp"\n',
    "include/divker/table.hpp": '#include "divker/matrix.hpp"\n',
    "src/graph/expression.cpp": '#include "divker/expression.hpp"\n',
    "src/model/model.cpp": '#include "divker/model.hpp"\n#include "names.hpp"\n',
    "src/model/names.hpp": '#include "divker/error.hpp"\n',
    "src/derive/step.cpp": '#include "divker/step.hpp"\n#include "model/names.hpp"\n',
    "src/jit/kernel.cpp": '#include <llvm/IR/IRBuilder.h>\n#include "divker/kernel.hpp"\n',
    "src/march/ensemble.cpp": '#include "divker/ensemble.hpp"\n#include "divker/kernel.hpp"\n',
    "src/estimate/regressor.cpp": '#include "divker/regressor.hpp"\n#include <Eigen/Dense>\n',
    "src/fit/fit.cpp": '#include "divker/fit.hpp"\n#include "divker/ensemble.hpp"\n',
    "src/io/table.cpp": '#include "divker/table.hpp"\n#include <hdf5.h>\n',
    "app/main.cpp": '#include "divker/table.hpp"\n#include "divker/fit.hpp"\n#include "table.hpp"\n',
    "app/table.hpp": "#pragma once\n",
    "python/src/fit.cpp": '#include "divker/fit.hpp"\n#include "table.hpp"\n#include "arrays.hpp"\n',
    "python/src/arrays.hpp": "#pragma once\n",
    "README.md": "# divker\n\nA colour is #00ff7f, a channel #include.\n",
}
# Each breaks one rule: the file, what is appended to it, and a word of the complaint.
BROKEN = {
    "a lower floor includes a higher one":
        ("src/graph/expression.cpp", '#include "divker/model.hpp"\n', "must not include"),
    "an internal header includes a higher floor":
        ("src/model/names.hpp", '#include "divker/step.hpp"\n', "must not include"),
    "an internal header of a higher floor":
        ("src/graph/expression.cpp", '#include "model/names.hpp"\n', "must not include"),
    "a public header includes a higher floor":
        ("include/divker/expression.hpp", "#include <divker/kernel.hpp>\n", "must not include"),
    "the compiler knows models":
        ("src/jit/kernel.cpp", '#include "divker/model.hpp"\n', "floor jit"),
    "the compiler knows the derivation":
        ("src/jit/kernel.cpp", '#include "divker/step.hpp"\n', "floor jit"),
    "an estimator knows models":
        ("src/estimate/regressor.cpp", '#include "divker/model.hpp"\n', "floor estimate"),
    "an estimator knows the derivation":
        ("src/estimate/regressor.cpp", '#include "divker/step.hpp"\n', "floor estimate"),
    "an estimator knows kernels":
        ("src/estimate/regressor.cpp", '#include "divker/kernel.hpp"\n', "floor estimate"),
    "an estimator knows ensembles":
        ("src/estimate/regressor.cpp", '#include "divker/ensemble.hpp"\n', "floor estimate"),
    "files know expressions":
        ("src/io/table.cpp", '#include "divker/expression.hpp"\n', "floor io"),
    "files know program":
        ("src/io/table.cpp", '#include "divker/program.hpp"\n', "floor io"),
    "what everybody uses is not free":
        ("include/divker/error.hpp", '#include "divker/expression.hpp"\n', "floor base"),
    "the library knows the command":
        ("src/io/table.cpp", '#include "../../app/table.hpp"\n', "of floor app"),
    "the command knows the package":
        ("app/main.cpp", '#include "../python/src/arrays.hpp"\n', "of floor python"),
    "a header that does not exist":
        ("src/fit/fit.cpp", '#include "divker/nowhere.hpp"\n', "does not exist"),
    "a header without a floor":
        ("include/divker/stray.hpp", "#pragma once\n", "belongs to no floor"),
    "a cycle":
        ("include/divker/matrix.hpp", '#include "divker/error.hpp"\n', "includes itself"),
    "LLVM in public": ("include/divker/kernel.hpp", "#include <llvm/IR/Module.h>\n", "public"),
    "HDF5 in public": ("include/divker/table.hpp", '#include "hdf5.h"\n', "public"),
    "HDF5's own headers in public": ("include/divker/table.hpp", "#include <H5Cpp.h>\n", "public"),
    "MPI in public": ("include/divker/ensemble.hpp", "#include <mpi.h>\n", "public"),
    "fmt in public": ("include/divker/error.hpp", "#include <fmt/format.h>\n", "public"),
    "Eigen in public": ("include/divker/matrix.hpp", "  #  include <Eigen/Core>\n", "public"),
    "an internal header in public":
        ("include/divker/step.hpp", '#include "model/names.hpp"\n', "the internal"),
    "a long file": ("src/fit/fit.cpp", "\n" * LINE_LIMIT, "lines; split"),
    "a long page": ("docs/long.md", "x\n" * LINE_LIMIT, "lines; split"),
    "a plan": ("src/fit/fit.cpp", "// TO" "DO: later\n", "line 3 says"),
    "a defect left": ("tests/fit_test.cpp", "// FIX" "ME\n", "line 1 says"),
    "a number of a tracker": ("models/x.sde", "# see iss" "ue 2\n", "line 1 says"),
    "a number of a tracker, short": ("docs/x.md", "closes #" "12\n", "line 1 says"),
    "how it came about": ("README.md", "written in one sess" "ion\n", "line 4 says"),
}


def errors_of(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return Tree(folder).check()


def self_test():
    """The rules that do not work, one sentence each."""
    failures = []
    found = errors_of(SOUND)
    if found:
        failures.append(f"a sound tree is refused: {found}")
    for name, (file, text, complaint) in BROKEN.items():
        files = dict(SOUND)
        if name == "a cycle":
            files["include/divker/error.hpp"] = '#include "divker/matrix.hpp"\n'
        files[file] = files.get(file, "") + text
        found = errors_of(files)
        if not any(complaint in error for error in found):
            failures.append(f"'{name}' goes unnoticed (found {found})")
    return failures


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    failures = self_test()
    for failure in failures:
        print("floors.py, self-test:", failure)
    if failures or sys.argv[1] == "--self-test":
        sys.exit(1 if failures else 0)

    tree = Tree(sys.argv[1])
    if not tree.floor_of:
        sys.exit(f"floors.py: {tree.root} holds no sources of divker.")
    errors = tree.check()
    for error in errors:
        print(error)
    print(f"{len(tree.floor_of)} sources on {len(set(tree.floor_of.values()))} floors, "
          f"{len(errors)} errors")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
