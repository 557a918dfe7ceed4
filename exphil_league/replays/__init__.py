"""Folders of replays: which files are games worth learning from, and why the others are not."""
