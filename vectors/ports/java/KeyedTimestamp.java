// Keyed timestamps, of which GoGrid's is one. SPDX-License-Identifier: MIT

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigDecimal;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** sig = hex(hash(key id + secret + seconds)), a parameter beside the key id; the time is not sent. */
record KeyedTimestamp(
        String keyParam,
        String sigParam,
        String versionParam,
        String version,
        List<String> versions,
        String algorithm,
        String placement,
        List<String> methods,
        boolean allowHttp,
        Window window)
        implements Scheme {
    private static final byte[] NO_BODY = new byte[0];

    /** With the defaults of GoGrid. */
    static KeyedTimestamp of(Options options) {
        return new KeyedTimestamp(
                options.get("key_param", "api_key"),
                options.get("sig_param", "sig"),
                options.get("version_param", "v"),
                options.get("version", "1.5"),
                options.get("versions", List.of("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9")),
                options.get("algorithm", "md5"),
                options.get("placement", "auto"),
                options.get("methods", List.of("GET", "POST")),
                options.get("allow_http", false),
                options.window(600));
    }

    String signature(String keyId, byte[] secret, long second) {
        MessageDigest digest = Hashes.digest(algorithm);
        digest.update(keyId.getBytes(UTF_8));
        digest.update(secret);
        digest.update(Long.toString(second).getBytes(UTF_8));
        return Hashes.hex(digest.digest());
    }

    @Override
    public Signed sign(Request given, String keyId, byte[] secret, BigDecimal now) {
        refuse(Text.CONTROL.matcher(keyId).find(), "the key id holds a control character");
        boolean isShown = !allowHttp && !given.origin().isEmpty() && !given.isSecure();
        refuse(isShown, "plain http shows the signature");
        refuse(!methods.contains(given.upperMethod()), "the method is not signed");
        List<Pair> headers = List.of();
        if (placement.equals("form") && !given.isForm()) {
            boolean isEmpty = given.values("content-type").isEmpty() && given.body().length == 0;
            refuse(!isEmpty || given.upperMethod().equals("GET"), "the request is no form");
            headers = List.of(new Pair("Content-Type", Request.FORM));
        }
        Request request = given.with(headers);
        boolean isForm = !placement.equals("query") && request.isForm();
        Places places = places(request, request.body());
        List<Pair> here = isForm ? places.form : places.query;
        List<Pair> there = isForm ? places.query : places.form;
        refuse(!there.isEmpty(), "a parameter stands in the other place");
        refuse(Pair.isTwice(here), "a parameter is there twice");
        Optional<Pair> sent = Pair.find(here, versionParam);
        refuse(sent.isPresent() && !accepts(sent.get().value()), "the version is not supported");
        long second = Port.seconds(now);
        List<Pair> pairs = new ArrayList<>();
        pairs.add(new Pair(keyParam, keyId));
        pairs.add(new Pair(sigParam, signature(keyId, secret, second)));
        if (versionParam != null && sent.isEmpty()) {
            pairs.add(new Pair(versionParam, version));
        }
        byte[] string = (keyId + "\0" + second).getBytes(UTF_8); // the secret goes where the NUL stands
        if (isForm) {
            byte[] body = withFields(new String(request.body(), ISO_8859_1), pairs).getBytes(ISO_8859_1);
            return new Signed(headers, List.of(), pairs, request.target(), body, string);
        }
        String[] split = split(request.target(), "\\?");
        String target = split[0] + "?" + withFields(split[1], pairs);
        return new Signed(headers, pairs, List.of(), target, request.body(), string);
    }

    private static void refuse(boolean wrong, String detail) {
        Refused.when(wrong, "cannot_sign", detail);
    }

    @Override
    public String verify(Request request, Map<String, List<byte[]>> keys, BigDecimal now) {
        // The head first, so that what is wrong with it is found before a body is read.
        Optional<Claim> head = claim(request, NO_BODY);
        Claim claim = (request.hasMediaType(Request.FORM) ? claim(request, request.body()) : head)
                .orElseThrow(() -> new Refused("missing", "no signature parameter"));
        long clock = Port.seconds(now);
        for (byte[] secret : Port.secrets(keys, claim.keyId)) {
            for (long second = clock - window.past(); second <= clock + window.future(); second++) {
                if (Text.same(signature(claim.keyId, secret, second), claim.signature)) {
                    return claim.keyId;
                }
            }
        }
        throw new Refused("mismatch", "no secret fits at any second of the window");
    }

    private record Claim(String keyId, String signature) {}

    /** What the request claims; nothing where there is no signature. */
    private Optional<Claim> claim(Request request, byte[] body) {
        Places places = places(request, body);
        List<Pair> sent = places.both();
        if (Pair.find(sent, sigParam).isEmpty()) {
            return Optional.empty();
        }
        Refused.unless(allowHttp || request.isSecure(), "insecure", "not over https");
        request.check("malformed");
        Refused.unless(methods.contains(request.method()), "malformed", "the method is not taken");
        boolean isInBoth = !places.query.isEmpty() && !places.form.isEmpty();
        Refused.when(isInBoth || Pair.isTwice(sent), "malformed", "a parameter is there twice or in both places");
        Refused.when(sent.stream().anyMatch(pair -> pair.value() == null), "malformed", "a parameter is not UTF-8");
        String keyId = Pair.find(sent, keyParam).map(Pair::value).orElse("");
        Refused.when(keyId.isEmpty(), "malformed", "the key id is absent or empty");
        Refused.when(Text.CONTROL.matcher(keyId).find(), "malformed", "the key id holds a control character");
        String signature = Pair.find(sent, sigParam).map(Pair::value).orElse("");
        boolean isHex = signature.matches("[0-9a-f]{" + 2 * Hashes.size(algorithm) + "}");
        Refused.unless(isHex, "malformed", "the signature is not lower-case hex of its length");
        if (versionParam != null) {
            Optional<Pair> asked = Pair.find(sent, versionParam);
            Refused.when(asked.isEmpty(), "malformed", "the version is absent");
            Refused.unless(accepts(asked.get().value()), "unsupported_version", "the version is not served");
        }
        return Optional.of(new Claim(keyId, signature));
    }

    /** A version that is not UTF-8 is null. */
    private boolean accepts(String sent) {
        return sent != null && (sent.equals(version) || versions.contains(sent));
    }

    private record Places(List<Pair> query, List<Pair> form) {
        List<Pair> both() {
            return Stream.concat(query.stream(), form.stream()).toList();
        }
    }

    /** The scheme's own parameters in the query and in the form. */
    private Places places(Request request, byte[] body) {
        String form = request.hasMediaType(Request.FORM) ? new String(body, ISO_8859_1) : "";
        return new Places(own(split(request.originForm(), "\\?")[1]), own(form));
    }

    /** Decoded; a value that is not UTF-8 is null. */
    private List<Pair> own(String encoded) {
        List<String> names = Arrays.asList(keyParam, sigParam, versionParam);
        return Stream.of(encoded.split("&", -1))
                .map(part -> split(part, "="))
                .map(split -> new Pair(Text.unescaped(split[0]), Text.unescaped(split[1])))
                .filter(pair -> pair.name() != null && names.contains(pair.name()))
                .toList();
    }

    /** A query or form with pairs set in it: replaced in place or appended, all other bytes as they are. */
    private static String withFields(String given, List<Pair> pairs) {
        String encoded = given;
        for (Pair pair : pairs) {
            List<String> parts = new ArrayList<>(List.of(encoded.split("&", -1)));
            List<String> names = parts.stream().map(part -> split(part, "=")[0]).toList();
            int place = names.stream().map(Text::unescaped).toList().indexOf(pair.name());
            if (place >= 0) {
                parts.set(place, names.get(place) + "=" + Text.escaped(pair.value()));
                encoded = String.join("&", parts);
            } else {
                String joint = encoded.isEmpty() || encoded.endsWith("&") ? "" : "&";
                encoded += joint + Text.escaped(pair.name()) + "=" + Text.escaped(pair.value());
            }
        }
        return encoded;
    }

    /** What stands before the first mark, and what behind it. */
    private static String[] split(String text, String mark) {
        String[] split = text.split(mark, 2);
        return split.length == 2 ? split : new String[] {text, ""};
    }
}
