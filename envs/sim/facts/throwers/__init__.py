"""Throws of characters that the simulator does not play: where a fighter is that one of them holds."""
