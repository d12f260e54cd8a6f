"""See the package."""

import sys

from . import main

sys.exit(main())
