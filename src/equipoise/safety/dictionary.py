"""The dictionary by which events are coded: one that the user has a licence for, or the terms of a published scale.

No content of a licensed dictionary comes with the program. MedDRA is read from the user's own ASCII files (`llt.asc`,
`pt.asc`, `mdhier.asc`, fields between `$`), another dictionary from a CSV file with the columns code, name, system.
Of CTCAE 5.0 and DAIDS 2.1 come those terms that the program grades, and of DAIDS the events usual after an infusion;
they have no codes, and their names serve as such. What is stored with an event is the code, the names and the version.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher, get_close_matches
from functools import cached_property
from importlib import resources
from math import log
from pathlib import Path

from equipoise.refusals import Refusal

LLT_CODE, LLT_NAME, LLT_PT, LLT_CURRENCY = 0, 1, 2, 9
PT_CODE, PT_NAME = 0, 1
HIER_PT, HIER_HLT_NAME, HIER_HLGT_NAME, HIER_SOC_NAME, HIER_PRIMARY = 0, 5, 6, 7, 11
COLUMNS = ["code", "name", "system"]
MEDDRA = "MedDRA"
WHOLE = "take all three files of one version"
FOLDER, FILE = "dictionary", "dictionary.csv"
PUBLISHED = {("CTCAE", "5.0"): "ctcae-5.0-terms.csv", ("DAIDS", "2.1"): "daids-2.1-terms.csv"}
WORD = re.compile(r"\w+")
COMMON = frozenset(
    {"a", "after", "an", "and", "at", "by", "for", "from", "in", "not", "of", "on", "or", "the", "to", "when", "with"}
)
"""Words that make no two terms alike."""
SPELT_ALIKE = 0.8
"""How alike two words are that may be one word misspelt, from 0 to 1."""
MISSPELT = 4
"""A word so spelt counts by its likeness to this power: infection is no injection."""


class DictionaryRefused(Refusal):
    """A dictionary's file that cannot be read, or a term that is not in it."""


@dataclass(frozen=True, slots=True)
class CodedTerm:
    """A term with its place in a dictionary.

    Args:
        code: the dictionary's code of the term itself.
        name: the term.
        preferred: the name under which it is counted.
        preferred_code: that name's code.
        system: the system that it belongs to (in MedDRA the primary system organ class); empty when not known.
        groups: names between the two, from narrow to wide.
        dictionary: whose term it is.
        version: of which version.
        current: whether the dictionary still recommends it.
    """

    code: str
    name: str
    preferred: str
    preferred_code: str
    system: str
    dictionary: str
    version: str
    groups: tuple[str, ...] = ()
    current: bool = True


@dataclass(frozen=True)
class Dictionary:
    """Terms by code and by name, in any case of letters."""

    name: str
    version: str
    terms: Mapping[str, CodedTerm]
    _by_name: dict[str, CodedTerm] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """A current term is found before one of the same name that is not."""
        ordered = sorted(self.terms.values(), key=lambda term: term.current)
        object.__setattr__(self, "_by_name", {term.name.casefold(): term for term in ordered})

    def has(self, text: str) -> bool:
        """Whether that is the code or the name of a term."""
        return text.strip() in self.terms or text.strip().casefold() in self._by_name

    def find(self, text: str) -> CodedTerm:
        """The term of that code or name.

        Raises:
            DictionaryRefused: when there is none.
        """
        found = self.terms.get(text.strip()) or self._by_name.get(text.strip().casefold())
        if found is None:
            problem = f"is neither a code nor a name of {self.name} {self.version}"
            raise DictionaryRefused("term", text, problem, "look the term up, and give its code or its whole name")
        return found

    def current(self, text: str) -> CodedTerm:
        """The term of that code or name, by which an event may be coded.

        Raises:
            DictionaryRefused: when there is none, or the dictionary no longer recommends it.
        """
        found = self.find(text)
        if not found.current:
            remedy = f"use a current one, such as {found.preferred}"
            raise DictionaryRefused("term", text, f"is no longer current in {self.name} {self.version}", remedy)
        return found

    def exact(self, text: str) -> CodedTerm | None:
        """The current term whose name has the same words in the same order, whatever stands between them."""
        return self._by_words.get(words_of(text))

    def suggestions(self, text: str, most: int = 5) -> tuple[CodedTerm, ...]:
        """Current terms that are like a text, the likest first: they share words, the rarer the more it counts.

        Terms less than half as like as the likest are left out.
        """
        wanted = words_of(text)
        weights = {
            spelt: log(1 + len(self.terms) / len(self._holding[spelt])) * alike**MISSPELT
            for word in dict.fromkeys(wanted)
            if word not in COMMON
            for spelt, alike in self._spelt(word)
        }
        shared: dict[str, float] = {}
        for word, weight in weights.items():
            for code in self._holding[word]:
                shared[code] = shared.get(code, 0.0) + weight
        plain = " ".join(wanted)

        score = {code: found / (len(words_of(self.terms[code].name)) + len(wanted)) for code, found in shared.items()}
        enough = max(score.values(), default=0.0) / 2

        def rank(code: str) -> tuple[float, float, str]:
            name = " ".join(words_of(self.terms[code].name))
            return -score[code], -SequenceMatcher(None, plain, name).ratio(), code

        best = sorted((code for code, found in score.items() if found >= enough), key=rank)
        return tuple(self.terms[code] for code in best[:most])

    @cached_property
    def _by_words(self) -> dict[tuple[str, ...], CodedTerm]:
        """The current terms by the words of their names.

        Names that differ in their signs alone, such as + and -, say different things and are left out.
        """
        found: dict[tuple[str, ...], list[CodedTerm]] = {}
        for term in self.terms.values():
            if term.current:
                found.setdefault(words_of(term.name), []).append(term)
        return {words: terms[0] for words, terms in found.items() if len(terms) == 1}

    @cached_property
    def _holding(self) -> dict[str, list[str]]:
        """The codes of the current terms that have a word in their name."""
        found: dict[str, list[str]] = {}
        for code, term in self.terms.items():
            for word in set(words_of(term.name)) if term.current else ():
                found.setdefault(word, []).append(code)
        return found

    def _spelt(self, word: str) -> list[tuple[str, float]]:
        """A word as the dictionary spells it, with how alike that is."""
        if word in self._holding:
            return [(word, 1.0)]
        alike = get_close_matches(word, self._holding, n=3, cutoff=SPELT_ALIKE)
        return [(spelt, SequenceMatcher(None, word, spelt).ratio()) for spelt in alike]


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text in small letters."""
    return tuple(WORD.findall(text.casefold()))


def dictionary_in(folder: Path, name: str, version: str) -> Dictionary:
    """The dictionary that a trial's folder holds: MedDRA's files in `dictionary/`, another one in `dictionary.csv`.

    Where the folder holds neither, the terms of CTCAE 5.0 and DAIDS 2.1 that come with the program.

    Args:
        folder: the trial's.
        name: as the protocol names the dictionary.
        version: as the protocol gives it.

    Raises:
        DictionaryRefused: when there is none, or its files cannot be read.
    """
    if (folder / FOLDER).is_dir():
        if name != MEDDRA:
            remedy = f"write {name} as {FILE}, or name the dictionary {MEDDRA}"
            raise DictionaryRefused("dictionary.name", name, f"is not what the folder {FOLDER} is for", remedy)
        return read_meddra(folder / FOLDER, version)
    if (folder / FILE).exists():
        return read_terms(folder / FILE, name, version)
    published = PUBLISHED.get((name, version))
    if published is None:
        problem = f"is not in {folder}, and does not come with the program"
        remedy = f"put the files of MedDRA into its folder {FOLDER}, or another dictionary into its file {FILE}"
        raise DictionaryRefused("dictionary", f"{name} {version}", problem, remedy)
    return _terms(resources.files("equipoise.safety").joinpath("tables", published).read_text("utf-8"), published,
                  name, version)  # fmt: skip


def read_meddra(folder: Path, version: str) -> Dictionary:
    """MedDRA from the folder of its ASCII files.

    Args:
        folder: holds `llt.asc`, `pt.asc` and `mdhier.asc`, in UTF-8.
        version: as the subscription names it, such as 27.1.

    Raises:
        DictionaryRefused: when the version is blank or not that of `meddra_release.asc` (where that file is there), a
            file is not there or not UTF-8, a line is too short, or a term leads to a preferred term that is not there.
    """
    _check_version(version)
    _check_release(folder / "meddra_release.asc", version)
    names = {row[PT_CODE]: row[PT_NAME] for _, row in _rows(folder / "pt.asc", PT_NAME + 1)}
    places = _places(folder)
    terms: dict[str, CodedTerm] = {}
    for line, row in _rows(folder / "llt.asc", LLT_CURRENCY + 1):
        preferred = row[LLT_PT]
        if row[LLT_CODE] in terms:
            raise DictionaryRefused(f"llt.asc:{line}", row[LLT_CODE], "is a code that stands twice", WHOLE)
        if preferred not in names or preferred not in places:
            missing = "pt.asc" if preferred not in names else "the primary paths of mdhier.asc"
            problem = f"is a preferred term that is not in {missing}"
            raise DictionaryRefused(f"llt.asc:{line}", preferred, problem, WHOLE)
        system, groups = places[preferred]
        terms[row[LLT_CODE]] = CodedTerm(
            row[LLT_CODE], row[LLT_NAME], names[preferred], preferred, system, MEDDRA, version, groups,
            current=row[LLT_CURRENCY] == "Y",
        )  # fmt: skip
    if not terms:
        raise DictionaryRefused("llt.asc", None, "holds no term", WHOLE)
    return Dictionary(MEDDRA, version, terms)


def _places(folder: Path) -> dict[str, tuple[str, tuple[str, str]]]:
    """By preferred term, the system of its primary path and the groups on it."""
    found: dict[str, tuple[str, tuple[str, str]]] = {}
    for line, row in _rows(folder / "mdhier.asc", HIER_PRIMARY + 1):
        if row[HIER_PRIMARY] == "Y":
            if row[HIER_PT] in found:
                raise DictionaryRefused(f"mdhier.asc:{line}", row[HIER_PT], "has two primary paths", WHOLE)
            found[row[HIER_PT]] = row[HIER_SOC_NAME], (row[HIER_HLT_NAME], row[HIER_HLGT_NAME])
    return found


def read_terms(path: Path, name: str, version: str) -> Dictionary:
    """A dictionary from a CSV file with the columns code, name, system.

    Raises:
        DictionaryRefused: when the version is blank, the file is not there or not UTF-8, its columns are others, a
            code or a name is blank, or a code stands twice.
    """
    _check_version(version)
    return _terms(_text_of(path), path.name, name, version)


def _terms(text: str, file: str, name: str, version: str) -> Dictionary:
    lines = _csv(text, file)
    _, header = next(lines, (1, []))
    if [cell.lower() for cell in header] != COLUMNS:
        remedy = f"begin it with the line {','.join(COLUMNS)}; cells may be divided by , ; or tabs"
        raise DictionaryRefused(f"{file}:1", ",".join(header), "are not the columns of a dictionary", remedy)
    terms: dict[str, CodedTerm] = {}
    names: set[str] = set()
    for line, row in lines:
        code, term, system = _cells(file, line, row)
        for what, text, seen in (("code", code, terms), ("name", term.casefold(), names)):
            if text in seen:
                remedy = "keep one of the lines"
                raise DictionaryRefused(f"{file}:{line}", text, f"is a {what} that stands twice", remedy)
        names.add(term.casefold())
        terms[code] = CodedTerm(code, term, term, code, system, name, version)
    return Dictionary(name, version, terms)


def _csv(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank with the line on which it ends; white space inside a cell is one space."""
    first = text.partition("\n")[0]
    delimiter = next((sign for sign in ",;\t" if sign in first), ",")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in rows:
            cells = [" ".join(cell.split()) for cell in row]
            if any(cells):
                yield rows.line_num, cells
    except csv.Error as error:
        remedy = "close every quotation mark, and keep each cell short"
        raise DictionaryRefused(f"{file}:{rows.line_num}", None, f"is no CSV ({error})", remedy) from None


def _cells(file: str, line: int, cells: Sequence[str]) -> tuple[str, str, str]:
    if len(cells) != len(COLUMNS) or not all(cells[:2]):
        remedy = "give code, name and system; only the system may be blank"
        raise DictionaryRefused(f"{file}:{line}", ",".join(cells), "is not a whole line", remedy)
    return cells[0], cells[1], cells[2]


def _check_version(version: str) -> None:
    if not version.strip():
        raise DictionaryRefused("version", None, "is blank", "say of which version the files are")


def _check_release(path: Path, version: str) -> None:
    """Hold the version against what the delivery says of itself, where it says it."""
    if path.exists():
        found = _text_of(path).partition("$")[0].strip()
        if found != version.strip():
            remedy = "amend the protocol's dictionary.version, or take the files of that version"
            raise DictionaryRefused("version", version, f"is not that of {path.name}, {found}", remedy)


def _rows(path: Path, width: int) -> Iterator[tuple[int, list[str]]]:
    for line, text in enumerate(_text_of(path).removesuffix("\n").split("\n"), start=1):
        if not text.strip():
            continue
        cells = text.removesuffix("\r").split("$")
        if len(cells) < width:
            problem = f"has {len(cells)} fields between $ where {width} are needed"
            raise DictionaryRefused(f"{path.name}:{line}", cells[0], problem, "take the file as it was delivered")
        yield line, cells


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise DictionaryRefused("file", path, problem, "name the folder or file of the dictionary") from None
    except UnicodeDecodeError as error:
        raise DictionaryRefused("file", path, f"byte {error.start + 1} is not UTF-8", "save it as UTF-8") from None
