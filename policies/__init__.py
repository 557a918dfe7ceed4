"""Networks, their checkpoints and scripted players. Imports envs only."""
