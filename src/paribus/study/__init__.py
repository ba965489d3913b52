"""The study: its document, the rules for it, its statements, and the runs that it still needs."""
