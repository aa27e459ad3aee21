"""The tables of the report, each built from results by id."""
