"""What goes wrong with a twin itself. No message holds a credential."""

from typing import Optional


class TwinError(Exception):
    """Every error of this package."""


class BinaryNotFound(TwinError):
    """There is no program ``tokenry`` where it is looked for; the message says how to get it."""


class StartError(TwinError):
    """The program ended, or said nothing, before it served; the message holds its last words."""


class ControlError(TwinError):
    """A twin refused to be turned, or could not be reached.

    ``status`` is that of its answer, ``None`` where there was none; ``description`` says what is
    wrong and what would be right.
    """

    def __init__(self, call: str, status: Optional[int], description: str) -> None:
        answered = "" if status is None else f"{status}: "
        super().__init__(f"{call}: {answered}{description}")
        self.status = status
        self.description = description
