"""Commands that help to design a trial."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from equipoise.cli.by_example import ByExample
from equipoise.cli.showing import say, say_json, table
from equipoise.cli.starting import protocol_path
from equipoise.refusals import Refusal

if TYPE_CHECKING:
    from equipoise.safety.stopping import Boundary

TRUE_RATES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
NEVER = "-"
BOUNDARIES = {
    "Pocock-type": ("rate", "planned", "error"),
    "Bayesian": ("rate", "planned", "prior", "threshold"),
    "fixed": ("limit", "planned"),
}
"""The options that describe a boundary of each kind."""


@click.group()
def design() -> None:
    """Compare designs before the protocol is final."""


@design.command(cls=ByExample, example="equipoise design randomisation my-trial")
@click.argument("protocol", type=click.Path(path_type=Path))
@click.option("--n", type=click.IntRange(2, 100_000), help="Participants; without it the protocol's planned number.")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
def randomisation(protocol: Path, n: int | None, as_json: bool) -> None:
    """Compare methods of allocation for PROTOCOL: balance, and how well the next arm can be guessed."""
    from equipoise.design import compare_methods
    from equipoise.protocol import load

    comparison = compare_methods(load(protocol_path(protocol)), n=n)
    if as_json:
        say_json(comparison.as_json())
        return
    say(table(comparison.as_table()))
    for note in comparison.notes:
        say(note)


class Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers separated by commas, such as 0.4,1.6."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The numbers; anything else is refused as misuse of the command."""
        try:
            return tuple(float(each) for each in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not numbers separated by commas", param, ctx)


@design.command()
@click.argument("protocol", type=click.Path(path_type=Path), required=False)
@click.option("--rate", type=float, help="The acceptable rate of the event, when there is no PROTOCOL.")
@click.option("--planned", type=int, help="Participants planned in the arm.")
@click.option("--error", type=float, help="Pocock-type: the chance of stopping that is borne at the acceptable rate.")
@click.option("--prior", type=Numbers(), help="Bayesian: a,b of the beta distribution of the rate.")
@click.option("--threshold", type=float, help="Bayesian: the certainty that stops the trial.")
@click.option("--limit", type=int, help="Fixed: so many participants with the event stop the trial.")
@click.option("--rates", type=Numbers(), help="True rates to try, as 0.1,0.2,0.4.")
@click.option("--json", "as_json", is_flag=True, help="Print boundaries and chances as JSON.")
def stopping(
    protocol: Path | None,
    rates: tuple[float, ...] | None,
    as_json: bool,
    **numbers: Any,
) -> None:
    """Show when harm stops the trial, and how likely that is at each true rate.

    For the stopping rules of PROTOCOL, or without it for a boundary made of the numbers given: --rate, --planned and
    either --error (Pocock-type), or --prior and --threshold (Bayesian); --limit and --planned (fixed).
    """
    given = {name: value for name, value in numbers.items() if value is not None}
    if protocol is None:
        boundaries: dict[str, tuple[Boundary, float | None]] = {"": (_boundary_from(given), given.get("rate"))}
    else:
        if given:
            problem = "cannot be given with PROTOCOL, which says the numbers itself"
            raise Refusal(_options(given), None, problem, "leave out one")
        boundaries = _boundaries_of(protocol)
    shown = {name: _with_chances(*boundary, rates or TRUE_RATES) for name, boundary in boundaries.items()}
    if as_json:
        say_json({"rules": list(shown.values())} if protocol is None else {"rules": _named(shown)})
        return
    for place, (name, (boundary, _)) in enumerate(boundaries.items()):
        if place:
            say()
        _say_boundary(name, boundary, shown[name])


def _named(shown: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": name, **values} for name, values in shown.items()]


def _boundary_from(given: dict[str, Any]) -> Boundary:
    """The boundary that the options describe; which are given says of which kind it is."""
    from equipoise.safety.stopping import bayesian_boundary, fixed_boundary, pocock_boundary

    kind = next((kind for kind, needed in BOUNDARIES.items() if set(needed) == set(given)), None)
    if kind is None:
        raise _no_boundary(given)
    if kind == "Pocock-type":
        return pocock_boundary(given["rate"], given["planned"], given["error"])
    if kind == "Bayesian":
        return bayesian_boundary(given["rate"], given["planned"], _pair(given["prior"]), given["threshold"])
    return fixed_boundary(given["limit"], given["planned"])


def _no_boundary(given: dict[str, Any]) -> Refusal:
    """Why the options describe none, and which to add."""
    whole = _one_of({kind: list(needed) for kind, needed in BOUNDARIES.items()})
    if not given:
        return Refusal("PROTOCOL", None, "is missing", f"name a protocol, or give {whole}")
    begun = {
        kind: [name for name in needed if name not in given]
        for kind, needed in BOUNDARIES.items()
        if set(given) <= set(needed)
    }
    if not begun:
        return Refusal(_options(given), None, "cannot make a boundary together", f"give {whole}")
    return Refusal(_options(given), None, "cannot make a boundary alone", f"add {_one_of(begun)}")


def _one_of(kinds: Mapping[str, Iterable[str]]) -> str:
    return ", or ".join(f"{_options(names)} ({kind})" for kind, names in kinds.items())


def _options(names: Iterable[str]) -> str:
    return " ".join(f"--{name}" for name in names)


def _pair(numbers: tuple[float, ...]) -> tuple[float, float]:
    if len(numbers) != 2:
        shown = ",".join(f"{number:g}" for number in numbers)
        raise Refusal("--prior", shown, "is not two numbers", "give both of the beta distribution, such as 0.4,1.6")
    return numbers[0], numbers[1]


def _boundaries_of(path: Path) -> dict[str, tuple[Boundary, float | None]]:
    from equipoise.protocol import load
    from equipoise.safety.stopping import boundary_of

    protocol = load(protocol_path(path))
    if not protocol.stopping_rules:
        raise Refusal("stopping_rules", None, "is empty", "add a rule to the protocol, or give --rate and the rest")
    return {
        rule.id: (boundary_of(protocol, rule), None if rule.acceptable_rate is None else float(rule.acceptable_rate))
        for rule in protocol.stopping_rules
    }


def _with_chances(boundary: Boundary, acceptable: float | None, rates: tuple[float, ...]) -> dict[str, Any]:
    """A boundary with its chances at the true rates, the acceptable one among them."""
    from equipoise.safety.stopping import operating_characteristics

    tried = sorted({*rates, *(() if acceptable is None else (acceptable,))})
    found = [] if boundary.counts == "events" else [operating_characteristics(boundary, rate) for rate in tried]
    return {
        "boundary": boundary.kind,
        "counts": boundary.counts,
        "method": boundary.method,
        "planned": boundary.planned,
        "acceptable_rate": acceptable,
        "alpha": boundary.alpha,
        "limits": list(boundary.limits),
        "operating_characteristics": [
            {
                "rate": each.rate,
                "stops": each.stops,
                "expected_treated": each.expected_treated,
                "expected_events": each.expected_events,
                "stops_at": list(each.stops_at),
            }
            for each in found
        ],
    }


def _say_boundary(name: str, boundary: Boundary, shown: dict[str, Any]) -> None:
    from equipoise.safety.stopping import upper_bound

    say(f"{name}: {boundary.method}" if name else f"{boundary.method[0].upper()}{boundary.method[1:]}")
    if boundary.alpha is not None:
        say(f"alpha: {boundary.alpha:.4f}")
    limits: list[tuple[str, ...]] = [("treated", "stop at events")]
    limits += [(_span(first, last), NEVER if limit is None else str(limit)) for first, last, limit in _runs(boundary)]
    say(table(limits))
    if boundary.counts == "events":
        say("Events are counted, several of one participant too, so no chances are given.")
    else:
        rows: list[tuple[str, ...]] = [("true rate", "stops", "mean treated", "mean events")]
        for each in shown["operating_characteristics"]:
            numbers = (f"{each['expected_treated']:.2f}", f"{each['expected_events']:.2f}")
            rows.append((f"{each['rate']:.3g}", f"{each['stops']:.4f}", *numbers))
        say(table(rows))
    bound = upper_bound(0, boundary.planned)
    say(f"No event in {boundary.planned} treated still allows a rate of {bound:.1%} (one-sided exact 95% bound).")


def _runs(boundary: Boundary) -> list[tuple[int, int, int | None]]:
    """The stretches of numbers treated that have one limit."""
    runs: list[tuple[int, int, int | None]] = []
    for n, limit in enumerate(boundary.limits, start=1):
        if runs and runs[-1][2] == limit:
            runs[-1] = (runs[-1][0], n, limit)
        else:
            runs.append((n, n, limit))
    return runs


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"
