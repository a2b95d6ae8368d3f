"""What can go wrong, in classes an objective can be set for, and how well a figure about it is known."""

from __future__ import annotations

from enum import StrEnum


class DisruptionClass(StrEnum):
    """What is lost; an objective is set for a workload and one of these."""

    PROCESS = "process"
    NODE = "node"
    RACK = "rack"
    POWER = "power"
    SITE = "site"
    REGION = "region"
    PROVIDER = "provider"
    LINK = "link"
    SHARED_SERVICE = "shared_service"
    DATA = "data"
    PEOPLE = "people"

    @property
    def timed_as(self) -> DisruptionClass:
        """The class whose times to notice and to repair hold: `people` is a site lost while nobody can approve."""
        return DisruptionClass.SITE if self is DisruptionClass.PEOPLE else self


class TermSource(StrEnum):
    """How a term of recovery time is known, weakest first."""

    ASSUMED = "assumed"
    VENDOR = "vendor"
    MEASURED = "measured"
    DRILLED = "drilled"
