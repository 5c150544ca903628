"""What divker raises: full sentences that name the argument, its value and the limit."""


class Error(RuntimeError):
    """Anything that divker raises on purpose. `exit_code` is that of the command."""

    exit_code = 1


class UsageError(Error, ValueError):
    """An argument of the call is wrong, or an output cannot be written."""

    exit_code = 2


class ModelError(Error, ValueError):
    """A model or data are at fault, or a parameter is set outside its bounds."""

    exit_code = 3


class LanguageError(ModelError):
    """A fault in the text of a model, with its place: `file`, `line` and `column`, from 1."""

    file: str
    line: int
    column: int


class NumericalError(Error, ArithmeticError):
    """The computation broke down: too many failed paths, a law that does not settle, ..."""

    exit_code = 4


class DivkerWarning(UserWarning):
    """What the reader of an answer has to know before its numbers. `warnings` of a result has
    them all."""
