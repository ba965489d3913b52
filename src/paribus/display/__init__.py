"""How a run shows that it is running: on a terminal, in a log, or not at all."""
