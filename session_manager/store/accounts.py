"""People who look after the hub, their passwords and their browsers' logins."""

from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from session_manager.errors import NotFound, NotPossible
from session_manager.passwords import Passwords
from session_manager.records import Account
from session_manager.store.database import Database
from session_manager.store.part import Part, need
from session_manager.store.secrets import hashed, new_id, new_secret
from session_manager.store.tables import accounts, logins


class Accounts(Part):
    def __init__(self, database: Database, passwords: Passwords) -> None:
        super().__init__(database)
        self._passwords = passwords

    def add_account(self, name: str, password: str, role: str) -> Account:
        """Names differ by more than case and width. Raises NotPossible: name taken, password or role unfit."""
        if role not in {"administrator", "staff"}:
            raise NotPossible("An account is an administrator or staff.")
        if not name.strip():
            raise NotPossible("An account needs a name.")
        values = {
            "account_id": new_id(),
            "name": name.strip(),
            "name_key": _key(name),
            "password_hash": self._passwords.hash(password),
            "role": role,
        }
        with self._database.write() as connection:
            try:
                row = connection.execute(insert(accounts).values(values).returning(accounts)).one()
            except IntegrityError as error:
                raise NotPossible("There is an account of that name already. Choose another name.") from error
            return _account(row)

    def account(self, name: str) -> Account | None:
        with self._database.read() as connection:
            row = _find(connection, name)
            return _account(row) if row is not None else None

    def accounts(self) -> list[Account]:
        with self._database.read() as connection:
            return [_account(row) for row in connection.execute(select(accounts).order_by(accounts.c.name_key))]

    def verify(self, name: str, password: str) -> Account | None:
        """The same work whether the account exists or not. About 50 ms and 64 MiB: limit how many run at once."""
        with self._database.read() as connection:
            row = _find(connection, name)
        if not self._passwords.matches(row.password_hash if row is not None else None, password):
            return None
        return _account(row) if row is not None else None

    def change_password(self, name: str, password: str) -> None:
        """Ends every login of the account. Raises NotFound, NotPossible."""
        fresh = self._passwords.hash(password)
        with self._database.write() as connection:
            row = _find(connection, name)
            if row is None:
                raise NotFound("There is no account of that name.")
            mine = accounts.c.account_id == row.account_id
            connection.execute(update(accounts).where(mine).values(password_hash=fresh))
            connection.execute(delete(logins).where(logins.c.account_id == row.account_id))

    def open_login(self, account_id: str, now: float, ttl: float) -> str:
        """The cookie's value, known only to the browser. Expired logins are swept on the way."""
        cookie = new_secret()
        with self._database.write() as connection:
            need(connection, accounts, account_id, "account")
            connection.execute(delete(logins).where(logins.c.expires_at <= now))
            connection.execute(
                insert(logins).values(
                    cookie_hash=hashed(cookie), account_id=account_id, opened_at=now, expires_at=now + ttl
                )
            )
        return cookie

    def login(self, cookie: str, now: float) -> Account | None:
        query = (
            select(accounts)
            .join(logins, logins.c.account_id == accounts.c.account_id)
            .where(logins.c.cookie_hash == hashed(cookie), logins.c.expires_at > now)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
            return _account(row) if row is not None else None

    def close_login(self, cookie: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(logins).where(logins.c.cookie_hash == hashed(cookie)))


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _find(connection: Connection, name: str) -> Row[Any] | None:
    return connection.execute(select(accounts).where(accounts.c.name_key == _key(name))).one_or_none()


def _account(row: Row[Any]) -> Account:
    return Account(row.account_id, row.name, row.role)
