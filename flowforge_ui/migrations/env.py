"""Alembic's way in: `flowforge_ui.database.migrate` hands over the connection; there is no alembic.ini."""

from alembic import context

# SQLite's DDL is transactional once the driver is kept from committing by itself, as database.py does.
context.configure(
    connection=context.config.attributes["connection"], transaction_per_migration=True, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
