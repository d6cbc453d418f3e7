"""How numbers are written for readers, on every page, figure and terminal: the one place where digits are chosen.

An estimate and its limits have the same decimals: so many that the estimate has two significant digits, the interval is
at least five units of the last digit wide, and numbers which differ look different. Rates below one in a hundred are
read per 1,000 or per 100,000, events over person-time per person-years. The tables keep every digit.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
MISSING = "–"
NOT_REACHED = "not reached"
"""What is written for a median time that never comes, which is infinite."""
MINUS = "−"
PROBABILITY_UNITS = ("proportion", "probability")
RATIO = "ratio"
_MOST_DECIMALS, _MOST_MORE = 12, 3
_TINY, _MOST_ZEROS = 1e-4, 8
_RESOLVED = 5.0  # units of the last digit: rounding moves no limit by more than a tenth of the interval
_LONGEST = 1200.0  # months: nobody is followed for longer than a century
_FARTHEST = 1000.0  # a ratio beyond it, or below its inverse, is told by that alone
_PER_TIME = "events per "  # person-years
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def safe(text: object) -> str:
    """The text on one line, with characters that no reader can see, or XML cannot hold, replaced."""
    return "".join(mark if mark.isprintable() else _UNPRINTABLE for mark in str(text))


@dataclass(frozen=True)
class Scale:
    """The unit in which the rates of an endpoint are read.

    Parameters
    ----------
    factor : float
        Times a proportion.
    unit : str
        Behind a number, and in labels.
    months : float or None
        Time of a survival that is read as the constant rate of events which leads to it, `factor` times the events
        per person-year; None for a probability that is read as it is.
    """

    factor: float = 100.0
    unit: str = "%"
    months: float | None = None

    def place(self, value: float | None) -> float | None:
        """Where a figure has a probability: there, or at the events per person-year that it stands for."""
        if value is None or self.months is None or math.isnan(value):
            return value
        return 12.0 / self.months * abs(math.log(min(value, 1.0))) if value > 0.0 else math.inf

    def places(self, values: Sequence[float | None]) -> list[float | None]:
        """The same of an estimate and its limits, the lower one of which comes from the upper one of survival."""
        middle, *ends = map(self.place, values)
        return [middle, *(ends if self.months is None else reversed(ends))]

    def shown(self, value: float) -> float:
        """The number that stands for a probability."""
        return self.factor * self.place(value)

    def change(self, change: float, after: float | None = None) -> float:
        """The number that stands for a change of a probability, which a rate of events has from what it is `after`."""
        return self.factor * change if self.months is None else self.shown(after) - self.shown(after - change)

    @property
    def top(self) -> float:
        """What no number exceeds."""
        return self.factor if self.months is None else math.inf

    @property
    def points(self) -> str:
        """The unit of a difference between two rates."""
        return "points" if self.unit == "%" else self.unit

    @property
    def of_a_rate(self) -> str:
        """Such as ", %" or " per 1,000": behind the name of a rate in a label."""
        return ", %" if self.unit == "%" else f" {self.unit}"

    def axis(self, words: str) -> str:
        """The label of an axis of rates or survival, which are `words`."""
        return f"{'Event rate' if self.months else words}{self.of_a_rate}"


PERCENT = Scale()
PER_THOUSAND, PER_HUNDRED_THOUSAND = Scale(1e3, "per 1,000"), Scale(1e5, "per 100,000")
SCALES = (PERCENT, PER_THOUSAND, PER_HUNDRED_THOUSAND)


def scale_of(rate: float | None, months: float | None = None) -> Scale:
    """The unit for rates about as large as this one, chosen once for an endpoint.

    Parameters
    ----------
    months : float or None
        Time of a survival that is read as events over person-time.
    """
    if months is not None:
        rate = Scale(months=months).place(rate)
    small = rate is not None and 0.0 < rate < 0.01
    scale = PERCENT if not small else PER_THOUSAND if rate >= 0.001 else PER_HUNDRED_THOUSAND
    return scale if months is None else Scale(scale.factor, f"per {scale.factor:,.0f} person-years", months)


def decimals_for(values: Iterable[float], least: int = 0) -> int:
    """Decimals, not fewer than `least`: the range has five units of the last digit, and values look different."""
    distinct = {value for value in values if math.isfinite(value)}
    if len(distinct) < 2:
        return least
    width = max(distinct) - min(distinct)
    decimals = min(max(least, math.ceil(math.log10(_RESOLVED / width))), _MOST_DECIMALS)
    apart = (more for more in range(_MOST_MORE + 1)
             if len({f"{value:.{decimals + more}f}" for value in distinct}) == len(distinct))
    return decimals + next(apart, 0)


def fixed(value: float | None, decimals: int, *, positive: bool = False, top: float = math.inf) -> str:
    """A number with so many decimals; one that would round to a bound which it does not reach says so.

    Parameters
    ----------
    positive : bool
        Whether it cannot be negative, so that "<0.01" has one meaning.
    top : float
        What it cannot exceed.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{abs(value):.{decimals}f}"
    if positive and value > 0.0 == float(text):
        return f"<{10.0**-decimals:.{decimals}f}"
    if value < top <= float(text):
        return f">{top - 10.0**-decimals:.{decimals}f}"
    return (MINUS if value < 0.0 < float(text) else "") + text


def _two_digits(value: float) -> int:
    """Decimals of a number with two significant digits; none for 0."""
    return min(max(0, 1 - math.floor(math.log10(abs(value)))), _MOST_DECIMALS) if value else 0


def significant(value: float | None) -> str:
    """Two significant digits, such as 12,000, and 1.4e7 beyond 100,000; whole below 1,000."""
    if value is None or not math.isfinite(value):
        return MISSING
    size, sign = abs(value), MINUS if value < 0.0 else ""
    if size >= 1e5 or 0.0 < size < _TINY:
        mantissa, _, power = f"{size:.1e}".partition("e")
        return f"{sign}{mantissa}e{int(power)}"
    return f"{sign}{float(f'{size:.1e}') if size >= 1000.0 else size:,.{_two_digits(size)}f}"


def _ratio(value: float | None) -> str:
    """Two significant digits of a ratio above 0, or the bound that it lies beyond."""
    if value is None or not math.isfinite(value) or 1.0 / _FARTHEST <= value <= _FARTHEST:
        return significant(value)
    return f">{_FARTHEST:,.0f}" if value > _FARTHEST else f"<{1.0 / _FARTHEST:g}"


def percent(probability: float) -> str:
    """Whole per cents without the sign; values that would round to 0 or 100 but are neither say so."""
    if 0.0 < probability <= 0.005:
        return "<1"
    if 0.995 <= probability < 1.0:
        return ">99"
    return f"{100.0 * probability:.0f}"


def chance(value: float | None) -> str:
    """A probability as a number between 0 and 1: two digits of it, or of what is missing to 1."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value < 0.001:
        return "<0.001"
    if value > 0.999:
        return ">0.999"
    return significant(value) if value < 0.9 else f"{value:.{max(2, -math.floor(math.log10(1.0 - value)))}f}"


def number(value: float | None, unit: str, scale: Scale = PERCENT) -> str:
    """A number in its unit, which is not repeated: at least two significant digits, one decimal of months, else two."""
    if is_never(value, unit):
        return NOT_REACHED
    if value is None or not math.isfinite(value):
        return MISSING
    if unit in PROBABILITY_UNITS:
        shown = scale.shown(value)
        if scale.months:
            return significant(shown)
        missing = scale.top - shown
        return fixed(shown, _two_digits(missing if 0.0 < missing < 1.0 else shown), positive=True, top=scale.top)
    if unit == "months" and value > _LONGEST:
        return f">{_LONGEST:,.0f}"
    if unit == RATIO and not 1.0 / _FARTHEST <= value <= _FARTHEST:
        return _ratio(value)
    least = 1 if unit == "months" else 2
    return significant(value) if abs(value) >= 1000.0 else fixed(value, max(least, _two_digits(value)))


def is_never(value: float | None, unit: str) -> bool:
    """Whether it is a time that never comes."""
    return value == math.inf and unit == "months"


def as_printed(value: float | None, unit: str, scale: Scale = PERCENT) -> str:
    """A published number with the digits that were published."""
    if value is None:
        return MISSING
    return f"{scale.shown(value) if unit in PROBABILITY_UNITS else value:.10g}"


def signed(value: float | None, unit: str, scale: Scale = PERCENT, *, like: Sequence[float] = (),
           side: bool = False) -> str:
    """A difference: points for proportions, otherwise the unit's own digits.

    Parameters
    ----------
    like : sequence of float
        An estimate and its limits, whose decimals the difference has.
    side : bool
        Whether the side of 0 on which it lies matters: what would round to 0 has up to three decimals more.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if unit in PROBABILITY_UNITS:
        value = scale.change(value, like[0] if like else None)
        decimals = _decimals(list(map(scale.shown, like)), 0)
    elif abs(value) >= 1000.0:
        decimals = None
    else:
        decimals = decimals_for(like, 1 if unit == "months" else 2)
    sizes = (significant(abs(value)),) if decimals is None else (
        fixed(abs(value), decimals + more) for more in range(_MOST_MORE + 1 if side else 1))
    size = next((size for size in sizes if size.strip("0.")), "")
    if not size:
        return "0"
    return ("+" if value > 0 else MINUS) + size


def joint(values: Sequence[float | None], unit: str, scale: Scale = PERCENT, *, least: int | None = None) -> list[str]:
    """An estimate and its limits, all with the same decimals.

    Parameters
    ----------
    values : sequence of float or None
    unit : str
        A ratio is written with digits of its own where it spans orders of magnitude, by a bound beyond 1,000 or its
        inverse; numbers above 1,000 have their own, as have estimates that common decimals would show as 0.
    least : int or None
        Fewest decimals; None takes those of the unit: none for proportions and events per person-time, one for
        months, two for others.
    """
    if any(is_never(value, unit) for value in values):
        texts = joint([None if is_never(value, unit) else value for value in values], unit, scale, least=least)
        return [NOT_REACHED if is_never(value, unit) else text for value, text in zip(values, texts, strict=True)]
    top = math.inf
    if unit in PROBABILITY_UNITS:
        values, top = [None if value is None else scale.factor * value for value in scale.places(values)], scale.top
    numbers = finite(values)
    largest = max(numbers, default=0.0)
    if unit == "months" and largest > _LONGEST:
        return [number(value, unit) for value in values]
    if least is None:
        whole = unit in PROBABILITY_UNITS or unit.startswith(_PER_TIME) or scale.months
        least = 1 if unit == "months" else 0 if whole else 2
    if (scale.months and largest >= 1000.0) or (
            unit not in PROBABILITY_UNITS and _needs_own_digits(numbers, unit, least)):
        return [(_ratio if unit == RATIO else significant)(value) for value in values]
    decimals, positive = _decimals(numbers, least), top < math.inf or min(numbers, default=0.0) >= 0.0
    if are_tiny(numbers, decimals):
        return [significant(value) for value in values]
    return [fixed(value, decimals, positive=positive, top=top) for value in values]


def are_tiny(values: Sequence[float], decimals: int) -> bool:
    """Whether with common decimals numbers near 0 would be rows of zeros, or look like 0."""
    return 0.0 < max(map(abs, values), default=0.0) < _TINY and (decimals > _MOST_ZEROS or any(
        value and not f"{value:.{decimals}f}".strip("-0.") for value in values))


def finite(values: Iterable[float | None]) -> list[float]:
    """Those of the values that are numbers."""
    return [value for value in values if value is not None and math.isfinite(value)]


def _decimals(values: Sequence[float], least: int) -> int:
    """Those that the interval calls for, or one or two more that give the estimate, which comes first, two digits."""
    decimals, of_estimate = decimals_for(values, least), _two_digits(values[0]) if values else 0
    return max(decimals, of_estimate) if of_estimate <= decimals + 2 else decimals


def _needs_own_digits(values: Sequence[float], unit: str, least: int) -> bool:
    """Whether common decimals would hide an estimate, or a limit of a ratio, or show digits without meaning."""
    if max(map(abs, values), default=0.0) >= 1000.0:
        return True
    shown = values if unit == RATIO else values[:1]
    smallest = min((value for value in shown if value), default=1.0)
    return min(values, default=0.0) >= 0.0 and smallest < 0.5 * 10.0**-least and decimals_for(
        [0.0, max(values)], least) == least


def interval_text(value: float | None, low: float | None, high: float | None, unit: str,
                  scale: Scale = PERCENT) -> str:
    """Such as "80 [72, 86]": an estimate with its limits."""
    return "{} [{}, {}]".format(*joint((value, low, high), unit, scale))


def with_interval(row: Row, unit: str, scale: Scale = PERCENT, *, at: str = "median") -> str:
    """Such as "80 [72, 86]": the estimate in a column of a row, with its limits."""
    return interval_text(*limits_of(row, at), unit, scale)


def limits_of(row: Row, name: str) -> list[float | None]:
    """An estimate with its lower and upper limit: median, lower, upper, or raw, raw_lower, raw_upper."""
    stem = name.removesuffix("median").removesuffix("estimate")
    prefix = stem if stem != name else f"{name}_"
    return [row[name], row.get(f"{prefix}lower"), row.get(f"{prefix}upper")]


def printed_with_interval(value: float, low: float | None, high: float | None, unit: str,
                          scale: Scale = PERCENT) -> str:
    """A published estimate, with its limits where they were published."""
    if scale.months and unit in PROBABILITY_UNITS:
        # Read as events over person-time, printed digits are gone, and the limits change places.
        return joint([value], unit, scale)[0] if None in (low, high) else interval_text(value, low, high, unit, scale)
    text = as_printed(value, unit, scale)
    if low is None or high is None:
        return text
    return f"{text} [{as_printed(low, unit, scale)}, {as_printed(high, unit, scale)}]"


def level_text(level: float | None) -> str:
    """Such as "95 %"."""
    return "" if level is None else f"{100.0 * level:.6g} %"


def unit_text(unit: str, scale: Scale = PERCENT) -> str:
    """The unit as a reader sees it behind a number."""
    if unit in PROBABILITY_UNITS:
        return scale.unit
    if scale.months and unit.startswith(_PER_TIME):
        return f"events {scale.unit}"
    return unit if unit == "months" or unit.startswith(_PER_TIME) else ""


def with_unit(text: str, unit: str, scale: Scale = PERCENT) -> str:
    """The text of an estimate, or of one with limits, with its unit behind the estimate."""
    middle, bracket, limits = text.partition(" [")
    return middle + ("" if middle == NOT_REACHED else f" {unit_text(unit, scale)}".rstrip()) + bracket + limits


def counted(number_of: int | None, noun: str, plural: str = "") -> str:
    """Such as "1 study" or "10 studies"; a dash where the number is not known."""
    plural = plural or (f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s")
    return f"{MISSING} {plural}" if number_of is None else f"{number_of:,} {noun if number_of == 1 else plural}"


def estimand_text(months: float | None, scale: Scale = PERCENT) -> str:
    """The main estimand of an endpoint in words, such as "survival at 12 months"; that of a rate without a time."""
    return "mean rate" if months is None else "event rate" if scale.months else f"survival at {months:g} months"


def studies_and_patients(k: int | None, n: int | None) -> str:
    """Such as "10 / 349"; a dash for what is not known."""
    return f"{MISSING if k is None else k} / {MISSING if n is None else f'{n:,}'}"


def out_of(events: int | None, n: int | None) -> str:
    """Such as "400/489"; a dash for what is not known."""
    return "/".join(MISSING if count is None else f"{count:,}" for count in (events, n))
