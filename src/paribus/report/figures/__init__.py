"""Figures by Matplotlib, for pages (SVG in the page's colours) and for papers (PDF, PNG, SVG files)."""
