"""The report as one HTML file, and the answer as a piece of HTML for notebooks."""

from paribus.report.html.fragment import contrast_fragment, fragment
from paribus.report.html.page import page

__all__ = ["contrast_fragment", "fragment", "page"]
