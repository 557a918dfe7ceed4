"""What `doctor` looks at. It imports neither torch nor Ray: it asks package metadata and child processes about them.

Rooms, from the outside in:

diagnosis     which checks are made, what is shown of them, the object that `--json` prints
check         one check, what it needs, how long it may take; a list of them in order
machine       Python, packages, compile cache, Ray, GPU, cores, disk
installation  Slippi Dolphin, the ISO, and what the two need of this machine
course        one emulator from its boot over a game to its end by force, and what is left
patient       that emulator, driven by hand
"""
