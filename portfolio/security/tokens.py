"""`Authorization: Token …`: how a program says who it is."""

import re

from django.contrib.auth.models import User
from django.utils import timezone
from knox import auth
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from portfolio.models import ApiToken

FORM = re.compile(rb"[0-9a-f]{64}")


class TokenAuthentication(auth.TokenAuthentication):  # type: ignore[misc]  # the package is not typed
    """As the package does it, but in one read by the hash, and without deleting what has expired.

    It comes first, so a request with a token has the rights of the token even if a session came along.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        found = _find(token)
        if found is None or not found.user.is_active:
            raise AuthenticationFailed("This token is not known, has ended or was revoked.")
        return found.user, found


def _find(token: bytes) -> ApiToken | None:
    """The row of a token that has not ended; what does not look like a token is not looked for."""
    if not FORM.fullmatch(token):
        return None
    found = ApiToken.objects.select_related("user").filter(digest=hash_token(token.decode())).first()
    ended = found is not None and found.expiry is not None and found.expiry <= timezone.now()
    return None if ended else found
