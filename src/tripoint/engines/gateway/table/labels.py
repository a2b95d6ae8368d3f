"""Classifications a request may carry: a label is added to the subject's own, so it can only take candidates away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tripoint.domain.estate import Estate
from tripoint.engines.sizing.policy import Place, Rulebook, Subject, is_allowed


def known_labels(estate: Estate) -> tuple[str, ...]:
    """Every classification of a workload, a dataset or a rule, and those declared for requests, sorted."""
    found = {workload.classification for workload in estate.workloads}
    found |= {dataset.classification for dataset in estate.datasets}
    found |= {label for residency in estate.policies.residency for label in residency.classifications}
    found |= {label for certification in estate.policies.certification for label in certification.classifications}
    found |= set(estate.serving.labels)
    return tuple(sorted(found - {""}))


def allowed_by_label(
    labels: Sequence[str], judged: Sequence[tuple[Place, Subject]], book: Rulebook
) -> dict[str, tuple[int, ...]]:
    """Per label: indices of the (place, subject) pairs still allowed when the subject carries it as well."""
    return {
        label: tuple(
            index for index, (place, subject) in enumerate(judged) if is_allowed(place, _labelled(subject, label), book)
        )
        for label in labels
    }


def _labelled(subject: Subject, label: str) -> Subject:
    return replace(subject, classifications=subject.classifications | {label})
