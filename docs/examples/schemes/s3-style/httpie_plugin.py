"""`http --auth-type=s3-style --auth=KEY_ID …`, once this is announced to HTTPie as well."""

from s3_style import S3Style

from undersign.clients.httpie import SignaturePlugin


class Plugin(SignaturePlugin):
    name = "S3-style signature"
    auth_type = "s3-style"
    scheme = S3Style()
