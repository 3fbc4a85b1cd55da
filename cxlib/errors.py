"""The things that can go wrong, each with a message that says how to go on."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class CxError(Exception):
    """Anything cxlib raises on purpose."""


class InputError(CxError):
    """The input cannot be used as it is.

    Parameters
    ----------
    problem : str
        What is wrong, with the offending value.
    where : str
        File, table, column, up to three offending rows.
    fix : str
        What the reader can do about it.
    """

    def __init__(self, problem: str, where: str = "", fix: str = "") -> None:
        self.problem, self.where, self.fix = problem, where, fix
        lines = [problem]
        if where:
            lines.append(f"  where: {where}")
        if fix:
            lines.append(f"  fix:   {fix}")
        super().__init__("\n".join(lines))

    @classmethod
    def join(cls, errors: Iterable[InputError]) -> InputError:
        """Make one error of several, a block each.

        Parameters
        ----------
        errors : iterable of InputError
            At least one.

        Returns
        -------
        InputError
            The only error, or one whose text holds all of them.
        """
        errors = list(errors)
        if len(errors) == 1:
            return errors[0]
        return cls("\n".join(str(error) for error in errors))


class TooLittleData(CxError):
    """The data are sound but too few for an answer; a result, not a failure."""


class RunError(CxError):
    """A run could not be carried out for a reason outside the input."""


class HeldBack(RunError):
    """Pages that were made must not be handed round.

    Parameters
    ----------
    message : str
        What is held back and why, without what was found.
    found : dict of int to str
        Why, by the number of the run.
    """

    def __init__(self, message: str, found: dict[int, str]) -> None:
        super().__init__(message)
        self.found = found


def closest(name: str, options: Iterable[str]) -> str:
    """Suggest the option that is spelt most like a name.

    Parameters
    ----------
    name : str
        What was given.
    options : iterable of str
        What exists.

    Returns
    -------
    str
        ``"did you mean 'x'?"``, or the options when none is close.
    """
    options = [str(option) for option in options]
    by_lower = {option.lower().replace("_", ""): option for option in reversed(options)}
    matches = get_close_matches(name.lower().replace("_", ""), by_lower, n=1, cutoff=0.6)
    if matches:
        return f"did you mean '{by_lower[matches[0]]}'?"
    shown = ", ".join(f"'{option}'" for option in options[:12])
    return (
        f"choose one of {shown}{', ...' if len(options) > 12 else ''}"
        if options
        else "there are none"
    )
