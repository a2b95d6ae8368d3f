"""The report for people: one self-contained HTML page."""

from tripoint.apps.render.html.document import plan_html

__all__ = ["plan_html"]
