"""`python -m nas_tutorial` is the command `nas-tutorial`."""

import sys

from nas_tutorial.cli import main

if __name__ == "__main__":
    sys.exit(main())
