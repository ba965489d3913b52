"""The report as one HTML file."""

from paribus.report.html.page import page

__all__ = ["page"]
