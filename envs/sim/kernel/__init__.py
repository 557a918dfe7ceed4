"""The rules of one frame, one file per phase. Kernels take pointers to records of envs.sim.layout."""
