"""Creating and opening a trial: what is written, what is kept out of the ledger, what is refused."""

import stat

import pytest

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.ledger import Actor, Ledger
from equipoise.protocol import ProtocolRefused, parse
from equipoise.randomisation import Commitment, Secret, check_reveal
from equipoise.refusals import Refusal, shown


def create(kit, folder, protocol=None, **more):
    common = {"secret": kit.SECRET, "by": kit.MANAGER, "reason": "begin", "at": kit.now}
    return conduct.create(folder, (protocol or kit.PROTOCOL).encode(), **(common | more))


def refusal(act, *args, **more):
    with pytest.raises(Refusal) as refused:
        act(*args, **more)
    return str(refused.value)


def test_a_trial_begins_with_its_protocol_and_a_commitment(kit):
    folder = kit.trial.folder
    assert sorted(path.name for path in folder.iterdir() if path.suffix in (".yaml", ".db", ".key")) == [
        "protocol.yaml",
        "secret.key",
        "trial.db",
    ]
    assert (folder / "protocol.yaml").read_text() == kit.PROTOCOL
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600
    (created,) = kit.events(Kind.TRIAL_CREATED)
    assert created.payload == {
        "trial": "KIT",
        "version": "1.0",
        "protocol": kit.PROTOCOL,
        "sites": ["01", "02"],
        "rehearsal": None,
    }
    assert created.protocol_hash == parse(kit.PROTOCOL.encode()).sha256
    (committed,) = kit.events(Kind.RANDOMISATION_COMMITTED)
    method = kit.trial.version(ReaderOf(kit.trial), 1).method
    assert check_reveal(Commitment(committed.payload["commitment"]), kit.SECRET, created.protocol_hash, method)
    assert committed.payload["parameters"] == {"block_sizes": [4]}
    assert kit.head().seq == 2


class ReaderOf:
    """The tables now, each look-up a transaction of its own."""

    def __init__(self, trial):
        self.trial = trial

    def row(self, table, *key):
        with self.trial.ledger.reading() as reader:
            return reader.row(table, *key)


def test_the_secret_is_in_no_file_but_its_own_and_in_no_text(kit):
    kit.randomised()
    kit.trial.close()
    secret = bytes(range(32))
    for path in kit.trial.folder.iterdir():
        if path.name != "secret.key":
            content = path.read_bytes()
            assert secret not in content
            assert secret.hex().encode() not in content
    for value in (kit.trial, kit.SECRET, kit.events(Kind.RANDOMISATION_COMMITTED)):
        assert secret.hex() not in repr(value)


def test_an_opened_trial_is_the_one_that_was_created(kit):
    participant = kit.randomised()
    opened = conduct.open_trial(kit.trial.folder)
    assert opened.protocol == kit.trial.protocol
    assert opened.protocol.text == kit.PROTOCOL
    with pytest.raises(conduct.OutOfOrder):
        conduct.randomise(opened, participant, **kit.entry())
    opened.close()


def test_a_rehearsal_is_marked_for_ever(kit, tmp_path):
    trial = create(kit, tmp_path / "rehearsal", rehearsal="rehearsal, seed 1")
    assert (trial.rehearsal, trial.rehearsal_note) == (True, "rehearsal, seed 1")
    assert conduct.snapshot(trial).rehearsal == "rehearsal, seed 1"
    trial.close()
    assert (kit.trial.rehearsal, kit.trial.rehearsal_note) == (False, None)
    assert conduct.snapshot(kit.trial).rehearsal is None


def test_a_folder_holds_one_trial(kit, tmp_path):
    folder = kit.trial.folder
    assert refusal(create, kit, folder) == (
        f"ledger = {shown(folder / 'trial.db')}: holds a trial already; open it, or name another folder or database"
    )
    other = kit.PROTOCOL.replace("Kit}", "Kat}")
    assert refusal(create, kit, folder, other) == (
        f"folder = {shown(folder)}: holds another protocol.yaml; name another folder, or take that file away"
    )
    assert refusal(create, kit, folder, secret=Secret(bytes(32))) == (
        f"folder = {shown(folder)}: holds another secret.key; "
        "name another folder: a second secret would draw other arms"
    )
    assert kit.head().seq == 2


@pytest.mark.parametrize("reached", ["protocol", "secret", "ledger"])
def test_an_interrupted_creation_can_be_repeated(kit, tmp_path, reached):
    folder = tmp_path / "interrupted"
    folder.mkdir()
    (folder / "protocol.yaml").write_text(kit.PROTOCOL)
    if reached != "protocol":
        kit.SECRET.write(folder / "secret.key")
    if reached == "ledger":
        Ledger.create(folder / "trial.db", conduct.PROJECTION, software="test").close()
        assert refusal(conduct.open_trial, folder) == (
            f"ledger = {shown(folder / 'trial.db')}: holds no trial; "
            "create the trial again; it was interrupted before its first event"
        )
    trial = create(kit, folder)
    assert conduct.snapshot(trial).position == 2
    trial.close()


def test_who_may_not_create_and_what_is_no_protocol(kit, tmp_path):
    folder = tmp_path / "other"
    assert refusal(create, kit, folder, by=kit.DOCTOR) == (
        "role = investigator: may not record 'trial created'; ask the data_manager or administrator"
    )
    with pytest.raises(ProtocolRefused):
        create(kit, folder, "equipoise: 1")
    assert not folder.exists()


def test_an_external_trial_commits_to_nothing_and_randomises_nobody(trial_kit, tmp_path):
    external = trial_kit.PROTOCOL.replace(
        "{method: permuted_blocks, ratio: {NEW: 1, OLD: 1}, block_size: 4, strata: [entry.sex]}",
        "{method: external, ratio: {NEW: 1, OLD: 1}, description: by telephone}",
    )
    kit = trial_kit.Kit(tmp_path / "external", external)
    assert kit.head().seq == 1
    assert not (kit.trial.folder / "secret.key").exists()
    participant = kit.declared()
    assert refusal(conduct.randomise, kit.trial, participant, **kit.entry()) == (
        "allocation.method = external: this trial is not randomised here; "
        "record what was allocated elsewhere by importing it"
    )
    conduct.lock(kit.trial, accept_open=True, **kit.entry(kit.MANAGER))
    assert refusal(conduct.reveal, kit.trial, **kit.entry(kit.MANAGER)) == (
        "allocation.method = external: this trial is not randomised here; there is nothing to reveal"
    )
    assert refusal(conduct.unlock, kit.trial, second=Actor("x", "monitor"), **kit.entry(kit.MANAGER)) == (
        "role = monitor: may not record 'trial unlocked'; ask the investigator or statistician or data_manager"
    )
    kit.trial.close()


def test_an_unknown_time_zone_is_refused(trial_kit, tmp_path):
    text = trial_kit.PROTOCOL.replace("Asia/Shanghai", "Asia/Nowhere")
    kit = trial_kit.Kit(tmp_path / "zone", text)
    assert refusal(kit.screened) == (
        "conventions.timezone = Asia/Nowhere: is not a time zone that this machine knows; "
        "write a name such as Asia/Shanghai, or install the system's time zones (tzdata)"
    )
    kit.trial.close()
