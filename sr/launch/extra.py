"""Packages of the extra `cluster`."""

from importlib.util import find_spec


def refuse_missing(launcher: str, package: str) -> None:
    """Raise ValueError if the package of a launcher is not installed.

    Args:
        launcher: As in `launcher=`.
        package: Its package.

    Raises:
        ValueError: With the command that installs it.
    """
    if find_spec(package) is None:
        raise ValueError(
            f"launcher={launcher} needs the package {package}, which is not installed; install the extra: "
            "pip install 'sr-mobile[cluster]', in a checkout pip install -c constraints.txt -e '.[cluster]'"
        )
