"""Values that the host gives to this skill.

The world needs `import wasi:config/store@0.2.0-rc.1;`, and skill.toml `config = ["name"]` under `[capabilities]`. Variables that skill.toml
asks for with `env = ["NAME"]` need neither this module nor an import: they stand in `os.environ`.
"""

from wit_world.imports import store


def get(name, default=None):
    """The value of a name as text, else the default."""
    value = store.get(name)
    return default if value is None else value


def all():
    """All values, by name."""
    return dict(store.get_all())
