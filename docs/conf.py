"""Sphinx's settings. Built with warnings as errors: `make docs`."""

import sys
from pathlib import Path

import click
import django.conf
from sphinx.application import Sphinx

from undersign import __version__
from undersign.cli.app import commands

sys.path.insert(0, str(Path(__file__).parent))
import apis
import drawings
import page
import sentences

django.conf.settings.configure()  # autodoc imports rest_framework, which asks for settings

project = "undersign"
author = "The undersign authors"
copyright = "2026, The undersign authors"  # noqa: A001 - Sphinx's name
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click", "sphinx_copybutton"]
copybutton_prompt_text = "$ "  # commands are copied, and what they print is not
copybutton_line_continuation_character = "\\"
exclude_patterns = ["examples/**", "playground/**"]
html_theme = "furo"
html_title = f"undersign {version}"
html_static_path = ["_static"]
html_css_files = ["undersign.css"]
smartquotes = False  # two hyphens stay two
default_role = "code"  # docstrings quote code in single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
myst_heading_anchors = 3


def setup(app: Sphinx) -> None:
    """Put the page beside the documentation; html_extra_path would put it in the front page's place."""
    _ask_for_help(commands)
    apis.write(Path(app.srcdir) / "apis")
    sentences.write(Path(app.srcdir) / "reference" / "sentences.md")
    app.connect("doctree-read", lambda _, document: drawings.mark(document))
    app.connect("build-finished", _build_page)


def _build_page(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        page.build(Path(app.outdir) / "playground")


def _ask_for_help(command: click.Command) -> None:
    """Have options say their help that make it when they are asked: sphinx-click does not ask."""
    context = click.Context(command)
    command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if nested := command.get_command(context, name):
                _ask_for_help(nested)
