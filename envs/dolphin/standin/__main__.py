"""`python -m envs.dolphin.standin`: see `envs.dolphin.standin.program`."""

import sys

from envs.dolphin.standin.program import main

sys.exit(main())
