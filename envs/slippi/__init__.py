"""The Slippi event layout, the .slp reader and writer."""
