"""`undersign inspect`: the playground page, opened in a browser from the files that come with the library."""

from __future__ import annotations

import webbrowser
from importlib.resources import files
from pathlib import Path

import click

from ..errors import ConfigError

_PAGE = "index.html"


@click.command(epilog="Example: undersign inspect", short_help="Open the playground page in a browser.")
@click.option("--path", "only_path", is_flag=True, help="Print the path of the page and open nothing.")
def inspect(only_path: bool) -> int:
    """Open a page that shows a request's string to sign, its signature, and why one does not match.

    The page is a file on this machine; it needs no network, and nothing that is typed there leaves it. Prints where
    it is.
    """
    page = _page()
    if only_path:
        click.echo(page)
        return 0
    click.echo(page.as_uri())
    if not _opened(page.as_uri()):
        raise ConfigError("no browser can be opened here: open the address above in one")
    return 0


def _page() -> Path:
    """Where the page is. Raises ConfigError where it is no file, as in an archive that Python imports from."""
    shipped = Path(str(files("undersign") / "_playground" / _PAGE))
    # An editable install has no copy: there it lies in the repository, beside `src`.
    for page in (shipped, Path(__file__).parents[3] / "docs" / "playground" / _PAGE):
        if page.is_file():
            return page.resolve()
    raise ConfigError("the page is not installed as a file: install undersign with pip, and not as an archive")


def _opened(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False
