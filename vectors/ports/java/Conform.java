// The conformance protocol on standard input and output. SPDX-License-Identifier: MIT

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

@SuppressWarnings("unchecked")
public final class Conform {
    private Conform() {}

    public static void main(String[] arguments) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        PrintStream answers = new PrintStream(System.out, true, UTF_8);
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            Map<String, Object> command = (Map<String, Object>) Json.read(line);
            if (command.get("cmd").equals("stop")) {
                break;
            }
            answers.print(Json.write(command.get("cmd").equals("run") ? run(command) : started()) + "\n");
            answers.flush();
        }
    }

    private static Map<String, Object> started() {
        return Map.of(
                "implementation", Map.of("name", "undersign-java", "version", "1.0.0", "language", "Java"),
                "schemes", List.of("gotom", "gogrid"),
                "ops", List.of("sign", "verify"));
    }

    private static Map<String, Object> run(Map<String, Object> command) {
        Map<String, Object> answer = new LinkedHashMap<>(Map.of("seq", command.get("seq")));
        boolean isSigning = command.get("op").equals("sign");
        Scheme scheme;
        try {
            scheme = Port.scheme((String) command.get("scheme"), (Map<String, Object>) command.get("options"));
        } catch (IllegalArgumentException unknown) {
            answer.put("skipped", unknown.getMessage());
            return answer;
        }
        try {
            answer.putAll(isSigning ? signed(scheme, command) : verified(scheme, command));
        } catch (Refused refused) {
            answer.putAll(isSigning
                    ? Map.of("error", "cannot_sign")
                    : Map.of("result", "invalid", "reason", refused.reason));
        }
        return answer;
    }

    private static Map<String, Object> signed(Scheme scheme, Map<String, Object> command) {
        Request request = request(command);
        BigDecimal now = (BigDecimal) command.get("now");
        Signed signed = Port.sign(scheme, request, (String) command.get("key_id"), bytes(command, "secret"), now);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("patch", Map.of("headers", signed.headers(), "query", signed.query(), "form", signed.form()));
        answer.put("target", signed.target());
        if (signed.body() != request.body()) {
            putText(answer, "body", signed.body());
        }
        putText(answer, "string_to_sign", signed.string());
        return answer;
    }

    private static Map<String, Object> verified(Scheme scheme, Map<String, Object> command) {
        Map<String, List<byte[]>> keys = keys((Map<String, List<Object>>) command.get("keys"));
        String keyId = Port.verify(scheme, request(command), keys, (BigDecimal) command.get("now"));
        return Map.of("result", "valid", "key_id", keyId);
    }

    private static Request request(Map<String, Object> command) {
        Map<String, Object> given = (Map<String, Object>) command.get("request");
        List<Pair> headers = ((List<List<String>>) given.get("headers"))
                .stream().map(pair -> new Pair(pair.get(0), pair.get(1))).toList();
        return new Request(
                (String) given.get("method"),
                (String) given.get("target"),
                headers,
                bytes(given, "body"),
                (String) given.getOrDefault("origin", ""));
    }

    /** A secret is text, or an object with bytes. */
    private static Map<String, List<byte[]>> keys(Map<String, List<Object>> given) {
        return given.entrySet().stream().collect(Collectors.toMap(
                Map.Entry::getKey,
                key -> key.getValue().stream()
                        .map(secret -> secret instanceof Map<?, ?> ? secret : Map.of("secret", secret))
                        .map(secret -> bytes((Map<String, Object>) secret, "secret"))
                        .toList()));
    }

    private static byte[] bytes(Map<String, Object> holder, String name) {
        return holder.get(name) instanceof String text
                ? text.getBytes(UTF_8)
                : Base64.getDecoder().decode((String) holder.getOrDefault(name + "_b64", ""));
    }

    private static void putText(Map<String, Object> holder, String name, byte[] bytes) {
        String text = Text.ofUtf8(bytes);
        if (text == null) {
            holder.put(name + "_b64", Base64.getEncoder().encodeToString(bytes));
        } else {
            holder.put(name, text);
        }
    }
}
