"""The report: one page of HTML that answers first and explains below. `analysis.report.page` renders it."""
