"""What went wrong on the user's side, in one clear message. The command line prints it and exits with 2."""

from __future__ import annotations


class UserError(Exception):
    """Bad input: the message names the file or key and says what to do. Never shown with a traceback."""
