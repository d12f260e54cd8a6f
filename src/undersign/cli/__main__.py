"""`python -m undersign.cli` is `undersign`."""

from . import main

main()
