"""What pickled handles are made of: their region, opened again."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from ._memlane import Space

_T = TypeVar("_T")


def space(
    directory: os.PathLike[str], participants: int, mode: int, note: str, resident: bool, ephemeral: bool
) -> Space:
    """The space of a pickled handle."""
    return Space(
        directory, participants=participants, mode=mode, note=note, resident=resident, ephemeral=ephemeral
    )


def region(kind: Callable[..., _T], id: str, space: Space, options: dict[str, Any]) -> _T:
    """A handle of the class `kind`, of the region `id`, which exists."""
    return kind(id, space=space, **options)
