"""`python -m undersign.cli` is `undersign`."""

from . import main

if __name__ == "__main__":  # a process that is started beside this one imports it too
    main()
