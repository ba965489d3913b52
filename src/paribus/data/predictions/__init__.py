"""Predictions from elsewhere: a table with a row for each answer of each run, checked and turned into arrays."""
