"""Short forms of a phrase: its label, its beginning, its verb as a noun."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.execute.english import (
    AMOUNT,
    ARTICLE,
    CUT,
    EMPTY,
    LOOSE_ENDS,
    PARTICLES,
    SAVES,
    leads_on,
)

__all__ = ["About", "doing", "gerund", "label", "lowered", "named", "quoted", "shortened"]

LONGEST_OBJECT_WORDS, LONGEST_OBJECT = 8, 56
LONGEST_CLAUSE_WORDS, LONGEST_CLAUSE = 12, 72
LONGEST_LABEL_WORDS, LONGEST_LABEL = 6, 34

PREPOSITION = re.compile(
    r"^(?:about|after|as|at|before|by|during|for|from|in|into|on|since|to|under|until|when|while|"
    r"with|without)\s"
)
_OF = re.compile(
    r"\s+of\s+(?=(?:the|an?|your|this|that)\s)(?!the (?:day|week|month|year|art|world)\b)",
    re.IGNORECASE,
)
_JOINED = re.compile(r"\s+(?:and|or|&|\+)\s+", re.IGNORECASE)
_LIST = re.compile(r"(?:[\w'’]+(?: [\w'’]+)?, )+(?=.* and ).{3,24}")
_CLAUSE = re.compile(
    r"\s(?:so(?= (?:that|you|it|we|they|the) )|which|that|because|where|while|when|if|but)\s"
)
# Words that hold the matter rather than name it.
_HOLDER = re.compile(
    r"^(?:(?:articles?|background|info(?:rmation)?|literature|overview|papers?|pros and cons|"
    r"reviews?|sources|survey|(?:deep )?dive|everything|facts)\s(?:on|about|of|for|into)|"
    r"(?:rest|part|some|habit|risk) of|(?:over)?spending (?:so much |too much |less |more )?on|"
    r"(?:cap|ceiling|lid) on|some(?:thing|where) to \w+ (?:with|for|about)|"
    r"(?:best|good|better|easiest|right|cheapest) (?:way|time|place) to \w+)\s",
    re.IGNORECASE,
)
# fmt: off
_DOUBLED = frozenset({
    "begin", "commit", "debug", "forget", "format", "program", "quit", "refer", "reset", "submit",
    "swap", "transfer", "unclog", "unplug",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class About:
    """What a task is about; `topic` has no quotes and takes `article`, `detail` follows it."""

    object: str
    topic: str
    detail: str = ""
    article: str = ""


def named(text: str) -> About:
    """Say what a phrase that names something is about."""
    about = shortened(text) or text
    topic = label(about)
    place = lowered(about).find(lowered(topic))
    detail = about[place + len(topic) :].strip(" ,;:-") if place >= 0 else ""
    return About(about, topic, detail if PREPOSITION.match(f"{detail.lower()} ") else "")


def doing(verb: str, rest: list[str]) -> About:
    """“waking up at 6”, “losing 5 kg”: the verb, where what follows says too little."""
    keep = 0
    while keep < len(rest) - 1 and leads_on(rest[keep].lower()):
        keep += 1
    whole = " ".join([gerund(verb), *rest])
    if rest[:1] == ["between"] and "and" in rest:
        return About(shortened(whole), _within(" ".join(rest[1:])))
    saved_for = re.search(r" for (?!\d)(.+)$", whole) if verb in SAVES else None
    topic = label(saved_for[1]) if saved_for else label(whole, keep=keep + 2)
    return About(shortened(whole), topic)


def lowered(text: str) -> str:
    """Return `text` in lower case with each letter in its place: “İ” does not become two."""
    return "".join(letter.lower()[0] for letter in text) if not text.isascii() else text.lower()


def gerund(verb: str) -> str:
    """Return the -ing form of a verb: “running”, “making”, “dying”, “batch cooking”."""
    before, _, last = verb.rpartition(" ")
    if last.endswith("ie"):
        doing = last[:-2] + "ying"
    elif last.endswith("e") and not last.endswith(("ee", "ye", "oe")) and last != "be":
        doing = last[:-1] + "ing"
    else:
        doubled = last in _DOUBLED or re.fullmatch(r"[^aeiou]*[aeiou][bdgklmnprt]", last)
        doing = last + (last[-1] if doubled else "") + "ing"
    return f"{before} {doing}".strip()


def shortened(
    text: str, words: int = LONGEST_OBJECT_WORDS, characters: int = LONGEST_OBJECT
) -> str:
    """Return the beginning of `text`, ended where a phrase can end."""
    kept = text.split()[:words]
    while len(kept) > 1 and len(" ".join(kept)) > characters:
        kept = kept[:-1]
    short = " ".join(kept)
    if len(kept) < len(text.split()):
        clause = _CLAUSE.search(short, 3) or re.search(r"(?<=\w\w),\s(?!.*,)", short)
        short = short[: clause.start()] if clause else " ".join(_without_loose_ends(kept))
    short = short[:characters].strip(" ,;:-–—")
    return short.rsplit(" (", 1)[0] if short.count("(") > short.count(")") else short


def quoted(text: str) -> str:
    """Return a sentence in quotation marks, so that it can stand where a noun would."""
    whole = text.strip('“”"')
    short = shortened(whole, LONGEST_CLAUSE_WORDS, LONGEST_CLAUSE)
    return f"“{short}”" if len(short) >= len(whole) else f"“{short} …”"


def label(text: str, keep: int = 0) -> str:
    """Return a few words of `text` with no article; its first `keep` words are not cut apart."""
    bare = ARTICLE.sub("", text) or text
    if holder := _HOLDER.match(bare):
        bare = ARTICLE.sub("", bare[holder.end() :]) or bare
    cut = None if _LIST.fullmatch(bare) else CUT.search(bare, len(" ".join(bare.split()[:keep])))
    if cut is None or not cut.start():
        return _within(_head(bare))
    head, rest = bare[: cut.start()], bare[cut.end() :]
    if keep or not rest:
        return _within(head)
    if head.lower() in EMPTY | PARTICLES or (AMOUNT.fullmatch(head) and not CUT.match(f" {rest}")):
        return label(rest)
    return _within(_head(head))


def _head(label_text: str) -> str:
    """Cut a long label at “of” or “and”; of an amount of something, keep the something."""
    if amount := re.match(rf"(?:{AMOUNT.pattern}) of (.+)", label_text, re.IGNORECASE):
        label_text = ARTICLE.sub("", amount.group(1))
    words = len(label_text.split())
    if words >= LONGEST_LABEL_WORDS - 1 and (of := _OF.search(label_text)):
        return label_text[: of.start()]
    if words > LONGEST_LABEL_WORDS and (joined := _JOINED.search(label_text, 4)):
        return label_text[: joined.start()]
    return label_text


def _within(label_text: str) -> str:
    words = label_text.split()[:LONGEST_LABEL_WORDS]
    while len(words) > 1 and len(" ".join(words)) > LONGEST_LABEL:
        words = words[:-1]
    short = " ".join(_without_loose_ends(words))
    return re.sub(r"[“”\"]", "", short).strip(" ,;:.-–—()")


def _without_loose_ends(words: list[str]) -> list[str]:
    while len(words) > 1 and words[-1].lower().strip(",;:-–—(") in LOOSE_ENDS:
        words = words[:-1]
    return words
