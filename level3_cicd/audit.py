"""Audit: do ledger, pointer and registry still tell the same, and was any of them rewritten? `mlops doctor` asks."""

from pathlib import Path

from level3_cicd.ledger import Row, all_rows, damages, ledger_exists
from level3_cicd.registered import Registered
from level3_cicd.tools.mlflow_client import has_registry
from shared.release.pointer import Pointer, readable_pointer


def audit(level: Path) -> list[str]:
    """All that does not agree, in words; nothing for a level that has decided nothing yet."""
    if not ledger_exists(level):
        return []
    rows = {row.hash: row for row in all_rows(level)}
    found = [f"the ledger was rewritten: {damage}" for damage in damages(level)]
    found += check_pointer(readable_pointer(level), rows)
    if has_registry(level):
        from level3_cicd.tools.registry import registered

        found += [told for entry in registered(level).values() for told in check_release(entry, rows)]
    return found


def check_pointer(pointer: Pointer | None, rows: dict[str, Row]) -> list[str]:
    """The pointer must bear the row that made its release live."""
    if pointer is None:
        return []
    row = rows.get(pointer.row)
    if row is None:
        borne = f"row {pointer.row[:12]}, which the ledger lacks" if pointer.row else "no row of the ledger"
        return [f"the pointer to {pointer.release} bears {borne}"]
    if (row.release, row.bundle_digest) != (pointer.release, pointer.bundle_digest):
        return [f"the pointer names {pointer.release}, its row {row.release} or another bundle"]
    return []


def check_release(entry: Registered, rows: dict[str, Row]) -> list[str]:
    """A registered release must bear the row of its verdict."""
    row = rows.get(entry.row)
    if row is None:
        borne = f"row {entry.row[:12]}, which the ledger lacks" if entry.row else "no row of the ledger"
        return [f"release {entry.release} in the registry bears {borne}"]
    if (row.release, row.bundle_digest, row.verdict) != (entry.release, entry.bundle_digest, entry.verdict):
        return [
            f"release {entry.release} in the registry is {entry.verdict}, its row says {row.verdict} of {row.release}"
        ]
    return []
