"""What `tripoint plan` prints, and the same as a JSON payload."""

from tripoint.apps.render.plan_text.page import plan_text
from tripoint.apps.render.plan_text.payload import plan_payload

__all__ = ["plan_payload", "plan_text"]
