"""Results as people read them: terminal, JSON, HTML, Markdown, LaTeX, CSV and figures, all from one ``Outcome``."""

from paribus.report.endings import ENDINGS, choose_format
from paribus.report.output import FIGURES, FORMATS, render_report, write_figures, write_report

__all__ = ["ENDINGS", "FIGURES", "FORMATS", "choose_format", "render_report", "write_figures", "write_report"]
