"""Progress while a study runs: on a terminal, in a notebook, in a log, or none."""
