"""The dashboard: pages on loopback that show what a store holds while it grows. It only reads (decision 0128)."""
