"""Evidence: a directory of CSV files becomes one checked, frozen value."""
