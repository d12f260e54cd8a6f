/*
 * Why a signature does not match: the mistakes that clients make, found by making them.
 *
 * A cause is named where the request, altered in that way, has the very signature that was sent; else it is
 * `unexplained`. The searches are generators that yield while they compute, so that a page stays responsive.
 *
 * SPDX-License-Identifier: MIT
 */
const Diagnosis = (() => {
  "use strict";

  // The causes of a request that does not verify, as [{code, detail}, …]. `keyId` is that of the secret; "" = whichever
  // the request names.
  function* search(family, options, request, keyId, secret, now) {
    const { causes } = family === "gotom" ? HeaderDiagnosis : ParameterDiagnosis;
    return Causes.inOrder(yield* causes(options, request, keyId, secret, now));
  }

  return { search };
})();
