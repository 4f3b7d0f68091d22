"""Pages for people: what this service is, and what it can be asked. They need nothing from elsewhere."""

from html import escape
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse

from shared.service.access import Access, router
from shared.service.follower import Source

pages = router(Access.NEARBY)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse }} td, th {{ text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top }}
</style></head>
<body><h1>{title}</h1>
{body}
</body></html>
"""


@pages.get("/", include_in_schema=False)
async def index(request: Request) -> HTMLResponse:
    """A page that says what this is, what is live, and where to go."""
    source: Source = request.app.state.source
    release = f"Release {escape(source.live.release)} answers." if source.live else "Nothing is deployed yet."
    body = f"""<p>This service recommends products to a shop's customers. {release}</p>
<ul>
<li><a href="/recommendations/1">/recommendations/1</a>: the products for customer 1</li>
<li><a href="/version">/version</a>: the live release, and what it knows of</li>
<li><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>: whether it is alive, and can answer</li>
<li><a href="/docs">/docs</a>: all that it can be asked; for programs: <a href="/openapi.json">/openapi.json</a></li>
</ul>"""
    return HTMLResponse(PAGE.format(title=escape(request.app.title), body=body))


@pages.get("/openapi.json", include_in_schema=False)
async def schema_of(request: Request) -> JSONResponse:
    """What the service can be asked, for programs."""
    return JSONResponse(request.app.openapi())


@pages.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """A page that lists what the service can be asked."""
    schema = request.app.openapi()
    asked = [
        section(method, path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    body = "\n".join([*asked, '<p>For programs: <a href="/openapi.json">/openapi.json</a></p>'])
    return HTMLResponse(PAGE.format(title=escape(f"{request.app.title}: what it can be asked"), body=body))


def section(method: str, path: str, operation: dict[str, Any]) -> str:
    """One thing that the service can be asked, as HTML."""
    rows = [(given["name"], limits(given["schema"])) for given in operation.get("parameters", [])]
    if "requestBody" in operation:
        rows.append(("body", 'JSON, such as {"customers": ["1", "2"], "k": 10}'))
    rows += [(status, answer["description"]) for status, answer in operation["responses"].items()]
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
    heading = f"<h2>{escape(method.upper())} {escape(path)}</h2>"
    return f"{heading}\n<p>{escape(operation.get('description', ''))}</p>\n<table>{cells}</table>"


def limits(schema: dict[str, Any]) -> str:
    """What a parameter may be, in words.

    >>> limits({"type": "integer", "minimum": 1, "maximum": 100, "default": 10})
    'integer, minimum 1, maximum 100, default 10'
    """
    told = [f"{name} {schema[name]}" for name in ("minimum", "maximum", "maxLength", "default") if name in schema]
    return ", ".join([str(schema.get("type", "")), *told])
