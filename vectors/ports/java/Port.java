/*
 * Signs and verifies HTTP requests: HTTP HMAC 1.0 (goTom) and keyed timestamps (GoGrid). Java 17 or later, nothing else.
 *
 *     Request request = new Request("GET", "/path?query", List.of(), new byte[0], "https://host");
 *     Scheme gotom = Port.scheme("gotom", Map.of());
 *     Signed signed = Port.sign(gotom, request, "key id", secret, now);       // signed.headers(), …
 *     String keyId = Port.verify(gotom, request, Map.of("key id", List.of(secret)), now);
 *
 * Targets and headers hold the bytes of the wire, one character for each; `now` is Unix seconds. What cannot be signed
 * or does not verify is thrown as Refused with a reason. Conform.java and Json.java are for the conformance protocol,
 * which `javac -d classes *.java && java -cp classes Conform` speaks, and from Java 22 on `java Conform.java`.
 *
 * SPDX-License-Identifier: MIT
 */

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;

final class Port {
    private Port() {}

    /** The scheme of that name, with options by the names of the protocol. Those left out have their defaults. */
    static Scheme scheme(String name, Map<String, Object> options) {
        Options given = new Options(options);
        Scheme scheme = switch (name) {
            case "gotom" -> HeaderHmac.of(given);
            case "gogrid" -> KeyedTimestamp.of(given);
            default -> throw new IllegalArgumentException("there is no scheme " + name);
        };
        given.refuseOthers();
        return scheme;
    }

    static Signed sign(Scheme scheme, Request request, String keyId, byte[] secret, BigDecimal now) {
        Refused.when(keyId.isEmpty() || secret.length == 0, "cannot_sign", "the key id or the secret is empty");
        boolean isClean = Text.isUnicode(keyId) && !Text.CONTROL_BUT_TAB.matcher(keyId).find();
        Refused.unless(isClean, "cannot_sign", "the key id is no text or holds a control character");
        request.check("cannot_sign");
        return scheme.sign(request, keyId, secret, now);
    }

    /** The key id that the request verifies for. Of keys each has its secrets; one that is empty is none. */
    static String verify(Scheme scheme, Request request, Map<String, List<byte[]>> keys, BigDecimal now) {
        return scheme.verify(request.withTarget(request.originForm()), keys, now);
    }

    static long seconds(BigDecimal now) {
        return now.setScale(0, RoundingMode.FLOOR).longValueExact();
    }

    static List<byte[]> secrets(Map<String, List<byte[]>> keys, String keyId) {
        List<byte[]> usable = keys.getOrDefault(keyId, List.of()).stream().filter(secret -> secret.length > 0).toList();
        Refused.when(usable.isEmpty(), "unknown_key", "no secret is known");
        return usable;
    }
}
