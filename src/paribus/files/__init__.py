"""Files that are written whole or not at all, and temporary folders that do not outlive what made them."""
