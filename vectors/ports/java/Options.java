// SPDX-License-Identifier: MIT

import java.math.BigDecimal;
import java.util.HashMap;
import java.util.Map;

/** Options by the names of the protocol, each asked for once, with its default. */
final class Options {
    private final Map<String, Object> left;

    Options(Map<String, Object> given) {
        left = new HashMap<>(given);
    }

    /** The default is also what says of which type the option is. */
    @SuppressWarnings("unchecked")
    <T> T get(String name, T otherwise) {
        return left.containsKey(name) ? (T) left.remove(name) : otherwise;
    }

    Window window(long seconds) {
        BigDecimal otherwise = BigDecimal.valueOf(seconds);
        Map<String, BigDecimal> window = get("window", Map.of("past", otherwise, "future", otherwise));
        return new Window(window.get("past").longValueExact(), window.get("future").longValueExact());
    }

    void refuseOthers() {
        if (!left.isEmpty()) {
            throw new IllegalArgumentException("there is no option " + left.keySet());
        }
    }
}
