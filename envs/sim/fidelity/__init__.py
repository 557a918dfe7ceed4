"""How closely the simulator follows recorded games: one-step predictions from every recorded frame."""
