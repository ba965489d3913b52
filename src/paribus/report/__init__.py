"""Results as people read them: terminal, JSON, HTML, Markdown, LaTeX, CSV and figures, all from one ``Outcome``."""

from paribus.report.output import FIGURES, FORMATS, text, write, write_figures

__all__ = ["FIGURES", "FORMATS", "text", "write", "write_figures"]
