"""`http --auth-type=small-s3 --auth=KEY_ID …`, once this is announced to HTTPie as well."""

from small_s3 import SmallS3

from undersign.clients.httpie import SignaturePlugin


class Plugin(SignaturePlugin):
    name = "small S3 signature"
    auth_type = "small-s3"
    scheme = SmallS3()
