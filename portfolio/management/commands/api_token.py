"""`manage.py api_token` creates, lists and revokes API tokens."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError
from django.utils import timezone
from knox.settings import CONSTANTS

from portfolio.models import ApiToken
from portfolio.security.authentication import VALID_DAYS, token_create, token_revoke

ACTOR = "manage.py api_token"


def days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) not in VALID_DAYS:
        raise ValueError
    return int(text)


class Command(BaseCommand):
    help = "Create, list and revoke API tokens (Authorization: Token …)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        subparsers = parser.add_subparsers(dest="does", required=True)
        create = subparsers.add_parser("create", help="create a token; it is shown once")
        create.add_argument("--user", required=True, help="the user the token acts for")
        create.add_argument("--scope", choices=ApiToken.Scope.values, default=ApiToken.Scope.READ)
        days_help = f"days until it expires, {VALID_DAYS[0]} to {VALID_DAYS[-1]} (default: %(default)s)"
        create.add_argument("--days", type=days, default=90, metavar="N", help=days_help)
        create.add_argument("--label", default="", help="a note about its purpose")
        subparsers.add_parser("list", help="list prefix, scope, expiry date, user and label")
        revoke = subparsers.add_parser("revoke", help="revoke a token")
        revoke.add_argument("begins", help="the prefix shown by `list`, or more")

    def handle(self, *args: Any, **options: Any) -> None:
        {"create": self._create, "list": self._list, "revoke": self._revoke}[options["does"]](options)

    def _create(self, options: dict[str, Any]) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['user']}.")
        label = options["label"][: ApiToken._meta.get_field("label").max_length]
        token_fields = {"scope": options["scope"], "days": options["days"], "label": label}
        token, text = token_create(user=user, created_by=ACTOR, **token_fields)
        self.stderr.write(
            f"{token.scope} token of {user}, until {_expiry_text(token)}; shown only this once:"
        )
        self.stdout.write(text)

    def _list(self, options: dict[str, Any]) -> None:
        for token in ApiToken.objects.select_related("user"):
            fields = (
                f"{token.key_prefix}…",
                token.scope,
                _expiry_text(token),
                token.user.get_username(),
                token.label,
            )
            self.stdout.write("  ".join(fields).rstrip())

    def _revoke(self, options: dict[str, Any]) -> None:
        token = _find_token(options["begins"])
        token_revoke(token=token, revoked_by=ACTOR)
        self.stdout.write(f"Revoked {token}")


def _find_token(prefix: str) -> ApiToken:
    known = prefix.rstrip("…")[: CONSTANTS.TOKEN_KEY_LENGTH]
    found = ApiToken.objects.filter(token_key__startswith=known)[:2]
    tokens: list[ApiToken] = list(found) if len(known) > 3 else []
    if len(tokens) != 1:
        raise CommandError(f"{'Several tokens begin' if tokens else 'No token begins'} with {prefix}.")
    return tokens[0]


def _expiry_text(token: ApiToken) -> str:
    if token.expiry is None:
        return "no expiry"
    return (
        f"{timezone.localtime(token.expiry):%Y-%m-%d}{' (expired)' if token.expiry <= timezone.now() else ''}"
    )
