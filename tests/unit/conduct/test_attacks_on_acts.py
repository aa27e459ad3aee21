"""Acts by someone tired, careless or malicious: refused, or recorded as said."""

import unicodedata
from datetime import UTC, date, datetime

import pytest

from equipoise import conduct
from equipoise.ledger import Actor, Unsigned
from equipoise.protocol.faults import ProtocolRefused
from equipoise.refusals import Refusal

NOTHING_TO_SEE = [" ", "\u3000", "\u200b", "\u202e\u2060", "\n\t\x1b"]


@pytest.mark.parametrize("reason", NOTHING_TO_SEE)
def test_a_reason_that_nobody_can_see_is_none(kit, reason):
    before = kit.head()
    with pytest.raises(Unsigned) as refused:
        conduct.screen(kit.trial, site="01", on=kit.today, **kit.entry(reason=reason))
    assert str(refused.value) == "reason: is blank; say why this is done"
    assert kit.head() == before


@pytest.mark.parametrize("name", NOTHING_TO_SEE)
def test_nobody_acts_under_a_name_that_nobody_can_see(name):
    with pytest.raises(Unsigned) as refused:
        Actor(name, "investigator")
    assert str(refused.value) == "actor.id: is blank; sign in, so that the event says who acts"


def test_a_comment_that_nobody_can_see_answers_no_doubt(kit):
    participant = kit.consented()
    kit.record(participant, "scr", "entry", {"sex": "M", "age": 40})
    doubtful = {"drawn": kit.today, "cd4": 139, "cd8": 20}
    with pytest.raises(conduct.FormRefused):
        kit.record(participant, "m0", "blood", doubtful, comments={"UPSIDE": "\u200b"})
    kit.record(participant, "m0", "blood", doubtful, comments={"UPSIDE": "seen in the laboratory's book"})


def test_a_description_that_nobody_can_see_is_none(kit):
    with pytest.raises(Refusal) as refused:
        conduct.deviation(
            kit.trial,
            None,
            category="WINDOW",
            on=kit.today,
            description="\u200b",
            major=False,
            **kit.entry(kit.MANAGER),
        )
    assert str(refused.value) == "description: is blank; say what was done and what was planned"


@pytest.mark.parametrize("moment", [date(2018, 2, 1), "2", 2.0, True])
def test_a_snapshot_of_neither_a_position_nor_a_time_is_refused(kit, moment):
    with pytest.raises(Refusal) as refused:
        conduct.snapshot(kit.trial, moment)
    assert str(refused.value) == (
        f"as_of = {moment}: is neither a position nor a time; pass a position such as 412, or a datetime in UTC"
    )


def test_every_position_and_time_since_the_first_event_can_be_seen(kit):
    kit.randomised()
    last = kit.head().seq
    assert [conduct.snapshot(kit.trial, position).position for position in range(1, last + 1)] == list(
        range(1, last + 1)
    )
    assert conduct.snapshot(kit.trial, datetime(2099, 1, 1, tzinfo=UTC)).position == last


def test_a_clock_set_back_records_nothing(kit):
    participant = kit.declared()
    before, kit.now = kit.head(), kit.now.replace(hour=0)
    with pytest.raises(Refusal) as refused:
        conduct.randomise(kit.trial, participant, **kit.entry())
    assert "set this machine's clock right and repeat the act" in str(refused.value)
    assert kit.head() == before


def test_without_its_secret_nobody_is_randomised_and_nothing_is_told(kit):
    participant = kit.declared()
    before = kit.head()
    kept = kit.trial.secret_path.read_bytes()
    kit.trial.secret_path.unlink()
    for content in (None, b"", b"ab" * 32, kept[:-9], kept + kept):
        if content is not None:
            kit.trial.secret_path.write_bytes(content)
            kit.trial.secret_path.chmod(0o600)
        with pytest.raises(Refusal) as refused:
            conduct.randomise(kit.trial, participant, **kit.entry())
        told = str(refused.value)
        assert told.startswith("secret")
        assert not any(word in told for word in ("NEW", "OLD", kept.decode().strip(), "abab"))
        assert kit.head() == before
    kit.trial.secret_path.write_bytes(kept)
    assert conduct.randomise(kit.trial, participant, **kit.entry()).number == 1


def test_a_trial_follows_a_file_that_the_record_keeps_byte_for_byte(trial_kit, tmp_path):
    decomposed = trial_kit.PROTOCOL.replace("name: North", "name: " + unicodedata.normalize("NFD", "Nörd"))
    with pytest.raises(ProtocolRefused) as refused:
        trial_kit.Kit(tmp_path / "trial", decomposed)
    assert str(refused.value) == (
        "protocol.yaml:5: column 27 holds what the record keeps as U+00F6 latin small letter o with diaeresis; "
        "type that character again, or save the file in normal form C"
    )
    kit = trial_kit.Kit(tmp_path / "trial", unicodedata.normalize("NFC", decomposed).replace("\n", "\r\n"))
    made = conduct.snapshot(kit.trial).protocol_hash
    kit.trial.close()
    again = conduct.open_trial(kit.trial.folder)
    assert conduct.snapshot(again).protocol_hash == made
    again.close()
