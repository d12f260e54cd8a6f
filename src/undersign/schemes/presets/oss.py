"""Alibaba Cloud's object store OSS (signature version 1): S3's first header with x-oss- in place of x-amz-.

Source: https://www.alibabacloud.com/help/en/oss/developer-reference/signature-in-authorization-header, and the Python
    SDK oss2, with a published example
Window: 15 minutes either side, as the page says.
Refusal: 403 with SignatureDoesNotMatch or RequestTimeTooSkewed in XML; here the former for both.
Mistakes: the path of the object signed with its escapes; Content-MD5 of the digest's hex; a Content-Type that is added
    after signing; a parameter that is no sub-resource, or a sub-resource left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from ..object_store import ObjectStore


@dataclass(frozen=True, kw_only=True)
class Oss(ObjectStore):
    """OSS's header, for Alibaba Cloud's hosts, or with `endpoints` for a bucket's own.

    No recipe says it: which headers are signed is told by a prefix, and the resource depends on the host's name.
    """

    word: ClassVar[str] = "OSS"
    prefix: ClassVar[str] = "x-oss-"
    own_hosts: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:(?P<bucket>[a-z0-9-]+)\.)??oss(?:-[a-z0-9-]+)?\.aliyuncs\.com"
    )
    signs_decoded_path: ClassVar[bool] = True
    keeps_date_line: ClassVar[bool] = True

    name: str = "oss"
    subresources: tuple[str, ...] = (
        *("accessPoint", "accessPointPolicy", "acl", "append", "asyncFetch", "bucketArchiveDirectRead", "bucketInfo"),
        *("callback", "callback-var", "cname", "comp", "continuation-token", "cors", "delete", "encryption", "endTime"),
        *(
            "group",
            "httpsConfig",
            "img",
            "inventory",
            "inventoryId",
            "lifecycle",
            "link",
            "live",
            "location",
            "logging",
        ),
        *("metaQuery", "objectInfo", "objectMeta", "partNumber", "policy", "position", "publicAccessBlock", "qos"),
        *("qosInfo", "qosRequester", "redundancyTransition", "referer", "regionList", "replication"),
        *("replicationLocation", "replicationProgress", "requestPayment", "requesterQosInfo", "resourceGroup"),
        *("resourcePool", "resourcePoolBuckets", "resourcePoolInfo", "response-cache-control"),
        *("response-content-disposition", "response-content-encoding", "response-content-language"),
        *("response-content-type", "response-expires", "restore", "security-token", "sequential", "startTime", "stat"),
        *("status", "style", "styleName", "symlink", "tagging", "transferAcceleration", "uploadId", "uploads"),
        *("versionId", "versioning", "versions", "vod", "website", "worm", "wormExtend", "wormId"),
        *("x-oss-ac-forward-allow", "x-oss-ac-source-ip", "x-oss-ac-subnet-mask", "x-oss-ac-vpc-id"),
        *("x-oss-access-point-name", "x-oss-async-process", "x-oss-process", "x-oss-redundancy-transition-taskid"),
        *(
            "x-oss-request-payer",
            "x-oss-target-redundancy-type",
            "x-oss-traffic-limit",
            "x-oss-write-get-object-response",
        ),
    )

    def _pair(self, equals: str, value: bytes) -> bytes:
        return b"=" + value if value else b""


oss = Oss
