"""What the software says when it will not do a thing, so that a person can mend it.

A refusal names the field, the value and the remedy. It is shown without a traceback; a broken
promise of our own is an `assert` and is shown with one.
"""

from pathlib import PurePath

LONGEST_VALUE_SHOWN = 80
LONGEST_PATH_SHOWN = 1_000


class Refusal(Exception):
    """Something a person asked for that is refused, with the field, the value and what to do.

    Args:
        field: where it is, in the words of the protocol file, table or page (`visits[1].window`).
        value: what was found there; `None` when nothing was found or the value must not be shown.
        problem: what is wrong, without a full stop.
        remedy: what the person can do now, without a full stop.
    """

    def __init__(self, field: str, value: object, problem: str, remedy: str) -> None:
        self.field = field
        self.value = value
        self.problem = problem
        self.remedy = remedy
        super().__init__(str(self))

    def __reduce__(self) -> tuple[object, ...]:
        """Let another process send a refusal back whole."""
        return _sent, (type(self), self.__dict__)

    def __str__(self) -> str:
        """One line: `field = value: problem; remedy`."""
        subject = self.field if self.value is None else f"{self.field} = {shown(self.value)}"
        return f"{subject}: {self.problem}; {self.remedy}"


def _sent(kind: type[Refusal], told: dict[str, object]) -> Refusal:
    """A refusal as it was, whatever else its kind keeps."""
    refusal = kind.__new__(kind)
    refusal.__dict__.update(told)
    Exception.__init__(refusal, str(refusal))
    return refusal


def on_one_line(text: str) -> str:
    """Text whose line ends, control and bidirectional characters are escaped: it can neither forge a line nor hide."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def shown(value: object) -> str:
    """A value as a message shows it: on one line, control characters escaped, cut when long.

    A path is what a person must find again, so it is cut much later.
    """
    text = on_one_line(str(value))
    longest = LONGEST_PATH_SHOWN if isinstance(value, PurePath) else LONGEST_VALUE_SHOWN
    return text if len(text) <= longest else text[: longest - 1] + "…"
