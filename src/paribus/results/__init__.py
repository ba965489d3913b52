"""Everything that turns stored runs into one outcome: scores, verdicts, notes, what was selected."""
