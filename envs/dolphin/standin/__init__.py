"""A program that libmelee cannot tell from Slippi Dolphin: to rehearse a run, or a cluster, without an ISO.

Rooms, from the outside in:

backend    `game.backend: standin`: N of them behind the contract of `envs.backend`
program    the executable: what `--version` answers, and the launcher that is written
scenario   what one of them plays and what goes wrong with it; the file passes for the ISO
emulator   from boot to the last game
menus      title, main menu, stages and results, as pads steer them
characters the screen of characters: cursors, coins, costumes, CPU levels
online     direct play: a code is typed, and somebody appears who has it
screens    menu frames as they are sent, and the players in them
content    games as Slippi's events: played in a world, or recorded
worlds     the simulator, and fighters who stand still
cpu        the player behind a CPU level
pads       named pipes, and what the game makes of what comes through them
spectator  the server that programs connect to, on a thread of its own
faults     what goes wrong, and when
settings   what it reads of the home that its owner wrote
"""
