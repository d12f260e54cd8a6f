// SPDX-License-Identifier: MIT

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

/** What Port.sign and Port.verify need of a scheme: they have checked what holds for all. */
interface Scheme {
    Signed sign(Request request, String keyId, byte[] secret, BigDecimal now);

    String verify(Request request, Map<String, List<byte[]>> keys, BigDecimal now);
}
