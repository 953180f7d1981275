"""Compression of pages and API responses. Static files are compressed once, when they are collected (WhiteNoise).

What compression could reveal (the attack BREACH): an attacker who makes a browser ask for a page with guesses in its
address, and sees the size of each answer, learns a secret that stands in the page and stays the same. So:

- No secret that stays the same is in a page that is compressed. CSRF tokens are masked anew in every response, tokens
  of a review differ in each, passwords and keys are in no page. The page that shows a new API token, and the one that
  carries a held-up form to the confirmation of the password, are not compressed.
- Each compressed answer gets up to 100 bytes of random length (Django's GZipMiddleware).
- The session cookie is SameSite=Lax: a foreign page cannot make a browser ask for one page after another in the
  name of its user.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

UNCOMPRESSED_PATHS = ("/admin/portfolio/apitoken/", "/sudo/")
SAFE_METHODS = ("GET", "HEAD")


class CompressionMiddleware(GZipMiddleware):
    """Leaves alone what answers a form: such a page may repeat a password or show a token."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith(UNCOMPRESSED_PATHS) or _repeats_a_form(request):
            return response
        return super().process_response(request, response)


def _repeats_a_form(request: HttpRequest) -> bool:
    return request.method not in SAFE_METHODS and not request.path.startswith("/api/")
