"""The whole report: plan, fits, tables, figures, page."""
