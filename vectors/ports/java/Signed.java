// SPDX-License-Identifier: MIT

import java.util.List;

/** What to set on a request, the target and body it then has, and the string that was signed. */
record Signed(List<Pair> headers, List<Pair> query, List<Pair> form, String target, byte[] body, byte[] string) {}
