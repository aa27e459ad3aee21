"""Build a tree of nodes from YAML events, counting each against the limits as it comes.

No recursion and no expansion: an alias shares its target's node, and its cost is charged in full.
"""

from dataclasses import dataclass, field
from typing import Any, NoReturn

from ruamel.yaml import events

from equipoise.protocol.faults.fault import Fault, Path, ProtocolRefused, field_of
from equipoise.protocol.reading.characters import invisible_in
from equipoise.protocol.reading.limits import Limits
from equipoise.protocol.reading.nodes import Entry, Group, Node, Scalar, Sequence
from equipoise.protocol.reading.scalars import NotANumber, resolved
from equipoise.refusals import shown

MOST_FAULTS = 50  # enough to mend in one sitting; a hostile file could bring one a line


@dataclass(slots=True)
class _Open:
    """A group or list whose end has not come yet."""

    line: int
    is_group: bool
    anchor: str | None
    cost_before: int
    depth: int = 1  # levels from here to the deepest node within
    key: tuple[str, int] | None = None
    key_lines: dict[str, int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)

    def closed(self) -> Node:
        return Group(self.line, tuple(self.entries)) if self.is_group else Sequence(self.line, tuple(self.items))


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an alias may repeat, and what repeating it costs."""

    node: Node
    nodes: int
    depth: int


class Builder:
    """Takes events one by one; `finished` gives the root or refuses with every fault."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self.line = 1
        self._root: Node | None = None
        self._documents = 0
        self._nodes = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._faults: list[Fault] = []

    def take(self, event: Any) -> None:
        """Take the next event.

        Raises:
            ProtocolRefused: when a limit is passed or the file's structure cannot be followed further.
        """
        self.line = event.start_mark.line + 1
        match event:
            case events.DocumentStartEvent():
                self._begin_document(event)
            case events.AliasEvent():
                self._repeat(event.anchor)
            case events.ScalarEvent():
                self._note_tag(event)
                self._scalar(event)
            case events.MappingStartEvent() | events.SequenceStartEvent():
                self._note_tag(event)
                self._begin(event)
            case events.MappingEndEvent() | events.SequenceEndEvent():
                self._end()

    def finished(self) -> Node:
        """The root node.

        Raises:
            ProtocolRefused: when there were faults, or the file holds nothing.
        """
        if self._faults:
            raise ProtocolRefused(self._faults)
        if self._root is None or (isinstance(self._root, Scalar) and self._root.value is None):
            self.line = 1
            self._refuse("the file holds nothing", "write the protocol into it")
        return self._root

    def _begin_document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._refuse("a second document begins", "keep one document and remove the line `---` or `...`")
        if event.version not in (None, (1, 2)) or event.tags:
            self._refuse("a directive (%) changes how the file is read", "remove the lines that begin with %")

    def _begin(self, event: Any) -> None:
        self._count(1)
        is_group = isinstance(event, events.MappingStartEvent)
        if self._wants_key():
            self._refuse("a key is a group or a list", "write a word as the key")
        self._check_depth(1)
        self._name_anchor(event.anchor)
        self._open.append(_Open(self.line, is_group, event.anchor, self._nodes - 1))

    def _end(self) -> None:
        ended = self._open.pop()
        node = ended.closed()
        if ended.anchor is not None:
            self._anchors[ended.anchor] = _Anchored(node, self._nodes - ended.cost_before, ended.depth)
        self._place(node, ended.depth)

    def _scalar(self, event: Any) -> None:
        self._count(1)
        self._check_visible(event.value)
        if self._wants_key():
            self._take_key(event)
            return
        quoted = event.style is not None
        node = Scalar(self.line, event.value, quoted, event.value if quoted else self._value(event.value))
        if event.anchor is not None:
            self._name_anchor(event.anchor)
            self._anchors[event.anchor] = _Anchored(node, 1, 0)
        self._place(node, 0)

    def _repeat(self, anchor: str) -> None:
        if self._wants_key():
            self._refuse("a key is an alias", "write the key itself")
        anchored = self._anchors.get(anchor)
        if anchored is None:
            inside = anchor in self._anchors
            problem = "repeats the group it stands in" if inside else "names no anchor above it"
            self._refuse(f"the alias *{shown(anchor)} {problem}", "write the value itself")
        self._count(anchored.nodes)
        self._check_depth(anchored.depth)
        self._place(anchored.node, anchored.depth)

    def _place(self, node: Node, depth: int) -> None:
        if not self._open:
            self._root = node
            return
        around = self._open[-1]
        around.depth = max(around.depth, depth + 1)
        if not around.is_group:
            around.items.append(node)
        elif around.key is not None:
            around.entries.append(Entry(*around.key, node))
            around.key = None

    def _take_key(self, event: Any) -> None:
        around = self._open[-1]
        key: str = event.value
        around.key = (key, self.line)
        if event.style is None and key == "<<":
            self._note("a merge key (<<) copies other keys unseen", "write the keys out")
        elif event.style is None and key == "":
            self._note("a key is missing before the colon", "write the key")
        elif key in around.key_lines:
            first = around.key_lines[key]
            self._note(f"is written twice, on lines {first} and {self.line}", "keep one of the two")
        if event.anchor is not None:
            self._note("the key carries an anchor", "put the anchor before the value")
        around.key_lines.setdefault(key, self.line)

    def _value(self, text: str) -> Any:
        try:
            return resolved(text)
        except NotANumber as error:
            problem, remedy = error.args
            self._note(problem, remedy, text)
            return text

    def _name_anchor(self, anchor: str | None) -> None:
        if anchor is None:
            return
        if anchor in self._anchors:
            self._refuse(f"the anchor &{shown(anchor)} is named twice", "give each anchor its own name")
        if len(self._anchors) >= self.limits.anchors:
            self._refuse(f"the file has more than {self.limits.anchors} anchors", "write some of the values out")
        self._anchors[anchor] = None

    def _note_tag(self, event: Any) -> None:
        if event.tag is not None:
            self._note(
                f"carries the tag {shown(event.tag)}", "remove the tag, and put the value in quotes if it is text"
            )

    def _check_visible(self, text: str) -> None:
        invisible = invisible_in(text)
        if invisible:
            self._note(f"holds {invisible}, which nobody can see", "remove the character or its escape")

    def _check_depth(self, levels: int) -> None:
        if len(self._open) + levels > self.limits.depth:
            self._refuse(f"is nested more than {self.limits.depth} levels deep", "write it with fewer levels")

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > self.limits.nodes:
            self._refuse(
                f"the file holds more than {self.limits.nodes} values, those that aliases repeat counted each time",
                "remove what is not needed",
            )

    def _wants_key(self) -> bool:
        return bool(self._open) and self._open[-1].is_group and self._open[-1].key is None

    def _path(self) -> Path:
        steps = (
            around.key[0] if around.key else None if around.is_group else len(around.items) for around in self._open
        )
        return tuple(step for step in steps if step is not None)

    def _note(self, problem: str, remedy: str, value: str = "") -> None:
        self._faults.append(Fault(self.name, self.line, field_of(self._path()), value, problem, remedy))
        if len(self._faults) >= MOST_FAULTS:
            raise ProtocolRefused(self._faults)

    def _refuse(self, problem: str, remedy: str) -> NoReturn:
        field = field_of(self._path())
        raise ProtocolRefused([*self._faults, Fault(self.name, self.line, field, "", problem, remedy)])
