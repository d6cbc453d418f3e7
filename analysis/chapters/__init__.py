"""One folder for each question of the report: its tables, figure and section."""
