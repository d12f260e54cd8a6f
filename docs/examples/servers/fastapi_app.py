"""FastAPI. Run: uvicorn fastapi_app:app, and see http://127.0.0.1:8000/docs"""

# FastAPI reads these annotations, so they are no strings: there is no `from __future__ import annotations` here.
from typing import Annotated

from fastapi import FastAPI, File, Form, Security, UploadFile

from undersign import GoGrid, GoTom, Request, Verified, Verifier
from undersign.servers.asgi import SignatureMiddleware
from undersign.servers.fastapi import Signed

GOTOM, GOGRID = GoTom(), GoGrid()
READERS = {"reader"}

ByGoTom = Annotated[Verified, Security(Signed(GOTOM))]
ByGoTomPerhaps = Annotated[Verified | None, Security(Signed(GOTOM, auto_error=False))]
ByGoGridPerhaps = Annotated[Verified | None, Security(Signed(GOGRID, auto_error=False))]


def may(verified: Verified, head: Request) -> bool:
    """Keys that may only read."""
    return verified.key_id not in READERS or head.method in ("GET", "HEAD")


app = FastAPI(title="Orders")
app.add_middleware(
    SignatureMiddleware,
    verifier=Verifier([GOTOM, GOGRID], {"user": "secret", "reader": "secret2"}),
    origin="https://api.example.com",
    public=["/docs", "/openapi.json", "/open"],
    authorize=may,
)


@app.get("/orders/{number}")
def order(number: int, signer: ByGoTom) -> dict[str, object]:
    return {"number": number, "key_id": signer.key_id}


@app.post("/orders")
async def upload(
    signer: ByGoTom, customer: Annotated[str, Form()], file: Annotated[UploadFile, File()]
) -> dict[str, object]:
    content = await file.read()
    return {"customer": customer, "file": file.filename, "bytes": len(content), "key_id": signer.key_id}


@app.post("/form")
async def form(gotom: ByGoTomPerhaps, gogrid: ByGoGridPerhaps, customer: Annotated[str, Form()]) -> dict[str, object]:
    signer = gotom or gogrid
    return {"customer": customer, "scheme": signer.scheme if signer else None}


@app.get("/open")
def nobody(signer: ByGoTom) -> dict[str, object]:
    """The path is public, and the operation needs a signature all the same: 401 for all."""
    return {"key_id": signer.key_id}
