"""Rolling windows: what a full search finds, at the price of one lookup."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from undersign import Claim, GoGrid, Secret
from undersign.core.dates import Window
from undersign.scheme import Body
from undersign.verifying import RollingWindows
from undersign.verifying import windows as windows_module
from undersign.verifying.windows import search

from .plain import NOW, SECRET, gogrid_signature


@dataclass(frozen=True)
class Counting(GoGrid):
    """GoGrid that counts the seconds it is asked for."""

    window: Window = Window(past=10, future=10)
    asked: list[int] = field(default_factory=list, compare=False)

    def candidates(self, secret: bytes, claim: Claim, body: Body, seconds: Sequence[int]) -> Iterable[str]:
        if isinstance(seconds, range):  # not to check what has the right number
            self.asked.extend(seconds)
        return super().candidates(secret, claim, body, seconds)


def _claim(second: int, key: str = "key") -> Claim:
    return Claim(key, None, (gogrid_signature(key, SECRET, second),))


def _cost(scheme: Counting, windows: RollingWindows, claim: Claim, now: float) -> int:
    """How many seconds one search hashes."""
    before = len(scheme.asked)
    windows.find(scheme, Secret(SECRET), claim, now)
    return len(scheme.asked) - before


@pytest.mark.parametrize("ahead", range(-13, 14))
def test_the_window_and_the_search_agree(ahead: int) -> None:
    expected = NOW + ahead if abs(ahead) <= 10 else None
    claim = _claim(NOW + ahead)
    assert RollingWindows().find(Counting(), Secret(SECRET), claim, NOW + 0.5) == expected
    assert search(Counting(), Secret(SECRET), claim, b"", NOW + 0.5) == expected


def test_every_second_is_found_where_pythons_hashes_have_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a browser: too few for 1,201 texts to differ in what is left beside the second."""

    def narrow(value: object) -> int:
        return (hash(value) & 0xFFFFFFFF ^ 0x80000000) - 0x80000000

    monkeypatch.setattr(windows_module, "hash", narrow, raising=False)
    monkeypatch.setattr(windows_module, "_hash", windows_module._wide)
    rolling, scheme = RollingWindows(), GoGrid()
    for second in range(NOW - 600, NOW + 601):
        assert rolling.find(scheme, Secret(SECRET), _claim(second), NOW) == second


def test_a_window_is_built_once_and_moves_on_by_the_second() -> None:
    scheme, windows = Counting(), RollingWindows()
    costs = [_cost(scheme, windows, _claim(0), now) for now in (NOW, NOW, NOW + 0.9, NOW + 1, NOW + 4, NOW + 4)]
    assert costs == [21, 0, 0, 1, 3, 0]


def test_a_second_that_has_left_the_window_is_refused_though_it_is_still_held() -> None:
    scheme, windows = Counting(), RollingWindows()
    for now, expected in ((NOW, NOW - 10), (NOW + 1, None), (NOW + 100, None)):
        assert windows.find(scheme, Secret(SECRET), _claim(NOW - 10), now) == expected


def test_a_window_that_is_too_long_for_a_table_is_searched_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_module, "_TIME_BITS", 20)
    windows, scheme = RollingWindows(), Counting()
    assert windows.find(scheme, Secret(SECRET), _claim(NOW + 10), NOW) == NOW + 10
    assert windows.find(scheme, Secret(SECRET), _claim(NOW + 11), NOW) is None
    assert _cost(scheme, windows, _claim(NOW), NOW) == 21


def test_a_clock_that_steps_back_a_little_rebuilds_nothing() -> None:
    scheme, windows = Counting(), RollingWindows()
    _cost(scheme, windows, _claim(0), NOW)
    _cost(scheme, windows, _claim(0), NOW + 20)
    assert _cost(scheme, windows, _claim(0), NOW + 1) == 0
    assert windows.find(scheme, Secret(SECRET), _claim(NOW + 30), NOW + 20) == NOW + 30
    for ahead in (12, 30):  # the first second that is too far ahead, and one far behind it, which are still held
        assert windows.find(scheme, Secret(SECRET), _claim(NOW + ahead), NOW + 1) is None
    assert windows.find(scheme, Secret(SECRET), _claim(NOW + 11), NOW + 1) == NOW + 11


def test_a_clock_that_jumps_builds_the_window_anew() -> None:
    scheme, windows = Counting(), RollingWindows()
    for now in (NOW, NOW + 10_000, NOW - 10_000):
        assert windows.find(scheme, Secret(SECRET), _claim(int(now) + 10), now) == now + 10
    assert len(scheme.asked) == 3 * 21


def test_old_seconds_are_forgotten() -> None:
    windows = RollingWindows()
    scheme = Counting()
    for now in range(NOW, NOW + 500):
        windows.find(scheme, Secret(SECRET), _claim(0), now)
    (window,) = windows._known.values()
    assert len(window._numbers) <= 21 + 2 * 60


def test_each_scheme_key_and_secret_has_a_window_of_its_own() -> None:
    windows = RollingWindows()
    assert windows.find(Counting(), Secret(SECRET), _claim(NOW), NOW) == NOW
    assert windows.find(Counting(), Secret("other"), _claim(NOW), NOW) is None
    assert windows.find(Counting(), Secret(SECRET), Claim("key2", None, _claim(NOW).signatures), NOW) is None
    smaller = Counting(window=Window(past=1, future=1))
    assert windows.find(Counting(), Secret(SECRET), _claim(NOW + 5), NOW) == NOW + 5
    assert windows.find(smaller, Secret(SECRET), _claim(NOW + 5), NOW) is None


def test_the_longest_unused_window_goes_first() -> None:
    scheme, windows = Counting(), RollingWindows(capacity=2)
    costs = [_cost(scheme, windows, Claim(key, None, ()), NOW) for key in ("a", "b", "a", "c", "a", "b")]
    assert costs == [21, 21, 0, 21, 0, 21]


def test_many_threads_share_the_windows() -> None:
    windows = RollingWindows(capacity=3)
    found: list[bool] = []

    def look(seed: int) -> None:
        for step in range(100):
            now = NOW + (seed * 7 + step * 3) % 90
            key = f"key{(seed + step) % 4}"
            found.append(windows.find(Counting(), Secret(SECRET), _claim(now - 10, key), now) == now - 10)

    threads = [threading.Thread(target=look, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 800


@dataclass(frozen=True)
class Coarse(GoGrid):
    """A scheme whose signature stays the same for two minutes."""

    window: Window = Window(past=60, future=120)

    def candidates(self, secret: bytes, claim: Claim, body: Body, seconds: Sequence[int]) -> Iterable[str]:
        return [gogrid_signature(claim.key_id, secret.decode(), second // 120) for second in seconds]


def test_a_signature_that_serves_several_seconds_is_held_until_the_last_of_them_has_left() -> None:
    first = NOW // 120 * 120
    scheme, windows = Coarse(), RollingWindows()
    claim = Claim("key", None, (gogrid_signature("key", SECRET, first // 120),))
    for now in range(first - 10, first + 119 + 60 + 1):
        assert windows.find(scheme, Secret(SECRET), claim, now) == search(scheme, Secret(SECRET), claim, b"", now)
        assert windows.find(scheme, Secret(SECRET), claim, now) is not None
    assert windows.find(scheme, Secret(SECRET), claim, first + 119 + 61) is None


def test_a_scheme_that_gives_too_few_candidates_is_found_out() -> None:
    class Lazy(Counting):
        def candidates(self, secret: bytes, claim: Claim, body: Body, seconds: Sequence[int]) -> Iterable[str]:
            return ["0" * 32]

    with pytest.raises(ValueError, match="zip"):
        RollingWindows().find(Lazy(), Secret(SECRET), _claim(NOW), NOW)
    with pytest.raises(ValueError, match="zip"):
        search(Lazy(), Secret(SECRET), _claim(NOW), b"", NOW)
