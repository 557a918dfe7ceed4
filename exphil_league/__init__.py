"""The platform: training, league, rating, play and everything a person sees."""
