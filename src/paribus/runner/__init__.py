"""Everything that makes something be computed: runs, tuning, planned looks, noise."""
