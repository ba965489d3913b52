"""Storing a request before it is computed: the same study grows, another one never replaces it (decision 0080)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from paribus.records import StudyKind, canonical_json
from paribus.results.stored_study import read_document
from paribus.runner.jobs import list_arms
from paribus.store.base import Store, StoredStudy
from paribus.study.document import StudyDocument
from paribus.study.identity import is_same_study, list_differences, trains_alike
from paribus.study.plan import RunPlan
from paribus.study.request import StudyRequest


def save_request(request: StudyRequest, planned: RunPlan, store: Store) -> StudyRequest:
    """Store a request under its name, joined with the stored request of the same study.

    A different study of that name is renamed to ``NAME.was-`` and six digits of its digest.

    Args:
        request: the request.
        planned: its runs, with their fingerprints.
        store: the store.

    Returns:
        The request with the looks that were planned earlier, the largest number of seeds that was ever requested, and
        a note if a study was renamed.

    Raises:
        StoreError: it cannot be written.
    """
    stored = store.study(request.stored_as, request.kind)
    if stored is not None:
        stored_document = read_document(stored)
        if _belongs_together(stored, stored_document, request):
            request = replace(request, study=_join_studies(stored_document, request.study))
        else:
            aside = f"{request.stored_as}.was-{_digest(stored_document)}"
            store.rename_study(request.stored_as, aside, request.kind)
            differences = "; ".join(list_differences(stored_document, request.study)) or "its data"
            note = (
                f"Another study was stored under this name ({differences}): it is now stored, with its runs, "
                f"as '{aside}' (`paribus report {aside}`)."
            )
            request = replace(request, notes=(*request.notes, note))
    store.save_study(
        request.stored_as,
        request.study.model_dump_json(exclude={"seeds", "first_seed"}),
        list_arms(planned),
        request.data,
        kind=request.kind,
        seeds=request.study.seeds,
        first_seed=request.study.first_seed,
    )
    return request


def _belongs_together(stored: StoredStudy, stored_document: StudyDocument, request: StudyRequest) -> bool:
    """Candidates and noise runs depend on the training of the arms alone; a study also on what it compares."""
    is_alike = is_same_study if request.kind in (StudyKind.STUDY, StudyKind.ABLATION) else trains_alike
    return stored.data == request.data and is_alike(stored_document, request.study)


def _join_studies(stored: StudyDocument, requested: StudyDocument) -> StudyDocument:
    """The requested study, with the looks that were planned first and the largest requested number of seeds."""
    comparison = requested.comparison
    if stored.comparison.looks:
        comparison = comparison.model_copy(update={"looks": stored.comparison.looks})
    return requested.model_copy(update={"comparison": comparison, "seeds": max(stored.seeds, requested.seeds)})


def _digest(document: StudyDocument) -> str:
    return hashlib.sha256(canonical_json(document.model_dump(mode="json")).encode()).hexdigest()[:6]
