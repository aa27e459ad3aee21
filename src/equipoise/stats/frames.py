"""Users' frames in, and the same kind of frame out.

Formulas are evaluated on pandas inside; pandas and polars frames both come in, and tables go back as the
kind that came.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.typing import IntoDataFrame

from equipoise.stats.refusals import BadSample, UnknownColumn
from equipoise.stats.samples import Vector

Frame: TypeAlias = Any  # a pandas or polars frame, whichever came in
Opened: TypeAlias = "nw.DataFrame[Any]"
MOST_ROWS_NAMED = 5


def opened(data: IntoDataFrame) -> Opened:
    """The data as a frame of either kind.

    Raises:
        BadSample: something that is not a data frame, or two columns of one name.
    """
    try:
        return nw.from_native(data, eager_only=True)
    except TypeError:
        raise BadSample("data", type(data).__name__, "is not a data frame", "give a pandas or polars frame") from None
    except nw.exceptions.DuplicateError:
        names = [str(name) for name in getattr(data, "columns", ())]
        again = sorted({name for name in names if names.count(name) > 1})
        raise BadSample("data", None, f"has several columns named {named_rows(again)}", "rename them") from None


def column(frame: Opened, name: str, role: str) -> "pd.Series[Any]":
    """One column as pandas, numbered from zero.

    Args:
        frame: the data.
        name: the column.
        role: the argument that named it, for the message.

    Raises:
        UnknownColumn: when the data has no such column.
    """
    if name not in frame.columns:
        raise UnknownColumn(
            role, name, "is not a column of the data", f"choose one of {', '.join(map(str, frame.columns))}"
        )
    series = frame[name]
    if frame.implementation.is_pandas():
        native: pd.Series[Any] = series.to_native()
        if getattr(native.dtype, "na_value", None) is pd.NA:  # which formulas cannot read
            return pd.Series([None if value is pd.NA else value for value in native], name=name)
        return native.reset_index(drop=True)
    if isinstance(series.dtype, nw.Enum):
        declared = list(series.dtype.categories)
        return pd.Series(pd.Categorical(series.to_list(), categories=declared, ordered=True), name=name)
    return pd.Series(series.to_list(), name=name)


def numbers(series: "pd.Series[Any]", role: str) -> Vector:
    """A column as floats, NaN where missing.

    Raises:
        BadSample: when it holds something that is not a number; dates and complex numbers are none.
    """
    if series.dtype.kind == "c":
        raise BadSample(role, series.name, "holds complex numbers", "give a column of real numbers")
    if series.dtype.kind in "mM":
        raise BadSample(
            role, series.name, "holds dates or times, not numbers", "give the time since a day, as a number"
        )
    try:
        return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    except (TypeError, ValueError):
        raise BadSample(role, series.name, "holds something that is not a number", "give a column of numbers") from None


def like(frame: Opened, columns: Mapping[str, Any]) -> Frame:
    """A table of the same kind of frame as the one that came in."""
    return nw.from_dict(dict(columns), backend=frame.implementation).to_native()


def named_rows(labels: "list[str]") -> str:
    """A few labels in words, with the count of the rest."""
    shown = ", ".join(labels[:MOST_ROWS_NAMED])
    rest = len(labels) - MOST_ROWS_NAMED
    return f"{shown} and {rest} more" if rest > 0 else shown
