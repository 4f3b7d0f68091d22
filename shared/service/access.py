"""Who may ask for what: each group of routes states its policy, and a route without one is a mistake.

`create_app` refuses a router that was not made here.
"""

from enum import StrEnum

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute


class Access(StrEnum):
    """A policy: who is answered."""

    ANYBODY = "anybody who reaches the port"


def router(access: Access, prefix: str = "") -> APIRouter:
    """A group of routes with a policy."""
    return APIRouter(prefix=prefix, route_class=policed(access))


def policed(access: Access) -> type[APIRoute]:
    """A kind of route that knows its policy."""
    return type("PolicedRoute", (APIRoute,), {"access": access})


def require_policies(group: APIRouter) -> None:
    """Raise ValueError if a route of a group states no policy."""
    without = [getattr(route, "path", "") for route in group.routes if access_of(route) is None]
    if without:
        raise ValueError(f"these routes state no access policy: {without}")


def access_of(route: BaseRoute) -> Access | None:
    """The policy of a route; None if it states none."""
    return getattr(route, "access", None)
