// SPDX-License-Identifier: MIT

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Hashes by the names of the option `algorithm`: md5, sha1, sha224, sha256, sha384, sha512. */
final class Hashes {
    private Hashes() {}

    static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm.replace("sha", "SHA-"));
        } catch (GeneralSecurityException missing) {
            throw new IllegalArgumentException(missing);
        }
    }

    static byte[] hmac(String algorithm, byte[] secret, byte[] message) {
        try {
            Mac mac = Mac.getInstance("Hmac" + algorithm);
            mac.init(new SecretKeySpec(secret, mac.getAlgorithm()));
            return mac.doFinal(message);
        } catch (GeneralSecurityException missing) {
            throw new IllegalArgumentException(missing);
        }
    }

    /** The length of a hash, in bytes. */
    static int size(String algorithm) {
        return digest(algorithm).getDigestLength();
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
