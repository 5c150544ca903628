"""Measurements for fits: whatever holds numbers in columns becomes a table of the library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from .errors import ModelError, UsageError

# The texts of columns that hold more than numbers, by their place: (what each row holds, "" where it
# is a number or nothing; what to say where numbers are needed).
Texts = dict[int, tuple[list[str], str]]
# (name in messages, names of columns, values, texts, time or None). Of a file, which the library
# reads, the name is its path and the rest None.
Table = tuple[str, "list[str] | None", "np.ndarray | None", Texts, "float | None"]


def read_file(argument: str) -> tuple[Table, bool]:
    """FILE, FILE@T or FILE@stationary, as the command's --data; an @ in a folder is its own."""
    file, at, when = argument.rpartition("@")
    if not at or "/" in when:
        return (argument, None, None, {}, None), False
    if when == "stationary":
        return (file, None, None, {}, None), True
    try:
        return (file, None, None, {}, float(when)), False
    except ValueError:
        raise UsageError(f"data {argument}: '{when}' after the @ is neither a time nor "
                         "'stationary'.") from None


def number_or_text(value: Any) -> tuple[float, str]:
    """A number, or NaN and a text, which is empty for what is missing."""
    try:
        return float(value), ""
    except (TypeError, ValueError):
        text = str(value)
        return np.nan, "" if text in ("None", "<NA>", "NaT") else text


def columns_of(table: Any, source: str) -> Table:
    """A table with named columns: a dictionary of arrays, or a data frame."""
    names: list[str] = []
    columns: list[np.ndarray] = []
    texts: Texts = {}
    for name in table:
        try:
            column = np.asarray(table[name], dtype=float)
        except (TypeError, ValueError):
            numbers, cells = zip(*map(number_or_text, np.asarray(table[name], dtype=object)))
            column = np.array(numbers)
            if any(cells):
                texts[len(names)] = (list(cells), f"{source}: the column '{name}' holds something "
                                                  "that is no number.")
        columns.append(column)
        names.append(str(name))
    if len({len(column) for column in columns}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in zip(names, columns))
        raise ModelError(f"{source}: the columns differ in length: {lengths}.")
    values = np.column_stack(columns) if columns else np.empty((0, 0))
    return source, names, values, texts, None


def table_of(given: Any, source: str) -> tuple[Table, bool]:
    """One table, and whether it is of the stationary law."""
    if isinstance(given, (str, os.PathLike)):
        return read_file(os.fspath(given))
    if isinstance(given, tuple) and len(given) == 2 and np.isscalar(given[1]):
        (name, columns, values, texts, _), _ = table_of(given[0], source)
        if given[1] == "stationary":
            return (name, columns, values, texts, None), True
        return (name, columns, values, texts, float(cast(float, given[1]))), False
    if isinstance(given, Mapping) or hasattr(given, "columns"):
        return columns_of(given, source), False
    return (source, [], np.asarray(given, dtype=float), {}, None), False


def is_several(given: Any) -> bool:
    """A list of tables, not the rows of one."""
    return isinstance(given, list) and bool(given) and not any(
        np.isscalar(one) and not isinstance(one, str) or isinstance(one, list) for one in given)


def tables_of(data: Any, time_column: str | None) -> tuple[list[Table], bool]:
    """The tables, and whether they are of the stationary law."""
    given = data if is_several(data) else [data]
    several = [table_of(one, "data" if len(given) == 1 else f"data[{k}]")
               for k, one in enumerate(given)]
    tables = [table for table, _ in several]
    stationary = [flag for _, flag in several]
    for name, *_, time in tables:
        if time is not None and time_column:
            raise UsageError(f"{name} has the time {time:g}, and so says the column time="
                             f"'{time_column}'; give one of them.")
    if any(stationary) and not all(stationary):
        raise UsageError("Stationary data and data of a time cannot be fitted together: give "
                         "'stationary' for all tables or for none.")
    return tables, all(stationary)
