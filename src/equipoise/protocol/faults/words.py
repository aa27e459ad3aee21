"""Plain words for what pydantic refuses: error type to problem and remedy.

The texts are filled from the error's own context (`{gt}`, `{max_length}`). Types that need the file
or the path to be said well are answered in `validation`. Reference: pydantic's table of validation
errors, https://docs.pydantic.dev/latest/errors/validation_errors/.
"""

from collections.abc import Iterable, Mapping

Words = tuple[str, str]  # problem, remedy

GROUP: Words = ("must be a group of keys", "write each key and its value on a line of its own, indented below")
LIST: Words = ("must be a list", "write each entry below with a dash before it, or all of them as [a, b]")
WHOLE: Words = ("must be a whole number", "write a whole number such as 7")
NUMBER: Words = ("must be a number", "write a number such as 1.5, without a unit")
YES_NO: Words = ("must be true or false", "write true or false, without quotes")
DATE: Words = ("is not a date of the calendar", "write year, month and day such as 2018-02-01")
TIME: Words = ("is not a time of the day", "write hours and minutes such as 08:30")
INSTANT: Words = ("is not a date with a time", "write it such as 2018-02-01T08:30:00Z")
DURATION: Words = ("is not a length of time", "write it such as PT24H or P14D")
ADDRESS: Words = ("is not an address of the web", "write it whole, such as https://example.org/page")
IDENTIFIER: Words = ("is not a UUID", "write it such as 123e4567-e89b-42d3-a456-426614174000")
OTHER: Words = ("is not a value that this field takes", "see the field in the reference of the protocol file")


def _each(kinds: Iterable[str], words: Words) -> dict[str, Words]:
    return dict.fromkeys(kinds, words)


PLAIN_WORDS: Mapping[str, Words] = {
    "none_required": ("must be left empty", "remove the value"),
    "greater_than": ("must be above {gt}", "write a value above {gt}"),
    "greater_than_equal": ("must be at least {ge}", "write {ge} or a value above it"),
    "less_than": ("must be below {lt}", "write a value below {lt}"),
    "less_than_equal": ("must be at most {le}", "write {le} or a value below it"),
    "multiple_of": ("must be a multiple of {multiple_of}", "write a multiple of {multiple_of}"),
    "finite_number": ("must be a finite number", "write a number such as 1.5"),
    "too_short": ("holds {actual_length} entries, too few", "give at least {min_length}"),
    "too_long": ("holds {actual_length} entries, too many", "give at most {max_length}"),
    "string_too_short": ("is too short", "write at least {min_length} characters"),
    "string_too_long": ("is too long", "write at most {max_length} characters"),
    "string_pattern_mismatch": ("does not have the form that this field takes", "write it in the form {pattern}"),
    "string_not_ascii": ("holds a letter outside plain ASCII", "write it with A to Z, digits and plain signs"),
    "int_parsing_size": ("is too large", "write a smaller whole number"),
    "decimal_max_digits": ("has too many digits", "write at most {max_digits} digits"),
    "decimal_max_places": ("has too many decimal places", "write at most {decimal_places} decimal places"),
    "decimal_whole_digits": ("is too large", "write at most {whole_digits} digits before the point"),
    "date_past": ("is not in the past", "write a date in the past"),
    "date_future": ("is not in the future", "write a date in the future"),
    "datetime_past": ("is not in the past", "write a time in the past"),
    "datetime_future": ("is not in the future", "write a time in the future"),
    "date_from_datetime_inexact": ("holds a time as well as a date", "write the date alone, such as 2018-02-01"),
    "timezone_naive": ("names a time zone", "leave the time zone out"),
    "timezone_aware": ("names no time zone", "end it with Z or an offset such as +08:00"),
    "timezone_offset": ("is in another time zone", "write it with an offset of {tz_expected} seconds"),
    "url_scheme": ("begins with a scheme that is not allowed", "begin it with {expected_schemes}"),
    "url_too_long": ("is too long", "write at most {max_length} characters"),
    "recursion_loop": ("holds itself", "remove the alias that leads back"),
    "recursion_depth_exceeded": ("is nested too deeply", "write it with fewer levels"),
    "default_factory_not_called": ("depends on a value that was refused", "correct the other faults first"),
    **_each(("int_type", "int_parsing", "int_from_float"), WHOLE),
    **_each(("float_type", "float_parsing", "decimal_type", "decimal_parsing"), NUMBER),
    **_each(("fraction_type", "fraction_parsing", "complex_type", "complex_str_parsing"), NUMBER),
    **_each(("bool_type", "bool_parsing"), YES_NO),
    **_each(("date_type", "date_parsing", "date_from_datetime_parsing"), DATE),
    **_each(("time_type", "time_parsing"), TIME),
    **_each(("datetime_type", "datetime_parsing", "datetime_object_invalid", "datetime_from_date_parsing"), INSTANT),
    **_each(("time_delta_type", "time_delta_parsing"), DURATION),
    **_each(("url_type", "url_parsing", "url_syntax_violation"), ADDRESS),
    **_each(("uuid_type", "uuid_parsing", "uuid_version"), IDENTIFIER),
    **_each(("dict_type", "frozen_dict_type", "ordered_dict_type", "counter_type", "mapping_type"), GROUP),
    **_each(("model_type", "model_attributes_type", "dataclass_type", "dataclass_exact_type"), GROUP),
    **_each(("list_type", "tuple_type", "named_tuple_type", "set_type", "frozen_set_type", "deque_type"), LIST),
    **_each(("iterable_type", "iteration_error", "arguments_type"), LIST),
    **_each(("set_item_not_hashable", "invalid_key", "string_unicode"), OTHER),
    **_each(("bytes_type", "bytes_too_short", "bytes_too_long", "bytes_invalid_encoding"), OTHER),
    **_each(("is_instance_of", "is_subclass_of", "callable_type", "needs_python_object"), OTHER),
    **_each(("no_such_attribute", "get_attribute_error", "frozen_field", "frozen_instance"), OTHER),
    **_each(("json_invalid", "json_type", "missing_sentinel_error", "ellipsis_error"), OTHER),
    **_each(("missing_argument", "unexpected_keyword_argument", "missing_keyword_only_argument"), OTHER),
    **_each(("unexpected_positional_argument", "missing_positional_only_argument", "multiple_argument_values"), OTHER),
}
