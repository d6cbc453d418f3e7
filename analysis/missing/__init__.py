"""What the studies without a known count can have shown: published totals as data, and bounds of the pooled rate."""
