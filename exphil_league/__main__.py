"""`python -m exphil_league` is the command line."""

import sys

from exphil_league.cli.main import main

sys.exit(main())
