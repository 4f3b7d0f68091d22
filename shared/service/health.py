"""Routes that tell how a service is: alive, ready, and with which release it answers."""

import os
from typing import Any

from fastapi import HTTPException, Request

from shared.service.access import Access, router
from shared.service.contract import Health, Problem, Version
from shared.service.follower import Live, Source

NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": Problem, "description": "There is no live release."}}
health = router(Access.ANYBODY)


def live_release(request: Request) -> Live:
    """The release that answers. Raises 503 while there is none."""
    source: Source = request.app.state.source
    if source.live is None:
        raise HTTPException(503, detail=source.error or "Nothing is deployed yet.")
    return source.live


@health.get("/healthz")
async def healthz(request: Request) -> Health:
    """The process is alive; what it is loading, and how far it is."""
    source: Source = request.app.state.source
    loading = getattr(source, "loading", None)  # not every source takes time to load
    doing = {"loading": loading.release, "step": loading.step, "worked": loading.worked} if loading else {}
    return Health(pid=os.getpid(), error=source.error, **doing)


@health.get("/readyz", responses=NOT_READY)
def readyz(request: Request) -> dict[str, str]:
    """The service can answer; and what else somebody should know."""
    live_release(request)
    notes: dict[str, str] = request.app.state.notes()
    return {"status": "ready", **notes}


@health.get("/version", responses=NOT_READY)
async def version(request: Request) -> Version:
    """The live release, and whether something keeps a newer one from it."""
    live, source = live_release(request), request.app.state.source
    return Version(
        level=request.app.state.level,
        release=live.release,
        bundle_digest=live.bundle.digest,
        histories_digest=live.histories_digest,
        trained_through=live.bundle.trained_through,
        histories_through=live.histories_through,
        sequence=live.sequence,
        degraded=bool(source.error),
        error=source.error,
    )
