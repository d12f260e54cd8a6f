// SPDX-License-Identifier: MIT

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Text, and its bytes on the wire. */
final class Text {
    static final Pattern CONTROL = Pattern.compile("[\\x00-\\x1f\\x7f]");
    static final Pattern CONTROL_BUT_TAB = Pattern.compile("[\\x00-\\x08\\x0a-\\x1f\\x7f]");

    private static final Pattern CAPITALS = Pattern.compile("[A-Z]+");
    private static final Pattern ESCAPE = Pattern.compile("%([0-9A-Fa-f]{2})");

    private Text() {}

    /** ASCII letters alone: Java's own folding maps the Latin-1 letters above them too. */
    static String lower(String wire) {
        return CAPITALS.matcher(wire).replaceAll(letters -> letters.group().toLowerCase(Locale.ROOT));
    }

    static String hyphens(String name) {
        return name.replace('_', '-');
    }

    static String trim(String value) {
        return value.replaceAll("^[ \t]+|[ \t]+$", "");
    }

    /** Whether they are the same, in a time that does not tell how much of them is. */
    static boolean same(String one, String other) {
        return MessageDigest.isEqual(one.getBytes(ISO_8859_1), other.getBytes(ISO_8859_1));
    }

    /** Whether UTF-8 can say it: a lone surrogate is no text. */
    static boolean isUnicode(String text) {
        return UTF_8.newEncoder().canEncode(text);
    }

    /** Text of UTF-8, or null where it is none: new String would put replacement characters in. */
    static String ofUtf8(byte[] bytes) {
        try {
            return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException error) {
            return null;
        }
    }

    /** Of a query or form, null where it is not UTF-8. Not URLDecoder, which throws at an escape that is none. */
    static String unescaped(String wire) {
        Matcher escapes = ESCAPE.matcher(wire.replace('+', ' '));
        String bytes = escapes.replaceAll(escape -> {
            char unit = (char) Integer.parseInt(escape.group(1), 16);
            return Matcher.quoteReplacement(String.valueOf(unit));
        });
        return ofUtf8(bytes.getBytes(ISO_8859_1));
    }

    /** Not URLEncoder alone, which writes a space as +, and escapes ~ but not *. */
    static String escaped(String text) {
        return URLEncoder.encode(text, UTF_8).replace("+", "%20").replace("*", "%2A").replace("%7E", "~");
    }
}
