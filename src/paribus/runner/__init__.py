"""Running studies: runs, tuning, planned looks, noise."""
