"""Running studies: runs, shards, tuning, planned looks, noise; merging stores, and computing stored runs again."""
