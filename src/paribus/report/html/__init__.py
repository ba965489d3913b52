"""The report as one HTML file, and the answer as a piece of HTML for notebooks."""

from paribus.report.html.fragment import contrast_fragment, outcome_fragment
from paribus.report.html.page import render_page

__all__ = ["contrast_fragment", "outcome_fragment", "render_page"]
