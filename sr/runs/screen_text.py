"""Make texts that come from files safe to show."""


def printable(text: str) -> str:
    r"""Write characters that a terminal would obey, or would not show, as escapes; line ends and tabs stay.

    These are control characters and escape sequences, marks that turn the direction of writing, invisible characters,
    and bytes of a file name that are no text.

    >>> print(printable("\x1b[31mred\x07"))
    \x1b[31mred\x07
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in "\n\t" else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
