"""What an error shows to whoever logs it: its text, its pickle, and the locals of every frame that it passed."""

from __future__ import annotations

import base64
import contextlib
import pickle
from pathlib import Path

_TESTS = Path(__file__).parent.parent


def shown_by(error: BaseException) -> str:
    """All that error reporters collect of an error and of those behind it, but for the frames of the tests."""
    shown: list[str] = []
    behind: BaseException | None = error
    while behind is not None:
        shown += [str(behind), repr(behind), repr(vars(behind))]
        with contextlib.suppress(Exception):  # what a lookup raised may not be picklable
            shown.append(pickle.dumps(behind).decode("latin-1"))
        traceback = behind.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            of_mutation = frame.f_globals.get("__name__", "").startswith("mutmut.")  # what calls the mutants holds all
            if not of_mutation and _TESTS not in Path(frame.f_code.co_filename).parents:
                shown += [f"{frame.f_code.co_name}: {name}={_repr(value)}" for name, value in frame.f_locals.items()]
            traceback = traceback.tb_next
        behind = behind.__cause__ or behind.__context__
    return "\n".join(shown)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except AttributeError:  # an object that was refused while it was being built
        return ""


def assert_hides(error: BaseException, *private: str | bytes) -> None:
    """Fail where the error shows one of these, as text, in hex or in base64."""
    shown = shown_by(error)
    for value in private:
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        spellings = {
            repr(value).strip("b'\""),
            data.decode("latin-1"),
            data.hex(),
            base64.b64encode(data).decode(),
        }
        for spelling in spellings:
            place = shown.find(spelling)
            assert place < 0, f"{spelling!r} shows in: {shown[max(0, place - 200) : place + 200]}"
