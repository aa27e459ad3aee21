"""Verify a trial's allocations without the software that made them.

    python verifier.py allocations.json

One file, standard library only: copy it out, read it, run it. It shares no code with the package around it. The
JSON holds the revealed secret, the commitment published before the first patient, the method and every
allocation; its fields and all equations are in docs/methods/randomisation.md. The exit code is 0 when the
commitment and every allocation are right and 1 otherwise, and each wrong allocation is named.
"""

import hashlib
import hmac
import json
import math
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

FORMAT = "equipoise/allocations/1"
FIELDS = ("trial", "protocol_hash", "method", "parameters", "arms", "ratio", "commitment", "secret")
MOST_PLACES = 100_000
MOST_PLANNED = 2_000
MOST_TOLERATED = 50
ROOT_BITS = 256

Document = dict[str, Any]
Row = dict[str, Any]


class NotVerifiableError(Exception):
    """The file is not a document that can be verified."""


def main(arguments: Sequence[str]) -> int:
    """Verify the one file named and print what was found; 0 when all is right, 1 otherwise."""
    if len(arguments) != 1:
        say("usage: python verifier.py allocations.json")
        return 1
    try:
        with open(arguments[0], "rb") as file:  # noqa: PTH123 (plain on purpose)
            document = read(file.read())
        faults = list(faults_in(document))
    except (OSError, NotVerifiableError, UnicodeEncodeError) as error:
        say(f"cannot be verified: {error}")
        return 1
    for fault in faults:
        say(f"WRONG {fault}")
    rows = len(document["allocations"])
    verdict = f"faults found: {len(faults)}" if faults else "commitment and every allocation are right"
    say(f"allocations read: {rows}; {verdict}")
    return 1 if faults else 0


def read(content: bytes) -> Document:
    """The document, or `NotVerifiableError` when a field is missing, doubled or of another kind."""
    try:
        document: Document = json.loads(content.decode("utf-8"), object_pairs_hook=without_doubles)
    except (ValueError, RecursionError) as error:
        raise NotVerifiableError(f"not JSON in UTF-8 ({error})") from None
    check(isinstance(document, dict) and document.get("format") == FORMAT, f"format is not {FORMAT}")
    kinds = {"parameters": dict, "ratio": dict, "arms": list}
    for name in FIELDS:
        check(isinstance(document.get(name), kinds.get(name, str)), f"{name} is missing or of the wrong kind")
    check(re.fullmatch("[0-9a-f]{64}", document["secret"]), "secret is not 64 hexadecimal digits")
    arms, ratio = document["arms"], document["ratio"]
    check(len(arms) > 1 and all(isinstance(arm, str) for arm in arms), "arms are not a list of texts")
    check(len(set(arms)) == len(arms) and set(ratio) == set(arms), "arms and ratio do not name the same arms")
    check(all(whole(ratio[arm], 1) for arm in arms), "ratio holds something else than whole numbers")
    check(isinstance(document.get("counts"), dict), "counts is missing or of the wrong kind")
    check(isinstance(document.get("allocations"), list), "allocations is missing or of the wrong kind")
    for index, row in enumerate(document["allocations"]):
        check(readable(row), f"allocations[{index}] is not a number, stratum, factors and arm")
    return document


def readable(row: object) -> bool:
    """Whether a row has its four fields in their kinds."""
    return (
        isinstance(row, dict)
        and isinstance(row.get("number"), int)
        and isinstance(row.get("stratum"), str)
        and isinstance(row.get("arm"), str)
        and isinstance(row.get("factors"), dict)
    )


def faults_in(document: Document) -> Iterator[str]:
    """Every fault, in words."""
    if commitment_of(document) != document["commitment"]:
        yield "commitment: secret, protocol hash and method are not those committed to"
    strata = list(dict.fromkeys(row["stratum"] for row in document["allocations"]))
    for stratum in dict.fromkeys([*strata, *document["counts"]]):
        rows = [row for row in document["allocations"] if row["stratum"] == stratum]
        for number, fault in faults_in_stratum(document, stratum, rows):
            yield f"stratum {stratum}, number {number}: {fault}" if stratum else f"number {number}: {fault}"


def faults_in_stratum(document: Document, stratum: str, rows: list[Row]) -> Iterator[tuple[int, str]]:
    """Places out of order, doubled, missing or with another arm than the secret gives."""
    placed: dict[int, Row] = {}
    highest = 0
    for row in rows:
        number = row["number"]
        if not 0 < number <= MOST_PLACES:
            yield number, f"not a place from 1 to {MOST_PLACES}"
            continue
        if number in placed:
            yield number, "recorded twice"
        elif number < highest:
            yield number, f"stands after number {highest}, out of order"
        placed.setdefault(number, row)
        highest = max(highest, number)
    count = document["counts"].get(stratum)
    check(whole(count, 0), f"counts has no number for stratum {stratum!r}")
    check(count <= MOST_PLACES, "counts holds too large a number")
    for number in range(1, max(highest, count) + 1):
        if number not in placed:
            yield number, "missing"
    if highest > count:
        yield count + 1, f"beyond the {count} allocations counted"
    for number, arm, obstacle in arms_from_secret(document, stratum, placed, highest):
        if obstacle:
            yield number, obstacle
        elif number in placed and placed[number]["arm"] != arm:
            yield number, f"recorded {placed[number]['arm']}, the secret gives {arm}"


def arms_from_secret(
    document: Document, stratum: str, placed: dict[int, Row], highest: int
) -> Iterator[tuple[int, str, str]]:
    """The arm at each place, or what keeps this and all later places from being recomputed."""
    arms: list[str] = document["arms"]
    past: list[int] = []
    factors: list[Row] = []
    for number in range(1, highest + 1):
        if document["method"] == "minimisation":
            if number not in placed:
                yield number, "", "without it the places after it cannot be recomputed"
                return
            factors.append(placed[number]["factors"])
            if any(name not in factors[-1] for name in texts(document, "factors")):
                yield number, "", "a factor is missing; from here on nothing can be recomputed"
                return
        if len(past) == document["parameters"].get("n"):
            yield number, "", f"beyond the {len(past)} planned places"
            return
        shares = shares_at(document, stratum, past, factors)
        check(min(shares) >= 0 and sum(shares) > 0, "the parameters do not make a method")
        drawn = uniform(document, "alloc/1", stratum, number, sum(shares))
        arm = 0
        while drawn >= shares[arm]:
            drawn -= shares[arm]
            arm += 1
        past.append(arm)
        yield number, arms[arm], ""


def shares_at(document: Document, stratum: str, past: list[int], factors: list[Row]) -> list[int]:
    """Each arm's share of the next draw, in whole numbers."""
    method = document["method"]
    ratio = [document["ratio"][arm] for arm in document["arms"]]
    if method == "simple":
        return ratio
    if method == "permuted_blocks":
        return left_in_block(document, stratum, past, ratio)
    if method == "random_allocation_rule":
        return left_of(ratio, past, parameter(document, "n", int))
    if method == "minimisation":
        return minimisation_shares(document, past, factors)
    check(len(ratio) == 2, f"{method} is not a method for {len(ratio)} arms")
    ahead = past.count(0) - past.count(1)
    if method == "biased_coin":
        top, bottom = fraction(parameter(document, "p", str))
        toward = [top, bottom - top]
        return [1, 1] if ahead == 0 else (toward if ahead < 0 else toward[::-1])
    if method == "wei_urn":
        alpha, beta = parameter(document, "alpha", int), parameter(document, "beta", int)
        balls = [alpha + beta * past.count(1), alpha + beta * past.count(0)]
        return balls if sum(balls) else [1, 1]
    check(method in ("big_stick", "maximal_procedure"), f"method {method} is not known")
    mti = parameter(document, "mti", int)
    check(1 <= mti <= MOST_TOLERATED, f"parameters.mti is not from 1 to {MOST_TOLERATED}")
    if method == "big_stick":
        return [int(ahead < mti), int(ahead > -mti)]
    n = parameter(document, "n", int)
    check(len(past) < n <= MOST_PLANNED, f"parameters.n is not from 1 to {MOST_PLANNED}")
    remaining = n - len(past) - 1
    return [ways(remaining, ahead + 1, mti), ways(remaining, ahead - 1, mti)]


def left_of(ratio: list[int], past: list[int], length: int) -> list[int]:
    """Places left for each arm in a stretch that holds the ratio exactly."""
    return [length // sum(ratio) * share - past.count(arm) for arm, share in enumerate(ratio)]


def left_in_block(document: Document, stratum: str, past: list[int], ratio: list[int]) -> list[int]:
    """Places left for each arm in the block that the next place lies in."""
    sizes = parameter(document, "block_sizes", list)
    check(sizes and all(whole(size, 1) for size in sizes), "block_sizes is not a list of sizes")
    start, block = 0, 1
    while True:
        pick = uniform(document, "block/1", stratum, block, len(sizes)) if len(sizes) > 1 else 0
        if len(past) < start + sizes[pick]:
            return left_of(ratio, past[start:], sizes[pick])
        start += sizes[pick]
        block += 1


def ways(steps: int, distance: int, mti: int) -> int:
    """How many sequences of so many steps lead from an imbalance to none within the corridor."""
    if (steps, mti) not in corridor:
        row = {away: int(away == 0) for away in range(-mti, mti + 1)}
        for step in range(steps + 1):
            corridor[step, mti] = row
            row = {away: row.get(away - 1, 0) + row.get(away + 1, 0) for away in row}
    return corridor[steps, mti].get(distance, 0)


corridor: dict[tuple[int, int], dict[int, int]] = {}


def minimisation_shares(document: Document, past: list[int], factors: list[Row]) -> list[int]:
    """Pocock and Simon's chances for the newcomer, whose factors are the last."""
    arms = range(len(document["arms"]))
    weights, measure = parameter(document, "weights", dict), parameter(document, "imbalance", str)
    top, bottom = fraction(parameter(document, "p", str))
    scores = [0] * len(arms)
    for name in texts(document, "factors"):
        check(whole(weights.get(name), 1), f"parameters.weights.{name} is not a whole number")
        alike = [arm for arm, earlier in zip(past, factors, strict=False) if earlier[name] == factors[-1][name]]
        for arm in arms:
            tried = [*alike, arm]
            scores[arm] += weights[name] * spread([tried.count(other) for other in arms], measure)
    ties = sum(score == min(scores) for score in scores)
    best = (len(arms) - 1) * top + (ties - 1) * (bottom - top)
    return [best if score == min(scores) else ties * (bottom - top) for score in scores]


def spread(counts: list[int], measure: str) -> int:
    """How far counts lie apart: their range, or a multiple of their variance or standard deviation."""
    if measure == "range":
        return max(counts) - min(counts)
    squares = sum((one - other) ** 2 for one in counts for other in counts) // 2
    if measure == "variance":
        return squares
    check(measure == "sd", f"imbalance {measure} is not known")
    side = max((side for side in range(1, math.isqrt(squares) + 1) if squares % (side * side) == 0), default=1)
    return side * math.isqrt((squares // (side * side)) << (2 * ROOT_BITS))


def uniform(document: Document, label: str, stratum: str, number: int, below: int) -> int:
    """The number below `below` that the secret gives to a place: HMAC-SHA256 with rejection."""
    for text in (document["trial"], stratum):
        check("\0" not in text and unicodedata.normalize("NFC", text) == text, f"{text!r} has no single spelling")
    key = bytes.fromhex(document["secret"])
    prefix = f"{label}\0{document['trial']}\0{stratum}\0".encode() + number.to_bytes(8, "big")
    digests = 1
    while 2 ** (256 * digests) < below:
        digests += 1
    size = 8 if below <= 2**64 else 32 * digests
    attempt = 0
    while True:
        counters = range(attempt * digests, (attempt + 1) * digests)
        stream = b"".join(hmac.new(key, prefix + c.to_bytes(4, "big"), hashlib.sha256).digest() for c in counters)
        value = int.from_bytes(stream[:size], "big")
        if value < 256**size // below * below:
            return value % below
        attempt += 1


def commitment_of(document: Document) -> str:
    """The hash that should have been published before the first patient."""
    method = {name: document[name] for name in ("arms", "method", "parameters", "ratio")}
    parts = [
        bytes.fromhex(document["secret"]),
        document["protocol_hash"].encode(),
        json.dumps(method, sort_keys=True, separators=(",", ":")).encode(),
    ]
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hashlib.sha256(b"equipoise/commitment/1\0" + framed).hexdigest()


def parameter(document: Document, name: str, kind: type) -> Any:
    """A parameter of the method, in its kind."""
    value = document["parameters"].get(name)
    check(isinstance(value, kind), f"parameters.{name} is missing or of the wrong kind")
    return value


def texts(document: Document, name: str) -> list[str]:
    """A parameter that is a list of texts."""
    values: list[str] = parameter(document, name, list)
    check(all(isinstance(value, str) for value in values), f"parameters.{name} holds something else than texts")
    return values


def fraction(text: str) -> tuple[int, int]:
    """Numerator and denominator of `17/20` in lowest terms, as the commitment spells it."""
    check(re.fullmatch("[0-9]{1,12}/[0-9]{1,12}", text), f"{text!r} is not a fraction")
    top, bottom = map(int, text.split("/"))
    check(0 < top < bottom and math.gcd(top, bottom) == 1, f"{text!r} is not a fraction in lowest terms")
    return top, bottom


def whole(value: object, least: int) -> bool:
    """Whether a value is a whole number and not less than another."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def without_doubles(pairs: list[tuple[str, Any]]) -> Document:
    """A JSON object, refused when a name stands twice: two readers could see two documents."""
    names = [name for name, _ in pairs]
    check(len(set(names)) == len(names), "a name stands twice in one object")
    return dict(pairs)


def check(holds: object, problem: str) -> None:
    """Go on, or say why the document cannot be verified."""
    if not holds:
        raise NotVerifiableError(problem)


def say(text: str) -> None:
    """Print a text on one line, with nothing that steers a terminal or that it cannot show."""
    shown = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(shown.encode(encoding, "backslashreplace").decode(encoding) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
