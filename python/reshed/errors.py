"""The exceptions of this package: one for each reshed_status, and for each the builtin one that a
caller would expect."""

from __future__ import annotations

from typing import Dict, Optional, Type


class Error(Exception):
    """A call of the library has failed.

    Attributes
    ----------
    what, expected, found, where : str
        The reason in the words of the library; each may be empty.
    path : str or None
        The file that it belongs to.
    """

    def __init__(self, text: str, what: str = "", expected: str = "", found: str = "",
                 where: str = "", path: Optional[str] = None):
        super().__init__(text)
        self.what, self.expected, self.found, self.where, self.path = (
            what, expected, found, where, path)

    def __str__(self) -> str:
        return self.args[0]


class InvalidArgument(Error, ValueError):
    """An argument is out of its stated range."""


class Unsupported(Error, NotImplementedError):
    """Well-formed, but not something that this library handles."""


class FileError(Error, OSError):
    """The operating system refused to open, read or write."""


class CorruptFile(Error, ValueError):
    """The bytes contradict the format."""


class OutOfMemory(Error, MemoryError):
    """Memory could not be had."""


class InstrumentTimeout(Error, TimeoutError):
    """An instrument did not answer in time."""


class InstrumentError(Error, RuntimeError):
    """An instrument has failed, or its driver; the exception of a driver in Python is the cause."""


class InternalError(Error, RuntimeError):
    """A bug in reshed."""


class Cancelled(Error):
    """The call was ended before it was through."""


class OutOfDistribution(UserWarning):
    """A frame is unlike those of training: its maps are not to be trusted."""


BY_NAME: Dict[str, Type[Error]] = {
    "RESHED_EINVAL": InvalidArgument,
    "RESHED_EUNSUPPORTED": Unsupported,
    "RESHED_EIO": FileError,
    "RESHED_ECORRUPT": CorruptFile,
    "RESHED_ENOMEM": OutOfMemory,
    "RESHED_ETIMEOUT": InstrumentTimeout,
    "RESHED_EINTERNAL": InternalError,
    "RESHED_ECANCELLED": Cancelled,
}
