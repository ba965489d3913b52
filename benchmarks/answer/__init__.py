"""How long until a question is answered, beside what the same number of runs takes elsewhere."""
