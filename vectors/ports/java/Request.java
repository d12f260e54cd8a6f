// SPDX-License-Identifier: MIT

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A request as it is on the wire. The origin may be empty, and is then not known. */
record Request(String method, String target, List<Pair> headers, byte[] body, String origin) {
    static final String FORM = "application/x-www-form-urlencoded";

    private static final List<String> OVERRIDES = List.of("x-http-method-override", "x-http-method", "x-method-override");
    private static final Pattern ABSOLUTE = Pattern.compile("(?is)https?://[^/?#]*(.*)");

    /** The values of all headers of that name (in lower case), without the spaces and tabs around them. */
    List<String> values(String name) {
        return headers.stream()
                .filter(header -> Text.lower(header.name()).equals(name))
                .map(header -> Text.trim(header.value()))
                .toList();
    }

    boolean hasMediaType(String type) {
        return values("content-type").stream()
                .map(value -> Text.lower(Text.trim(value.split(";", 2)[0])))
                .anyMatch(type::equals);
    }

    boolean isForm() {
        return !upperMethod().equals("GET") && hasMediaType(FORM);
    }

    boolean isSecure() {
        return Text.lower(origin).startsWith("https://");
    }

    String upperMethod() {
        return method.toUpperCase(Locale.ROOT);
    }

    /** Path and query of a target that has the absolute form. */
    String originForm() {
        Matcher match = ABSOLUTE.matcher(target);
        if (!match.matches()) {
            return target;
        }
        return match.group(1).startsWith("/") ? match.group(1) : "/" + match.group(1);
    }

    Request withTarget(String changed) {
        return new Request(method, changed, headers, body, origin);
    }

    /** With these headers, each in the place of all of its name. */
    Request with(List<Pair> changed) {
        List<String> names = changed.stream().map(header -> Text.lower(header.name())).toList();
        List<Pair> all = new ArrayList<>(headers);
        all.removeIf(header -> names.contains(Text.lower(header.name())));
        all.addAll(changed);
        return new Request(method, target, all, body, origin);
    }

    /** Refuses what no scheme signs or takes. */
    void check(String reason) {
        Refused.unless(method.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+"), reason, "the method is not a token");
        boolean isPlain = originForm().matches("/[!\"$-~]*");
        Refused.unless(isPlain, reason, "the target is not path and query in printable ASCII without #");
        boolean isOverridden = headers.stream()
                .anyMatch(header -> OVERRIDES.contains(Text.hyphens(Text.lower(header.name()))));
        Refused.when(isOverridden && upperMethod().equals("POST"), reason, "the method is overridden");
    }
}
