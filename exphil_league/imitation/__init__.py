"""Behavioural cloning: from a folder of .slp files to a policy that starts a league."""
