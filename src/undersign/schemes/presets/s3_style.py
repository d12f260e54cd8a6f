"""The HMAC-SHA1 header of Amazon S3 (signature version 2), which many object stores speak still.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html, with its published examples
Window: 15 minutes either side, as the page says.
Refusal: 403 with SignatureDoesNotMatch or RequestTimeTooSkewed in XML; here the former for both.
Mistakes: a Content-Type that the HTTP library adds after signing; the bucket of a host name left out of the resource; a
    Date line that is not empty beside x-amz-date; a Content-MD5 in hex; a parameter signed that is no sub-resource.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from ..object_store import ObjectStore


@dataclass(frozen=True, kw_only=True)
class S3Style(ObjectStore):
    """S3's header, for Amazon's hosts, or with `endpoints` for those of another store.

    No recipe says it: which headers are signed is told by a prefix, and the resource depends on the host's name.
    """

    word: ClassVar[str] = "AWS"
    prefix: ClassVar[str] = "x-amz-"
    own_hosts: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:(?P<bucket>.+?)\.)??"
        r"(?:s3[.-](?:dualstack\.|external-1\.|accelerate\.)?(?:[a-z]{2}(?:-[a-z]+)+-[0-9]\.)?|[a-z]{2}(?:-[a-z]+)+-[0-9]\.s3\.)"
        r"amazonaws\.com(?:\.cn)?"
    )

    name: str = "s3-style"
    subresources: tuple[str, ...] = (
        *(
            "accelerate",
            "acl",
            "analytics",
            "cors",
            "defaultObjectAcl",
            "delete",
            "encryption",
            "inventory",
            "legal-hold",
        ),
        *("lifecycle", "location", "logging", "metrics", "notification", "object-lock", "partNumber", "policy"),
        *("policyStatus", "publicAccessBlock", "replication", "requestPayment", "response-cache-control"),
        *("response-content-disposition", "response-content-encoding", "response-content-language"),
        *("response-content-type", "response-expires", "restore", "retention", "select", "select-type", "storageClass"),
        *("tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website"),
    )


s3_style = S3Style
