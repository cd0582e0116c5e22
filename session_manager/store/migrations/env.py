"""Run by Alembic with the connection that `migrate` (or a developer's test) hands over."""

from __future__ import annotations

from alembic import context

from session_manager.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
