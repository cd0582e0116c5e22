"""Ways in for people: links by mail, class codes, providers, programs' tokens; and what was done with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from session_manager.errors import NotFound, NotPossible
from session_manager.notices import Letter
from session_manager.people import ApiToken, ClassCode, OpenIdTry, Person, Secret, Standing
from session_manager.store.outbox import enqueue
from session_manager.store.part import Part, need
from session_manager.store.people import as_person, groups_now, need_here, roles_now
from session_manager.store.people_tables import (
    account_scopes,
    api_tokens,
    class_codes,
    external_identities,
    groups,
    login_links,
    openid_tries,
    people,
    person_logins,
)
from session_manager.store.secrets import hashed, new_id, new_secret
from session_manager.store.tables import accounts

LINK_TTL_S = 900.0
TRY_TTL_S = 600.0


class Doors(Part):
    def send_login_link(self, person: Person, page: str, now: float) -> None:
        """A letter with a link that works once; earlier ones stop working. `page`: the code is put behind its `#`."""
        if person.mail is None:
            return
        code = new_secret()
        with self._database.write() as connection:
            old = or_(login_links.c.person_id == person.person_id, login_links.c.expires_at <= now)
            connection.execute(delete(login_links).where(old))
            connection.execute(
                insert(login_links).values(
                    code_hash=hashed(code), person_id=person.person_id, expires_at=now + LINK_TTL_S
                )
            )
            letter = Letter.login(hashed(code)[:32], f"{page}#{code}")
            enqueue(connection, letter.to(person.mail, person.language, person.municipality_id), now)

    def enter_by_link(self, code: str, now: float, ttl: float) -> str | None:
        """The cookie of a new login; None when the code is unknown, used or too old."""
        good = and_(login_links.c.code_hash == hashed(code), login_links.c.expires_at > now)
        with self._database.write() as connection:
            person_id = connection.execute(
                delete(login_links).where(good).returning(login_links.c.person_id)
            ).scalar_one_or_none()
            return _open(connection, now, ttl, person_id=person_id) if person_id is not None else None

    def open_person_login(self, person_id: str, now: float, ttl: float) -> str:
        """Raises NotFound."""
        with self._database.write() as connection:
            need(connection, people, person_id, "person")
            return _open(connection, now, ttl, person_id=person_id)

    def person_login(self, cookie: str, now: float) -> Standing | None:
        """Read anew at every request: a role or group that ended is gone at once."""
        good = and_(person_logins.c.cookie_hash == hashed(cookie), person_logins.c.expires_at > now)
        with self._database.read() as connection:
            row = connection.execute(select(person_logins).where(good)).one_or_none()
            if row is None:
                return None
            if row.person_id is not None:
                return _standing(connection, row.person_id, now)
            return _pupil(connection, row, now)

    def close_person_login(self, cookie: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(person_logins).where(person_logins.c.cookie_hash == hashed(cookie)))

    def add_class_code(
        self, municipality_id: str, group_id: str, code_hash: str, uses: int, expires_at: float
    ) -> ClassCode:
        """`code_hash`: keyed by the installation's secret, because the code is short. Raises NotFound, NotPossible."""
        made = ClassCode(new_id(), group_id, expires_at, uses)
        with self._database.write() as connection:
            need_here(connection, groups, group_id, municipality_id, "group")
            try:
                connection.execute(
                    insert(class_codes).values(
                        class_code_id=made.class_code_id,
                        code_hash=code_hash,
                        group_id=group_id,
                        expires_at=expires_at,
                        uses_left=uses,
                    )
                )
            except IntegrityError as error:
                raise NotPossible("That code is in use. Ask for another one.") from error
        return made

    def revoke_class_code(self, municipality_id: str, group_id: str, class_code_id: str, now: float) -> None:
        """Whoever came in by it is out at once."""
        with self._database.write() as connection:
            need_here(connection, groups, group_id, municipality_id, "group")
            row = need(connection, class_codes, class_code_id, "class code")
            if row.group_id != group_id:
                raise NotFound("There is no class code with that identifier.")
            here = class_codes.c.class_code_id == class_code_id
            connection.execute(update(class_codes).where(here).values(revoked_at=now))
            connection.execute(delete(person_logins).where(person_logins.c.class_code_id == class_code_id))

    def enter_class(self, code_hash: str, display_name: str, now: float, ttl: float) -> str | None:
        """One use, in one statement; the login never outlives the code."""
        good = and_(
            class_codes.c.code_hash == code_hash,
            class_codes.c.expires_at > now,
            class_codes.c.revoked_at.is_(None),
            class_codes.c.uses_left > 0,
        )
        once = update(class_codes).where(good).values(uses_left=class_codes.c.uses_left - 1).returning(class_codes)
        with self._database.write() as connection:
            row = connection.execute(once).one_or_none()
            if row is None:
                return None
            ttl = min(ttl, row.expires_at - now)
            return _open(connection, now, ttl, class_code_id=row.class_code_id, display_name=display_name)

    def begin_openid(self, state: str, out: OpenIdTry, now: float) -> None:
        with self._database.write() as connection:
            connection.execute(delete(openid_tries).where(openid_tries.c.expires_at <= now))
            connection.execute(
                insert(openid_tries).values(
                    state_hash=hashed(state),
                    provider=out.provider,
                    verifier=out.verifier,
                    nonce=out.nonce,
                    next_path=out.next_path,
                    expires_at=now + TRY_TTL_S,
                )
            )

    def end_openid(self, state: str, now: float) -> OpenIdTry | None:
        """Once: the same answer brought twice finds nothing."""
        good = and_(openid_tries.c.state_hash == hashed(state), openid_tries.c.expires_at > now)
        with self._database.write() as connection:
            row = connection.execute(delete(openid_tries).where(good).returning(openid_tries)).one_or_none()
        return OpenIdTry(row.provider, row.verifier, row.nonce, row.next_path) if row is not None else None

    def person_of(self, issuer: str, subject: str) -> Person | None:
        both = and_(external_identities.c.issuer == issuer, external_identities.c.subject == subject)
        query = select(people).join(external_identities, external_identities.c.person_id == people.c.person_id)
        with self._database.read() as connection:
            row = connection.execute(query.where(both)).one_or_none()
            return as_person(row) if row is not None else None

    def link_identity(self, issuer: str, subject: str, person_id: str) -> None:
        """Raises NotPossible when that identity is another person's."""
        with self._database.write() as connection:
            need(connection, people, person_id, "person")
            try:
                connection.execute(
                    insert(external_identities).values(issuer=issuer, subject=subject, person_id=person_id)
                )
            except IntegrityError as error:
                raise NotPossible("That identity belongs to somebody already.") from error

    def add_token(
        self,
        name: str,
        actions: Sequence[str],
        now: float,
        expires_at: float,
        *,
        person_id: str | None = None,
        account_id: str | None = None,
    ) -> Secret:
        """For a program; may never do more than its owner may at that moment. Raises NotPossible."""
        if (person_id is None) == (account_id is None):
            raise NotPossible("A token belongs to one person or one account.")
        token_id, secret = new_id(), f"shi_{new_secret()}"
        with self._database.write() as connection:
            connection.execute(
                insert(api_tokens).values(
                    token_id=token_id,
                    token_hash=hashed(secret),
                    name=name,
                    person_id=person_id,
                    account_id=account_id,
                    actions=list(actions),
                    created_at=now,
                    expires_at=expires_at,
                )
            )
        return Secret(token_id, secret)

    def token(self, secret: str, now: float) -> tuple[ApiToken, Standing] | None:
        """The token with its owner's standing; `Standing.subject` and roles as if the owner had come."""
        good = and_(
            api_tokens.c.token_hash == hashed(secret), api_tokens.c.expires_at > now, api_tokens.c.revoked_at.is_(None)
        )
        used = update(api_tokens).where(good).values(used_at=now).returning(api_tokens)
        with self._database.write() as connection:
            row = connection.execute(used).one_or_none()
            if row is None:
                return None
            if row.person_id is not None:
                return _token(row), _standing(connection, row.person_id, now)
            return _token(row), _account(connection, row.account_id)

    def tokens(self, *, person_id: str | None = None, account_id: str | None = None) -> list[ApiToken]:
        mine = and_(_owned(person_id, account_id), api_tokens.c.revoked_at.is_(None))
        with self._database.read() as connection:
            return [_token(row) for row in connection.execute(select(api_tokens).where(mine))]

    def revoke_token(self, token_id: str, now: float, *, person_id: str | None, account_id: str | None) -> None:
        """Only one's own. Raises NotFound."""
        mine = and_(api_tokens.c.token_id == token_id, _owned(person_id, account_id), api_tokens.c.revoked_at.is_(None))
        with self._database.write() as connection:
            if connection.execute(update(api_tokens).where(mine).values(revoked_at=now)).rowcount != 1:
                raise NotFound("There is no token with that identifier.")


def _owned(person_id: str | None, account_id: str | None) -> Any:
    if person_id is not None:
        return api_tokens.c.person_id == person_id
    return and_(api_tokens.c.account_id == account_id, api_tokens.c.person_id.is_(None))


def _open(connection: Connection, now: float, ttl: float, **who: str | None) -> str:
    cookie = new_secret()
    connection.execute(delete(person_logins).where(person_logins.c.expires_at <= now))
    connection.execute(
        insert(person_logins).values(cookie_hash=hashed(cookie), opened_at=now, expires_at=now + ttl, **who)
    )
    return cookie


def _standing(connection: Connection, person_id: str, now: float) -> Standing:
    person = as_person(need(connection, people, person_id, "person"))
    held = tuple(row.role for row in roles_now(connection, person_id, now))
    inside = tuple((row.group_id, row.role) for row in groups_now(connection, person_id))
    return Standing(person, person.municipality_id, held, inside, person_id)


def _account(connection: Connection, account_id: str) -> Standing:
    row = need(connection, accounts, account_id, "account")
    home = connection.execute(
        select(account_scopes.c.municipality_id).where(account_scopes.c.account_id == account_id)
    ).scalar_one_or_none()
    return Standing(None, home or "", (row.role,), (), account_id)


def _pupil(connection: Connection, row: Row[Any], now: float) -> Standing | None:
    code = need(connection, class_codes, row.class_code_id, "class code")
    if code.revoked_at is not None or code.expires_at <= now:
        return None
    home = need(connection, groups, code.group_id, "group").municipality_id
    return Standing(None, home, (), ((code.group_id, "guest"),), f"class:{row.cookie_hash[:16]}")


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        row.token_id, row.name, row.person_id, row.account_id, tuple(row.actions), row.expires_at, row.used_at
    )
