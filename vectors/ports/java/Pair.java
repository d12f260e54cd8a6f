// SPDX-License-Identifier: MIT

import java.util.List;
import java.util.Optional;

/** A name with its value: of a header, or of a parameter. */
record Pair(String name, String value) {
    static boolean isTwice(List<Pair> pairs) {
        return pairs.stream().map(Pair::name).distinct().count() < pairs.size();
    }

    static Optional<Pair> find(List<Pair> pairs, String name) {
        return pairs.stream().filter(pair -> pair.name.equals(name)).findFirst();
    }
}
