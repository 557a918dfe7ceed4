"""One file of facts per character."""
