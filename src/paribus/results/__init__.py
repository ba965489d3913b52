"""From stored runs to one outcome: scores, verdicts, notes, selections of runs."""
