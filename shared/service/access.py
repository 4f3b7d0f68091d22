"""Who may ask for what: each group of routes states its policy, and a route without one is a mistake.

`create_app` refuses a router that was not made here. The token is the level's own: shared/service/token.py.
"""

from collections.abc import Callable, MutableMapping
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from shared.service.token import is_same_token

SCHEME = "bearer "


class Access(StrEnum):
    """A policy: who is answered."""

    ANYBODY = "anybody who reaches the port"
    NEARBY = "whoever asks from this machine; from elsewhere, whoever has the level's token"
    KNOWN = "whoever has the level's token"


def router(access: Access, prefix: str = "") -> APIRouter:
    """A group of routes with a policy."""
    return APIRouter(prefix=prefix, route_class=policed(access))


def policed(access: Access) -> type[APIRoute]:
    """A kind of route that knows its policy, and asks for the token before anything of a question is read."""

    class PolicedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:
            handle = super().get_route_handler()

            async def ask_first(request: Request) -> Any:
                require_access(request, access)
                return await handle(request)

            return ask_first

    PolicedRoute.access = access  # type: ignore[attr-defined]
    return PolicedRoute


def require_access(request: Request, access: Access) -> None:
    """Raise 401 for whoever a policy does not answer."""
    if is_let_in(request.scope, access):
        return
    wanted, given = str(request.app.state.token()), request.headers.get("Authorization", "")
    token = given[len(SCHEME) :].strip() if given.lower().startswith(SCHEME) else ""
    if wanted and is_same_token(token, wanted):
        return
    level = request.app.state.level
    missing = f"This needs the token of level {level}, as `Authorization: Bearer ...`: `mlops --level {level} token`."
    told = f"That is not the token of level {level}." if token else missing
    raise HTTPException(401, told, headers={"WWW-Authenticate": "Bearer"})


def is_let_in(scope: MutableMapping[str, Any], access: Access) -> bool:
    """Whether a policy answers a request without the token."""
    if access is Access.NEARBY:
        client = scope.get("client")
        return client is None or is_nearby(client[0])
    return access is Access.ANYBODY


@lru_cache(maxsize=1000)
def is_nearby(host: str) -> bool:
    """Whether an address is this machine. What is none, as in a test, is."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return True


def require_policies(group: APIRouter) -> None:
    """Raise ValueError if a route of a group states no policy."""
    without = [getattr(route, "path", "") for route in group.routes if access_of(route) is None]
    if without:
        raise ValueError(f"these routes state no access policy: {without}")


def access_of(route: BaseRoute) -> Access | None:
    """The policy of a route, if it states one."""
    return getattr(route, "access", None)
