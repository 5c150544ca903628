#!/usr/bin/python3
"""Prints random_polynomials.hpp: minimax polynomials for the Box-Muller transform.

Remez exchange in 60 digits (Remez 1934; Muller, "Elementary Functions", 3rd ed., chapter 3).
Usage: random_polynomials.py > random_polynomials.hpp; clang-format -i random_polynomials.hpp
"""

import mpmath as mp

mp.mp.dps = 60


def extrema(error, low, high, count):
    """Locations of the `count` largest alternating extrema of `error` on a fine Chebyshev grid."""
    points = 40 * count
    grid = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * k / points)
            for k in range(points + 1)]
    values = [error(x) for x in grid]
    found = []
    for x, value in zip(grid, values):
        if found and (value > 0) == (found[-1][1] > 0):
            if abs(value) > abs(found[-1][1]):
                found[-1] = (x, value)
        else:
            found.append((x, value))
    while len(found) > count:
        del found[0 if abs(found[0][1]) < abs(found[-1][1]) else -1]
    return [x for x, _ in found]


def minimax(function, low, high, terms, relative):
    """Coefficients, lowest first, and the largest error of the best polynomial of `terms` terms."""
    low, high = mp.mpf(low), mp.mpf(high)
    nodes = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * k / terms)
             for k in range(terms + 1)]
    for _ in range(8):
        system = mp.matrix(terms + 1, terms + 1)
        right = mp.matrix(terms + 1, 1)
        for row, x in enumerate(nodes):
            value = function(x)
            for power in range(terms):
                system[row, power] = x**power
            system[row, terms] = (-1) ** row * (value if relative else 1)
            right[row] = value
        solution = mp.lu_solve(system, right)
        coefficients = [solution[k] for k in range(terms)]

        def error(x):
            difference = mp.polyval(coefficients[::-1], x) - function(x)
            return difference / function(x) if relative else difference

        nodes = extrema(error, low, high, terms + 1)
    return coefficients, max(abs(error(x)) for x in nodes)


def log_quotient(f):
    """-2 log(1 + f) / f."""
    return mp.mpf(-2) if f == 0 else -2 * mp.log1p(f) / f


def sine_quotient(y):
    """sin(pi t) / t with y = t^2."""
    return mp.pi if y == 0 else mp.sin(mp.pi * mp.sqrt(y)) / mp.sqrt(y)


def cosine(y):
    """cos(pi t) with y = t^2."""
    return mp.cos(mp.pi * mp.sqrt(y))


POLYNOMIALS = [
    # name, function, interval, what it is, relative error?, terms: fast and full
    ("log_terms", log_quotient, (mp.mpf(-1) / 4, mp.mpf(1) / 2),
     "-2 log(1 + f) / f on [-1/4, 1/2]", True, (13, 20)),
    ("near_log_terms", log_quotient, (mp.mpf(-1) / 32, mp.mpf(1) / 16),
     "-2 log(1 + f) / f on [-1/32, 1/16]", True, (6, 10)),
    ("sine_terms", sine_quotient, (0, mp.mpf(1) / 4),
     "sin(pi t) / t in powers of t^2, |t| <= 1/2", True, (6, 9)),
    ("cosine_terms", cosine, (0, mp.mpf(1) / 4),
     "cos(pi t) in powers of t^2, |t| <= 1/2", False, (7, 9)),
]


def print_log_table():
    """1/c in the middle of each sixteenth of [1, 2), but c = 1 in the first and 1/2 in the last."""
    middles = [mp.mpf(33 + 2 * k) / 32 for k in range(16)]
    inverses = [float(mp.nint(256 / middle) / 256) for middle in middles]
    inverses[0], inverses[15] = 1.0, 0.5
    bases = [float(2 * mp.log(mp.mpf(c))) for c in inverses]
    print("// For m in [1 + k/16, 1 + (k+1)/16): c near 1/m with |m c - 1| <= 1/16, and 2 log(c).")
    print("struct LogTable {")
    for name, numbers in (("inverses", inverses), ("bases", bases)):
        body = ", ".join(number.hex() for number in numbers)
        print(f"  static constexpr double {name}[] = {{{body}}};")
    print("};\n")


def main():
    print("// Minimax polynomials of the Box-Muller transform, lowest power first.")
    print("// Printed by random_polynomials.py; change that, not this.")
    print("#pragma once\n\nnamespace divker::random_detail {\n")
    for column, structure in enumerate(("FastPolynomials", "FullPolynomials")):
        print(f"struct {structure} {{")
        for name, function, (low, high), text, relative, terms in POLYNOMIALS:
            coefficients, error = minimax(function, low, high, terms[column], relative)
            kind = "relative" if relative else "absolute"
            print(f"  // {text}: {kind} error {mp.nstr(error, 2)}.")
            body = ", ".join(float(c).hex() for c in coefficients)
            print(f"  static constexpr double {name}[] = {{{body}}};")
        print("};\n")
    print_log_table()
    print("}  // namespace divker::random_detail")


if __name__ == "__main__":
    main()
