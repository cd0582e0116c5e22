"""Boards that ask to be taken in; same metadata as `tables`. Both codes are kept as hashes only."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, String, Table

from session_manager.store.tables import metadata

board_enrolments = Table(
    "board_enrolments",
    metadata,
    Column("device_code_hash", String(64), primary_key=True),
    Column("user_code_hash", String(64), nullable=False, unique=True),
    Column("expires_at", Double, nullable=False),
    Column("board_id", String(64), ForeignKey("boards.board_id"), nullable=True),
)
