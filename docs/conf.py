"""Sphinx's settings. Built with warnings as errors: `make docs`."""

from undersign import __version__

project = "undersign"
author = "The undersign authors"
copyright = "2026, The undersign authors"  # noqa: A001 - Sphinx's name
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["examples/**"]
html_theme = "furo"
html_title = f"undersign {version}"
default_role = "code"  # docstrings quote code in single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
myst_heading_anchors = 3
