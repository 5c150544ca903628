"""Measurements for fits: whatever holds numbers in columns becomes a table of the library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from . import _core
from .errors import ModelError, UsageError

# (name in messages, names of columns or none, values, time or None)
Table = tuple[str, list[str], np.ndarray, "float | None"]


def read_file(argument: str) -> tuple[Table, bool]:
    """FILE, FILE@T or FILE@stationary, as the command's --data; an @ in a folder is its own."""
    file, at, when = argument.rpartition("@")
    if not at or "/" in when:
        columns, values = _core.read_table(argument)
        return (argument, columns, values, None), False
    time = None
    if when != "stationary":
        try:
            time = float(when)
        except ValueError:
            raise UsageError(f"data {argument}: '{when}' after the @ is neither a time nor "
                             "'stationary'.") from None
    columns, values = _core.read_table(file)
    return (file, columns, values, time), time is None


def columns_of(table: Any, source: str, may_drop: bool) -> Table:
    """A table with named columns: a dictionary of arrays, or a data frame."""
    names, columns = [], []
    for name in table:
        try:
            columns.append(np.asarray(table[name], dtype=float))
            names.append(str(name))
        except (TypeError, ValueError):
            if not may_drop:
                raise ModelError(f"{source}: the column '{name}' holds something that is no "
                                 "number.") from None
    if len({len(column) for column in columns}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in zip(names, columns))
        raise ModelError(f"{source}: the columns differ in length: {lengths}.")
    values = np.column_stack(columns) if columns else np.empty((0, 0))
    return source, names, values, None


def table_of(given: Any, source: str, may_drop: bool) -> tuple[Table, bool]:
    """One table, and whether it is of the stationary law."""
    if isinstance(given, (str, os.PathLike)):
        return read_file(os.fspath(given))
    if isinstance(given, tuple) and len(given) == 2 and np.isscalar(given[1]):
        (name, columns, values, _), _ = table_of(given[0], source, may_drop)
        if given[1] == "stationary":
            return (name, columns, values, None), True
        return (name, columns, values, float(cast(float, given[1]))), False
    if isinstance(given, Mapping) or hasattr(given, "columns"):
        return columns_of(given, source, may_drop), False
    return (source, [], np.asarray(given, dtype=float), None), False


def is_several(given: Any) -> bool:
    """A list of tables, not the rows of one."""
    return isinstance(given, list) and bool(given) and not any(
        np.isscalar(one) and not isinstance(one, str) or isinstance(one, list) for one in given)


def tables_of(data: Any, time_column: str | None, may_drop: bool) -> tuple[list[Table], bool]:
    """The tables, and whether they are of the stationary law."""
    given = data if is_several(data) else [data]
    several = [table_of(one, "data" if len(given) == 1 else f"data[{k}]", may_drop)
               for k, one in enumerate(given)]
    tables = [table for table, _ in several]
    stationary = [flag for _, flag in several]
    for name, _, _, time in tables:
        if time is not None and time_column:
            raise UsageError(f"{name} has the time {time:g}, and so says the column time="
                             f"'{time_column}'; give one of them.")
    if any(stationary) and not all(stationary):
        raise UsageError("Stationary data and data of a time cannot be fitted together: give "
                         "'stationary' for all tables or for none.")
    return tables, all(stationary)
