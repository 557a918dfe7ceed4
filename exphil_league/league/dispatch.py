"""Methods that differ by kind of event, bound cheaply: a log of a million events is folded in seconds."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatchmethod
from typing import Any


class event_method(singledispatchmethod):
    """`functools.singledispatchmethod` for methods of one argument.

    The library's own copies name and docstring of the method into a new function at every call, which costs more than
    folding the event does.
    """

    def __get__(self, obj: Any, cls: Any = None) -> Callable[..., Any]:
        if obj is None:
            return super().__get__(obj, cls)
        dispatch = self.dispatcher.dispatch
        return lambda event: dispatch(event.__class__)(obj, event)
