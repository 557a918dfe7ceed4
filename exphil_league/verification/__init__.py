"""Proof by effect: does a league core keep its rules (V0, V1), and do they make players hard to exploit (V2 to V4)?

Everything here meets a core through its public calls and its events alone, so that any class with the same
interface can be put in its place. Games are small enough to be solved exactly.
"""
