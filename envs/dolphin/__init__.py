"""Slippi Dolphin behind the contract of `envs.backend`, and a stand-in for it.

Rooms, from the outside in:

backend      N games at once: send all, then receive all
live         one emulator in real time, for those who play on it
instance     one game after another on one emulator: boot, menus, play, faults, restarts
menu         from any menu into the wanted game, by libmelee's helper
self_test    whether the inputs sent are the inputs played, and how many frames later
referee      whether it is the wanted game, when it is over and who won
waiting      what a game looks like before its first frame
health       how often an instance may break, and what it has been through
life         one emulator with what reads, steers and watches it
emulator     one running Dolphin: its home, its port, its keeper, its link and its pads
build        which Dolphin an executable is
person       a person's controller, and their account for games on line
home, ports  a folder and a network port of one's own, swept and locked
disc         which disc an image is
places       where Slippi Dolphin and the ISO usually are
keeper       the small process that Dolphin dies with (a program)
link         the small process that holds an owner's network connections (a program and its owner's side)
pads         controllers, one write per frame
libmelee     everything that is asked of libmelee
posix        what only works on Linux
standin      a program to rehearse all of it without an ISO
"""
