"""Values that are found when they are first wanted, and kept."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

Value = TypeVar("Value")


class kept(Generic[Value]):
    """A property that is found once and kept, for objects that many threads share.

    As ``functools.cached_property`` is from Python 3.12 on. Before, that holds a lock, the same one for all objects,
    while it finds a value; whoever asked a query then, and waited, would keep all others waiting, and those that
    compute in turn with it (``waiting.Turn``) for ever. Two threads may find a value both, and the same one.
    """

    def __init__(self, find: Callable[[Any], Value]) -> None:
        self._find = find
        self.__doc__ = find.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, thing: None, owner: type) -> Self: ...

    @overload
    def __get__(self, thing: object, owner: type) -> Value: ...

    def __get__(self, thing: object | None, owner: type) -> Self | Value:
        if thing is None:
            return self
        value = thing.__dict__[self._name] = self._find(thing)
        return value
