// HTTP HMAC 1.0, of which goTom is one. SPDX-License-Identifier: MIT

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Authorization: <provider> <key id>:base64(HMAC(secret, string to sign)) */
record HeaderHmac(
        String provider,
        String algorithm,
        List<String> signedHeaders,
        boolean dropBlankHeaders,
        String contentType,
        String dateHeader,
        String datePrecision,
        boolean multipartAsEmpty,
        Window window)
        implements Scheme {
    /** With the defaults of goTom. */
    static HeaderHmac of(Options options) {
        return new HeaderHmac(
                options.get("provider", "gotom_app_api"),
                options.get("algorithm", "sha1"),
                options.get("signed_headers", List.of()),
                options.get("drop_blank_headers", false),
                options.get("content_type", "application/json"),
                options.get("date_header", "Date"),
                options.get("date_precision", "seconds"),
                options.get("multipart_as_empty", false),
                options.window(1800));
    }

    byte[] stringToSign(Request request) {
        Map<String, String> found = covered(request, "cannot_sign");
        boolean asEmpty =
                multipartAsEmpty && request.upperMethod().equals("POST") && request.hasMediaType("multipart/form-data");
        String custom = signedHeaders.stream()
                .distinct()
                .map(Text::lower)
                .filter(name -> found.containsKey(name) && !(dropBlankHeaders && isBlank(found.get(name))))
                .map(name -> name + ": " + found.get(name))
                .sorted() // whole lines: characters of the wire are bytes
                .collect(Collectors.joining("\n"));
        String string = String.join(
                "\n",
                request.upperMethod(),
                Hashes.hex(Hashes.digest("md5").digest(asEmpty ? new byte[0] : request.body())),
                Text.lower(found.get("content-type")),
                found.get(Text.lower(dateHeader)),
                custom,
                request.originForm());
        return string.getBytes(ISO_8859_1);
    }

    private static boolean isBlank(String value) {
        return value.isEmpty() || value.equals("0");
    }

    String signature(byte[] secret, byte[] string) {
        return Base64.getEncoder().encodeToString(Hashes.hmac(algorithm, secret, string));
    }

    @Override
    public Signed sign(Request request, String keyId, byte[] secret, BigDecimal now) {
        List<Pair> headers = new ArrayList<>();
        headers.add(new Pair(dateHeader, Dates.text(now, datePrecision.equals("milliseconds"))));
        if (request.values("content-type").isEmpty()) {
            headers.add(new Pair("Content-Type", contentType));
        }
        if (signedHeaders.stream().map(Text::lower).anyMatch("host"::equals) && request.values("host").isEmpty()) {
            Refused.when(request.origin().isEmpty(), "cannot_sign", "Host is signed and not known");
            headers.add(new Pair("Host", request.origin().split("://", 2)[1]));
        }
        byte[] string = stringToSign(request.with(headers));
        String escaped = keyId.replace("\\", "\\\\").replace(":", "\\:");
        String onTheWire = new String(escaped.getBytes(UTF_8), ISO_8859_1);
        headers.add(new Pair("Authorization", provider + " " + onTheWire + ":" + signature(secret, string)));
        return new Signed(headers, List.of(), List.of(), request.target(), request.body(), string);
    }

    @Override
    public String verify(Request request, Map<String, List<byte[]>> keys, BigDecimal now) {
        Matcher credentials = credentials(request);
        String keyId = Text.ofUtf8(credentials.group(1).replaceAll("(?s)\\\\(.)", "$1").getBytes(ISO_8859_1));
        boolean isClean = keyId != null && !Text.CONTROL_BUT_TAB.matcher(keyId).find();
        Refused.unless(isClean, "malformed", "the key id is not UTF-8 or holds a control character");
        Map<String, String> found = covered(request, "malformed");
        OptionalLong at = Dates.seconds(found.getOrDefault(Text.lower(dateHeader), ""));
        Refused.when(at.isEmpty(), "malformed", "no date in a form that is read");
        Refused.unless(found.containsKey("content-type"), "malformed", "no Content-Type");
        Refused.unless(request.method().equals(request.upperMethod()), "malformed", "the method is not upper case");
        request.check("malformed");
        window.check(at.getAsLong(), Port.seconds(now));
        List<byte[]> secrets = Port.secrets(keys, keyId);
        byte[] string = stringToSign(request);
        boolean fits = secrets.stream().anyMatch(secret -> Text.same(signature(secret, string), credentials.group(2)));
        Refused.unless(fits, "mismatch", "no secret fits");
        return keyId;
    }

    /** Key id, still with its backslashes, and signature. */
    private Matcher credentials(Request request) {
        List<String> sent = request.values("authorization");
        boolean isClaimed = sent.stream().anyMatch(value -> (value + " ").startsWith(provider + " "));
        Refused.unless(isClaimed, "missing", "no Authorization of this provider");
        int size = Hashes.size(algorithm);
        String signature = String.format("[A-Za-z0-9+/]{%d}={%d}", (size * 4 + 2) / 3, (3 - size % 3) % 3);
        // Possessive: else each character would take a call of its own, and a long key id overflow the stack.
        String form = Pattern.quote(provider) + " ((?:[^\\\\:]|\\\\[\\\\:])++):(" + signature + ")";
        Matcher match = Pattern.compile(form).matcher(sent.get(0));
        boolean isOne = match.matches() && sent.size() == 1;
        Refused.unless(isOne, "malformed", "Authorization is not there once in its one form");
        return match;
    }

    /** The headers that are signed, by name in lower case, each there once and with a clean value. */
    private Map<String, String> covered(Request request, String reason) {
        List<String> names = Stream.concat(Stream.of("content-type", dateHeader), signedHeaders.stream())
                .map(Text::lower)
                .toList();
        List<String> folded = names.stream().map(Text::hyphens).toList();
        Map<String, String> found = new HashMap<>();
        for (Pair header : request.headers()) {
            String name = Text.lower(header.name());
            if (names.contains(name)) {
                String value = Text.trim(header.value());
                Refused.when(found.put(name, value) != null, reason, name + " is there twice");
                Refused.unless(value.matches("[ -~\u0080-\u00ff]*"), reason, name + " holds a control character");
            } else {
                boolean standsIn = folded.contains(Text.hyphens(name)); // CGI gives both one name
                Refused.when(standsIn, reason, name + " would stand in for a signed header");
            }
        }
        return found;
    }
}
