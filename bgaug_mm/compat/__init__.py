"""Everything that makes foreign packages load, one remedy a function."""


def install() -> None:
    """Apply every remedy whose cause is present (idempotent)."""
