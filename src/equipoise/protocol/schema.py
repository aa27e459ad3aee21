"""The JSON Schema of the protocol file, so that an editor completes keys and marks faults while one types."""

import json

from pydantic.json_schema import GenerateJsonSchema

from equipoise.protocol.document import Protocol


def json_schema() -> str:
    """The schema as JSON text (draft 2020-12), the same bytes each time."""
    schema = Protocol.model_json_schema(mode="validation")
    schema = {"$schema": GenerateJsonSchema.schema_dialect, "title": "Equipoise protocol", **schema}
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True)
