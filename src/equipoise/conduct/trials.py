"""A trial on disk: its folder, its ledger, the protocols that were in force.

The folder holds `protocol.yaml` (the first version), `trial.db` (unless the ledger is elsewhere) and `secret.key`, the
secret of the allocation, which is never in the ledger before it is revealed. It may hold `ligand-reference.csv`, which
`equipoise hla build` writes, and `mac-codes.txt`: what HLA typings are read by; and `dictionary/` or `dictionary.csv`,
by which adverse events are coded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

from equipoise import __version__
from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import Kind
from equipoise.conduct.permissions import check_permitted
from equipoise.conduct.refusing import NotAccepted, NotFound
from equipoise.conduct.tables import PROJECTION, TRIAL
from equipoise.donors import MacCodes, Reference, builtin_reference, read_mac_codes, read_reference
from equipoise.ledger import Actor, Cell, Json, Ledger, NotALedger, Row, Tables
from equipoise.protocol import Protocol, parse
from equipoise.protocol.safety import CodingDictionary
from equipoise.randomisation import Secret, commit
from equipoise.safety.dictionary import Dictionary, dictionary_in

SOFTWARE = f"equipoise {__version__}"
PROTOCOL_FILE = "protocol.yaml"
SECRET_FILE = "secret.key"  # noqa: S105 (a file's name)
LEDGER_FILE = "trial.db"
REFERENCE_FILE = "ligand-reference.csv"
MAC_FILE = "mac-codes.txt"


@dataclass(frozen=True)
class Trial:
    """An open trial. Each version of the protocol is parsed once and kept."""

    folder: Path
    ledger: Ledger
    _versions: dict[str, InForce] = field(default_factory=dict, repr=False, compare=False)
    _dictionaries: dict[str, Dictionary] = field(default_factory=dict, repr=False, compare=False)

    @property
    def protocol(self) -> Protocol:
        """The newest version of the protocol."""
        with self.ledger.reading() as reader:
            return self.newest(reader).protocol

    @property
    def rehearsal(self) -> bool:
        """Whether this is a rehearsal with virtual participants."""
        return self.rehearsal_note is not None

    @property
    def rehearsal_note(self) -> str | None:
        """What the rehearsal says of itself, such as `rehearsal, seed 1`; None for a trial."""
        with self.ledger.reading() as reader:
            note = trial_row(reader)["rehearsal"]
        return None if note is None else str(note)

    @property
    def secret_path(self) -> Path:
        """Where the secret of the allocation lies."""
        return self.folder / SECRET_FILE

    @cached_property
    def reference(self) -> Reference:
        """What ligands are read from: `ligand-reference.csv` in the folder, or the package's common alleles.

        Raises:
            ReferenceRefusal: when the file is not one, or was changed since it was written.
        """
        path = self.folder / REFERENCE_FILE
        return read_reference(path) if path.exists() else builtin_reference()

    @cached_property
    def mac(self) -> MacCodes | None:
        """Codes that stand for several alleles: `mac-codes.txt` in the folder, or none.

        Raises:
            MacRefusal: when the file holds no code.
        """
        path = self.folder / MAC_FILE
        return read_mac_codes(path) if path.exists() else None

    def dictionary(self, named: CodingDictionary) -> Dictionary:
        """The dictionary that a protocol names; read once and kept.

        Raises:
            DictionaryRefused: when it is not there, or its files cannot be read.
        """
        if named.label not in self._dictionaries:
            self._dictionaries[named.label] = dictionary_in(self.folder, named.name, named.version)
        return self._dictionaries[named.label]

    def newest(self, tables: Tables) -> InForce:
        """The newest version, whether or not any site has approved it."""
        return self.version(tables, trial_row(tables)["protocol_number"])

    def at_site(self, tables: Tables, site: str) -> InForce:
        """The newest version that a site has approved.

        Raises:
            NotFound: when the trial has no such site.
            NotAccepted: when the site has approved none.
        """
        row = tables.row("site", site)
        if row is None:
            known = ", ".join(str(known["site"]) for known in tables.rows("site"))
            raise NotFound("site", site, "is not a site of the trial", f"use one of {known}")
        if row["protocol_number"] is None:
            remedy = "record the site's approval of the protocol first"
            raise NotAccepted("site", site, "has approved no version of the protocol", remedy)
        return self.version(tables, row["protocol_number"])

    def version(self, tables: Tables, number: Cell) -> InForce:
        """The version of that number."""
        assert isinstance(number, int), "a version has a number"
        row = tables.row("protocol_version", number)
        assert row is not None, f"no protocol version {number}"
        hash_, text = str(row["hash"]), str(row["text"])
        if hash_ not in self._versions:
            self._versions[hash_] = InForce(parse(text.encode(), PROTOCOL_FILE))
        return self._versions[hash_]

    def close(self) -> None:
        """Close the ledger's connections."""
        self.ledger.close()


def trial_row(tables: Tables) -> Row:
    """The row of table `trial`."""
    row = tables.row("trial", TRIAL)
    assert row is not None, "the first event creates the trial"
    return row


def create(
    folder: Path,
    protocol_bytes: bytes,
    *,
    secret: Secret,
    by: Actor,
    reason: str,
    at: datetime,
    database_url: str | None = None,
    rehearsal: str | None = None,
) -> Trial:
    """Begin a trial: write its protocol and secret, make its ledger, commit to the randomisation.

    Interrupted, it can be called again with the same arguments.

    Args:
        folder: the trial's folder; made when absent.
        protocol_bytes: the protocol file as it is.
        secret: the secret of the allocation.
        by: who creates it.
        reason: why.
        at: when (UTC).
        database_url: where the ledger is; `trial.db` in the folder when None.
        rehearsal: what a rehearsal says of itself; None for a trial. It can never be changed.

    Raises:
        NotPermitted: when the role may not do this.
        ProtocolRefused: when the protocol has faults.
        Refusal: when its rule for matching donors is not one.
        NotAccepted: when the folder holds another protocol or secret.
        NotALedger: when there is a trial already.
    """
    check_permitted(Kind.TRIAL_CREATED, by)
    in_force = InForce(parse(protocol_bytes, PROTOCOL_FILE))
    in_force.check_matching()
    method = in_force.method
    folder.mkdir(parents=True, exist_ok=True)
    _write_protocol(folder / PROTOCOL_FILE, protocol_bytes)
    if method is not None:
        _write_secret(folder / SECRET_FILE, secret)
    trial = Trial(folder, _new_ledger(folder, database_url), {in_force.hash: in_force})
    protocol = in_force.protocol
    created = {
        "trial": protocol.protocol.id,
        "version": protocol.protocol.version,
        "protocol": protocol_bytes.decode(),
        "sites": [site.id for site in protocol.sites],
        "rehearsal": rehearsal,
    }
    with trial.ledger.writing() as writer:
        if writer.head.seq:
            raise _holds_a_trial(trial.ledger)
        append = partial(writer.append, stream=TRIAL, by=by, reason=reason, at=at, protocol_hash=in_force.hash)
        append(Kind.TRIAL_CREATED, created)
        if method is not None:
            append(Kind.RANDOMISATION_COMMITTED, commitment_payload(in_force, secret))
    return trial


def open_trial(folder: Path, *, database_url: str | None = None) -> Trial:
    """Open a trial that is there.

    Args:
        folder: the trial's folder.
        database_url: where the ledger is; `trial.db` in the folder when None.

    Raises:
        NotALedger: when no trial is there.
        StaleTables: when other software folded its tables.
    """
    trial = Trial(folder, open_ledger(folder, database_url=database_url))
    with trial.ledger.reading() as reader:
        if not reader.head.seq:
            remedy = "create the trial again; it was interrupted before its first event"
            raise NotALedger("ledger", trial.ledger.store.address, "holds no trial", remedy)
    return trial


def open_ledger(folder: Path, *, database_url: str | None = None) -> Ledger:
    """Open the ledger of a trial, whichever software folded its tables: to rebuild them, or to verify the events.

    Args:
        folder: the trial's folder.
        database_url: where the ledger is; `trial.db` in the folder when None.

    Raises:
        NotALedger: when none is there.
    """
    return Ledger.open(_ledger_place(folder, database_url), PROJECTION, software=SOFTWARE)


def commitment_payload(in_force: InForce, secret: Secret) -> dict[str, Json]:
    """What is told of the randomisation before the first participant: everything but the secret."""
    method = in_force.method
    assert method is not None, "external allocation has nothing to commit to"
    return {
        "commitment": commit(secret, in_force.hash, method).hex,
        "protocol_hash": in_force.hash,
        "method": method.name,
        "parameters": method.parameters,
        "arms": list(method.arms),
        "ratio": dict(zip(method.arms, method.ratio, strict=True)),
    }


def _ledger_place(folder: Path, database_url: str | None) -> str | Path:
    return folder / LEDGER_FILE if database_url is None else database_url


def _new_ledger(folder: Path, database_url: str | None) -> Ledger:
    """A new ledger, or the empty one that an interrupted creation left."""
    place = _ledger_place(folder, database_url)
    try:
        return Ledger.create(place, PROJECTION, software=SOFTWARE)
    except NotALedger:
        ledger = open_ledger(folder, database_url=database_url)
        with ledger.reading() as reader:
            if reader.head.seq:
                raise _holds_a_trial(ledger) from None
        return ledger


def _holds_a_trial(ledger: Ledger) -> NotALedger:
    problem = "holds a trial already"
    return NotALedger("ledger", ledger.store.address, problem, "open it, or name another folder or database")


def _write_protocol(path: Path, content: bytes) -> None:
    if not path.exists():
        path.write_bytes(content)
    elif path.read_bytes() != content:
        remedy = "name another folder, or take that file away"
        raise NotAccepted("folder", path.parent, f"holds another {PROTOCOL_FILE}", remedy)


def _write_secret(path: Path, secret: Secret) -> None:
    if not path.exists():
        secret.write(path)
    elif Secret.read(path) != secret:
        remedy = "name another folder: a second secret would draw other arms"
        raise NotAccepted("folder", path.parent, f"holds another {SECRET_FILE}", remedy)
