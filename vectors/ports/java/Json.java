// SPDX-License-Identifier: MIT

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** JSON, of which the JDK has no reader: maps, lists, strings, BigDecimal, Boolean, null. It does not check the form. */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    static Object read(String text) {
        return new Json(text).value();
    }

    private Object value() {
        return switch (next()) {
            case '{' -> object();
            case '[' -> array();
            case '"' -> string();
            default -> word();
        };
    }

    /** The next character that is no white space; it is not passed. */
    private char next() {
        while (Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return text.charAt(at);
    }

    /** Whether the next character is this one, which is then passed. */
    private boolean passes(char mark) {
        boolean isMark = next() == mark;
        at += isMark ? 1 : 0;
        return isMark;
    }

    private Map<String, Object> object() {
        Map<String, Object> members = new LinkedHashMap<>();
        passes('{');
        while (!passes('}')) {
            next();
            String name = string();
            passes(':');
            members.put(name, value());
            passes(',');
        }
        return members;
    }

    private List<Object> array() {
        List<Object> items = new ArrayList<>();
        passes('[');
        while (!passes(']')) {
            items.add(value());
            passes(',');
        }
        return items;
    }

    private String string() {
        StringBuilder string = new StringBuilder();
        for (at++; text.charAt(at) != '"'; at++) {
            string.append(text.charAt(at) == '\\' ? escape() : text.charAt(at));
        }
        at++;
        return string.toString();
    }

    /** What a backslash stands in front of; stays at its last character. */
    private char escape() {
        char letter = text.charAt(++at);
        if (letter == 'u') {
            at += 4;
            return (char) Integer.parseInt(text.substring(at - 3, at + 1), 16);
        }
        int place = "bfnrt".indexOf(letter);
        return place < 0 ? letter : "\b\f\n\r\t".charAt(place);
    }

    private Object word() {
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

    static String write(Object value) {
        if (value instanceof Map<?, ?> members) {
            return members.entrySet().stream()
                    .map(member -> write(member.getKey()) + ":" + write(member.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof List<?> items) {
            return items.stream().map(Json::write).collect(Collectors.joining(",", "[", "]"));
        }
        if (value instanceof Pair pair) {
            return write(List.of(pair.name(), pair.value()));
        }
        return value instanceof String string ? quoted(string) : String.valueOf(value);
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char unit : text.toCharArray()) {
            boolean isPlain = unit >= ' ' && unit < 127 && unit != '"' && unit != '\\';
            quoted.append(isPlain ? String.valueOf(unit) : String.format("\\u%04x", (int) unit));
        }
        return quoted.append('"').toString();
    }
}
