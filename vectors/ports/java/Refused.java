// SPDX-License-Identifier: MIT

/** Why a request is not signed, or not taken. */
final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;

    final String reason;

    Refused(String reason, String detail) {
        super(reason + ": " + detail);
        this.reason = reason;
    }

    static void when(boolean wrong, String reason, String detail) {
        if (wrong) {
            throw new Refused(reason, detail);
        }
    }

    static void unless(boolean right, String reason, String detail) {
        when(!right, reason, detail);
    }
}
