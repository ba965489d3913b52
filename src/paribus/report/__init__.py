"""Results as people read them: terminal, JSON, HTML, Markdown, LaTeX, CSV and figures, all from one ``Outcome``."""
