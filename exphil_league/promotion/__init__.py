"""The promotion gate: which main player becomes the agent that a run stands for."""
