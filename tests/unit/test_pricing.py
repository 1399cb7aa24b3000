"""What calls cost: published figures, our own in front of them, to the nano-dollar."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import genai_prices
import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cli import main
from core.errors import PricesUnusable
from core.llm import Listed, Price, Prices, Usage, lines_of, listed, warnings_of
from core.llm.client import OVERHEAD_TOKENS
from core.settings import PROJECT

FILE = PROJECT / "data" / "prices.toml"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CURRENT = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-fable-5-2")
HAIKU = CURRENT[0]

OWN = """
version = "7"
[[free]]
provider = "ollama"
unless = ["*-cloud"]
[[price]]
provider = "anthropic"
model = "claude-haiku-5-5"
from = 2026-11-26
until = 2026-12-24
input = 0.3
output = 0.7
[[price]]
provider = "anthropic"
model = "claude-haiku-*"
from = 2026-12-01
input = 0.1
output = 0.2
cache_read = 0.0125
cache_write = 0.4
tiers = [{ above = 1000, input = 0.05, output = 0.2, cache_read = 0.05, cache_write = 0.05 }]
batch = { input = 0.05, output = 0.1 }
[[model]]
provider = "anthropic"
model = "claude-old-1"
retires = 2026-11-25
successor = "claude-haiku-5-5"
[[model]]
provider = "anthropic"
model = "claude-late-1"
retires = 2026-11-26
"""


@pytest.fixture(scope="module")
def shipped() -> Prices:
    return Prices.load(FILE)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "prices.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


@pytest.fixture
def own(written: Callable[[str], Path]) -> Prices:
    return Prices.load(written(OWN))


def nano(prices: Prices, model: str, usage: Usage, at: datetime = NOW, **more: bool) -> int | None:
    return prices.cost("anthropic", model, usage, at, **more).nano_usd


# --- published prices


@pytest.mark.parametrize(
    ("model", "usage", "nano_usd"),
    [
        # $ per million in / out / cache read; a nano-dollar is a thousandth of a $/MTok-token.
        ("claude-3-5-sonnet", Usage(1_000, 300), 7_500_000),
        ("claude-3-5-sonnet", Usage(1_500, 800), 16_500_000),
        (HAIKU, Usage(1_000, 300), 100_000 + 150_000),
        ("claude-sonnet-5-5", Usage(1_000, 300), 2_000_000 + 3_000_000),
        ("claude-opus-5-5", Usage(1_000, 300), 4_000_000 + 6_000_000),
        # 700 of 1,000 from the cache, 200 written to it, 100 neither.
        (HAIKU, Usage(1_000, 0, 700, 200), 700 * 10 + 200 * 125 + 100 * 100),
        ("claude-sonnet-5-5", Usage(1_000, 0, 700, 200), 700 * 100 + 200 * 2_500 + 100 * 2_000),
        ("claude-opus-5-5", Usage(1_000, 0, 700, 200), 700 * 200 + 200 * 5_000 + 100 * 4_000),
        (HAIKU, Usage(1_000, 0, 1_000), 10_000),
        (HAIKU, Usage(0, 0), 0),
        # Above 100,000 tokens of prompt, cached ones too, the whole request costs five times that.
        (HAIKU, Usage(100_000, 1_000), 100_000 * 100 + 1_000 * 500),
        (HAIKU, Usage(100_001, 1_000), 5 * (100_001 * 100 + 1_000 * 500)),
        (HAIKU, Usage(100_001, 0, 100_001), 5 * 100_001 * 10),
        (HAIKU, Usage(100_001, 0, 0, 100_001), 5 * 100_001 * 125),
        (HAIKU, Usage(99_999, 200_000), 99_999 * 100 + 200_000 * 500),
    ],
)
def test_a_call_costs_what_is_published(
    shipped: Prices, model: str, usage: Usage, nano_usd: int
) -> None:
    assert nano(shipped, model, usage) == nano_usd


@pytest.mark.parametrize("model", CURRENT)
@pytest.mark.parametrize("usage", [Usage(5_000, 700, 2_000, 1_000), Usage(150_000, 10)])
def test_a_batch_costs_half_in_every_class(shipped: Prices, model: str, usage: Usage) -> None:
    single = nano(shipped, model, usage)
    assert single is not None
    assert nano(shipped, model, usage, batch=True) == single // 2


def test_half_a_nano_dollar_goes_to_the_even_neighbour(shipped: Prices) -> None:
    # A cached token of a haiku batch costs 62.5 nano-dollars to write.
    costs = [nano(shipped, HAIKU, Usage(count, 0, 0, count), batch=True) for count in (1, 2, 3, 4)]
    assert costs == [62, 125, 188, 250]


def test_costs_of_calls_are_not_the_cost_of_their_sum(shipped: Prices) -> None:
    one = nano(shipped, HAIKU, Usage(60_000, 0))
    both = nano(shipped, HAIKU, Usage(120_000, 0))
    assert one is not None
    assert both == 5 * 2 * one


def test_a_cost_says_where_its_rates_are_from(shipped: Prices) -> None:
    price = shipped.cost("anthropic", HAIKU, Usage(1, 1), NOW)
    assert (price.source, price.version) == ("genai-prices", genai_prices.__version__)


@pytest.mark.parametrize(
    ("provider", "model"),
    [("anthropic", "claude-haiku-99"), ("nobody", "model"), ("anthropic", ""), ("", "")],
)
@pytest.mark.parametrize("batch", [False, True])
def test_an_unknown_price_is_none_and_never_zero(
    shipped: Prices, provider: str, model: str, batch: bool
) -> None:
    assert shipped.cost(provider, model, Usage(5, 5), NOW, batch=batch).nano_usd is None
    assert shipped.bound(provider, model, 5, 5, NOW).nano_usd is None
    assert shipped.cost(provider, model, Usage(5, 5), NOW).source == "unknown"


def test_a_batch_without_a_published_price_is_unknown(shipped: Prices) -> None:
    assert nano(shipped, "claude-3-5-sonnet", Usage(5, 5)) is not None
    assert nano(shipped, "claude-3-5-sonnet", Usage(5, 5), batch=True) is None


@pytest.mark.parametrize("model", ["llama3.2", "qwen3:8b", "whatever"])
def test_what_runs_on_ones_own_machine_costs_nothing_by_declaration(
    shipped: Prices, model: str
) -> None:
    price = shipped.cost("ollama", model, Usage(10**6, 10**6), NOW)
    assert price == Price(0, "declared", price.version)
    assert shipped.bound("ollama", model, 10**6, 10**6, NOW).nano_usd == 0


@pytest.mark.parametrize("model", ["gpt-oss:120b-cloud", "kimi-k3:cloud"])
def test_what_ollama_runs_elsewhere_is_not_free(shipped: Prices, model: str) -> None:
    assert shipped.cost("ollama", model, Usage(5, 5), NOW).nano_usd is None


# --- our own prices


@pytest.mark.parametrize(
    ("at", "nano_usd", "source"),
    [
        (datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC), 100 + 500, "genai-prices"),
        (datetime(2026, 11, 26, tzinfo=UTC), 300 + 700, "prices.toml"),
        (datetime(2026, 11, 26, 1, tzinfo=timezone(timedelta(hours=2))), 600, "genai-prices"),
        (datetime(2026, 11, 30, 23, tzinfo=UTC), 300 + 700, "prices.toml"),
        (datetime(2026, 12, 1, tzinfo=UTC), 100 + 200, "prices.toml"),
        (datetime(2027, 12, 1, tzinfo=UTC), 100 + 200, "prices.toml"),
    ],
)
def test_our_own_price_counts_from_its_day_in_utc_and_the_newest_one_wins(
    own: Prices, at: datetime, nano_usd: int, source: str
) -> None:
    price = own.cost("anthropic", HAIKU, Usage(1, 1), at)
    assert (price.nano_usd, price.source) == (nano_usd, source)
    assert price.version == ("7" if source == "prices.toml" else price.version)


def test_our_own_price_ends_before_the_day_it_counts_until(
    written: Callable[[str], Path],
) -> None:
    prices = Prices.load(
        written(
            'version = "1"\n[[price]]\nprovider = "anthropic"\nmodel = "claude-haiku-5-5"\n'
            "from = 2026-11-01\nuntil = 2026-11-25\ninput = 9\noutput = 9\n"
        )
    )
    assert nano(prices, HAIKU, Usage(1, 0), NOW - timedelta(days=1)) == 9_000
    assert nano(prices, HAIKU, Usage(1, 0), NOW) == 100


def test_our_own_classes_tiers_and_batches_are_priced(own: Prices) -> None:
    at = datetime(2026, 12, 2, tzinfo=UTC)
    assert nano(own, HAIKU, Usage(10, 0, 4, 2), at) == 4 * 12.5 + 2 * 400 + 4 * 100
    assert nano(own, HAIKU, Usage(1_001, 0), at) == 1_001 * 50
    assert nano(own, HAIKU, Usage(10, 10), at, batch=True) == 10 * 50 + 10 * 100


def test_without_our_own_batch_price_batches_are_unknown(own: Prices) -> None:
    at = datetime(2026, 11, 27, tzinfo=UTC)
    assert own.cost("anthropic", HAIKU, Usage(1, 1), at, batch=True) == Price(
        None, "prices.toml", "7"
    )


def test_a_class_without_a_price_of_its_own_costs_what_input_does(own: Prices) -> None:
    at = datetime(2026, 11, 27, tzinfo=UTC)
    assert nano(own, HAIKU, Usage(10, 0, 5, 5), at) == 10 * 300


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ('version = ""', ["version: "]),
        ("", ["version: Field required"]),
        ('version = "1"\nprcie = []', ["prcie: Extra inputs are not permitted"]),
        (
            'version = "1"\n[[price]]\nprovider = "a"\nmodel = "b"\nfrom = 2026-01-01\n'
            'input = -1\noutput = inf\n[[price]]\nmodel = "c"\nfrom = "soon"\n'
            "input = 1\noutput = 1",
            ["price[1].input: ", "price[1].output: ", "price[2].provider: ", "price[2].from: "],
        ),
        (
            'version = "1"\n[[price]]\nprovider = "a"\nmodel = "b"\nfrom = 2026-01-01\ninput = 1\n'
            "output = 1\ncache_read = 1\ntiers = [{ above = 5, input = 1, output = 1 }]",
            ["price[1]: ", "cache_read stands in all tiers and the base, or in none"],
        ),
        (
            'version = "1"\n[[price]]\nprovider = "a"\nmodel = "b"\nfrom = 2026-01-01\ninput = 1\n'
            "output = 1\ntiers = [{above=5,input=1,output=1},{above=5,input=1,output=1}]",
            ["price[1]: ", "tiers rise"],
        ),
        ("version = ", ["is not valid TOML"]),
        ("a" * 300_000, ["is larger than 256 kB"]),
    ],
)
def test_all_faults_of_the_file_are_said_with_their_keys(
    written: Callable[[str], Path], text: str, faults: list[str]
) -> None:
    file = written(text)
    with pytest.raises(PricesUnusable) as refused:
        Prices.load(file)
    assert str(file) in str(refused.value)
    assert [fault for fault in faults if fault not in str(refused.value)] == []


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PricesUnusable, match="cannot be read: No such file or directory"):
        Prices.load(tmp_path / "prices.toml")


# --- the bound


_USD = st.decimals("0", "100", places=4)
_CLASSES = ("input", "output", "cache_read", "cache_write")


@st.composite
def price_tables(draw: st.DrawFn) -> str:
    """A price with any classes and any tiers, also ones that get cheaper."""
    classes = [name for name in _CLASSES if name in _CLASSES[:2] or draw(st.booleans())]
    starts = sorted(draw(st.sets(st.integers(1, 6_000), max_size=3)))

    def rates() -> str:
        return ", ".join(f"{name} = {draw(_USD)}" for name in classes)

    tiers = ", ".join(f"{{ above = {start}, {rates()} }}" for start in starts)
    base = rates().replace(", ", "\n")
    return (
        'version = "1"\n[[price]]\nprovider = "p"\nmodel = "m"\nfrom = 2026-01-01\n'
        f"{base}\ntiers = [{tiers}]\n"
    )


@st.composite
def attempts(draw: st.DrawFn) -> tuple[int, int, Usage]:
    """Bytes sent, the longest answer, and tokens that such an attempt can use."""
    sent, longest = draw(st.integers(0, 5_000)), draw(st.integers(1, 5_000))
    tokens = draw(st.integers(0, sent + OVERHEAD_TOKENS))
    read = draw(st.integers(0, tokens))
    written = draw(st.integers(0, tokens - read))
    return sent, longest, Usage(tokens, draw(st.integers(0, longest)), read, written)


@settings(max_examples=300, deadline=None)
@given(table=price_tables(), attempt=attempts())
def test_no_attempt_costs_more_than_its_bound(
    tmp_path_factory: pytest.TempPathFactory, table: str, attempt: tuple[int, int, Usage]
) -> None:
    file = tmp_path_factory.getbasetemp() / "drawn-prices.toml"
    file.write_text(table, encoding="utf-8")
    prices = Prices.load(file)
    sent, longest, usage = attempt
    bound = prices.bound("p", "m", sent, longest, NOW).nano_usd
    cost = prices.cost("p", "m", usage, NOW).nano_usd
    assert bound is not None
    assert cost is not None
    assert cost <= bound


@settings(max_examples=300, deadline=None)
@given(
    model=st.sampled_from((*CURRENT, "claude-sonnet-4-5")),
    attempt=attempts(),
    longer=st.sampled_from([0, 95_000, 190_000]),
    batch=st.booleans(),
)
def test_no_attempt_at_a_real_model_costs_more_than_its_bound(
    shipped: Prices, model: str, attempt: tuple[int, int, Usage], longer: int, batch: bool
) -> None:
    sent, longest, drawn = attempt
    usage = Usage(
        drawn.input_tokens + longer,
        drawn.output_tokens,
        drawn.cache_read_tokens,
        drawn.cache_write_tokens + longer,
    )
    bound = shipped.bound("anthropic", model, sent + longer, longest, NOW).nano_usd
    cost = nano(shipped, model, usage, batch=batch)
    assert bound is not None
    assert cost is not None
    assert cost <= bound


def test_the_bound_is_no_more_than_the_whole_prompt_written_to_the_cache(shipped: Prices) -> None:
    bound = shipped.bound("anthropic", "claude-sonnet-5-5", 9_000, 2_000, NOW)
    assert bound.nano_usd == (9_000 + OVERHEAD_TOKENS) * 2_500 + 2_000 * 10_000
    assert bound.source == "genai-prices"


# --- what is in force


def test_the_shipped_file_knows_when_models_end_as_the_sdk_does() -> None:
    known = {each.model: each.retires for each in Prices.load(FILE).known_models}
    ends = {
        model: datetime.strptime(_plain_day(day), "%B %d %Y").date()  # noqa: DTZ007 - a day
        for model, day in DEPRECATED_MODELS.items()
    }
    assert {model: known.get(model) for model in ends} == ends
    assert [model for model in CURRENT if known[model] is not None] == []


def _plain_day(day: str) -> str:
    month, number, year = day.replace(",", "").split()
    return f"{month} {number[:-2]} {year}"


def test_current_models_are_listed_with_what_is_in_force(shipped: Prices) -> None:
    rows = {row.model: row for row in listed(shipped, NOW)}
    haiku = rows[HAIKU]
    assert haiku.tiers == {
        0: _usd("0.1", "0.5", "0.01", "0.125"),
        100_000: _usd("0.5", "2.5", "0.05", "0.625"),
    }
    assert haiku.batch == {
        0: _usd("0.05", "0.25", "0.005", "0.0625"),
        100_000: _usd("0.25", "1.25", "0.025", "0.3125"),
    }
    sonnet, opus = rows["claude-sonnet-5-5"].tiers, rows["claude-opus-5-5"].tiers
    assert sonnet == {0: _usd("2", "10", "0.1", "2.5")}
    assert opus == {0: _usd("4", "20", "0.2", "5")}


def _usd(*prices: str) -> dict[str, Decimal]:
    return dict(zip(_CLASSES, map(Decimal, prices), strict=True))


def test_a_model_past_its_end_of_life_is_warned_of_and_listed_last(own: Prices) -> None:
    rows = listed(own, NOW, [("anthropic", "claude-late-1"), ("anthropic", "claude-new-1")])
    assert [(row.model, row.used, row.is_past) for row in rows] == [
        ("claude-late-1", True, False),
        ("claude-new-1", True, False),
        ("claude-old-1", False, True),
    ]
    assert warnings_of(rows) == [
        "claude-late-1 ends on 2026-11-26.",
        "claude-old-1 answers no more since 2026-11-25: use claude-haiku-5-5.",
    ]


def test_a_model_that_has_ended_and_is_in_use_is_said_to_be(own: Prices) -> None:
    rows = listed(own, NOW, [("anthropic", "claude-old-1")])
    assert (
        "claude-old-1 answers no more since 2026-11-25, but is in use: use claude-haiku-5-5."
    ) in warnings_of(rows)
    assert lines_of(rows)[-1].startswith("warning: claude-old-1 answers no more")


def test_the_table_has_a_line_for_each_tier_and_says_what_is_unknown(shipped: Prices) -> None:
    rows = listed(shipped, NOW, [("anthropic", "claude-new-1"), ("ollama", "llama3.2")])
    table = lines_of(rows)
    assert sum(line.startswith(f"anthropic  {HAIKU} ") for line in table) == 2
    (unknown,) = [line for line in table if "claude-new-1" in line]
    assert unknown.split().count("unknown") == 7
    (free,) = [line for line in table if line.startswith("ollama")]
    assert free.split()[2:6] == ["0", "0", "0", "0"]
    assert not any(line.startswith("anthropic  claude-3") for line in table)


def test_a_row_is_json_with_exact_decimals(shipped: Prices) -> None:
    row = listed(shipped, NOW)[0]
    assert '"cache_write":"0.125"' in row.model_dump_json()
    assert Listed.model_validate_json(row.model_dump_json()) == row


def test_the_command_lists_current_models_and_what_has_ended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["prices"]) == 0
    table = capsys.readouterr().out
    assert [model for model in CURRENT if model not in table] == []
    assert "Past their end of life, the day they ended: claude-1.3 (2024-11-06)" in table
    assert main(["prices", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    by_model = {row["model"]: row for row in said["models"]}
    assert by_model[HAIKU]["tiers"]["100000"]["output"] == "2.5"
    assert by_model["llama3.2"]["tiers"] == {"0": {"input": "0", "output": "0"}}
    assert (
        "claude-opus-4-0 answers no more since 2026-06-15: use claude-opus-5-5."
        in (said["warnings"])
    )
