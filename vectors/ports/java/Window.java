// SPDX-License-Identifier: MIT

/** How far a time may lie from the clock, in seconds. */
record Window(long past, long future) {
    void check(long at, long now) {
        Refused.when(now - at > past, "stale", "too old");
        Refused.when(at - now > future, "future", "too far ahead");
    }
}
