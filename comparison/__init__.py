"""The same season and the same incidents, played through all four levels and measured."""
