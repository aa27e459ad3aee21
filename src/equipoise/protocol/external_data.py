"""Data captured in another system: which column of a long table holds what."""

from typing import Literal

from pydantic import Field

from equipoise.protocol.parts import Code, Id, Part, Text


class LongTable(Part):
    """One row for each participant and visit.

    `items` maps an item (`form.item`) measured at each visit to its column; `participant_items` one that is the same on
    each of a participant's rows. `arms` and `visits` map what the file says to the protocol's ids.
    """

    delimiter: Literal[",", ";", "\t"] = ","
    encoding: Literal["utf-8"] = "utf-8"
    participant: Text
    arm: Text
    visit: Text
    arms: dict[Text, Id]
    visits: dict[Text, Id]
    items: dict[Code, Text] = Field(min_length=1)
    participant_items: dict[Code, Text] = Field(default_factory=dict)
    codes: dict[Code, dict[Text, Text]] = Field(default_factory=dict)
    empty: tuple[str, ...] = ("", "NA")
    ignored: tuple[Text, ...] = ()
