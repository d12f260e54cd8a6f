/*
 * Signs and verifies HTTP requests: HTTP HMAC 1.0 (goTom) and keyed timestamps (GoGrid). Java 17 or later, nothing else.
 *
 *     Request request = new Request("GET", "/path?query", List.of(), new byte[0], "https://host");
 *     Scheme gotom = Port.scheme("gotom", Map.of());
 *     Signed signed = Port.sign(gotom, request, "key id", secret, now);       // signed.headers(), …
 *     String keyId = Port.verify(gotom, request, Map.of("key id", List.of(secret)), now);
 *
 * Targets and headers hold the bytes of the wire, one character for each. What cannot be signed or does not verify is thrown
 * as Refused with a reason. `java Port.java` speaks the conformance protocol.
 *
 * SPDX-License-Identifier: MIT
 */

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class Port {
    static final String FORM = "application/x-www-form-urlencoded";
    static final List<String> OVERRIDES = List.of("x-http-method-override", "x-http-method", "x-method-override");
    static final Map<String, Integer> SIZES =
            Map.of("md5", 16, "sha1", 20, "sha224", 28, "sha256", 32, "sha384", 48, "sha512", 64);

    static final class Refused extends Exception {
        final String reason;

        Refused(String reason, String detail) {
            super(reason + ": " + detail);
            this.reason = reason;
        }
    }

    /** A name with its value: of a header, or of a parameter. */
    record Pair(String name, String value) {}

    /** What to set on a request, the target and body it then has, and the string that was signed. */
    record Signed(List<Pair> headers, List<Pair> query, List<Pair> form, String target, byte[] body, byte[] string) {}

    record Request(String method, String target, List<Pair> headers, byte[] body, String origin) {
        List<String> values(String name) {
            return headers.stream().filter(pair -> lower(pair.name).equals(name)).map(pair -> trim(pair.value)).toList();
        }

        boolean hasMediaType(String type) {
            return values("content-type").stream().anyMatch(value -> lower(trim(value.split(";", 2)[0])).equals(type));
        }

        Request with(List<Pair> changed) {
            List<Pair> all = new ArrayList<>(headers);
            all.removeIf(pair -> changed.stream().anyMatch(other -> other.name.equalsIgnoreCase(pair.name)));
            all.addAll(changed);
            return new Request(method, target, all, body, origin);
        }

        Request at(String newTarget) {
            return new Request(method, newTarget, headers, body, origin);
        }

        String upperMethod() {
            return method.toUpperCase(Locale.ROOT);
        }

        boolean isForm() {
            return !upperMethod().equals("GET") && hasMediaType(FORM);
        }

        /** Refuses what no scheme signs or takes. */
        void check(String target, String reason) throws Refused {
            if (!method.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+")) {
                throw new Refused(reason, "the method is not a token");
            }
            if (!target.matches("/[!\"$-~]*")) {
                throw new Refused(reason, "the target is not path and query in printable ASCII without #");
            }
            for (Pair pair : headers) {
                if (upperMethod().equals("POST") && OVERRIDES.contains(lower(pair.name).replace('_', '-'))) {
                    throw new Refused(reason, "the method is overridden");
                }
            }
        }
    }

    interface Scheme {
        Signed sign(Request request, String keyId, byte[] secret, BigDecimal now) throws Refused;

        String verify(Request request, Map<String, List<byte[]>> keys, BigDecimal now) throws Refused;
    }

    /** ASCII letters alone: Java's own folding maps the Latin-1 letters above them too. */
    static String lower(String wire) {
        StringBuilder folded = new StringBuilder(wire);
        for (int i = 0; i < folded.length(); i++) {
            char letter = folded.charAt(i);
            if (letter >= 'A' && letter <= 'Z') {
                folded.setCharAt(i, (char) (letter + 32));
            }
        }
        return folded.toString();
    }

    static String trim(String value) {
        return value.replaceAll("^[ \t]+|[ \t]+$", "");
    }

    static String originForm(String target) {
        Matcher match = Pattern.compile("(?is)https?://[^/?#]*(.*)").matcher(target);
        if (!match.matches()) {
            return target;
        }
        return match.group(1).startsWith("/") ? match.group(1) : "/" + match.group(1);
    }

    static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(javaName(algorithm));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static String javaName(String algorithm) {
        return algorithm.equals("md5") ? "MD5" : algorithm.replace("sha", "SHA-");
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    static boolean same(String one, String other) {
        return MessageDigest.isEqual(one.getBytes(ISO_8859_1), other.getBytes(ISO_8859_1));
    }

    static long seconds(BigDecimal now) {
        return now.setScale(0, RoundingMode.FLOOR).longValueExact();
    }

    /** Text of UTF-8, or null where it is none: new String would put replacement characters in. */
    static String strictUtf8(byte[] bytes) {
        try {
            return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException error) {
            return null;
        }
    }

    static List<byte[]> secrets(Map<String, List<byte[]>> keys, String keyId) throws Refused {
        List<byte[]> usable = keys.getOrDefault(keyId, List.of()).stream().filter(secret -> secret.length > 0).toList();
        if (usable.isEmpty()) {
            throw new Refused("unknown_key", "no secret is known");
        }
        return usable;
    }

    static String dateText(BigDecimal now, boolean milliseconds) throws Refused {
        long second = seconds(now);
        if (second < -62135596800L || second > 253402300799L) {
            throw new Refused("cannot_sign", "no date says this time");
        }
        // Not Instant.toString, which leaves fractions of zero out, and seconds too in other classes.
        DateTimeFormatter form = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);
        int millisecond = now.subtract(BigDecimal.valueOf(second)).movePointRight(3).intValue();
        return form.format(Instant.ofEpochSecond(second)) + (milliseconds ? String.format(".%03d", millisecond) : "") + "Z";
    }

    static final String DAY = "(?<year>[0-9]{4})-(?<month>[0-9]{2})-(?<day>[0-9]{2})";
    static final String TIME = "(?<hour>[0-9]{2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2})(?:\\.[0-9]+)?)?";
    static final String ZONE = "(?:Z|(?<sign>[+-])(?<zoneHour>[0-9]{2})(?::?(?<zoneMinute>[0-9]{2}))?)";
    static final Pattern EXTENDED = Pattern.compile(DAY + "T" + TIME + ZONE);
    static final Pattern SPACED = Pattern.compile(DAY + " " + TIME + "(?: UTC| ?" + ZONE + ")");
    static final Pattern BASIC = Pattern.compile(
            "(?<year>[0-9]{4})(?<month>[0-9]{2})(?<day>[0-9]{2})T(?<hour>[0-9]{2})(?<minute>[0-9]{2})(?<second>[0-9]{2})" + ZONE);
    static final Pattern RFC_5322 = Pattern.compile(
            "(?:(?<weekday>[A-Z][a-z]{2}), )?(?<day>[0-9]{1,2}) (?<month>[A-Z][a-z]{2}) (?<year>[0-9]{4}) "
                    + "(?<hour>[0-9]{2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2}))? "
                    + "(?:GMT|UTC|(?<sign>[+-])(?<zoneHour>[0-9]{2})(?<zoneMinute>[0-9]{2}))");
    static final List<String> MONTHS =
            List.of("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec");
    static final List<String> WEEKDAYS = List.of("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun");

    /** Unix seconds of a date in a form that is read, else null. Not java.time's parsers: they take 24:00. */
    static Long dateSeconds(String text) {
        for (Pattern form : List.of(EXTENDED, SPACED, BASIC, RFC_5322)) {
            Matcher found = form.matcher(text);
            if (found.matches()) {
                return dateSeconds(found, form == RFC_5322);
            }
        }
        return null;
    }

    static Long dateSeconds(Matcher found, boolean named) {
        int year = number(found.group("year"));
        int month = named ? MONTHS.indexOf(found.group("month")) + 1 : number(found.group("month"));
        int hour = number(found.group("hour"));
        int minute = number(found.group("minute"));
        int second = number(found.group("second"));
        int zoneHour = number(found.group("zoneHour"));
        int zoneMinute = number(found.group("zoneMinute"));
        if (year < 1 || hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) {
            return null;
        }
        LocalDate date;
        try {
            date = LocalDate.of(year, month, number(found.group("day")));
        } catch (DateTimeException noSuchDay) {
            return null;
        }
        String weekday = named ? found.group("weekday") : null;
        if (weekday != null && !WEEKDAYS.get(date.getDayOfWeek().getValue() - 1).equals(weekday)) {
            return null;
        }
        long offset = zoneHour * 3600L + zoneMinute * 60L;
        return date.toEpochDay() * 86400 + hour * 3600 + minute * 60 + second - ("-".equals(found.group("sign")) ? -offset : offset);
    }

    static int number(String digits) {
        return digits == null ? 0 : Integer.parseInt(digits);
    }

    /** HTTP HMAC 1.0: Authorization: <provider> <key id>:base64(HMAC(secret, string to sign)) */
    record HeaderHmac(
            String provider,
            String algorithm,
            List<String> signedHeaders,
            boolean dropBlankHeaders,
            String contentType,
            String dateHeader,
            boolean milliseconds,
            boolean multipartAsEmpty,
            long past,
            long future)
            implements Scheme {
        byte[] stringToSign(Request request) throws Refused {
            Map<String, String> found = covered(request, "cannot_sign");
            boolean asEmpty = multipartAsEmpty && request.upperMethod().equals("POST") && request.hasMediaType("multipart/form-data");
            List<String> custom = new ArrayList<>();
            for (String name : new LinkedHashSet<>(signedHeaders)) {
                String value = found.get(lower(name));
                if (value != null && !(dropBlankHeaders && (value.isEmpty() || value.equals("0")))) {
                    custom.add(lower(name) + ": " + value);
                }
            }
            custom.sort(null); // characters of the wire are bytes
            String string = String.join(
                    "\n",
                    request.upperMethod(),
                    hex(digest("md5").digest(asEmpty ? new byte[0] : request.body)),
                    lower(found.get("content-type")),
                    found.get(lower(dateHeader)),
                    String.join("\n", custom),
                    originForm(request.target));
            return string.getBytes(ISO_8859_1);
        }

        String signature(byte[] secret, byte[] string) {
            try {
                String name = "Hmac" + javaName(algorithm).replace("-", "");
                Mac mac = Mac.getInstance(name);
                mac.init(new SecretKeySpec(secret, name));
                return Base64.getEncoder().encodeToString(mac.doFinal(string));
            } catch (GeneralSecurityException impossible) {
                throw new IllegalStateException(impossible);
            }
        }

        @Override
        public Signed sign(Request request, String keyId, byte[] secret, BigDecimal now) throws Refused {
            List<Pair> headers = new ArrayList<>();
            headers.add(new Pair(dateHeader, dateText(now, milliseconds)));
            if (request.values("content-type").isEmpty()) {
                headers.add(new Pair("Content-Type", contentType));
            }
            if (signedHeaders.stream().anyMatch(name -> lower(name).equals("host")) && request.values("host").isEmpty()) {
                if (request.origin.isEmpty()) {
                    throw new Refused("cannot_sign", "Host is signed and not known");
                }
                headers.add(new Pair("Host", request.origin.split("://", 2)[1]));
            }
            byte[] string = stringToSign(request.with(headers));
            String escaped = keyId.replace("\\", "\\\\").replace(":", "\\:");
            String onTheWire = new String(escaped.getBytes(UTF_8), ISO_8859_1);
            headers.add(new Pair("Authorization", provider + " " + onTheWire + ":" + signature(secret, string)));
            return new Signed(headers, List.of(), List.of(), request.target, request.body, string);
        }

        @Override
        public String verify(Request request, Map<String, List<byte[]>> keys, BigDecimal now) throws Refused {
            Matcher credentials = credentials(request);
            String keyId = strictUtf8(credentials.group(1).replaceAll("(?s)\\\\(.)", "$1").getBytes(ISO_8859_1));
            if (keyId == null || keyId.matches("(?s).*[\0-\010\012-\037\177].*")) {
                throw new Refused("malformed", "the key id is not UTF-8 or holds a control character");
            }
            Map<String, String> found = covered(request, "malformed");
            Long at = dateSeconds(found.getOrDefault(lower(dateHeader), ""));
            if (at == null || !found.containsKey("content-type") || !request.method.equals(request.upperMethod())) {
                throw new Refused("malformed", "no date in a form that is read, no Content-Type, or no upper-case method");
            }
            request.check(request.target, "malformed");
            long age = seconds(now) - at;
            if (age > past) {
                throw new Refused("stale", "too old");
            }
            if (-age > future) {
                throw new Refused("future", "too far ahead");
            }
            List<byte[]> known = secrets(keys, keyId);
            byte[] string = stringToSign(request);
            for (byte[] secret : known) {
                if (same(signature(secret, string), credentials.group(2))) {
                    return keyId;
                }
            }
            throw new Refused("mismatch", "no secret fits");
        }

        private Matcher credentials(Request request) throws Refused {
            List<String> sent = request.values("authorization");
            if (sent.stream().noneMatch(value -> value.equals(provider) || value.startsWith(provider + " "))) {
                throw new Refused("missing", "no Authorization of this provider");
            }
            int size = SIZES.get(algorithm);
            String signature = "[A-Za-z0-9+/]{" + (size * 4 + 2) / 3 + "}={" + (3 - size % 3) % 3 + "}";
            String form = Pattern.quote(provider) + " ((?:[^\\\\:]|\\\\[\\\\:])+):(" + signature + ")";
            Matcher match = Pattern.compile(form).matcher(sent.get(0));
            if (sent.size() > 1 || !match.matches()) {
                throw new Refused("malformed", "Authorization is not there once in its one form");
            }
            return match;
        }

        /** The headers that are signed, by name in lower case, each there once and with a clean value. */
        private Map<String, String> covered(Request request, String reason) throws Refused {
            List<String> names = new ArrayList<>(List.of("content-type", lower(dateHeader)));
            signedHeaders.forEach(name -> names.add(lower(name)));
            List<String> folded = names.stream().map(name -> name.replace('_', '-')).toList();
            Map<String, String> found = new LinkedHashMap<>();
            for (Pair pair : request.headers) {
                String name = lower(pair.name);
                if (names.contains(name)) {
                    if (found.put(name, trim(pair.value)) != null || !trim(pair.value).matches("[ -~\u0080-\u00ff]*")) {
                        throw new Refused(reason, "the header " + name + " is there twice or holds a control character");
                    }
                } else if (folded.contains(name.replace('_', '-'))) {
                    throw new Refused(reason, "the header " + name + " would stand in for a signed one"); // CGI gives both one name
                }
            }
            return found;
        }
    }

    /** Keyed timestamp: sig = hex(hash(key id + secret + seconds)), a parameter beside the key id; the time is not sent. */
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
            long past,
            long future)
            implements Scheme {
        String signature(String keyId, byte[] secret, long second) {
            MessageDigest digest = digest(algorithm);
            digest.update(keyId.getBytes(UTF_8));
            digest.update(secret);
            return hex(digest.digest(Long.toString(second).getBytes(UTF_8)));
        }

        @Override
        public Signed sign(Request request, String keyId, byte[] secret, BigDecimal now) throws Refused {
            if (keyId.contains("\t") || (!request.origin.isEmpty() && !isSecure(request))) {
                throw new Refused("cannot_sign", "the key id holds a tab, or plain http would show the signature");
            }
            if (!methods.contains(request.upperMethod())) {
                throw new Refused("cannot_sign", "the method is not signed");
            }
            List<Pair> headers = List.of();
            if (placement.equals("form") && !request.isForm()) {
                if (!request.values("content-type").isEmpty() || request.body.length > 0 || request.upperMethod().equals("GET")) {
                    throw new Refused("cannot_sign", "the request is no form");
                }
                headers = List.of(new Pair("Content-Type", FORM));
                request = request.with(headers);
            }
            boolean inForm = !placement.equals("query") && request.isForm();
            List<Pair> here = inForm ? formFields(request, request.body) : queryFields(request);
            List<Pair> there = inForm ? queryFields(request) : formFields(request, request.body);
            if (!there.isEmpty() || isTwice(here)) {
                throw new Refused("cannot_sign", "a parameter stands in the other place, or is there twice");
            }
            List<Pair> pairs = new ArrayList<>();
            pairs.add(new Pair(keyParam, keyId));
            pairs.add(new Pair(sigParam, signature(keyId, secret, seconds(now))));
            String sent = value(here, versionParam);
            boolean isSent = here.stream().anyMatch(pair -> pair.name.equals(versionParam));
            if (isSent && (sent == null || !accepts(sent))) {
                throw new Refused("cannot_sign", "the version is not supported");
            }
            if (!isSent && versionParam != null) {
                pairs.add(new Pair(versionParam, version));
            }
            byte[] string = (keyId + "\0" + seconds(now)).getBytes(UTF_8); // the secret goes where the NUL stands
            if (inForm) {
                byte[] body = withFields(new String(request.body, ISO_8859_1), pairs).getBytes(ISO_8859_1);
                return new Signed(headers, List.of(), pairs, request.target, body, string);
            }
            String[] split = request.target.split("\\?", 2);
            String target = split[0] + "?" + withFields(split.length > 1 ? split[1] : "", pairs);
            return new Signed(headers, pairs, List.of(), target, request.body, string);
        }

        @Override
        public String verify(Request request, Map<String, List<byte[]>> keys, BigDecimal now) throws Refused {
            // The head first, so that what is wrong with it is found before a body is read.
            Pair claim = claim(request, new byte[0]);
            if (request.hasMediaType(FORM)) {
                claim = claim(request, request.body);
            }
            if (claim == null) {
                throw new Refused("missing", "no signature parameter");
            }
            for (byte[] secret : secrets(keys, claim.name)) {
                for (long second = seconds(now) - past; second <= seconds(now) + future; second++) {
                    if (same(signature(claim.name, secret, second), claim.value)) {
                        return claim.name;
                    }
                }
            }
            throw new Refused("mismatch", "no secret fits at any second of the window");
        }

        /** Key id and signature; null where there is no signature. */
        private Pair claim(Request request, byte[] body) throws Refused {
            List<Pair> inQuery = queryFields(request);
            List<Pair> inForm = formFields(request, body);
            List<Pair> sent = new ArrayList<>(inQuery);
            sent.addAll(inForm);
            if (sent.stream().noneMatch(pair -> pair.name.equals(sigParam))) {
                return null;
            }
            if (!isSecure(request)) {
                throw new Refused("insecure", "not over https");
            }
            request.check(request.target, "malformed");
            if (!methods.contains(request.method) || (!inQuery.isEmpty() && !inForm.isEmpty()) || isTwice(sent)) {
                throw new Refused("malformed", "the method is not taken, or a parameter is there twice or in both places");
            }
            if (sent.stream().anyMatch(pair -> pair.value == null)) {
                throw new Refused("malformed", "a parameter is not UTF-8");
            }
            String keyId = value(sent, keyParam);
            if (keyId == null || keyId.isEmpty() || keyId.chars().anyMatch(unit -> unit < 32 || unit == 127)) {
                throw new Refused("malformed", "the key id is absent, empty or holds a control character");
            }
            String signature = value(sent, sigParam);
            if (!signature.matches("[0-9a-f]{" + 2 * SIZES.get(algorithm) + "}")) {
                throw new Refused("malformed", "the signature is not lower-case hex of its length");
            }
            if (versionParam != null) {
                if (value(sent, versionParam) == null) {
                    throw new Refused("malformed", "the version is absent");
                }
                if (!accepts(value(sent, versionParam))) {
                    throw new Refused("unsupported_version", "the version is not served");
                }
            }
            return new Pair(keyId, signature);
        }

        private boolean isSecure(Request request) {
            return allowHttp || lower(request.origin).startsWith("https://");
        }

        private boolean accepts(String sent) {
            return sent.equals(version) || versions.contains(sent);
        }

        private static boolean isTwice(List<Pair> pairs) {
            return new HashSet<>(pairs.stream().map(Pair::name).toList()).size() < pairs.size();
        }

        private static String value(List<Pair> pairs, String name) {
            return pairs.stream().filter(pair -> pair.name.equals(name)).findFirst().map(Pair::value).orElse(null);
        }

        private List<Pair> queryFields(Request request) {
            String[] split = originForm(request.target).split("\\?", 2);
            return fields(split.length > 1 ? split[1] : "");
        }

        private List<Pair> formFields(Request request, byte[] body) {
            return fields(request.hasMediaType(FORM) ? new String(body, ISO_8859_1) : "");
        }

        /** The scheme's own parameters, decoded; a value that is not UTF-8 is null. */
        private List<Pair> fields(String encoded) {
            List<Pair> found = new ArrayList<>();
            for (String part : encoded.split("&", -1)) {
                String[] split = part.split("=", 2);
                String name = strictUtf8(unescaped(split[0]));
                if (keyParam.equals(name) || sigParam.equals(name) || (name != null && name.equals(versionParam))) {
                    found.add(new Pair(name, split.length > 1 ? strictUtf8(unescaped(split[1])) : ""));
                }
            }
            return found;
        }

        /** The bytes of a name or value: + is a space, an escape that is none stays; URLDecoder would throw. */
        private static byte[] unescaped(String wire) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int i = 0; i < wire.length(); i++) {
                char unit = wire.charAt(i);
                if (unit == '%' && wire.substring(i).matches("(?s)%[0-9A-Fa-f]{2}.*")) {
                    bytes.write(Integer.parseInt(wire.substring(i + 1, i + 3), 16));
                    i += 2;
                } else {
                    bytes.write(unit == '+' ? ' ' : unit);
                }
            }
            return bytes.toByteArray();
        }

        /** Not URLEncoder, which writes a space as +, and escapes ~ but not *. */
        private static String escaped(String text) {
            StringBuilder escaped = new StringBuilder();
            for (byte unit : text.getBytes(UTF_8)) {
                boolean bare = unit > 0 && (Character.isLetterOrDigit(unit) || "-._~".indexOf(unit) >= 0);
                escaped.append(bare ? String.valueOf((char) unit) : String.format("%%%02X", unit));
            }
            return escaped.toString();
        }

        /** A query or form with pairs set in it: replaced in place or appended, all other bytes as they are. */
        private static String withFields(String encoded, List<Pair> pairs) {
            for (Pair pair : pairs) {
                String[] parts = encoded.split("&", -1);
                boolean replaced = false;
                for (int i = 0; i < parts.length; i++) {
                    String written = parts[i].split("=", 2)[0];
                    if (pair.name.equals(strictUtf8(unescaped(written)))) {
                        parts[i] = written + "=" + escaped(pair.value);
                        replaced = true;
                    }
                }
                String joint = encoded.isEmpty() || encoded.endsWith("&") ? "" : "&";
                encoded = replaced ? String.join("&", parts) : encoded + joint + escaped(pair.name) + "=" + escaped(pair.value);
            }
            return encoded;
        }
    }

    /** The scheme of that name; options have the names of the protocol, and those left out have the scheme's defaults. */
    static Scheme scheme(String name, Map<String, Object> options) throws Refused {
        Options given = new Options(new LinkedHashMap<>(options));
        Scheme scheme = switch (name) {
            case "gotom" -> new HeaderHmac(
                    given.text("provider", "gotom_app_api"),
                    given.text("algorithm", "sha1"),
                    given.list("signed_headers", List.of()),
                    given.flag("drop_blank_headers"),
                    given.text("content_type", "application/json"),
                    given.text("date_header", "Date"),
                    given.text("date_precision", "seconds").equals("milliseconds"),
                    given.flag("multipart_as_empty"),
                    given.window("past", 1800),
                    given.window("future", 1800));
            case "gogrid" -> new KeyedTimestamp(
                    given.text("key_param", "api_key"),
                    given.text("sig_param", "sig"),
                    given.text("version_param", "v"),
                    given.text("version", "1.5"),
                    given.list("versions", List.of("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9")),
                    given.text("algorithm", "md5"),
                    given.text("placement", "auto"),
                    given.list("methods", List.of("GET", "POST")),
                    given.flag("allow_http"),
                    given.window("past", 600),
                    given.window("future", 600));
            default -> throw new Refused("skipped", "there is no scheme " + name);
        };
        given.left.remove("window");
        if (!given.left.isEmpty()) {
            throw new Refused("skipped", "there is no option " + given.left.keySet());
        }
        return scheme;
    }

    @SuppressWarnings("unchecked")
    record Options(Map<String, Object> left) {
        String text(String name, String otherwise) {
            return left.containsKey(name) ? (String) left.remove(name) : otherwise;
        }

        List<String> list(String name, List<String> otherwise) {
            return left.containsKey(name) ? (List<String>) left.remove(name) : otherwise;
        }

        boolean flag(String name) {
            return Boolean.TRUE.equals(left.remove(name));
        }

        long window(String side, long otherwise) {
            Map<String, Object> window = (Map<String, Object>) left.get("window");
            return window == null ? otherwise : ((BigDecimal) window.get(side)).longValueExact();
        }
    }

    // What a caller meets first

    static Signed sign(Scheme scheme, Request request, String keyId, byte[] secret, BigDecimal now) throws Refused {
        boolean isText = UTF_8.newEncoder().canEncode(keyId);
        if (keyId.isEmpty() || secret.length == 0 || !isText || keyId.matches("(?s).*[\0-\010\012-\037\177].*")) {
            throw new Refused("cannot_sign", "the key id or the secret is empty, or the key id is no clean text");
        }
        request.check(originForm(request.target), "cannot_sign");
        return scheme.sign(request, keyId, secret, now);
    }

    static String verify(Scheme scheme, Request request, Map<String, List<byte[]>> keys, BigDecimal now) throws Refused {
        return scheme.verify(request.at(originForm(request.target)), keys, now);
    }

    // The conformance protocol

    @SuppressWarnings("unchecked")
    static Map<String, Object> run(Map<String, Object> command) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("seq", command.get("seq"));
        boolean signing = "sign".equals(command.get("op"));
        try {
            Scheme scheme = scheme((String) command.get("scheme"), (Map<String, Object>) command.get("options"));
            Map<String, Object> given = (Map<String, Object>) command.get("request");
            List<Pair> headers = new ArrayList<>();
            ((List<List<String>>) given.get("headers")).forEach(pair -> headers.add(new Pair(pair.get(0), pair.get(1))));
            Request request = new Request(
                    (String) given.get("method"),
                    (String) given.get("target"),
                    headers,
                    bytes(given, "body"),
                    (String) given.getOrDefault("origin", ""));
            BigDecimal now = (BigDecimal) command.get("now");
            if (signing) {
                Signed signed = sign(scheme, request, (String) command.get("key_id"), bytes(command, "secret"), now);
                answer.put("patch", Map.of("headers", signed.headers, "query", signed.query, "form", signed.form));
                answer.put("target", signed.target);
                if (signed.body != request.body) {
                    putText(answer, "body", signed.body);
                }
                putText(answer, "string_to_sign", signed.string);
            } else {
                Map<String, List<byte[]>> keys = new LinkedHashMap<>();
                ((Map<String, List<Object>>) command.get("keys")).forEach((keyId, entries) -> keys.put(
                        keyId,
                        entries.stream()
                                .map(entry -> entry instanceof String text ? text.getBytes(UTF_8) : bytes((Map<String, Object>) entry, "secret"))
                                .toList()));
                String keyId = verify(scheme, request, keys, now);
                answer.put("result", "valid");
                answer.put("key_id", keyId);
            }
        } catch (Refused refused) {
            if (refused.reason.equals("skipped")) {
                answer.put("skipped", refused.getMessage());
            } else if (signing) {
                answer.put("error", "cannot_sign");
            } else {
                answer.put("result", "invalid");
                answer.put("reason", refused.reason);
            }
        }
        return answer;
    }

    static byte[] bytes(Map<String, Object> holder, String name) {
        return holder.get(name) instanceof String text
                ? text.getBytes(UTF_8)
                : Base64.getDecoder().decode((String) holder.getOrDefault(name + "_b64", ""));
    }

    static void putText(Map<String, Object> holder, String name, byte[] bytes) {
        String text = strictUtf8(bytes);
        holder.put(text == null ? name + "_b64" : name, text == null ? Base64.getEncoder().encodeToString(bytes) : text);
    }

    /** JSON, of which the JDK has no reader. */
    static final class Json {
        private final String text;
        private int at;

        Json(String text) {
            this.text = text;
        }

        private char next() {
            while (Character.isWhitespace(text.charAt(at))) {
                at++;
            }
            return text.charAt(at);
        }

        Object value() {
            switch (next()) {
                case '{' -> {
                    Map<String, Object> members = new LinkedHashMap<>();
                    for (at++; next() != '}'; at += next() == ',' ? 1 : 0) {
                        String name = string();
                        next();
                        at++;
                        members.put(name, value());
                    }
                    at++;
                    return members;
                }
                case '[' -> {
                    List<Object> items = new ArrayList<>();
                    for (at++; next() != ']'; at += next() == ',' ? 1 : 0) {
                        items.add(value());
                    }
                    at++;
                    return items;
                }
                case '"' -> {
                    return string();
                }
                default -> {
                    int from = at;
                    while (at < text.length() && "]},".indexOf(text.charAt(at)) < 0) {
                        at++;
                    }
                    String word = text.substring(from, at).trim();
                    return switch (word) {
                        case "true" -> true;
                        case "false" -> false;
                        case "null" -> null;
                        default -> new BigDecimal(word);
                    };
                }
            }
        }

        private String string() {
            StringBuilder string = new StringBuilder();
            next();
            for (at++; text.charAt(at) != '"'; at++) {
                if (text.charAt(at) != '\\') {
                    string.append(text.charAt(at));
                } else if (text.charAt(++at) == 'u') {
                    string.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                    at += 4;
                } else {
                    int place = "bfnrt".indexOf(text.charAt(at));
                    string.append(place < 0 ? text.charAt(at) : "\b\f\n\r\t".charAt(place));
                }
            }
            at++;
            return string.toString();
        }

        static String write(Object value) {
            if (value instanceof Map<?, ?> members) {
                List<String> written = new ArrayList<>();
                members.forEach((name, member) -> written.add(write(name) + ":" + write(member)));
                return "{" + String.join(",", written) + "}";
            }
            if (value instanceof List<?> items) {
                return "[" + String.join(",", items.stream().map(Json::write).toList()) + "]";
            }
            if (value instanceof Pair pair) {
                return write(List.of(pair.name, pair.value));
            }
            if (!(value instanceof String text)) {
                return String.valueOf(value);
            }
            StringBuilder quoted = new StringBuilder("\"");
            for (char unit : text.toCharArray()) {
                boolean plain = unit >= ' ' && unit < 127 && unit != '"' && unit != '\\';
                quoted.append(plain ? String.valueOf(unit) : String.format("\\u%04x", (int) unit));
            }
            return quoted.append('"').toString();
        }
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        PrintStream answers = new PrintStream(System.out, true, UTF_8);
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            Map<String, Object> command = (Map<String, Object>) new Json(line).value();
            if ("stop".equals(command.get("cmd"))) {
                break;
            }
            answers.print(Json.write("run".equals(command.get("cmd")) ? run(command) : Map.of(
                    "implementation", Map.of("name", "Port.java", "version", "1.0.0", "language", "Java"),
                    "schemes", List.of("gotom", "gogrid"),
                    "ops", List.of("sign", "verify"))) + "\n");
            answers.flush();
        }
    }
}
