// The dates of HTTP HMAC 1.0. SPDX-License-Identifier: MIT

import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

final class Dates {
    private static final long FIRST = Instant.parse("0001-01-01T00:00:00Z").getEpochSecond();
    private static final long LAST = Instant.parse("9999-12-31T23:59:59Z").getEpochSecond();

    private static final String DAY = "(?<year>[0-9]{4})-(?<month>[0-9]{2})-(?<day>[0-9]{2})";
    private static final String TIME = "(?<hour>[0-9]{2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2})(?:\\.[0-9]+)?)?";
    private static final String ZONE = "(?:Z|(?<sign>[+-])(?<zoneHour>[0-9]{2})(?::?(?<zoneMinute>[0-9]{2}))?)";
    private static final Pattern EXTENDED = Pattern.compile(DAY + "T" + TIME + ZONE);
    private static final Pattern SPACED = Pattern.compile(DAY + " " + TIME + "(?: UTC| ?" + ZONE + ")");
    private static final Pattern BASIC = Pattern.compile("(?<year>[0-9]{4})(?<month>[0-9]{2})(?<day>[0-9]{2})"
            + "T(?<hour>[0-9]{2})(?<minute>[0-9]{2})(?<second>[0-9]{2})" + ZONE);
    private static final Pattern RFC_5322 = Pattern.compile("(?:(?<weekday>[A-Z][a-z]{2}), )?"
            + "(?<day>[0-9]{1,2}) (?<month>[A-Z][a-z]{2}) (?<year>[0-9]{4}) "
            + "(?<hour>[0-9]{2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2}))? "
            + "(?:GMT|UTC|(?<sign>[+-])(?<zoneHour>[0-9]{2})(?<zoneMinute>[0-9]{2}))");
    private static final List<String> MONTHS =
            List.of("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec");
    private static final List<String> WEEKDAYS = List.of("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun");

    private Dates() {}

    static String text(BigDecimal now, boolean milliseconds) {
        long second = Port.seconds(now);
        Refused.when(second < FIRST || second > LAST, "cannot_sign", "no date says this time");
        long nanosecond = now.subtract(BigDecimal.valueOf(second)).movePointRight(9).longValue();
        // Not Instant.toString, which leaves fractions of zero out.
        String form = milliseconds ? "uuuu-MM-dd'T'HH:mm:ss.SSS'Z'" : "uuuu-MM-dd'T'HH:mm:ss'Z'";
        return DateTimeFormatter.ofPattern(form, Locale.ROOT)
                .withZone(ZoneOffset.UTC)
                .format(Instant.ofEpochSecond(second, nanosecond));
    }

    /** Unix seconds of a date in a form that is read. Not java.time's parsers: they take 24:00. */
    static OptionalLong seconds(String text) {
        for (Pattern form : List.of(EXTENDED, SPACED, BASIC, RFC_5322)) {
            Matcher found = form.matcher(text);
            if (found.matches()) {
                return seconds(found, form == RFC_5322);
            }
        }
        return OptionalLong.empty();
    }

    private static OptionalLong seconds(Matcher found, boolean isNamed) {
        int month = isNamed ? MONTHS.indexOf(found.group("month")) + 1 : number(found, "month");
        String weekday = isNamed ? found.group("weekday") : null;
        try {
            LocalDate day = LocalDate.of(number(found, "year"), month, number(found, "day"));
            LocalTime time = LocalTime.of(number(found, "hour"), number(found, "minute"), number(found, "second"));
            LocalTime zone = LocalTime.of(number(found, "zoneHour"), number(found, "zoneMinute"));
            boolean isItsDay = weekday == null || WEEKDAYS.indexOf(weekday) == day.getDayOfWeek().ordinal();
            if (day.getYear() < 1 || !isItsDay) {
                return OptionalLong.empty();
            }
            int offset = "-".equals(found.group("sign")) ? -zone.toSecondOfDay() : zone.toSecondOfDay();
            return OptionalLong.of(day.atTime(time).toEpochSecond(ZoneOffset.UTC) - offset);
        } catch (DateTimeException noSuchTime) {
            return OptionalLong.empty();
        }
    }

    private static int number(Matcher found, String name) {
        return found.group(name) == null ? 0 : Integer.parseInt(found.group(name));
    }
}
