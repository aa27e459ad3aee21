"""What follows a document finds what is not as the document shows."""

import pytest

PAGE = """\
# A page

```console
$ echo one; echo two
one
two
$ false
$ echo $?
1
$ cat <<'END'
> first
>
> third
> END
first

third
```

```python
>>> number = 2 + 2

```

Nothing is run of a block without a prompt:

```python
broken(
```

```python
>>> number
4

```

```yaml
a: 1
```

```yaml
b: 2
```

```console
$ cat protocol.yaml
a: 1
b: 2
```
"""


@pytest.fixture
def differences(following, tmp_path):
    """What differs from a page that is as given."""

    def act(text):
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        return following.differences(page, tmp_path, {})

    return act


def test_a_page_that_is_right_differs_in_nothing(differences):
    assert differences(PAGE) == ""


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("one\ntwo\n$", "one\nthree\n$", "line 4: $ echo one; echo two\nshows:\none\nthree\nprints:\none\ntwo"),
        ("one\ntwo\n$", "one\n$", "line 4: $ echo one; echo two\nshows:\none\nprints:\none\ntwo"),
        ("\n1\n$", "\n0\n$", "line 8: $ echo $?\nshows:\n0\nprints:\n1"),
        ("b: 2\n```\n\n```console", "b: 3\n```\n\n```console", "prints:\na: 1\nb: 3"),
    ],
)
def test_a_command_that_prints_something_else_is_told(differences, right, wrong, told):
    assert PAGE.count(right) == 1
    assert told in differences(PAGE.replace(right, wrong))


def test_python_that_answers_something_else_is_told(differences):
    told = differences(PAGE.replace(">>> number\n4", ">>> number\n5"))
    assert "Expected:\n    5\nGot:\n    4\n" in told


def test_a_command_that_ends_the_shell_is_told(differences):
    with pytest.raises(AssertionError, match="the shell ended after"):
        differences(PAGE.replace("$ false", "$ exit 3"))


def test_a_page_with_nothing_to_do_is_told(differences):
    with pytest.raises(AssertionError, match="shows nothing to do"):
        differences("# A page\n")


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["head …"], ["head 9f86"], True),
        (["head … of … events"], ["head 9f86 of 12 events"], True),
        (["head …"], ["tail 9f86"], False),
        (["a", "…", "d"], ["a", "b", "c", "d"], True),
        (["a", "…", "d"], ["a", "d"], True),
        (["a", "…", "d"], ["a", "b"], False),
        (["…"], [], True),
        ([], ["something"], False),
        (["a+b"], ["aab"], False),
    ],
)
def test_an_ellipsis_stands_for_anything(following, shown, printed, same):
    assert following.matches(shown, printed) is same
