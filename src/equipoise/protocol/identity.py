"""Which trial this is, under which text, registered where, run by whom (M11 title page; SPIRIT 2025 items 1-8)."""

from typing import Literal

from equipoise.protocol.parts import Code, Day, Id, Part, Positive, Text


class ProtocolVersion(Part):
    """Which text governs the trial."""

    id: Code
    version: Text
    date: Day
    status: Literal["Draft", "Approved", "Final", "Obsolete"] = "Draft"


class Titles(Part):
    """The trial's titles."""

    full: Text
    short: Text
    public: Text | None = None
    acronym: Text | None = None


class Identifier(Part):
    """A number under which a registry, the sponsor or a committee knows the trial."""

    type: Literal["registry", "sponsor", "ethics", "regulator", "publication"]
    number: Text
    issuer: Text | None = None
    date: Day | None = None
    note: Text | None = None


class Organisation(Part):
    """A sponsor or funder."""

    name: Text
    role: Text | None = None


class Contact(Part):
    """A person whom a reader may ask."""

    name: Text
    role: Text
    email: Text | None = None


class EthicsApproval(Part):
    """The committee that approved the trial and its reference."""

    committee: Text
    reference: Text
    date: Day | None = None


class Parties(Part):
    """Who sponsors, pays for, answers for and approved the trial."""

    sponsor: Organisation
    funders: tuple[Organisation, ...] = ()
    contacts: tuple[Contact, ...] = ()
    ethics: tuple[EthicsApproval, ...] = ()
    interests: Text | None = None


class Site(Part):
    """A place where participants are enrolled."""

    id: Code
    name: Text
    country: Code
    investigator: Text | None = None


class Amendment(Part):
    """A change of the protocol, its reason and the sites that it binds."""

    number: Positive
    date: Day
    reason: Text
    changes: tuple[Text, ...]
    scope: tuple[Code, ...] = ()


class Committee(Part):
    """A body that watches the trial, such as a data monitoring committee."""

    id: Id
    name: Text
    role: Text
