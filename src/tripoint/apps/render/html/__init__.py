"""The report for people: one self-contained HTML page."""

from tripoint.apps.render.html.document import report_html

__all__ = ["report_html"]
