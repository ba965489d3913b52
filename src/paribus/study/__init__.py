"""What a study says, and which runs it still needs."""
